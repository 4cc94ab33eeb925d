"""The reader of converters' files: what is in them, as it is in them."""

import json

import h5py
import numpy as np
import pytest

from minicnn.formats import plain_hdf5
from minicnn.formats.hdf5 import WeightsError


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
    ({"source": None}, "neither minicnn's own form nor one this reader knows"),
    ({"layout": "HWIO"}, "expected layout OIHW, got 'HWIO'"),
    ({"layers": '["z", "y"]'}, "the layers it lists cannot be read: .*y/weight"),
    ({"layers": "z, a"}, "the layers it lists cannot be read"),
    ({"layers": "7"}, "the layers it lists cannot be read"),
    ({"layers": "null"}, "the layers it lists cannot be read"),
    ({"layers": "[[1]]"}, "the layers it lists cannot be read"),
])
def test_wrong_attributes_give_one_line(tmp_path, attrs, message):
    with pytest.raises(WeightsError, match=f"f.h5: .*{message}"):
        plain_hdf5.read(write(tmp_path / "f.h5", arrays(), **attrs))


@pytest.mark.parametrize("change", [
    {"z/weight": np.float32(1)}, {"z/weight": normal(5, 3, 2)}, {"z/weight": "text"}])
def test_odd_arrays_give_one_line(tmp_path, change):
    with pytest.raises(WeightsError, match=r"f.h5: the layers it lists cannot be read"):
        plain_hdf5.read(write(tmp_path / "f.h5", arrays() | change))


def test_a_cut_file_is_refused(tmp_path):
    whole = write(tmp_path / "f.h5", arrays()).read_bytes()
    for length in np.linspace(0, len(whole) - 1, 20).astype(int):
        (tmp_path / "cut.h5").write_bytes(whole[:length])
        with pytest.raises(WeightsError, match="cut.h5"):
            plain_hdf5.read(tmp_path / "cut.h5")
