"""The oldest container of PyTorch's weights (0.1): a tar file. It is never unpacked.

`storages`: how many; of each a pickle (key, place, type), the count and the elements; then the
views of storages, a list of (key, key of the whole, offset, count). `tensors`: how many; of each a
pickle (key, storage's key, type), the number of dimensions in 8 bytes, the sizes, the strides, the
offset. `pickle`: the object, in which a tensor is only its key. `sys_info`: of no use here.

Source: torch/serialization.py, which can still read it, but runs whatever the pickles say.
"""

import struct
import tarfile

from minicnn.files import mapped
from minicnn.files.errors import Damaged
from minicnn.foreign import pickles
from minicnn.foreign.torch_containers import CALLS, Contents, Storage, kind_of, row, tensor

MEMBERS = ("sys_info", "pickle", "tensors", "storages")
BLOCK, RECORD = 512, 10240  # bytes; a tar file is of whole records
MOST_HEADERS = 16
MOST_READS = 200  # of the pickle of one tensor or storage: three values


def tarred(data):
    """The Contents of a tar container.

    Raises
    ------
    ValueError
        The bytes are not what PyTorch wrote.
    """
    found = _members(data)
    missing = [name for name in MEMBERS[1:] if name not in found]
    if missing:
        raise ValueError(f"it is a tar file without PyTorch's {' and '.join(missing)}")
    storages, places = _storages(data, found["storages"])
    tensors = _tensors(data, found["tensors"], storages)

    def stored(key):
        if type(key) not in (int, str) or str(key) not in tensors:
            raise ValueError("its pickle refers to a tensor that is not there")
        return tensors[str(key)]

    value, _ = pickles.load(data, found["pickle"], CALLS, stored)
    return Contents(value, places, {})


def _members(data):
    """The first byte of each member, by name."""
    if len(data) % RECORD:
        raise Damaged(f"a tar file of {len(data)} bytes is no multiple of {RECORD}")
    found, at = {}, 0
    for _ in range(MOST_HEADERS):
        block = mapped.take(data, at, BLOCK)
        if not any(block):
            return found
        try:
            header = tarfile.TarInfo.frombuf(block, "ascii", "backslashreplace")
        except tarfile.HeaderError as error:
            raise Damaged(f"it is a tar file with a damaged header ({error})") from None
        name, kind = header.name, header.type
        if kind in (tarfile.REGTYPE, tarfile.AREGTYPE) and name in MEMBERS and name not in found:
            found[name] = at + BLOCK
        elif kind not in (tarfile.XHDTYPE, tarfile.XGLTYPE):  # notes on the next member: dates
            raise ValueError(f"it is a tar file with {name!r}, which is none of PyTorch's "
                             f"{', '.join(MEMBERS)}, or there twice, or a link or a folder. "
                             "Nothing is unpacked")
        at += BLOCK + -(-header.size // BLOCK) * BLOCK
    raise ValueError(f"it is a tar file of more than {MOST_HEADERS} members")


def _storages(data, at):
    """The storages by key, views among them; and where those that are no views lie."""
    count, at = _count(data, at)
    storages, places = {}, {}
    for _ in range(count):
        (key, _, kind), at = _keys(data, at, 3)
        if not mapped.whole(key) or type(kind) is not pickles.Global:
            raise ValueError("one of its storages has no key or no type")
        kind = kind_of(kind)
        places[key], at = row(data, at, kind)
        storages[key] = Storage(key, kind, places[key][1] // mapped.itemsize(kind))
    views, _ = pickles.load(data, at, {})
    if type(views) is not list or not all(
            type(view) is tuple and len(view) == 4 and mapped.whole(*view) for view in views):
        raise ValueError("its list of parts of storages is none")
    for key, whole, first, count in views:
        if whole not in storages or first + count > storages[whole].count:
            raise ValueError("one of its storages is a part of another that is not there")
        first += storages[whole].first
        storages[key] = storages[whole]._replace(first=first, count=count)
    return storages, places


def _tensors(data, at, storages):
    """The tensors by key, as a text."""
    count, at = _count(data, at)
    tensors = {}
    for _ in range(count):
        (key, storage, _), at = _keys(data, at, 3)
        if not mapped.whole(key, storage) or storage not in storages:
            raise ValueError("one of its tensors has no key or no storage")
        dimensions, = struct.unpack("<i4x", mapped.take(data, at, 8))
        if not 0 <= dimensions <= mapped.MOST_DIMENSIONS:
            raise ValueError(f"tensor {key} has {dimensions} dimensions")
        *sizes, offset = struct.unpack(f"<{2 * dimensions + 1}q",
                                       mapped.take(data, at + 8, 8 * (2 * dimensions + 1)))
        tensors[str(key)] = tensor(storages[storage], offset, sizes[:dimensions],
                                   sizes[dimensions:])
        at += 8 + 8 * (2 * dimensions + 1)
    return tensors


def _count(data, at):
    count, at = pickles.load(data, at, {})
    if not mapped.whole(count) or count > mapped.MOST_ARRAYS:
        raise ValueError(f"it does not say how many arrays it has, at most {mapped.MOST_ARRAYS}")
    return count, at


def _keys(data, at, size):
    """A pickled tuple of `size` values."""
    values, at = pickles.load(data, at, CALLS, most=MOST_READS)
    if type(values) is not tuple or len(values) != size:
        raise ValueError(f"at byte {at} its pickle should hold {size} values")
    return values, at
