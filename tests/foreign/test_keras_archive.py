"""Keras 3's .keras files: a ZIP of JSON and HDF5."""

import json
import zipfile

import h5py
import keras_files
import numpy as np
import pytest
import weight_bytes
from keras_files import conv, dense, layer, normal, sequential

from minicnn.files.errors import WeightsError
from minicnn.foreign import keras_archive

MODEL = sequential(conv("stem", 4), layer("BatchNormalization", "norm", scale=False),
                   sequential(conv("inner", 4), name="base"), conv("last", 2),
                   layer("Flatten", "f"), dense("d", 5))
PLACES = {"stem": "conv2d", "norm": "batch_normalization", "inner": "sequential/layers/conv2d",
          "last": "conv2d_1", "d": "dense"}


def archive(tmp_path, names=True, leave_out=(), model=MODEL, change=None):
    """A .keras file of MODEL; early versions of Keras 3 do not say the layers' names."""
    drawn, layers = keras_files.drawn(MODEL), {}
    for place, array in drawn.items():
        layers.setdefault(PLACES[place.rpartition("/")[0]], []).append(array)
    said = {place: name for name, place in PLACES.items()} if names else {}
    weights = keras_files.version_3_file(tmp_path / "w.h5", layers, said)
    if change:
        with h5py.File(weights, "r+") as file:
            change(file)
    members = {"metadata.json": b"{}", "config.json": json.dumps(model).encode(),
               "model.weights.h5": weights.read_bytes()}
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as file:
        for name in [name for name in members if name not in leave_out]:
            file.writestr(name, members[name])
    return tmp_path / "m.keras"


@pytest.mark.parametrize("names", [True, False])
def test_the_network_comes_out_with_its_weights(tmp_path, names):
    found = keras_archive.read(archive(tmp_path, names))
    assert found.format == "Keras archive (.keras)" and found.says["model"] == "mine"
    drawn = keras_files.drawn(MODEL)
    assert set(found.arrays) == set(drawn)
    for place, array in drawn.items():
        np.testing.assert_array_equal(found.arrays[place], array, strict=True)
    assert keras_files.network(found).forward(normal(1, 8, 10, 3)).output.shape == (1, 5)


def test_recognises(tmp_path):
    path = archive(tmp_path)
    assert keras_archive.recognises(path)
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as file:
        file.writestr("data.pkl", b"")
    others = (tmp_path / "w.h5", tmp_path, tmp_path / "other.zip", tmp_path / "none")
    assert not any(keras_archive.recognises(path) for path in others)


@pytest.mark.parametrize("name", ["model.weights.h5", "config.json"])
def test_a_member_missing(tmp_path, name):
    with pytest.raises(WeightsError, match=f"m.keras: .*there is no {name}"):
        keras_archive.read(archive(tmp_path, leave_out=[name]))


def test_a_model_that_is_no_chain_gives_its_arrays(tmp_path):
    found = keras_archive.read(archive(tmp_path, model=sequential(layer("Lambda", "x"))))
    assert found.layers is None and "'x' is a Lambda" in found.notes[0]


def test_links_out_of_the_archive_are_refused(tmp_path):
    def link(file):
        del file["layers/dense/vars/0"]
        file["layers/dense/vars/0"] = h5py.ExternalLink("w.h5", "x")
        file["layers/conv2d/vars/1"].attrs["x"] = 1

    found = archive(tmp_path, change=link)
    with pytest.raises(WeightsError, match="m.keras: "):
        keras_archive.read(found)


def test_text_that_leads_nowhere_is_refused(tmp_path):
    path = archive(tmp_path)
    data = path.read_bytes()
    at = data.index(b"GCOL\x01") + 16
    data = weight_bytes.without_checksums(data[: at + 8] + b"\xff" * 6 + data[at + 14 :])
    path.write_bytes(data)
    with pytest.raises(WeightsError, match="m.keras: .*its text is damaged"):
        keras_archive.read(path)


def test_a_file_cut_short_anywhere(tmp_path):
    path = archive(tmp_path)
    whole = path.read_bytes()
    for percent in range(100):
        path.write_bytes(whole[: len(whole) * percent // 100])
        with pytest.raises(WeightsError, match="m.keras: ") as error:
            keras_archive.read(path)
        assert "\n" not in str(error.value)


def test_what_is_unpacked_twice_counts_twice(tmp_path):
    """The ZIP unpacks to HDF5 of 40 MB, and that to arrays of 40 MB; of a file of 40 KB."""
    weights = keras_files.version_3_file(tmp_path / "w.h5", {
        "dense": [np.zeros((10_000_000, 1), np.float32)]})
    with zipfile.ZipFile(tmp_path / "m.keras", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("config.json", json.dumps(MODEL))
        file.write(weights, "model.weights.h5")
    with pytest.raises(WeightsError, match="m.keras: .*would take 8.,...,... bytes, and the file"):
        keras_archive.read(tmp_path / "m.keras")
