"""Hashes: of the same numbers the same, of anything else another, and those in saved files."""

import hashlib
from dataclasses import replace

import nets
import numpy as np
import pytest
import small

from minicnn.files import digests, hdf5
from minicnn.images import Preprocessing


def test_a_file_s_is_that_of_its_bytes(tmp_path):
    data = bytes(range(256)) * 9000  # more than is read at once
    (tmp_path / "f").write_bytes(data)
    assert len(data) > digests.BLOCK
    assert digests.sha256(tmp_path / "f") == hashlib.sha256(data).hexdigest()
    assert digests.of_file(tmp_path / "f", "md5", "sha1") == [
        hashlib.md5(data).hexdigest(), hashlib.sha1(data).hexdigest()]
    assert digests.of_file(tmp_path / "f") == []


def test_arrays_by_name_kind_shape_and_bytes():
    one = {"a": np.arange(6, dtype="<f4")}
    assert digests.of_arrays(one) == digests.of_arrays({"a": np.arange(6, dtype=">f4")})
    assert digests.of_arrays(one) == digests.of_arrays({"a": np.arange(12, dtype="f4")[::2] / 2})
    others = [{"b": one["a"]}, {"a": one["a"].astype("f8")}, {"a": one["a"].reshape(2, 3)},
              {"a": one["a"] + 1}]
    assert len({digests.of_arrays(each) for each in [one, *others]}) == 5


def test_the_form_in_files_that_were_saved_stays():
    """What `report.saved` wrote into people's files must be what is computed today."""
    network = small.network()
    w = network.params["conv1"]["w"]
    expected = hashlib.sha256(f"w <f4 {w.shape} ".encode() + w.tobytes()).hexdigest()
    assert digests.of_arrays({"w": w}) == expected
    assert digests.of_layers(network) == (
        "d66e4f3d244801bd7315fc0714e1dde65f9bb1da17624339c3b78f2014efdbd5")


def changed(what):
    network = small.network()
    if what == "weights":
        network.params["fc"]["b"] = network.params["fc"]["b"] + np.float32(1e-6)
    elif what == "setting":
        nets.change(network, "norm1", alpha=0.8)
    elif what == "mean":
        network.preprocessing = replace(network.preprocessing, mean=(100, 110, 121))
    elif what == "mean image":
        mean = np.full((16, 20, 3), 100, np.float32)
        network.preprocessing = replace(network.preprocessing, mean=mean)
    elif what == "no preprocessing":
        network.preprocessing = None
    elif what == "float64":
        network = network.astype(np.float64)
    return network


def test_a_network_s_changes_with_all_that_its_activations_depend_on():
    every = ["nothing", "weights", "setting", "mean", "mean image", "no preprocessing", "float64"]
    assert len({digests.digest(changed(what)) for what in every}) == len(every)


@pytest.mark.parametrize("what, layers, weights", [("weights", True, False),
                                                   ("setting", False, True), ("mean", False, True)])
def test_layers_and_weights_apart(what, layers, weights):
    network, other = small.network(), changed(what)
    assert (digests.of_layers(network) == digests.of_layers(other)) is layers
    assert (digests.of_weights(network) == digests.of_weights(other)) is weights


def test_name_file_and_labels_are_no_part_of_it(tmp_path):
    network = small.network()
    hdf5.save(network, tmp_path / "a.h5")
    again = hdf5.load(tmp_path / "a.h5")
    again.name, again.labels = "other", None
    assert digests.digest(again) == digests.digest(network)


def test_numbers_of_numpy_are_numbers():
    network = small.network()
    prepared = network.preprocessing
    network.preprocessing = Preprocessing(
        tuple(np.array((16, 20))), "BGR", np.array((100, 110, 120)), np.float32(1) / 50,
        resize_to=None)
    network.preprocessing = replace(network.preprocessing, scale=prepared.scale)
    assert digests.of_layers(network) == digests.of_layers(small.network())
