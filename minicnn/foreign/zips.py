"""Reader of untrusted ZIP files: the directory of the members, and their bytes.

Python's `zipfile` trusts the directory and makes an object of every entry, so that a small file can
demand a great deal of memory. Only what weight files use is read here: members stored without
compression, or deflated. (APPNOTE.TXT of PKWARE, sections 4.3 and 4.5.3.)
"""

import struct
import zlib
from typing import NamedTuple

from minicnn.files.errors import WeightsError
from minicnn.files.mapped import check_sum, head, opened, take
from minicnn.foreign.settings import intact, require

MAGIC = b"PK\3\4"
MOST_MEMBERS = 50_000
END, END_64, PLACE_OF_END_64 = b"PK\5\6", b"PK\6\6", b"PK\6\7"
LONGEST_COMMENT, LONGEST_EXTRA = 2**16, 2**10
LARGE = 2**32 - 1  # marks a number that needs 64 bits, stored in the extra field


class Member(NamedTuple):
    """A member: its `stored` bytes from `start` on, which inflate to `size` bytes."""

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
        The directory is missing (the end of the file is) or does not fit the file, or the members
        together would be far larger than the file.
    """
    at, count = _directory(data)
    require(count <= MOST_MEMBERS, "its directory lists {:,} members, more than {:,}", count,
            MOST_MEMBERS)
    found = {}
    for _ in range(count):
        member, at = _member(data, at)
        require(member.name not in found, "two members are called {!r}", member.name[:60])
        found[member.name] = member
    require(sum(member.stored for member in found.values()) <= len(data),
            "its members overlap: it is damaged or malicious")
    check_sum(sum(member.size for member in found.values() if member.deflated), len(data))
    return found


def contents(data, member):
    """The bytes of a member: a view if it is stored without compression, else new bytes.

    Raises
    ------
    ValueError
        The member is not within the file, or its size or checksum does not match its bytes. (A
        checksum of 0 is not verified: PyTorch can be told to write none.)
    """
    bytes_, name = data[member.start:member.start + member.stored], member.name[:60]
    if member.deflated:
        try:  # at most one byte more than declared is ever made
            out = zlib.decompressobj(-15).decompress(bytes_, member.size + 1)
        except zlib.error as error:
            raise ValueError(f"{name!r} cannot be inflated: {error}") from None
        intact(len(out) <= member.size, "{!r} inflates to more than the declared {:,} bytes", name,
               member.size)
        intact(len(out) == member.size, "{!r} inflates to {:,} bytes, not to the declared {:,}",
               name, len(out), member.size)
        bytes_ = memoryview(out)
    intact(not member.checksum or zlib.crc32(bytes_) == member.checksum,
           "the checksum of {!r} does not match its bytes", name)
    return bytes_


def has(path, ending):
    """Whether a ZIP file has a member whose name has this ending.

    If the directory is missing, the first member decides, so that errors can name the format.
    """
    try:
        with opened(path, "a ZIP file") as data:
            return any(name.endswith(ending) for name in members(data))
    except WeightsError:
        start = head(path, 600)
        size = int.from_bytes(start[26:28], "little") if start.startswith(MAGIC) else 0
        return start[30:30 + size].decode("utf-8", "replace").endswith(ending)


def _directory(data):
    """(first byte of the directory, number of its members)."""
    before = max(0, len(data) - LONGEST_COMMENT - 22)
    found = bytes(data[before:]).rfind(END)
    intact(found >= 0, "the directory at its end is missing")
    at = before + found
    count, size, start, comment = struct.unpack("<10xHLLH", take(data, at, 22))
    intact(at + 22 + comment == len(data), "its end is not where it declares it")
    if at >= 20 and data[at - 20:at - 16] == PLACE_OF_END_64:
        at, = struct.unpack("<8xQ4x", take(data, at - 20, 20))
        magic, count, size, start = struct.unpack("<4s28xQQQ", take(data, at, 56))
        intact(magic == END_64, "its end does not give the place of its directory")
    intact(start + size <= at, "its directory would lie beyond the end of the file")
    return start, count


def _member(data, at):
    """(the Member of the directory's entry at byte `at`, first byte of the next entry)."""
    (magic, flags, method, checksum, stored, size, name, extra, comment, where
     ) = struct.unpack("<4s4xHH4xLLLHHH8xL", take(data, at, 46))
    intact(magic == b"PK\1\2", "its directory has no entry at byte {}", at)
    intact(extra <= LONGEST_EXTRA, "its directory has a field of {} bytes at byte {}", extra, at)
    after = take(data, at + 46, name + extra)
    name, extra = after[:name].decode("utf-8", "backslashreplace"), after[name:]
    size, stored, where = _in_64_bits((size, stored, where), extra)
    require(not flags & 1 and method in (0, 8),
            "{!r} is encrypted, or compressed with another method than deflate", name[:60])
    intact(method or stored == size, "{!r} is stored without compression, but declares two sizes, "
           "{} and {}", name[:60], stored, size)
    magic, *lengths = struct.unpack("<4s22xHH", take(data, where, 30))
    intact(magic == MAGIC, "its directory lists a member at byte {}, but none begins there", where)
    start = where + 30 + sum(lengths)
    intact(start + stored <= len(data), "{!r} would end beyond the file", name[:60])
    return Member(name, start, stored, size, method == 8, checksum), at + 46 + len(after) + comment


def _in_64_bits(numbers, extra):
    """The numbers, with each LARGE replaced by one from the extra field of kind 1."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        field, extra = extra[4:4 + length], extra[4 + length:]
        if kind == 1:
            wide = (number for number, in struct.iter_unpack("<Q", field[:len(field) // 8 * 8]))
            return tuple(next(wide, n) if n == LARGE else n for n in numbers)
    return numbers

