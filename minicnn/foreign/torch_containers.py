"""The containers that PyTorch puts its weights in: what is in them, and where.

Each is a pickle that describes the tensors, with their numbers beside it in rows, "storages"; a
tensor is a view of a storage, and several may share one. (A third is in `torch_tar`.)

zip (since 1.6)
    `NAME/data.pkl`, and the storage with key K as the member `NAME/data/K`. `NAME/byteorder`
    says "little" or "big", in newer files.
pickles in a row (0.2 to 1.5)
    Five: a magic number, the protocol (1001), facts on the machine, the object, the list of the
    storages' keys. Then of each key the count of its elements, in 8 bytes, and the elements.

Source: torch/serialization.py.
"""

import re
import struct
from typing import Any, NamedTuple

from minicnn.files import mapped
from minicnn.files.errors import Damaged
from minicnn.foreign import pickles, zips

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
ORDERS = {"little": "<", "big": ">"}
TYPES = {"Float": "<f4", "Double": "<f8", "Half": "<f2", "BFloat16": "<" + mapped.BFLOAT16,
         "Long": "<i8", "Int": "<i4", "Short": "<i2", "Char": "|i1", "Byte": "|u1", "Bool": "|b1"}
STORAGES = {f"{place}.{name}Storage": kind for name, kind in TYPES.items()
            for place in ("torch", "torch.cuda")}


class Storage(NamedTuple):
    """A row of numbers: `count` of those kept under `key`, from number `first` on."""

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
    """The object in a container; and of each storage, by key, its first byte and its size."""

    value: Any
    places: dict
    says: dict


def zipped(data):
    """The Contents of a zip container.

    Raises
    ------
    ValueError
        As the other functions do, where the bytes are not what PyTorch writes.
    """
    found = zips.members(data)
    pickle = [name for name in found if re.fullmatch(r"([^/]*/)?data\.pkl", name)]
    if len(pickle) != 1:
        raise ValueError("it is a ZIP file without PyTorch's one member NAME/data.pkl")
    top = pickle[0].removesuffix("data.pkl")
    if f"{top}constants.pkl" in found:
        raise ValueError("it is a TorchScript program, not a state dict; load it in PyTorch and "
                         "save its state_dict()")
    if any(member.deflated for member in found.values()):
        raise ValueError("its members are packed, which PyTorch never does; unpack it, and pack "
                         "it again with: zip -0 -r")
    storages, order = {}, _text(data, found.get(f"{top}byteorder"), "little")
    if order not in ORDERS:
        raise ValueError(f"its byte order is {order!r:.40}, neither little nor big")
    value, _ = pickles.load(zips.contents(data, found[pickle[0]]), 0, CALLS,
                            lambda name: _known(name, storages, ORDERS[order]))
    members = {key: found.get(f"{top}data/{key}") for key in storages}
    for key, member in members.items():
        if member is None:
            raise ValueError(f"its member {top}data/{key!s:.40}, with numbers, is missing")
        zips.contents(data, member)  # for its checksum
    return Contents(value, {key: (member.start, member.size) for key, member in members.items()},
                    {"version": _text(data, found.get(f"{top}version"), "")})


def in_a_row(data):
    """The Contents of a container of pickles in a row."""
    magic, at = pickles.load(data, 0, CALLS)
    if magic != MAGIC:
        raise ValueError("it is a pickle, but not of weights: PyTorch's begin with a certain "
                         "number. A pickle can hold any program, so this one is not opened")
    protocol, at = pickles.load(data, at, {})
    if protocol != PROTOCOL:
        raise ValueError(f"its version is not PyTorch's {PROTOCOL}")
    _, at = pickles.load(data, at, {})
    storages, places = {}, {}
    value, at = pickles.load(data, at, CALLS, lambda name: _known(name, storages))
    keys, at = pickles.load(data, at, {})
    if type(keys) is not list or not all(map(_is_key, keys)):
        raise ValueError("the list of its rows of numbers is not a list of names")
    for key in keys:
        if key not in storages:
            raise ValueError(f"it lists a row of numbers {key!r:.40} that no tensor is of")
        places[key], at = row(data, at, storages[key].kind)
    if at != len(data):
        raise ValueError(f"{len(data) - at} bytes follow where its end should be")
    return Contents(value, places, {})


