"""Data sets out of an HDF5 file that may be anybody's.

HDF5 can point out of a file: a link may lead into another file, a data set may keep its numbers in
one or be put together from several. And a few bytes can declare arrays of terabytes. A weight file
has no use for any of it, so whatever is not a plain data set of a believable size is refused.

Of packed data sets gzip's are read, with what may go with it. HDF5's library unpacks whatever is
there before it looks how much it should be, so that is looked at here first.
"""

import zlib
from math import prod

from minicnn.files.mapped import check_sum

DEEPEST = 32  # parts of a path
GZIP = 1
FILTERS = (GZIP, 2, 3)  # and shuffling, and a checksum, by HDF5's numbers
SPARE = 1000  # bytes that a chunk may have beside its numbers: a checksum, what packing adds


def has(group, name):
    """Whether an open file or group has something of that name, be it a link to elsewhere."""
    return group.id.links.exists(name.encode())


def item(group, path):
    """What lies at `path` below an open file or group, reached without leaving the file.

    Raises
    ------
    ValueError
        Nothing is there, or the way leads over a link to elsewhere.
    """
    import h5py

    parts = path.split("/")
    if "" in parts or "\0" in path or len(parts) > DEEPEST:
        raise ValueError(f"{path!r:.80} is no path of an array")
    for part in parts:
        if not isinstance(group, h5py.Group) or not has(group, part):
            raise ValueError(f"{path} is missing")
        if group.id.links.get_info(part.encode()).type != h5py.h5l.TYPE_HARD:
            raise ValueError(f"{path} is a link to elsewhere, which a weight file has no use for; "
                             "links are not followed")
        group = group[part]
    return group


def read(group, places, size, taken=0):
    """Read data sets.

    Parameters
    ----------
    group : h5py.File or Group
    places : dict of str to str
        Where below `group` each array lies, by the name it shall have.
    size : int
        Of the whole file, in bytes.
    taken : int
        Bytes that have been made out of the file already.

    Returns
    -------
    dict of str to array
        In the order of `places`, of the machine's byte order.

    Raises
    ------
    ValueError
        Missing, no plain data set of floating point numbers, or together too large to come out of
        a file of this size.
    """
    sets = {name: _plain(item(group, place), place) for name, place in places.items()}
    needed = sum(_bytes(data.shape, data) for data in sets.values())
    needed += max((_bytes(data.chunks or (), data) for data in sets.values()), default=0)
    check_sum(taken + needed, size)
    for name, data in sets.items():
        _check_packed(data, places[name])
    return {name: data.astype(data.dtype.newbyteorder("="))[()] for name, data in sets.items()}


def is_float(data):
    """Whether a thing in a file is a data set of floating point numbers NumPy calculates with."""
    dtype = getattr(data, "dtype", None)
    return dtype is not None and dtype.kind == "f" and dtype.itemsize <= 8


def _plain(data, place):
    import h5py

    if not isinstance(data, h5py.Dataset) or data.shape is None:
        raise ValueError(f"{place} is no array")
    if data.external or data.is_virtual:
        raise ValueError(f"{place} keeps its numbers in another file; those are not read")
    if not is_float(data):
        raise ValueError(f"{place}: expected floating point numbers, got {data.dtype}")
    return data


def _check_packed(data, place):
    """Refuse a data set whose pieces, its chunks, are packed in an unusual way or unpack to more
    than they are."""
    properties = data.id.get_create_plist()
    kinds = [properties.get_filter(k)[0] for k in range(properties.get_nfilters())]
    if not set(kinds) <= set(FILTERS) or kinds.count(GZIP) > 1:
        raise ValueError(f"{place} is packed in a way no weight file is, but with gzip")
    if GZIP in kinds:
        chunks, unpacked = [], 1 << kinds.index(GZIP)
        data.id.chunk_iter(chunks.append)
        for chunk in [chunk for chunk in chunks if not chunk.filter_mask & unpacked]:
            _check_chunk(data, chunk, _bytes(data.chunks, data), place)


def _check_chunk(data, chunk, whole, place):
    """Refuse a chunk that unpacks to more than the `whole` bytes that a chunk is."""
    if chunk.size <= whole + whole // 100 + SPARE:
        _, packed = data.id.read_direct_chunk(chunk.chunk_offset)
        try:
            if len(zlib.decompressobj().decompress(packed, whole + SPARE)) < whole + SPARE:
                return
        except zlib.error as error:
            raise ValueError(f"{place} cannot be unpacked: {error}") from None
    raise ValueError(f"{place} unpacks to more than it says: it is damaged, or made to mislead")


def _bytes(shape, data):
    return prod(int(side) for side in shape) * data.dtype.itemsize
