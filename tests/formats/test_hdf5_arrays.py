"""Plain data sets out of anybody's HDF5 file; nothing outside it, nothing it cannot hold."""

import h5py
import keras_files
import numpy as np
import pytest

from minicnn.formats import hdf5_arrays


@pytest.fixture
def file(tmp_path):
    """An open file with an array /group/plain, and links and other things beside it."""
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["plain"] = np.ones(4, np.float32)
    np.ones(4, np.float32).tofile(tmp_path / "raw.bin")
    with h5py.File(tmp_path / "f.h5", "w") as made:
        group = made.create_group("group")
        group["plain"] = keras_files.normal(3, 4)
        group["away"] = h5py.ExternalLink("other.h5", "plain")
        group["soft"] = h5py.SoftLink("/group/plain")
        group["dangling"] = h5py.SoftLink("/nowhere")
        group["up"] = h5py.SoftLink("/group")
        group.create_dataset("raw", (4,), "f4", external=[("raw.bin", 0, 16)])
        layout = h5py.VirtualLayout((4,), "f4")
        layout[:] = h5py.VirtualSource("other.h5", "plain", (4,))
        group.create_virtual_dataset("virtual", layout)
        group["whole"], group["text"] = np.arange(3), "words"
        group["void"], group["empty"] = np.zeros(3, "V2"), h5py.Empty("f4")
        group["long"] = np.zeros(3, np.longdouble)
        group["big end"], group["half"] = np.arange(3, dtype=">f4"), np.arange(3, dtype="f2")
        group.create_dataset("vast", (2**40, 2**20), "f4", chunks=(1, 1024))
        group.create_dataset("wide chunk", (4,), "f8", chunks=(2**25,), maxshape=(None,))
        group.create_dataset("packed", data=np.zeros(2**20, np.float32), compression="gzip")
    with h5py.File(tmp_path / "f.h5") as opened:
        yield opened


def read(file, *names, size=100_000):
    return hdf5_arrays.read(file, {name: f"group/{name}" for name in names}, size)


def test_plain_arrays_come_in_the_order_asked_for(file):
    found = read(file, "half", "plain", "big end")
    assert list(found) == ["half", "plain", "big end"] and found["half"].dtype == np.float16
    np.testing.assert_array_equal(found["plain"], keras_files.normal(3, 4), strict=True)
    np.testing.assert_array_equal(found["big end"], np.arange(3, dtype=np.float32), strict=True)


def test_honest_compression_is_unpacked(file):
    assert read(file, "packed")["packed"].shape == (2**20,)


@pytest.mark.parametrize("name", ["away", "soft", "dangling", "up/plain"])
def test_links_are_not_followed(file, name):
    with pytest.raises(ValueError, match=f"group/{name} is a link to elsewhere"):
        read(file, name)


@pytest.mark.parametrize("name", ["raw", "virtual"])
def test_numbers_in_other_files_are_not_read(file, name):
    with pytest.raises(ValueError, match=f"group/{name} keeps its numbers in another file"):
        read(file, name)


@pytest.mark.parametrize("name, message", [
    ("gone", "group/gone is missing"), ("plain/deeper", "is missing"), ("", "no path of an array"),
    ("a//b", "no path of an array"), ("/".join("x" * 40), "no path of an array"),
    ("nul\0", "no path of an array"), ("empty", "is no array"), ("void", "floating point"),
    ("whole", "expected floating point numbers, got int64"), ("text", "floating point numbers"),
    ("long", "floating point numbers")])
def test_what_is_no_array_of_numbers_is_refused(file, name, message):
    with pytest.raises(ValueError, match=message):
        read(file, name)


def test_a_group_is_no_array(file):
    with pytest.raises(ValueError, match="group is no array"):
        hdf5_arrays.read(file, {"a": "group"}, 100)


@pytest.mark.parametrize("name", ["vast", "wide chunk"])
def test_what_cannot_come_out_of_the_file_is_refused_before_it_is_read(file, name):
    with pytest.raises(ValueError, match="its arrays would take .* MiB, which cannot come out of"):
        read(file, name)


def test_it_is_the_sum_that_counts(file):
    hdf5_arrays.read(file, {str(k): "group/packed" for k in range(10)}, 100)
    with pytest.raises(ValueError, match="would take 80 MiB"):
        hdf5_arrays.read(file, {str(k): "group/packed" for k in range(20)}, 2**20)


def test_has_sees_what_is_there_and_follows_no_link(file):
    assert all(hdf5_arrays.has(file["group"], name) for name in ("plain", "soft", "dangling"))
    assert hdf5_arrays.has(file, "group") and not hdf5_arrays.has(file, "gone")


def test_is_float(file):
    group = file["group"]
    assert hdf5_arrays.is_float(group["plain"]) and hdf5_arrays.is_float(group["half"])
    assert not any(hdf5_arrays.is_float(thing) for thing in (
        group, group["whole"], group["text"], group["long"]))
