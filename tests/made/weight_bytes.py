"""Other programs' weight files, written byte by byte: good ones, and ones no program would write.

`encode` is an assembler of pickles: plain values become the instructions that make them, and bytes
stand for themselves, so that any instruction can be put anywhere.
"""

import io
import json
import struct
import tarfile
import zipfile

import numpy as np

TYPES = {"f4": "Float", "f8": "Double", "f2": "Half", "i8": "Long", "i4": "Int", "i2": "Short",
         "i1": "Char", "u1": "Byte", "b1": "Bool"}
MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


# ---- pickles

def encode(value):
    """The instructions that leave a value on the stack."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return b"X" + struct.pack("<I", len(value.encode())) + value.encode()
    if value is None or isinstance(value, bool):
        return {None: b"N", True: b"\x88", False: b"\x89"}[value]
    if isinstance(value, int):
        size = value.bit_length() // 8 + 1
        return b"\x8a" + bytes([size]) + value.to_bytes(size, "little", signed=True)
    if isinstance(value, float):
        return b"G" + struct.pack(">d", value)
    if isinstance(value, tuple):
        return b"(" + b"".join(map(encode, value)) + b"t"
    if isinstance(value, list):
        return b"](" + b"".join(map(encode, value)) + b"e"
    return b"}(" + b"".join(encode(k) + encode(v) for k, v in value.items()) + b"u"


def pickled(value):
    return b"\x80\x02" + encode(value) + b"."


def name(module, attribute):
    return f"c{module}\n{attribute}\n".encode()


def call(function, *arguments):
    return function + encode(arguments) + b"R"


ORDERED = call(name("collections", "OrderedDict"))


# ---- PyTorch

def tensor(key, array, shape=None, strides=None, offset=0, kind=None, more=(), count=None):
    """A tensor, in row-major order of all its storage where nothing else is said."""
    kind = kind or f"{TYPES[array.dtype.str[1:]]}Storage"
    storage = encode(("storage", name("torch", kind), key, "cpu",
                      array.size if count is None else count, *more)) + b"Q"
    shape = array.shape if shape is None else shape
    strides = tuple(s // array.itemsize for s in array.strides) if strides is None else strides
    return call(name("torch._utils", "_rebuild_tensor_v2"), storage, offset, shape, strides, False,
                ORDERED)


def small():
    """Arrays for a small good file."""
    rng = np.random.default_rng(4)
    return {"conv.weight": rng.standard_normal((2, 3, 2, 2)).astype("<f4"),
            "conv.bias": rng.standard_normal(2).astype("<f2"),
            "steps": np.array(7, "<i8")}


def torch_zip(arrays=None, value=None, **members):
    """A zip container; `value` in place of the dict of all arrays; `members` to add or replace."""
    arrays = small() if arrays is None else arrays
    if value is None:
        value = {key: tensor(str(k), array) for k, (key, array) in enumerate(arrays.items())}
    found = {"data.pkl": pickled(value), "byteorder": b"little"}
    found |= {f"data/{k}": array.tobytes() for k, array in enumerate(arrays.values())}
    found |= {"version": b"3\n"} | members
    return zipped({f"archive/{key}": data for key, data in found.items() if data is not None})


def zipped(members, method=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for key, data in members.items():
            file.writestr(key, data)
    return out.getvalue()


def without_checksums(data):
    """A zip file as PyTorch writes it when told to write no checksums: they are 0."""
    data = bytearray(data)
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        at = file.start_dir
        for member in file.infolist():
            data[member.header_offset + 14:member.header_offset + 18] = bytes(4)
            data[at + 16:at + 20] = bytes(4)
            at += 46 + sum(struct.unpack_from("<HHH", data, at + 28))
    return bytes(data)


def torch_row(arrays=None, value=None, facts=None, keys=None, more=()):
    """A container of pickles in a row."""
    arrays = small() if arrays is None else arrays
    if value is None:
        value = {key: tensor(str(k), array, more=(None,))
                 for k, (key, array) in enumerate(arrays.items())}
    rows = [struct.pack("<q", array.size) + array.tobytes() for array in arrays.values()]
    keys = [str(k) for k in range(len(arrays))] if keys is None else keys
    facts = {"little_endian": True} if facts is None else facts
    return b"".join([*map(pickled, (MAGIC, PROTOCOL, facts, value, keys)), *rows, *more])


def torch_tar(arrays=None, views=None, value=None, **members):
    """A tar container; the storage of array k has key 100 + k, its tensor 200 + k."""
    arrays = small() if arrays is None else arrays
    rows, views = list(enumerate(arrays.values())), [] if views is None else views
    storages = pickled(len(rows)) + b"".join(
        pickled((100 + k, "cpu", name("torch", f"{TYPES[a.dtype.str[1:]]}Storage")))
        + struct.pack("<q", a.size) + a.tobytes() for k, a in rows) + pickled(views)
    tensors = pickled(len(rows)) + b"".join(tar_tensor(200 + k, 100 + k, a) for k, a in rows)
    if value is None:
        value = {key: encode(str(200 + k)) + b"Q" for k, key in enumerate(arrays)}
    found = {"sys_info": pickled({}), "pickle": pickled(value), "tensors": tensors,
             "storages": storages} | members
    return tarred({key: data for key, data in found.items() if data is not None})


def tar_tensor(key, storage, array, offset=0):
    strides = [s // array.itemsize for s in array.strides]
    kind = f"{TYPES[array.dtype.str[1:]]}Tensor"
    numbers = [array.ndim, *array.shape, *strides, offset]
    return pickled((key, storage, name("torch", kind))) + struct.pack(f"<{len(numbers)}q", *numbers)


def tarred(members, kind=tarfile.REGTYPE):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:", format=tarfile.PAX_FORMAT) as file:
        for key, data in members.items():
            member = tarfile.TarInfo(key)
            member.size, member.mtime, member.type = len(data), 1.5, kind
            file.addfile(member, io.BytesIO(data))
    return out.getvalue()


# ---- safetensors

def safetensors(arrays=None, kinds=None, metadata=None, **header):
    """A safetensors file; `kinds` for arrays whose bits are of a type that NumPy lacks."""
    arrays, end, entries = small() if arrays is None else arrays, 0, {}
    for key, array in arrays.items():
        kind = {"f": "F", "i": "I", "u": "U", "b": "BOOL"}[array.dtype.kind]
        kind = kind if kind == "BOOL" else f"{kind}{8 * array.itemsize}"
        entries[key] = {"dtype": (kinds or {}).get(key, kind), "shape": array.shape,
                        "data_offsets": [end, end + array.nbytes]}
        end += array.nbytes
    if metadata is not None:
        entries["__metadata__"] = metadata
    return with_header(entries | header, b"".join(a.tobytes() for a in arrays.values()))


def with_header(header, numbers=b""):
    """A safetensors file with any header, as text or as what JSON can write."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + numbers


# ---- NumPy

def npy(array):
    out = io.BytesIO()
    np.save(out, array, allow_pickle=True)
    return out.getvalue()


def npz(arrays=None, compressed=False):
    out = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(out, **(arrays or small()))
    return out.getvalue()
