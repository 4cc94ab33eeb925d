"""The reader of converters' files: their layout turned into the library's."""

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


def test_kernels_are_turned_and_keep_the_order_of_the_file(tmp_path):
    found, source = plain_hdf5.read(write(tmp_path / "f.h5", arrays()))
    assert list(found) == ["z/w", "z/b", "a/3x3/w", "a/3x3/b"] and source == "test"
    w, original = found["z/w"], arrays()["z/weight"]
    assert w.shape == (2, 4, 3, 5) and w.flags.c_contiguous
    assert all(w[i, j, c, o] == original[o, c, i, j] for o, c, i, j in np.ndindex(original.shape))
    np.testing.assert_array_equal(found["a/3x3/w"][0, 0], arrays()["a/3x3/weight"][:, :, 0, 0].T)
    np.testing.assert_array_equal(found["z/b"], arrays()["z/bias"], strict=True)


def test_the_preparing_layer_is_dropped(tmp_path):
    extra = {"conv0/weight": normal(3, 3, 1, 1), "conv0/bias": normal(3)}
    found, _ = plain_hdf5.read(write(tmp_path / "f.h5", extra | arrays()))
    assert not any(name.startswith("conv0") for name in found) and len(found) == 4


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
