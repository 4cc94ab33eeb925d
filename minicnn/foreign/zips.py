"""The directory of a ZIP file: where its members lie, and their bytes.

Written out because Python's `zipfile` believes what a directory says, and makes an object of every
line of it: a small file can ask for a great deal of memory. Only what weight files use is read:
members stored as they are, or deflated. (APPNOTE.TXT of PKWARE, sections 4.3 and 4.5.3.)
"""

import struct
import zlib
from typing import NamedTuple

from minicnn.files.errors import Damaged, WeightsError
from minicnn.files.mapped import check_sum, head, opened, take

MAGIC = b"PK\3\4"
MOST_MEMBERS = 50_000
END, END_64, PLACE_OF_END_64 = b"PK\5\6", b"PK\6\6", b"PK\6\7"
LONGEST_COMMENT, LONGEST_EXTRA = 2**16, 2**10
LARGE = 2**32 - 1  # stands where a number needs 64 bits, and lies in a field of its own


class Member(NamedTuple):
    """A file in the file: its bytes from `start` on, `stored` of them, `size` once inflated."""

    name: str
    start: int
    stored: int
    size: int
    deflated: bool
    checksum: int


def members(data):
    """The members of a ZIP file, by name.

    Parameters
    ----------
    data : memoryview

    Returns
    -------
    members : dict of str to Member
        In the order of the directory.

    Raises
    ------
    ValueError
        No directory (the end of the file is missing), one that does not fit the file, or members
        that together would be far larger than the file.
    """
    at, count = _directory(data)
    if count > MOST_MEMBERS:
        raise ValueError(f"its directory lists {count:,} members, more than {MOST_MEMBERS:,}")
    found = {}
    for _ in range(count):
        member, at = _member(data, at)
        if member.name in found:
            raise ValueError(f"two members are called {member.name[:60]!r}")
        found[member.name] = member
    if sum(member.stored for member in found.values()) > len(data):
        raise ValueError("its members overlap: it is damaged, or made to mislead")
    check_sum(sum(member.size for member in found.values() if member.deflated), len(data))
    return found


def contents(data, member):
    """The bytes of a member: of one stored as it is a view, of a deflated one new ones.

    Raises
    ------
    ValueError
        It does not lie in the file, is not of the size it says, or its checksum is not that of
        its bytes. (A checksum of 0 is none: PyTorch can be told to write none.)
    """
    bytes_ = data[member.start:member.start + member.stored]
    if member.deflated:
        bytes_ = memoryview(_inflated(bytes_, member))
    if member.checksum and zlib.crc32(bytes_) != member.checksum:
        raise Damaged(f"the checksum of {member.name[:60]!r} is not that of its bytes")
    return bytes_


def has(path, ending):
    """Whether a ZIP file has a member whose name ends so.

    Of a damaged one without a directory the first member counts: for errors to name the format.
    """
    try:
        with opened(path, "a ZIP file") as data:
            names = list(members(data))
    except WeightsError:
        names = [_first_name(head(path, 600))]
    return any(name.endswith(ending) for name in names)


def _first_name(start):
    if len(start) < 30 or not start.startswith(MAGIC):
        return ""
    return start[30:30 + struct.unpack_from("<H", start, 26)[0]].decode("utf-8", "replace")


def _directory(data):
    """Where the directory begins, and how many members it lists."""
    before = max(0, len(data) - LONGEST_COMMENT - 22)
    found = bytes(data[before:]).rfind(END)
    if found < 0:
        raise Damaged("the directory at its end is missing")
    at = before + found
    count, size, start, comment = struct.unpack("<10xHLLH", take(data, at, 22))
    if at + 22 + comment != len(data):
        raise Damaged("it does not end where it says")
    if at >= 20 and data[at - 20:at - 16] == PLACE_OF_END_64:
        at, = struct.unpack("<8xQ4x", take(data, at - 20, 20))
        end = take(data, at, 56)
        if not end.startswith(END_64):
            raise Damaged("its end does not say where its directory is")
        count, size, start = struct.unpack("<32xQQQ", end)
    if start + size > at:
        raise Damaged("its directory would lie beyond its end")
    return start, count


def _member(data, at):
    """The line of the directory at byte `at`, and where the next one is."""
    (magic, flags, method, checksum, stored, size, name, extra, comment, where
     ) = struct.unpack("<4s4xHH4xLLLHHH8xL", take(data, at, 46))
    if magic != b"PK\1\2":
        raise Damaged(f"its directory has no line at byte {at}")
    if extra > LONGEST_EXTRA:
        raise Damaged(f"its directory has at byte {at} a field of {extra} bytes")
    after = take(data, at + 46, name + extra)
    name, extra = after[:name].decode("utf-8", "backslashreplace"), after[name:]
    size, stored, where = _in_64_bits((size, stored, where), extra)
    if flags & 1 or method not in (0, 8):
        raise ValueError(f"{name[:60]!r} is encrypted or packed in a way no weight file is")
    if method == 0 and stored != size:
        raise Damaged(f"{name[:60]!r} is stored as it is, and yet of two sizes, {stored} and "
                      f"{size}")
    start = _start(data, where)
    if start + stored > len(data):
        raise Damaged(f"{name[:60]!r} would end beyond the file")
    return Member(name, start, stored, size, method == 8, checksum), at + 46 + len(after) + comment


def _in_64_bits(numbers, extra):
    """The numbers, those that are LARGE replaced from the extra field of kind 1."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        field, extra = extra[4:4 + length], extra[4 + length:]
        if kind == 1:
            wide = (number for number, in struct.iter_unpack("<Q", field[:len(field) // 8 * 8]))
            return tuple(next(wide, n) if n == LARGE else n for n in numbers)
    return numbers


def _start(data, where):
    """Where the bytes of a member begin: behind its own header, at byte `where`."""
    magic, name, extra = struct.unpack("<4s22xHH", take(data, where, 30))
    if magic != MAGIC:
        raise Damaged(f"no member begins at byte {where}, as the directory says")
    return where + 30 + name + extra


def _inflated(packed, member):
    """The bytes of a deflated member; never more than one beyond what it says."""
    machine = zlib.decompressobj(-15)
    try:
        out = machine.decompress(packed, member.size + 1)
    except zlib.error as error:
        raise ValueError(f"{member.name[:60]!r} cannot be inflated: {error}") from None
    if len(out) > member.size:
        raise Damaged(f"{member.name[:60]!r} inflates to more than the {member.size:,} bytes "
                      "it says")
    if len(out) != member.size:
        raise Damaged(f"{member.name[:60]!r} inflates to {len(out):,} bytes, and says "
                      f"{member.size:,}")
    return out
