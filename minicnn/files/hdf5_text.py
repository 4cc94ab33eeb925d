"""Check the text in an HDF5 file before HDF5's own library reads it.

Text of variable length is stored in "global heap collections": the letters GCOL, a version, the
collection's size, and then the objects, each with the number of bytes to the next. An attribute
holds 16 bytes for each of its texts: its length, a collection's address, an object's number there.

The library (HDF5 up to 2.0) trusts these numbers: a step of 0 bytes makes it loop for ever, and a
length of 4 GB makes it allocate 4 GB. So they are checked here first. The names in a large group
are stored in a "fractal heap", the letters FRHP. A compressed one, which no program writes, is
refused. (HDF5 file format specification, sections II.A superblock, III.E global heap, III.G
fractal heap, IV.A object headers.)
"""

import mmap
import struct

SIGNATURE = b"\x89HDF\r\n\x1a\n"
COLLECTION = b"GCOL\x01"
FRACTAL_HEAP = b"FRHP\0"
LARGEST = 2**33  # bytes of a file: the search reads all of it, and holes make large files cheap
HEADER = 16  # bytes, of a collection and of an object in it
STEPS = 100_000  # steps allowed in any file, besides one for each 16 bytes of it
CONTINUED, ATTRIBUTE, ATTRIBUTES_ELSEWHERE = 0x10, 0x0C, 0x15  # message types
COMPOUND, VARIABLE, ARRAY = 6, 9, 10  # datatype classes
MOST_BLOCKS = 10_000  # blocks of one object's header


def check_file(path):
    """`check` the file at a path; ValueError also if it is larger than LARGEST."""
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        if size > LARGEST:
            raise ValueError(f"it has {size:,} bytes, and at most {LARGEST:,} can be checked")
        if not size:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            check(data)


def check(data):
    """Raise ValueError if HDF5's library would loop for ever on the text; other bytes pass.

    Parameters
    ----------
    data : bytes or mmap

    Raises
    ------
    ValueError
    """
    start = _superblock(data)
    if start is None:
        return  # not HDF5: the library reports it
    sizes = data[start + 13:start + 15] if data[start + 8] < 2 else data[start + 9:start + 11]
    if sizes != b"\x08\x08":
        raise ValueError("its addresses and lengths do not have 8 bytes each: an unusual way to "
                         "write HDF5, or damage")
    at, left = data.find(COLLECTION), STEPS + len(data) // HEADER
    while at >= 0:
        left = _follow(data, at, left)
        at = data.find(COLLECTION, at + 1)
    at = data.find(FRACTAL_HEAP)
    while at >= 0:
        if any(data[at + 7:at + 9]):  # bytes of the description of its filters
            raise ValueError(f"its names, at byte {at}, are compressed; such names are not read")
        at = data.find(FRACTAL_HEAP, at + 1)


def check_attributes(data, address):
    """Raise ValueError if an object's attributes declare more text than the file has bytes.

    Parameters
    ----------
    data : bytes or mmap
        The file; it has passed `check`.
    address : int
        The object's address, `h5py.h5o.get_info(thing.id).addr`.

    Raises
    ------
    ValueError
        Also if the attributes are stored in a way that cannot be checked here.
    """
    try:
        total = sum(_claimed(*message) for message in
                    _messages(data, _superblock(data) or 0, address))
    except (struct.error, IndexError):
        raise ValueError(f"the header of the object at byte {address} is damaged") from None
    if total > len(data):
        raise ValueError(f"its attributes would take {total:,} bytes, and the file has "
                         f"{len(data):,}: it is damaged")


# ---- collections

def _superblock(data):
    """The byte where HDF5 begins: 0, or after a user block; None if there is no HDF5."""
    at = 0
    while at + 48 <= len(data):
        if data[at:at + 8] == SIGNATURE:
            return at
        at = max(512, 2 * at)
    return None


def _follow(data, at, left):
    """Step through the objects of the collection at byte `at`; the number of steps left."""
    size, = struct.unpack("<Q", data[at + 8:at + HEADER].ljust(8, b"\0"))
    end, at = at + size, at + HEADER
    if end > len(data):
        return left  # the library reports it, or these letters are not a collection
    while at + HEADER <= end:
        number, length = struct.unpack("<H6xQ", data[at:at + HEADER])
        step = HEADER + -(-length // 8) * 8 if number else length
        if not 0 < step <= end - at:
            raise ValueError(f"its text is damaged: the object at byte {at} declares the next one "
                             f"{step} bytes on")
        at, left = at + step, left - 1
        if left < 0:
            raise ValueError("its text is damaged: many collections overlap")
    return left


# ---- object headers

def _messages(data, start, address):
    """(type, flags, body) of every message in an object's header and its continuation blocks."""
    blocks = [_first_block(data, start + address)]
    for number, (at, end, newer, ordered) in enumerate(blocks):
        if number > MOST_BLOCKS or not 0 <= at <= end <= len(data):
            raise ValueError(f"the header of the object at byte {address} is damaged")
        head = (6 if ordered else 4) if newer else 8
        while at + head <= end:
            kind, size, flags = struct.unpack("<BHB" if newer else "<HHB", data[at:at + 5 - newer])
            body = data[at + head:min(at + head + size, end)]
            if kind == CONTINUED and len(body) == 16:
                where, length = struct.unpack("<QQ", body)
                where, end_of_it = start + where, start + where + length
                blocks.append((where + 4 * newer, end_of_it - 4 * newer, newer, ordered))
            yield kind, flags, body
            at += head + size


def _first_block(data, at):
    """(first byte of the messages, their end, whether version 2, whether they are numbered)."""
    if data[at:at + 4] != b"OHDR":
        size, = struct.unpack("<L", data[at + 8:at + 12])
        return at + 16, at + 16 + size, False, False
    flags = data[at + 5]
    at += 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    size = int.from_bytes(data[at:at + width], "little")
    return at + width, at + width + size, True, bool(flags & 4)


def _claimed(kind, flags, body):
    """The bytes of text a message declares: the sum of the lengths of an attribute's texts."""
    if kind == ATTRIBUTES_ELSEWHERE and body[-16:] != b"\xff" * 16:
        raise ValueError("its attributes are kept in a heap, which is not read")
    if kind != ATTRIBUTE:
        return 0
    if flags & 2:
        raise ValueError("its attributes are shared between objects; shared ones are not read")
    version, flags, *sizes = struct.unpack("<BBHHH", body[:8])
    if version > 1 and flags & 3:
        raise ValueError("its attributes have types stored elsewhere; such types are not read")
    at = 9 if version == 3 else 8
    if version == 1:
        sizes = [-(-size // 8) * 8 for size in sizes]
    kind = body[at + sizes[0]] & 0x0F
    if kind in (COMPOUND, ARRAY):
        raise ValueError("it has attributes of compound or array types, which are not read")
    texts = body[at + sum(sizes):]
    return 0 if kind != VARIABLE else sum(
        length for length, in struct.iter_unpack("<L12x", texts[:len(texts) // 16 * 16]))
