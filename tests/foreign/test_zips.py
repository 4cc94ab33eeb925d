"""The directory of a ZIP file: as Python's zipfile reads it, and believed in nothing."""

import io
import struct
import time
import zipfile
import zlib

import pytest
import weight_bytes as wb

from minicnn.foreign import zips

FILES = {"a/one": b"first" * 50, "two.npy": b"", "ü": bytes(range(256)) * 9}


def read(data):
    data = memoryview(data)
    return {name: bytes(zips.contents(data, member))
            for name, member in zips.members(data).items()}


def changed(data, form, where, value, mark=b"PK\1\2"):
    """A ZIP file with one number of the first line of its directory replaced."""
    data = bytearray(data)
    struct.pack_into(form, data, data.index(mark) + where, value)
    return bytes(data)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_come_out_in_order(method):
    found = read(wb.zipped(FILES, method))
    assert found == FILES and list(found) == list(FILES)


def test_stored_members_are_not_copied():
    data = bytearray(wb.zipped(FILES))
    member = zips.members(memoryview(data))["ü"]
    assert data[member.start:member.start + member.size] == FILES["ü"] and not member.deflated
    assert zips.contents(memoryview(data), member).obj is data


def test_comments_and_long_headers_and_64_bits():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.comment = b"c" * 60_000
        with file.open("wide", "w", force_zip64=True) as member:
            member.write(b"abc")
        info = zipfile.ZipInfo("noted")
        info.comment, info.extra = b"note", struct.pack("<HHL", 0xFFFF, 4, 0)
        file.writestr(info, b"def")
    assert read(out.getvalue()) == {"wide": b"abc", "noted": b"def"}


def test_numbers_of_64_bits_where_32_do_not_suffice():
    """As in a file beyond 4 GB: the directory's own numbers are all ones."""
    name, data = b"big", b"numbers"
    local = struct.pack("<4s5H3L2H", zips.MAGIC, 45, 0, 0, 0, 0, 0, len(data), len(data),
                        len(name), 0) + name + data
    extra = struct.pack("<HHHHQQQ", 9, 0, 1, 24, len(data), len(data), 0)
    line = struct.pack("<4s6H3L5H2L", b"PK\1\2", 45, 45, 0, 0, 0, 0, zlib.crc32(data),
                       2**32 - 1, 2**32 - 1, len(name), len(extra), 0, 0, 0, 0,
                       2**32 - 1) + name + extra
    end = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, len(line), len(local))
    place = struct.pack("<4sLQL", b"PK\6\7", 0, len(local) + len(line), 1)
    last = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 2**16 - 1, 2**16 - 1, 2**32 - 1, 2**32 - 1, 0)
    whole = local + line + end + place + last
    assert zipfile.ZipFile(io.BytesIO(whole)).read("big") == data  # it is a ZIP file
    assert read(whole) == {"big": data}


def test_a_file_without_checksums_is_read_and_one_with_a_wrong_one_is_not():
    data = wb.zipped(FILES)
    assert read(wb.without_checksums(data)) == FILES
    with pytest.raises(ValueError, match="damaged .*: the checksum of 'a/one' does not match"):
        read(data.replace(b"firstfirst", b"firsrfirst"))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_every_truncation_is_refused(method):
    data = wb.zipped(FILES, method)
    for size in range(len(data)):
        with pytest.raises(ValueError, match="cut short|damaged"):
            read(data[:size])


STORED, DEFLATED = wb.zipped(FILES), wb.zipped(FILES, zipfile.ZIP_DEFLATED)


