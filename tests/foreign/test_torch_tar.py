"""The tar file of PyTorch 0.1, written byte by byte: what is refused, and that nothing is unpacked.

That it is read, by PyTorch too, is tested in test_torch_containers.py.
"""

import struct
import tarfile
import time

import numpy as np
import pytest
import weight_bytes as wb

from minicnn.foreign import torch_tar
from minicnn.foreign.torch_containers import Storage

FLOATS = {"conv.weight": wb.small()["conv.weight"]}


def contents(*args, **more):
    return torch_tar.tarred(memoryview(wb.torch_tar(*args, **more)))


def refused(message, *args, **more):
    with pytest.raises(ValueError, match=message):
        contents(*args, **more)


def test_storages_may_be_parts_of_others():
    """A list of (key, key of the whole, first, count) behind the storages."""
    array = np.arange(10, dtype="<f4")
    whole, part = wb.tar_tensor(200, 100, array), wb.tar_tensor(201, 7, array[:3])
    found = contents({"w": array}, [(8, 100, 2, 8), (7, 8, 2, 5)],
                     tensors=wb.pickled(2) + whole + part, value={"a": wb.encode("201") + b"Q"})
    assert found.value["a"].storage == Storage(100, "<f4", 5, 4)
    for views in [[(7, 100, 8, 5)], [(7, 99, 0, 1)], [(7, 100, 1)], [7], [(7, 100, -1, 2)], {}]:
        refused("a view outside of all other|list of views of storages is not valid",
                {"w": array}, views)


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "storages/../../evil",
                                  "C:\\evil", "pickle\n"])
def test_tar_members_that_climb_are_refused_and_nothing_is_unpacked(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    refused("not one of PyTorch's sys_info, pickle, tensors, storages", **{name: b"evil"})
    assert list(tmp_path.iterdir()) == [] and not (tmp_path.parent / "evil").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE,
                                  tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE, tarfile.CHRTYPE])
def test_tar_members_that_are_no_files_are_refused(kind):
    with pytest.raises(ValueError, match="'pickle/?', which is not one of .*, or is a link or "
                                         "a folder"):
        torch_tar.tarred(memoryview(wb.tarred({"pickle": b""}, kind)))


def header_changed(where, text):
    """A tar file whose first real header (behind the notes on it) has other bytes."""
    data = bytearray(wb.torch_tar())
    at = data.index(b"sys_info\0")
    data[at + where:at + where + len(text)] = text
    data[at + 148:at + 156] = b" " * 8
    data[at + 148:at + 155] = b"%06o\0" % sum(data[at:at + 512])
    return data


@pytest.mark.parametrize("data, message", [
    (header_changed(124, b"77777777777\0"), "damaged or cut short"),
    (header_changed(124, b"\x80" + b"\xff" * 11), "damaged or cut short"),
    (header_changed(124, b"-1         \0"), "damaged header"),
    (header_changed(124, b"           \0"), "damaged header"),
    (header_changed(0, b"storages\0"),
     "'storages', which is not one of PyTorch's .*, or occurs twice"),
    (wb.torch_tar().replace(b"sys_info", b"sys_infa"), r"a damaged header \(bad checksum\)"),
    (wb.torch_tar(tensors=None, pickle=None), "without PyTorch's pickle and tensors"),
    (wb.tarred({}), "without PyTorch's pickle and tensors and storages"),
    (wb.torch_tar()[:-512], "cut short: .* not a multiple of 10240"),
    (wb.tarred({"pickle": b"x" * 9700})[:10240], "damaged or cut short"),
    (wb.tarred({"notes": b"hello"}), "'notes', which is not one of PyTorch's"),
])
def test_tar_files_that_are_damaged(data, message):
    with pytest.raises(ValueError, match=message):
        torch_tar.tarred(memoryview(data))


def test_a_tar_of_many_members_is_not_walked():
    notes = wb.tarred({"sys_info": b""})[:1024]  # the notes on a member, over and over
    data = notes * 200 * 20
    with pytest.raises(ValueError, match="a tar file of more than 16 members"):
        torch_tar.tarred(memoryview(data[:len(data) // 10240 * 10240]))


def test_the_storages_and_tensors_of_a_tar():
    kind, array = wb.name("torch", "FloatStorage"), FLOATS["conv.weight"]
    row = struct.pack("<q", 24) + array.tobytes()
    for storages, message in [
            (wb.pickled(60_000), "its number of arrays is invalid; expected 0 to 50000"),
            (wb.pickled(-1), "number of arrays is invalid"),
            (wb.pickled([1]), "number of arrays is invalid"),
            (wb.pickled(3), "which no weight file needs"),  # behind its one byte come zeros
            (wb.pickled(1) + wb.pickled((1, 2)), "should hold 3 values"),
            (wb.pickled(1) + wb.pickled([1, 2, kind]), "should hold 3 values"),
            (wb.pickled(1) + wb.pickled(("x", 2, kind)) + row, "has no key or no type"),
            (wb.pickled(1) + wb.pickled((1, 2, "float")) + row, "has no key or no type"),
            (wb.pickled(1) + wb.pickled((1, 2, kind)) + struct.pack("<q", 10**9), "ends before")]:
        refused(message, FLOATS, storages=storages)
    good = wb.tar_tensor(200, 100, array)
    for tensors, message in [
            (wb.pickled(1) + wb.tar_tensor("x", 100, array), "has no key or no storage"),
            (wb.pickled(1) + wb.tar_tensor(200, 99, array), "has no key or no storage"),
            (wb.pickled(1) + good[:-80] + struct.pack("<q", 2**31 - 1) + good[-72:], "dimensions"),
            (wb.pickled(1) + good[:-80] + struct.pack("<q", -1) + good[-72:], "dimensions"),
            (wb.pickled(1) + good[:-8] + struct.pack("<q", -1), "not whole numbers"),
            (wb.pickled(1) + good[:-72] + struct.pack("<q", -5) + good[-64:], "not whole numbers"),
            (wb.pickled(50_000) + good, "cut short|damaged|instruction")]:
        refused(message, FLOATS, tensors=tensors)
    for key in ("7", "x", "9" * 5000, (1, "f", "source"), -200, [1]):
        refused("a tensor that is not there", FLOATS, value={"w": wb.encode(key) + b"Q"})
    by_number = contents(FLOATS, value={"w": wb.encode(200) + b"Q"})
    assert by_number.value["w"].shape == array.shape


def test_a_long_pickle_for_every_tensor_is_not_read():
    """50 of them, each as long as the pickle of a whole network may be, would take 20 s."""
    long = wb.pickled((100, "cpu", b"N" * 400_000))
    began = time.process_time()
    refused("far longer", FLOATS, storages=wb.pickled(50) + long * 50)
    assert time.process_time() - began < 5
