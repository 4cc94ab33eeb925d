"""Text in HDF5 files that would keep HDF5's library busy for ever, or make it take gigabytes."""

import mmap
import struct

import h5py
import numpy as np
import pytest

from minicnn.files import hdf5, hdf5_text
from minicnn.files.errors import WeightsError


def text_file(path, libver="earliest", block=0):
    """Two attributes of text, one of bytes, on a group; returns the file's bytes."""
    with h5py.File(path, "w", libver=libver, userblock_size=block) as file:
        group = file.create_group("group")
        group.attrs["long"], group.attrs["short"] = "x" * 5000, "y"
        group.attrs["list"] = ["a", "bc"]
        group.attrs["bytes"], group.attrs["number"] = [b"1", b"2"], 7
    return path.read_bytes()


def checked(path):
    """Both checks of every object there is."""
    data = path.read_bytes()
    hdf5_text.check(data)
    with h5py.File(path) as file:
        for thing in (file, file["group"]):
            hdf5_text.check_attributes(data, h5py.h5o.get_info(thing.id).addr)


def test_a_file_too_large_to_be_looked_through_is_refused_at_once(tmp_path):
    """Holes in a file cost nothing: 100 GB of them would keep the check busy for minutes."""
    text_file(tmp_path / "f.h5")
    with open(tmp_path / "f.h5", "r+b") as file:
        file.truncate(hdf5_text.LARGEST + 1)
    with pytest.raises(WeightsError, match="f.h5: .*it has 8,589,934,593 bytes, and at most"):
        hdf5.load(tmp_path / "f.h5")


FORMS = [("earliest", 0), ("earliest", 512), ("latest", 0), ("latest", 1024)]


@pytest.mark.parametrize("libver, block", FORMS)
def test_whole_files_pass(tmp_path, libver, block):
    text_file(tmp_path / "f.h5", libver, block)
    checked(tmp_path / "f.h5")
    hdf5_text.check_file(tmp_path / "f.h5")


