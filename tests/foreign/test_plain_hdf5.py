"""The reader of converters' files: what is in them, as it is in them."""

import json

import h5py
import numpy as np
import pytest

from minicnn.files.errors import WeightsError
from minicnn.foreign import plain_hdf5


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def write(path, arrays, **attrs):
    """A file of that layout; arrays by "layer/weight"."""
    layers = list(dict.fromkeys(name.rpartition("/")[0] for name in arrays))
    attrs = {"layers": json.dumps(layers), "layout": "OIHW", "source": "test", "input": ""} | attrs
    with h5py.File(path, "w") as file:
        file.attrs.update({key: value for key, value in attrs.items() if value is not None})
        for name, value in arrays.items():
            file[name] = value
    return path


def arrays():
    return {"z/weight": normal(5, 3, 2, 4), "z/bias": normal(5),
            "a/3x3/weight": normal(6, 5, 1, 1), "a/3x3/bias": normal(6)}


def test_the_arrays_are_the_file_s_in_its_order(tmp_path):
    foreign = plain_hdf5.read(write(tmp_path / "f.h5", arrays()))
    assert list(foreign.arrays) == list(arrays())
    assert foreign.layout == "OIHW" and foreign.says == {"source": "test"}
    for name, array in arrays().items():
        np.testing.assert_array_equal(foreign.arrays[name], array, strict=True)


def test_it_recognises_its_files_only(tmp_path):
    for attrs, expected in [({}, True), ({"layers": None}, False), ({"layout": None}, False),
                            ({"source": None}, False), ({"format": "minicnn"}, False)]:
        with h5py.File(write(tmp_path / "f.h5", arrays(), **attrs)) as file:
            assert plain_hdf5.recognises(file) is expected


@pytest.mark.parametrize("attrs, message", [
    ({"source": None}, "neither minicnn's own form nor that of a Caffe converter"),
    ({"layout": "HWIO"}, "expected layout OIHW, got 'HWIO'"),
    ({"layers": '["z", "y"]'}, "cannot be read as HDF5 of a Caffe model: .*y/weight"),
    ({"layers": "z, a"}, "layers is not JSON"),
    ({"layers": "7"}, "cannot be read as HDF5 of a Caffe model"),
    ({"layers": "null"}, "cannot be read as HDF5 of a Caffe model"),
    ({"layers": "[[1]]"}, "cannot be read as HDF5 of a Caffe model"),
])
def test_wrong_attributes_give_one_line(tmp_path, attrs, message):
    with pytest.raises(WeightsError, match=f"f.h5: .*{message}"):
        plain_hdf5.read(write(tmp_path / "f.h5", arrays(), **attrs))


@pytest.mark.parametrize("change", [
    {"z/weight": np.float32(1)}, {"z/weight": normal(5, 3, 2)}, {"z/weight": "text"}])
def test_odd_arrays_give_one_line(tmp_path, change):
    with pytest.raises(WeightsError, match=r"f.h5: cannot be read as HDF5 of a Caffe model"):
        plain_hdf5.read(write(tmp_path / "f.h5", arrays() | change))


def test_a_cut_file_is_refused(tmp_path):
    whole = write(tmp_path / "f.h5", arrays()).read_bytes()
    for length in np.linspace(0, len(whole) - 1, 20).astype(int):
        (tmp_path / "cut.h5").write_bytes(whole[:length])
        with pytest.raises(WeightsError, match="cut.h5"):
            plain_hdf5.read(tmp_path / "cut.h5")


# ---- links: these files may be anybody's

@pytest.mark.parametrize("link", ["soft", "external"])
def test_links_are_not_followed(tmp_path, link):
    """The other place holds the very numbers that are wanted."""
    path, other = write(tmp_path / "f.h5", arrays()), tmp_path / "other.h5"
    write(other, arrays())
    with h5py.File(path, "r+") as file:
        file["copy"] = file["z/bias"]
        del file["z/bias"]
        file["z/bias"] = (h5py.SoftLink("/copy") if link == "soft"
                          else h5py.ExternalLink(str(other), "z/bias"))
    with pytest.raises(WeightsError, match="f.h5: .*z/bias is a link to elsewhere"):
        plain_hdf5.read(path)


def test_a_soft_link_to_itself(tmp_path):
    path = write(tmp_path / "f.h5", arrays())
    with h5py.File(path, "r+") as file:
        del file["z"]
        file["z"] = h5py.SoftLink("/z")
    with pytest.raises(WeightsError, match="f.h5: cannot be read as HDF5 of a Caffe model"):
        plain_hdf5.read(path)


def test_a_group_that_holds_itself(tmp_path):
    path = write(tmp_path / "f.h5", arrays())
    with h5py.File(path, "r+") as file:
        file["z/up"] = file["/"]
    assert list(plain_hdf5.read(path).arrays) == list(arrays())


def test_arrays_that_claim_terabytes(tmp_path):
    path = write(tmp_path / "f.h5", arrays())
    with h5py.File(path, "r+") as file:
        del file["z/weight"]
        file.create_dataset("z/weight", (1 << 20, 1 << 20, 1, 1), np.float32, chunks=(
            1 << 10, 1 << 10, 1, 1), compression="gzip")
    with pytest.raises(WeightsError, match="its arrays would take 4,39"):
        plain_hdf5.read(path)
