"""Read data sets from an untrusted HDF5 file.

HDF5 can point out of a file: a link may lead into another file, and a data set may keep its numbers
in another file or be assembled from several. A few bytes can also declare arrays of terabytes. A
weight file needs none of this, so only a plain data set of a plausible size is read.

Compressed data sets are read if they use gzip, with or without shuffling and a checksum. HDF5's
library decompresses all bytes before it compares their number with the declared size; so the size
is checked here first.
"""

import zlib
from math import prod

from minicnn.files.mapped import check_sum

DEEPEST = 32  # parts of a path
GZIP = 1
FILTERS = (GZIP, 2, 3)  # HDF5's numbers; 2 is shuffling, 3 a checksum
KINDS = {"f": "floating point numbers", "iu": "whole numbers", "u": "whole numbers from 0 on",
         "t": "text"}  # in words
SPARE = 1000  # bytes a chunk may have besides its numbers: a checksum, compression overhead


def has(group, name):
    """Whether an open file or group has an entry of that name; a link to elsewhere counts."""
    return group.id.links.exists(name.encode())


def item(group, path):
    """The object at `path` below an open file or group, found without leaving the file.

    Raises
    ------
    ValueError
        Nothing is there, or a part of the path is a link to elsewhere.
    """
    import h5py

    parts = path.split("/")
    if "" in parts or "\0" in path or len(parts) > DEEPEST:
        raise ValueError(f"{path!r:.80} is not the path of an array; expected at most {DEEPEST} "
                         "names joined by '/'")
    for part in parts:
        if not isinstance(group, h5py.Group) or not has(group, part):
            raise ValueError(f"{path} is missing")
        if group.id.links.get_info(part.encode()).type != h5py.h5l.TYPE_HARD:
            raise ValueError(f"{path} is a link to elsewhere; links are not followed")
        group = group[part]
    return group


def read(group, places, size, taken=0):
    """Read data sets.

    Parameters
    ----------
    group : h5py.File or Group
    places : dict of str to str
        {name of the array in the result: its path below `group`}.
    size : int
        Bytes of the whole file.
    taken : int
        Bytes of memory already filled from the file.

    Returns
    -------
    dict of str to array
        In the order of `places`, in the machine's byte order.

    Raises
    ------
    ValueError
        A data set is missing or does not hold plain floating point numbers, or all together are too
        large for a file of this size.
    """
    sets = {name: plain(group, place) for name, place in places.items()}
    check_sets(sets.values(), size, taken)
    return {name: data.astype(data.dtype.newbyteorder("="))[()] for name, data in sets.items()}


def check_sets(sets, size, taken=0):
    """Raise ValueError if data sets are together too large for a file of `size` bytes, or one is
    packed in a way that is not read; `taken` as for `read`."""
    sets = list(sets)
    needed = sum(_bytes(data.shape, data) for data in sets)
    needed += max((_bytes(data.chunks or (), data) for data in sets), default=0)
    check_sum(taken + needed, size)
    for data in sets:
        _check_packed(data, data.name.removeprefix("/"))


def is_float(data):
    """Whether an object is a data set of floating point numbers that NumPy can compute with."""
    dtype = getattr(data, "dtype", None)
    return dtype is not None and dtype.kind == "f" and dtype.itemsize <= 8


def plain(group, place, kinds="f", dimensions=None):
    """The data set at `place` below an open file or group; none of it is read.

    Parameters
    ----------
    group : h5py.File or Group
    place : str
    kinds : str
        What is allowed, a key of KINDS: NumPy's `dtype.kind`, or "t" for text.
    dimensions : int, optional

    Returns
    -------
    h5py.Dataset

    Raises
    ------
    ValueError
        It is missing, a link to elsewhere, kept in other files, or of another kind or shape.
    """
    import h5py

    data = item(group, place)
    if not isinstance(data, h5py.Dataset) or data.shape is None:
        raise ValueError(f"{place} is not an array")
    if data.external or data.is_virtual:
        raise ValueError(f"{place} keeps its numbers in another file; other files are not read")
    kind = "t" if h5py.check_string_dtype(data.dtype) else data.dtype.kind
    if kind not in kinds or kind != "t" and data.dtype.itemsize > 8:
        raise ValueError(f"{place}: expected {KINDS[kinds]}, got {data.dtype}")
    if dimensions not in (None, len(data.shape)):
        raise ValueError(f"{place}: expected {dimensions} dimension{'s' * (dimensions > 1)}, got "
                         f"the shape {data.shape}")
    return data


def _check_packed(data, place):
    """Raise if a data set uses another compression than gzip, or a chunk decompresses to more than
    its declared size."""
    properties = data.id.get_create_plist()
    kinds = [properties.get_filter(k)[0] for k in range(properties.get_nfilters())]
    if not set(kinds) <= set(FILTERS) or kinds.count(GZIP) > 1:
        raise ValueError(f"{place} is compressed with HDF5's filters {kinds}; only gzip, shuffling "
                         "and a checksum are read")
    if GZIP in kinds:
        chunks, unpacked = [], 1 << kinds.index(GZIP)
        data.id.chunk_iter(chunks.append)
        for chunk in [chunk for chunk in chunks if not chunk.filter_mask & unpacked]:
            _check_chunk(data, chunk, _bytes(data.chunks, data), place)


def _check_chunk(data, chunk, whole, place):
    """Raise if a chunk decompresses to more than `whole`, its declared bytes."""
    if chunk.size <= whole + whole // 100 + SPARE:
        _, packed = data.id.read_direct_chunk(chunk.chunk_offset)
        try:
            if len(zlib.decompressobj().decompress(packed, whole + SPARE)) < whole + SPARE:
                return
        except zlib.error as error:
            raise ValueError(f"{place} cannot be decompressed: {error}") from None
    raise ValueError(f"{place} decompresses to more than its declared size: it is damaged or "
                     "malicious")


def _bytes(shape, data):
    return prod(int(side) for side in shape) * data.dtype.itemsize
