"""Read two of the containers in which PyTorch stores weights. (`torch_tar` reads a third.)

Each has a pickle that describes the tensors, and next to it their numbers in one-dimensional
"storages". A tensor is a view of a storage; several tensors may share one.

zip (since 1.6)
    `NAME/data.pkl`, and the storage with key K as the member `NAME/data/K`. Newer files have
    `NAME/byteorder`, "little" or "big".
pickles in a row (0.2 to 1.5)
    Five: a magic number, the protocol (1001), facts about the machine, the object, the list of the
    storages' keys. Then for each key the number of its elements, in 8 bytes, and the elements.

Source: torch/serialization.py.
"""

import re
import struct
from typing import Any, NamedTuple

from minicnn.files import mapped
from minicnn.foreign import pickles, zips
from minicnn.foreign.settings import intact, require

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
ORDERS = {"little": "<", "big": ">"}
TYPES = {"Float": "<f4", "Double": "<f8", "Half": "<f2", "BFloat16": "<" + mapped.BFLOAT16,
         "Long": "<i8", "Int": "<i4", "Short": "<i2", "Char": "|i1", "Byte": "|u1", "Bool": "|b1"}
STORAGES = {f"{place}.{name}Storage": kind for name, kind in TYPES.items()
            for place in ("torch", "torch.cuda")}


class Storage(NamedTuple):
    """One-dimensional numbers: `count` of those stored under `key`, from index `first` on."""

    key: Any
    kind: str
    count: int
    first: int = 0


class Tensor(NamedTuple):
    """A view of a storage; offset and strides in elements."""

    storage: Storage
    offset: int
    shape: tuple
    strides: tuple


class Contents(NamedTuple):
    """The object in a container, and `places`: {key of a storage: (first byte, bytes)}."""

    value: Any
    places: dict
    says: dict


def zipped(data):
    """The Contents of a zip container.

    Raises
    ------
    ValueError
        The bytes are not what PyTorch writes.
    """
    found = zips.members(data)
    pickle = [name for name in found if re.fullmatch(r"([^/]*/)?data\.pkl", name)]
    require(len(pickle) == 1, "it is a ZIP file without PyTorch's one member NAME/data.pkl")
    top = pickle[0].removesuffix("data.pkl")
    require(f"{top}constants.pkl" not in found, "it is a TorchScript program, not a state dict; "
            "load it in PyTorch and save its state_dict()")
    require(not any(member.deflated for member in found.values()), "its members are compressed, "
            "which PyTorch never does; unpack it, and pack it without compression: zip -0 -r")
    storages, order = {}, _text(data, found.get(f"{top}byteorder"), "little")
    require(order in ORDERS, "its byte order is {!r:.40}, neither little nor big", order)
    value, _ = pickles.load(zips.contents(data, found[pickle[0]]), 0, CALLS,
                            lambda name: _known(name, storages, ORDERS[order]))
    places = {}
    for key in storages:
        member = found.get(f"{top}data/{key}")
        require(member, "its member {}data/{!s:.40}, with numbers, is missing", top, key)
        zips.contents(data, member)  # verifies its checksum
        places[key] = member.start, member.size
    return Contents(value, places, {"version": _text(data, found.get(f"{top}version"), "")})


def in_a_row(data):
    """The Contents of a container of pickles in a row."""
    magic, at = pickles.load(data, 0, CALLS)
    require(magic == MAGIC, "it is a pickle, but does not begin with PyTorch's magic number. A "
            "pickle can contain any program, so this one is not opened")
    protocol, at = pickles.load(data, at, {})
    require(protocol == PROTOCOL, "its protocol is {!r:.40}, expected PyTorch's {}", protocol,
            PROTOCOL)
    _, at = pickles.load(data, at, {})
    storages, places = {}, {}
    value, at = pickles.load(data, at, CALLS, lambda name: _known(name, storages))
    keys, at = pickles.load(data, at, {})
    require(type(keys) is list and all(map(_is_key, keys)),
            "the list of its storages is not a list of keys")
    for key in keys:
        require(key in storages, "it lists a storage {!r:.40} that no tensor uses", key)
        places[key], at = row(data, at, storages[key].kind)
    require(at == len(data), "{} bytes follow after its expected end", len(data) - at)
    return Contents(value, places, {})