@pytest.mark.parametrize("data, message", [
    (changed(STORED, "<L", 24, 9), "stored without compression, but declares two sizes, 250 and 9"),
    (changed(changed(STORED, "<L", 24, 2**31), "<L", 20, 2**31), "would end beyond the file"),
    (changed(DEFLATED, "<L", 24, 9), "inflates to more than the declared 9 bytes"),
    (changed(DEFLATED, "<L", 24, 10**6), "inflates to 250 bytes, not to the declared 1,000,000"),
    (changed(DEFLATED, "<L", 24, 2**31), r"would take 2,147,[\d,]+ bytes, and the file has"),
    (changed(DEFLATED, "<L", 16, 7), "damaged .*: the checksum of"),
    (changed(STORED, "<H", 8, 1), "encrypted, or compressed with another method"),
    (changed(STORED, "<H", 10, 12), "encrypted, or compressed with another method"),
    (changed(STORED, "<H", 30, 2000),
     "damaged .*: its directory has a field of 2000 bytes at byte"),
    (changed(STORED, "<L", 42, 5), "lists a member at byte 5, but none begins there"),
    (changed(STORED, "<4s", 0, b"PK\1\3"), "damaged .*: its directory has no entry at byte"),
    (changed(STORED, "<H", 10, 9, b"PK\5\6"), "damaged or cut short: it declares 46 bytes at byte"),
    (STORED + b"more", "its end is not where it declares it"),
    (changed(STORED, "<L", 16, 2**31, b"PK\5\6"), "directory would lie beyond the end of the file"),
    (STORED[:60], "the directory at its end is missing"),
    (b"", "the directory at its end is missing"),
])
def test_directories_that_lie_are_refused(data, message):
    with pytest.raises(ValueError, match=message):
        read(data)


def test_a_name_twice_is_refused():
    with pytest.warns(UserWarning, match="Duplicate"):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as file:
            file.writestr("a", b"1")
            file.writestr("a", b"2")
    with pytest.raises(ValueError, match="two members are called 'a'"):
        read(out.getvalue())


def directory(count, name=b"m%07d", stored=0):
    """A ZIP file that is all directory: `count` lines, all of the one member there is."""
    local = struct.pack("<4s5H3L2H", zips.MAGIC, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0) + bytes(stored)
    lines = b"".join(struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 0, 1, stored, stored, 8,
                                 0, 0, 0, 0, 0, 0) + name % k for k in range(count))
    return local + lines + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, min(count, 65535),
                                       len(lines), len(local), 0)


def test_a_directory_of_too_many_lines_is_refused_at_once():
    began = time.perf_counter()
    with pytest.raises(ValueError, match="lists 65,535 members, more than 50,000"):
        read(directory(65_535))
    assert time.perf_counter() - began < 2  # it takes 0.1 s, most of it to make the file


def test_members_that_overlap_are_refused_before_they_are_read():
    """50 lines for the same megabyte: to check all their sums would take 50 times as long."""
    with pytest.raises(ValueError, match="its members overlap"):
        read(directory(50, stored=1_000_000))


def test_a_bomb_is_refused_or_fills_no_more_than_it_said():
    zeros = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = zeros.compress(bytes(20_000_000)) + zeros.flush()
    bomb = wb.zipped({"w": b"x" * len(packed)})
    at = bomb.index(b"x" * 100)
    bomb = bomb[:at] + packed + bomb[at + len(packed):]
    bomb = changed(bomb, "<H", 10, 8)  # deflated, to as many bytes as it is long
    with pytest.raises(ValueError, match=r"inflates to more than the declared 19,\d+ bytes"):
        read(bomb)
    with pytest.raises(ValueError, match="would take 1,000,000,000 bytes"):
        read(changed(bomb, "<L", 24, 10**9))
    honest = changed(changed(bomb, "<L", 24, 20_000_000), "<L", 16, 0)
    assert read(honest)["w"] == bytes(20_000_000)  # not far more than a small file may


def test_has_looks_at_names_and_at_the_first_name_where_the_directory_is_lost(tmp_path):
    path = tmp_path / "z"
    path.write_bytes(STORED)
    assert zips.has(path, ".npy") and zips.has(path, "a/one") and not zips.has(path, "b")
    path.write_bytes(STORED[:100])
    assert zips.has(path, "a/one") and not zips.has(path, ".npy")
    for rest in (b"", b"PK\3\4", b"other"):
        path.write_bytes(rest)
        assert not zips.has(path, "a")


def test_inflated_bytes_are_new_ones():
    data = memoryview(DEFLATED)
    found = zips.contents(data, zips.members(data)["ü"])
    assert found.obj is not data.obj and bytes(found) == FILES["ü"]