# ---- what a pickle may name and call

def _rebuilt(storage, offset, shape, strides, requires_grad=False, hooks=None, metadata=None):
    """torch._utils._rebuild_tensor, which has four, and _v2; metadata is in newer files, and empty
    but for complex numbers."""
    if metadata:
        raise ValueError("one of its tensors is to be conjugated or negated when it is read; save "
                         "it with resolve_neg()")
    return tensor(storage, offset, shape, strides)


def tensor(storage, offset, shape, strides):
    """A Tensor, where the four are what they should be; whether it fits is seen later."""
    if type(storage) is not Storage:
        raise ValueError("its pickle makes a tensor of what is no storage")
    if not all(type(numbers) in (tuple, list) for numbers in (shape, strides)) or not (
            len(shape) == len(strides) <= mapped.MOST_DIMENSIONS
            and mapped.whole(offset, *shape, *strides)):
        raise ValueError("its pickle makes a tensor with an offset, a shape and strides that are "
                         "not whole numbers or do not go together")
    return Tensor(storage, offset, tuple(shape), tuple(strides))


CALLS = {
    "torch._utils._rebuild_tensor": _rebuilt,
    "torch._utils._rebuild_tensor_v2": _rebuilt,
    "torch._utils._rebuild_parameter": lambda data, requires_grad, hooks: data,
    "torch._utils._rebuild_parameter_with_state": lambda data, requires_grad, hooks, state: data,
    "torch.Size": lambda numbers: numbers,
    **dict.fromkeys(STORAGES),  # may be named, not called
    **dict.fromkeys(name.replace("Storage", "Tensor") for name in STORAGES),
}


def _known(name, storages, order="<"):
    """The Storage that a persistent id stands for; `storages` gets the whole one, by key.

    name : ("storage", type, key, place, count), and in older files the view of it that is meant,
    (key of the view, first, count), or None.
    """
    if type(name) is not tuple or len(name) not in (5, 6) or name[0] != "storage":
        raise ValueError("its pickle refers to what is no storage")
    _, kind, key, _, count, *view = name
    if type(kind) is not pickles.Global or not _is_key(key) or not mapped.whole(count):
        raise ValueError("its pickle refers to a storage without a type, a key or a size")
    whole = Storage(key, kind_of(kind, order), count)
    if storages.setdefault(key, whole) != whole:
        raise ValueError(f"its pickle gives storage {key!r:.40} two types or sizes")
    part = (key, 0, count) if view in ([], [None]) else view[0]
    if type(part) is not tuple or len(part) != 3 or not mapped.whole(*part[1:]) or (
            part[1] + part[2] > count):
        raise ValueError(f"its pickle refers to a part of storage {key!r:.40} that is not there")
    return whole._replace(first=part[1], count=part[2])


def _is_key(key):
    return type(key) is str or mapped.whole(key)


def kind_of(kind, order="<"):
    """NumPy's name of the numbers in a storage of the type that a Global names."""
    if kind.name not in STORAGES:
        raise ValueError(f"its pickle takes {kind.name} for a type of storage")
    return STORAGES[kind.name].replace("<", order)


# ---- rows of numbers, and short texts

def row(data, at, kind):
    """A count and so many elements, from byte `at` on: ((first byte, size) of these, their end)."""
    count, = struct.unpack("<q", mapped.take(data, at, 8))
    size = count * mapped.itemsize(kind)
    if count < 0 or at + 8 + size > len(data):
        raise Damaged(f"at byte {at} it should hold {count:,} numbers and ends before that")
    return (at + 8, size), at + 8 + size


def _text(data, member, default):
    return default if member is None else bytes(
        zips.contents(data, member)[:40]).decode("ascii", "backslashreplace").strip()
