"""Read PyTorch's oldest container of weights (0.1): a tar file. It is never unpacked.

Its members:

storages    their number; for each a pickle (key, place, type), the count and the elements; then the
            views of storages, a list of (key, key of the whole, offset, count)
tensors     their number; for each a pickle (key, storage's key, type), the number of dimensions in
            8 bytes, the sizes, the strides, the offset
pickle      the object, in which a tensor is represented by its key
sys_info    not used here

Source: torch/serialization.py, which can still read it, but runs any program in the pickles.
"""

import struct
import tarfile

from minicnn.files import mapped
from minicnn.files.errors import Damaged
from minicnn.foreign import pickles
from minicnn.foreign.settings import intact, require
from minicnn.foreign.torch_containers import CALLS, Contents, Storage, kind_of, row, tensor

MEMBERS = ("sys_info", "pickle", "tensors", "storages")
BLOCK, RECORD = 512, 10240  # bytes; a tar file consists of whole records
MOST_HEADERS = 16
MOST_READS = 200  # reads of the pickle of one tensor or storage, three values


def tarred(data):
    """The Contents of a tar container.

    Raises
    ------
    ValueError
        The bytes are not what PyTorch wrote.
    """
    found = _members(data)
    missing = [name for name in MEMBERS[1:] if name not in found]
    require(not missing, "it is a tar file without PyTorch's {}", " and ".join(missing))
    storages, places = _storages(data, found["storages"])
    tensors = _tensors(data, found["tensors"], storages)

    def stored(key):
        require(type(key) in (int, str) and str(key) in tensors,
                "its pickle refers to a tensor that is not there")
        return tensors[str(key)]

    value, _ = pickles.load(data, found["pickle"], CALLS, stored)
    return Contents(value, places, {})


def _members(data):
    """The first byte of each member, by name."""
    intact(len(data) % RECORD == 0, "a tar file of {} bytes is not a multiple of {}", len(data),
           RECORD)
    found, at = {}, 0
    for _ in range(MOST_HEADERS):
        block = mapped.take(data, at, BLOCK)
        if not any(block):
            return found
        try:
            header = tarfile.TarInfo.frombuf(block, "ascii", "backslashreplace")
        except tarfile.HeaderError as error:
            raise Damaged(f"it is a tar file with a damaged header ({error})") from None
        if header.type not in (tarfile.XHDTYPE, tarfile.XGLTYPE):  # notes on the next member: dates
            name = header.name
            require(header.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and name in MEMBERS
                    and name not in found, "it is a tar file with {!r}, which is not one of "
                    "PyTorch's {}, or occurs twice, or is a link or a folder. Nothing is unpacked",
                    name, ", ".join(MEMBERS))
            found[name] = at + BLOCK
        at += BLOCK + -(-header.size // BLOCK) * BLOCK
    raise ValueError(f"it is a tar file of more than {MOST_HEADERS} members")


def _storages(data, at):
    """({key: Storage}, views included; {key: (first byte, bytes)} of those that are not views)."""
    storages, places = {}, {}
    count, at = _count(data, at)
    for _ in range(count):
        (key, _, kind), at = _keys(data, at)
        require(mapped.whole(key) and type(kind) is pickles.Global,
                "one of its storages has no key or no type")
        places[key], at = row(data, at, kind_of(kind))
        storages[key] = Storage(key, kind_of(kind),
                                places[key][1] // mapped.itemsize(kind_of(kind)))
    views, _ = pickles.load(data, at, {})
    require(type(views) is list and all(
        type(view) is tuple and len(view) == 4 and mapped.whole(*view) for view in views),
        "its list of views of storages is not valid")
    for key, whole, first, count in views:
        require(whole in storages and first + count <= storages[whole].count,
                "one of its storages is a view outside of all other storages")
        first += storages[whole].first
        storages[key] = storages[whole]._replace(first=first, count=count)
    return storages, places


def _tensors(data, at, storages):
    """{key, as text: Tensor}."""
    tensors = {}
    count, at = _count(data, at)
    for _ in range(count):
        (key, storage, _), at = _keys(data, at)
        require(mapped.whole(key, storage) and storage in storages,
                "one of its tensors has no key or no storage")
        sides, = struct.unpack("<i4x", mapped.take(data, at, 8))
        require(0 <= sides <= mapped.MOST_DIMENSIONS, "tensor {} has {} dimensions; expected 0 to "
                "{}", key, sides, mapped.MOST_DIMENSIONS)
        size = 8 * (2 * sides + 1)
        *numbers, offset = struct.unpack(f"<{size // 8}q", mapped.take(data, at + 8, size))
        tensors[str(key)] = tensor(storages[storage], offset, numbers[:sides], numbers[sides:])
        at += 8 + size
    return tensors


def _count(data, at):
    count, at = pickles.load(data, at, {})
    require(mapped.whole(count) and count <= mapped.MOST_ARRAYS,
            "its number of arrays is invalid; expected 0 to {}", mapped.MOST_ARRAYS)
    return count, at


def _keys(data, at):
    """A pickled tuple of three values, and the byte after it."""
    values, at = pickles.load(data, at, CALLS, most=MOST_READS)
    require(type(values) is tuple and len(values) == 3,
            "the pickle before byte {} should hold 3 values", at)
    return values, at