def test_what_is_no_hdf5_passes(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    hdf5_text.check_file(tmp_path / "empty")
    for data in (b"", b"GCOL\x01", b"x" * 5000, b"GCOL\x01" + bytes(100)):
        hdf5_text.check(data)


def collection(data):
    return data.index(hdf5_text.COLLECTION)


@pytest.mark.parametrize("libver, block", FORMS)
@pytest.mark.parametrize("number, length, step", [
    (0, 0, "0 bytes"), (0, 2**40, "1099511627776 bytes"),
    (1, 2**64 - 16, "18446744073709551616 bytes"), (1, 2**33, "8589934608 bytes")])
def test_steps_that_lead_nowhere_are_refused(tmp_path, libver, block, number, length, step):
    """Nowhere, beyond the file, back to where they began: the first and the third have no end."""
    path = tmp_path / "f.h5"
    data = bytearray(text_file(path, libver, block))
    at = collection(data) + 16
    struct.pack_into("<H6xQ", data, at, number, length)
    path.write_bytes(data)
    with pytest.raises(ValueError, match=f"object at byte {at} declares the next one {step}"):
        hdf5_text.check(bytes(data))
    with pytest.raises(WeightsError, match="f.h5: .*its text is damaged"), hdf5.open_file(path):
        pass


def test_collections_that_overlap_do_not_take_for_ever():
    """Twenty thousand, each of one object that leads to the same row of forty thousand more."""
    count = 20_000
    head = b"\x89HDF\r\n\x1a\n" + bytes(5) + b"\x08\x08" + bytes(33)
    row = struct.pack("<HHLQ", 1, 1, 0, 0) * 2 * count
    each = b"".join(b"GCOL\x01\0\0\0" + struct.pack("<QHHLQ", 32 * left + len(row), 1, 1, 0,
                                                    32 * (left - 1))
                    for left in range(count, 0, -1))
    with pytest.raises(ValueError, match="its text is damaged: many collections overlap"):
        hdf5_text.check(head + each + row)
    hdf5_text.check(head + each[-32:] + row)  # the last one alone


def test_counting_in_other_units_is_refused(tmp_path):
    data = bytearray(text_file(tmp_path / "f.h5"))
    assert data[13:15] == b"\x08\x08"
    data[14] = 4
    with pytest.raises(ValueError, match="unusual way"):
        hdf5_text.check(bytes(data))


@pytest.mark.parametrize("libver, block", FORMS)
def test_lengths_no_file_could_hold_are_refused(tmp_path, libver, block):
    """The length of the attribute `long`, as the object's header has it, made 1 GB."""
    path = tmp_path / "f.h5"
    data = bytearray(text_file(path, libver, block))
    header = struct.pack("<LQL", 5000, collection(data) - block, 1)  # its place is counted from
    assert data.count(header) == 1                                     # behind the user's block
    struct.pack_into("<L", data, data.index(header), 2**30)
    if libver == "latest":  # whose headers have checksums, which the library looks at first
        with pytest.raises(ValueError, match=r"would take 1,073,741,8\d\d bytes"):
            hdf5_text.check_attributes(bytes(data), address_of(path, "group"))
        return
    path.write_bytes(data)
    hdf5_text.check(bytes(data))
    with pytest.raises(ValueError, match=r"would take 1,073,741,8\d\d bytes, and the file has"):
        checked(path)


def address_of(path, name):
    with h5py.File(path) as file:
        return h5py.h5o.get_info(file[name].id).addr


def test_many_attributes_go_on_in_further_blocks(tmp_path):
    """A header is continued elsewhere when it is full; the last attribute is looked at, too."""
    path = tmp_path / "f.h5"
    with h5py.File(path, "w") as file:
        file.create_group("group")
        for k in range(200):
            file["group"].attrs[f"name{k}"] = "z" * (1000 + k)
    checked(path)
    data = bytearray(path.read_bytes())
    places = [k for k in range(len(data)) if data[k : k + 5] == hdf5_text.COLLECTION]
    last, = (data.index(struct.pack("<LQ", 1199, place)) for place in places
             if struct.pack("<LQ", 1199, place) in data)
    struct.pack_into("<L", data, last, 2**31)
    path.write_bytes(data)
    with pytest.raises(ValueError, match="would take 2,147"):
        checked(path)


def test_headers_with_all_there_can_be(tmp_path):
    """Numbered messages, times, and limits that are not the usual ones."""
    path, how = tmp_path / "f.h5", h5py.h5p.create(h5py.h5p.GROUP_CREATE)
    how.set_attr_creation_order(h5py.h5p.CRT_ORDER_TRACKED)
    how.set_attr_phase_change(20, 10)
    how.set_obj_track_times(True)
    with h5py.File(path, "w", libver="latest") as file:
        group = h5py.Group(h5py.h5g.create(file.id, b"group", gcpl=how))
        for k in range(12):
            group.attrs[f"name{k}"] = "text" * 50
    checked(path)
    data = path.read_bytes()
    found = [message for message in hdf5_text._messages(data, 0, address_of(path, "group"))
             if message[0] == hdf5_text.ATTRIBUTE]
    assert sum(hdf5_text._claimed(*message) for message in found) == 12 * 200


def test_attributes_kept_in_a_heap_are_refused(tmp_path):
    with h5py.File(tmp_path / "f.h5", "w", libver="latest") as file:
        group = file.create_group("group")
        for k in range(20):
            group.attrs[f"name{k}"] = "text"
    with pytest.raises(ValueError, match="kept in a heap"):
        checked(tmp_path / "f.h5")


def test_compound_attributes_are_refused(tmp_path):
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file.create_group("group").attrs["pair"] = np.zeros(2, [("a", "f4"), ("b", "i4")])
    with pytest.raises(ValueError, match="compound"):
        checked(tmp_path / "f.h5")


def test_headers_that_are_none_are_refused(tmp_path):
    data = text_file(tmp_path / "f.h5")
    for address in (len(data) - 4, len(data) + 100, 2**62):
        with pytest.raises(ValueError, match="object at byte"):
            hdf5_text.check_attributes(data, address)


def test_a_header_that_continues_in_itself_ends(tmp_path):
    """A block of one message that names the block it is in."""
    block = struct.pack("<HHB3xQQ", hdf5_text.CONTINUED, 16, 0, 16, 24)
    data = bytes(8) + struct.pack("<L4x", 24) + block
    with pytest.raises(ValueError, match="the header of the object at byte 0 is damaged"):
        hdf5_text.check_attributes(data, 0)


def test_it_works_on_a_mapped_file(tmp_path):
    text_file(tmp_path / "f.h5")
    with open(tmp_path / "f.h5", "rb") as file, mmap.mmap(
            file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        hdf5_text.check(data)
        hdf5_text.check_attributes(data, address_of(tmp_path / "f.h5", "group"))


def test_names_of_a_group_that_are_packed_are_refused(tmp_path):
    with h5py.File(tmp_path / "f.h5", "w", libver="latest") as file:
        for k in range(40):
            file[f"a long group/{k}"] = np.float32(k)
    data = bytearray((tmp_path / "f.h5").read_bytes())
    hdf5_text.check(bytes(data))
    data[data.index(hdf5_text.FRACTAL_HEAP) + 7] = 12
    with pytest.raises(ValueError, match=r"its names, at byte \d+, are compressed"):
        hdf5_text.check(bytes(data))
