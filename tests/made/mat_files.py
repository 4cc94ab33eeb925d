"""MATLAB's .mat files of level 5, written for tests by the description of the form alone."""

import struct
import zlib

import numpy as np

TYPES = {"i1": 1, "u1": 2, "i2": 3, "u2": 4, "i4": 5, "u4": 6, "f4": 7, "f8": 9, "i8": 12, "u8": 13}
CLASSES = {"f8": 6, "f4": 7, "i1": 8, "u1": 9, "i2": 10, "u2": 11, "i4": 12, "u4": 13, "i8": 14,
           "u8": 15}
MATRIX, COMPRESSED = 14, 15


def file(variables, compressed=False, order="<"):
    """The bytes of a file: {name: value}."""
    return header(order) + b"".join(variable(name, value, compressed, order)
                                    for name, value in variables.items())


def header(order="<"):
    """The first 128 bytes."""
    text = b"MATLAB 5.0 MAT-file, for a test".ljust(116) + bytes(8)
    return text + struct.pack(f"{order}H", 0x0100) + (b"IM" if order == "<" else b"MI")


def variable(name, value, compressed=False, order="<"):
    """An element with a name, packed or not."""
    whole = matrix(value, name, order)
    if not compressed:
        return whole
    packed = zlib.compress(whole)
    return struct.pack(f"{order}II", COMPRESSED, len(packed)) + packed


def element(kind, data, order="<", small=True):
    """A tag and its data, in one word of eight bytes where it fits."""
    if small and 0 < len(data) <= 4 and kind != MATRIX:
        return struct.pack(f"{order}I", len(data) << 16 | kind) + data.ljust(4, b"\0")
    return struct.pack(f"{order}II", kind, len(data)) + data + bytes(-len(data) % 8)


def matrix(value, name="", order="<"):
    """A value as an element: array, str, list (a cell), dict (a structure), list in a tuple of
    dicts (an array of structures)."""
    kind, shape, contents = _contents(value, order)
    return element(MATRIX, start(kind, shape, name, order) + contents, order)


def start(kind, shape, name="", order="<"):
    """Flags, dimensions and name."""
    return (element(6, struct.pack(f"{order}II", kind, 0), order)
            + element(5, np.array(shape, f"{order}i4").tobytes(), order)
            + element(1, name.encode(), order))


def _contents(value, order):
    if isinstance(value, str):
        return 4, (1 if value else 0, len(value)), element(
            4, value.encode("utf-16-le" if order == "<" else "utf-16-be"), order)
    if isinstance(value, list):
        return 1, (1, len(value)), b"".join(matrix(one, "", order) for one in value)
    if isinstance(value, (dict, tuple)):
        return _structures((value,) if isinstance(value, dict) else value, order)
    array = np.atleast_2d(value)
    code = array.dtype.str[1:]
    data = array.astype(array.dtype.newbyteorder(order)).tobytes(order="F")
    return CLASSES[code], array.shape, element(TYPES[code], data, order)


def _structures(records, order):
    names = list(records[0])
    width = 1 + max(map(len, names), default=0)
    fields = b"".join(name.encode().ljust(width, b"\0") for name in names)
    values = b"".join(matrix(record[name], "", order) for record in records for name in names)
    return 2, (1, len(records)), (element(5, struct.pack(f"{order}i", width), order)
                                  + element(1, fields, order, small=False) + values)


def normal(*shape, seed=0):
    """Random float32."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def conv(name, *shape, pad=0, seed=0):
    """A convolution, (kh, kw, in, out)."""
    return {"type": "conv", "name": name, "weights": [normal(*shape, seed=seed),
                                                      normal(1, shape[-1], seed=seed + 1)],
            "pad": np.full((1, 4), float(pad)), "stride": np.ones((1, 2))}


def small():
    """A network: its layers, and what a file says beside them."""
    pool = {"name": "pool1", "stride": np.full((1, 2), 2.0), "pad": np.array([[0.0, 1, 0, 1]]),
            "type": "pool", "method": "max", "pool": np.full((1, 2), 3.0)}
    return {"layers": [
        conv("conv1", 3, 3, 3, 4, pad=1), {"type": "relu", "name": "relu1"},
        {"type": "normalize", "name": "norm1", "param": np.array([[5, 1, 1e-4 / 5, 0.75]])}, pool,
        conv("fc", 4, 4, 4, 3), {"type": "softmax", "name": "prob"},
    ], "meta": {
        "normalization": {"imageSize": np.array([[8.0, 8, 3]]), "keepAspect": np.array([[1]], "u1"),
                          "averageImage": np.array([[[123.68, 116.779, 103.939]]]),
                          "border": np.array([[2.0, 2]]), "interpolation": "bilinear"},
        "classes": {"name": ["n1", "n2", "n3"], "description": ["tench", "cat, tabby", "Käfer"]},
    }}