# ---- names and calls allowed in a pickle

def _rebuilt(storage, offset, shape, strides, requires_grad=False, hooks=None, metadata=None):
    """Stand-in for torch._utils._rebuild_tensor, with four arguments, and _rebuild_tensor_v2. Only
    newer files have metadata, and they are empty except for complex numbers."""
    require(not metadata, "one of its tensors has to be conjugated or negated after reading; save "
            "it with resolve_neg()")
    return tensor(storage, offset, shape, strides)


def tensor(storage, offset, shape, strides):
    """A Tensor, after checking the types; `torch_file` checks later that it fits its storage."""
    require(type(storage) is Storage,
            "its pickle makes a tensor from something that is not a storage")
    require(all(type(numbers) in (tuple, list) for numbers in (shape, strides))
            and len(shape) == len(strides) <= mapped.MOST_DIMENSIONS
            and mapped.whole(offset, *shape, *strides), "its pickle makes a tensor with an offset, "
            "a shape or strides that are not whole numbers or do not match")
    return Tensor(storage, offset, tuple(shape), tuple(strides))


CALLS = {
    "torch._utils._rebuild_tensor": _rebuilt,
    "torch._utils._rebuild_tensor_v2": _rebuilt,
    "torch._utils._rebuild_parameter": lambda data, requires_grad, hooks: data,
    "torch._utils._rebuild_parameter_with_state": lambda data, requires_grad, hooks, state: data,
    "torch.Size": lambda numbers: numbers,
    **dict.fromkeys(STORAGES),  # may be named, but not called
    **dict.fromkeys(name.replace("Storage", "Tensor") for name in STORAGES),
}


def _known(name, storages, order="<"):
    """The Storage of a persistent id; the whole storage is added to `storages` under its key.

    name : ("storage", type, key, place, count); older files add the view of the storage that is
    meant, (key of the view, first, count), or None.
    """
    require(type(name) is tuple and len(name) in (5, 6) and name[0] == "storage",
            "its pickle refers to something that is not a storage")
    _, kind, key, _, count, *view = name
    require(type(kind) is pickles.Global and _is_key(key) and mapped.whole(count),
            "its pickle refers to a storage without a type, a key or a size")
    whole = Storage(key, kind_of(kind, order), count)
    require(storages.setdefault(key, whole) == whole,
            "its pickle gives storage {!r:.40} two types or sizes", key)
    part = (key, 0, count) if view in ([], [None]) else view[0]
    require(type(part) is tuple and len(part) == 3 and mapped.whole(*part[1:])
            and part[1] + part[2] <= count,
            "its pickle refers to a part outside of storage {!r:.40}", key)
    return whole._replace(first=part[1], count=part[2])


def _is_key(key):
    return type(key) is str or mapped.whole(key)


def kind_of(kind, order="<"):
    """NumPy's dtype string for the storage type that a Global names."""
    require(kind.name in STORAGES, "its pickle uses {} as a type of storage", kind.name)
    return STORAGES[kind.name].replace("<", order)


# ---- storages, and short texts

def row(data, at, kind):
    """The storage at byte `at`, a count and the elements: ((first byte, bytes) of the elements, the
    byte after them)."""
    count, = struct.unpack("<q", mapped.take(data, at, 8))
    size = count * mapped.itemsize(kind)
    intact(count >= 0 and at + 8 + size <= len(data),
           "at byte {} it should hold {:,} numbers, but it ends before that", at, count)
    return (at + 8, size), at + 8 + size


def _text(data, member, default):
    return default if member is None else bytes(
        zips.contents(data, member)[:40]).decode("ascii", "backslashreplace").strip()
