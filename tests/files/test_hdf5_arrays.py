"""Plain data sets out of anybody's HDF5 file; nothing outside it, nothing it cannot hold."""

import zlib

import h5py
import keras_files
import numpy as np
import pytest

from minicnn.files import hdf5_arrays


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
    ("gone", "group/gone is missing"), ("plain/deeper", "is missing"),
    ("", "not the path of an array"),
    ("a//b", "not the path of an array"), ("/".join("x" * 40), "not the path of an array"),
    ("nul\0", "not the path of an array"), ("empty", "is not an array"), ("void", "floating point"),
    ("whole", "expected floating point numbers, got int64"), ("text", "floating point numbers"),
    ("long", "floating point numbers")])
def test_what_is_no_array_of_numbers_is_refused(file, name, message):
    with pytest.raises(ValueError, match=message):
        read(file, name)


def test_a_group_is_no_array(file):
    with pytest.raises(ValueError, match="group is not an array"):
        hdf5_arrays.read(file, {"a": "group"}, 100)


@pytest.mark.parametrize("name", ["vast", "wide chunk"])
def test_what_cannot_come_out_of_the_file_is_refused_before_it_is_read(file, name):
    with pytest.raises(ValueError, match="its arrays would take .*, and the file has 100,000"):
        read(file, name)


def test_it_is_the_sum_that_counts(file):
    hdf5_arrays.read(file, {str(k): "group/packed" for k in range(10)}, 100)
    with pytest.raises(ValueError, match="would take 8.,...,... bytes, and the file has 1,0"):
        hdf5_arrays.read(file, {str(k): "group/packed" for k in range(20)}, 2**20)


def test_what_was_made_of_the_file_before_counts_too(file):
    places = {str(k): "group/packed" for k in range(10)}
    hdf5_arrays.read(file, places, 2**20, taken=20 * 2**20)
    with pytest.raises(ValueError, match="would take 10.,...,... bytes, and the file has 1,0"):
        hdf5_arrays.read(file, places, 2**20, taken=60 * 2**20)


def test_has_sees_what_is_there_and_follows_no_link(file):
    assert all(hdf5_arrays.has(file["group"], name) for name in ("plain", "soft", "dangling"))
    assert hdf5_arrays.has(file, "group") and not hdf5_arrays.has(file, "gone")


def test_is_float(file):
    group = file["group"]
    assert hdf5_arrays.is_float(group["plain"]) and hdf5_arrays.is_float(group["half"])
    assert not any(hdf5_arrays.is_float(thing) for thing in (
        group, group["whole"], group["text"], group["long"]))


# ---- packed data sets

def chunked(tmp_path, chunk=None, mask=0, **how):
    """An open file with the data set group/a, 256 x 4, in chunks of a quarter; `chunk` as the
    packed bytes of the second."""
    how = {"chunks": (64, 4), "dtype": "f4"} | how
    with h5py.File(tmp_path / "c.h5", "w") as file:
        stored = file.create_dataset("group/a", (256, 4), **how)
        stored[...] = keras_files.normal(256, 4)
        if chunk is not None:
            stored.id.write_direct_chunk((64, 0), chunk, mask)
    return h5py.File(tmp_path / "c.h5")


@pytest.mark.parametrize("how", [
    {}, {"compression": "gzip"}, {"compression": "gzip", "shuffle": True, "fletcher32": True},
    {"fletcher32": True}, {"shuffle": True}], ids=str)
def test_what_keras_and_people_pack_is_read(tmp_path, how):
    with chunked(tmp_path, **how) as file:
        np.testing.assert_array_equal(read(file, "a")["a"], keras_files.normal(256, 4))


def test_a_chunk_may_be_left_unpacked(tmp_path):
    """The mask says which filters were passed over: here the first."""
    with chunked(tmp_path, np.ones((64, 4), "f4").tobytes(), 1, compression="gzip") as file:
        assert (read(file, "a")["a"][64:128] == 1).all()


@pytest.mark.parametrize("chunk, message", [
    (zlib.compress(bytes(50_000_000)), "group/a decompresses to more than its declared size"),
    (zlib.compress(bytes(3000)), "group/a decompresses to more than its declared size"),
    (np.random.default_rng(0).bytes(3000), "group/a decompresses to more than its declared size"),
    (b"no gzip at all", "group/a cannot be decompressed: Error -3")])
def test_what_unpacks_to_more_than_a_chunk_is_refused(tmp_path, chunk, message):
    """HDF5's library would unpack it all first: 50 KB to 50 MB, 1 MB to 1 GB."""
    with chunked(tmp_path, chunk, compression="gzip") as file, pytest.raises(
            ValueError, match=message):
        read(file, "a")


@pytest.mark.parametrize("how", [{"compression": "lzf"}, {"scaleoffset": 3}], ids=str)
def test_other_ways_of_packing_are_refused(tmp_path, how):
    with chunked(tmp_path, **how) as file, pytest.raises(
            ValueError, match="group/a is compressed with HDF5's filters .* only gzip"):
        read(file, "a")
