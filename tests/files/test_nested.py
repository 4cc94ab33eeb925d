"""Files of versions 1 and 2, written by minicnn 0.1.0 before networks had rows, read today."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from minicnn import load
from minicnn.files import digests, hdf5, nested, probe
from minicnn.network.layers import LRN, Conv

OLD = [Path(__file__).with_name(f"version{version}.h5") for version in (1, 2)]
SCORES = [[0.11043611, 0.13174137, 0.75782245]]  # what 0.1.0 made of the picture below


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.stem)
def test_an_old_file_computes_what_it_did(path):
    network = hdf5.load(path)
    assert [(name, inputs) for name, _, inputs in network.rows] == [
        ("conv/1", ("image",)), ("norm", ("conv/1",)), ("a", ("norm",)), ("relu", ("a",)),
        ("in/pool", ("norm",)), ("in", ("in/pool", "norm")), ("out", ("relu", "in")),
        ("drop", ("out",)), ("fc", ("drop",)), ("prob", ("fc",))]
    assert network["a"] == Conv(2, 1)
    assert network["norm"] == LRN(3, alpha=0.5, beta=0.6, k=2.0, convention="paper")
    assert network.labels == ["a", "b", "c"] and network.about == {"made": "by version 0.1.0"}
    picture = np.arange(60, dtype=np.uint8).reshape(5, 4, 3) * 4
    scores = network.probabilities(network.prepare(picture, "keep"))
    np.testing.assert_allclose(scores, SCORES, rtol=1e-6)  # float32, and 8 digits above


def test_a_stored_probe_still_holds():
    network = hdf5.load(OLD[1])
    result = probe.check(network)
    assert result.ok and result.same_settings
    assert network.probe.settings == digests.of_layers(network)
    network.params["a"]["b"][0] += 0.01
    assert probe.verify(network).first.layer == "a"


def test_a_probe_of_other_settings_is_not_made_right(tmp_path):
    spoiled = tmp_path / "net.h5"
    spoiled.write_bytes(OLD[1].read_bytes())
    with h5py.File(spoiled, "r+") as file:
        file["stored probe"].attrs["settings"] = "0" * 64
    assert not probe.verify(hdf5.load(spoiled)).same_settings


def test_saved_again_it_is_of_the_present_version(tmp_path):
    network = hdf5.load(OLD[1])
    hdf5.save(network, tmp_path / "net.h5")
    with h5py.File(tmp_path / "net.h5") as file:
        assert file.attrs["version"] == 3
        assert json.loads(file.attrs["layers"])[6] == ["out", "Concat", {}, ["relu", "in"]]
    assert load(tmp_path / "net.h5", check=True).rows == network.rows


def test_a_branch_may_be_empty_or_hold_branches():
    inner = ["in", "Branches", [[["p", "MaxPool", {"window": 3}]], []]]
    assert nested.rows([["c", "Conv", {"filters": 2, "algorithm": "direct"}],
                        ["mix", "Branches", [[], [inner], []]], ["r", "ReLU", {}]]) == [
        ["c", "Conv", {"filters": 2}, ["image"]],
        ["p", "MaxPool", {"window": 3}, ["c"]],
        ["in", "Concat", {}, ["p", "c"]],
        ["mix", "Concat", {}, ["c", "in", "c"]],
        ["r", "ReLU", {}, ["mix"]]]


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("layers", [
    '[["a", "Branches", {}]]', '[["a", "Branches", 7]]', '[["a", "Branches", []]]',
    '[["a", "Branches", [7]]]', '[["a", "ReLU"]]', '[["a", "ReLU", 7]]', "7",
    '[["a", "Branches", ' * 5_000,
])
def test_nested_layers_that_are_none_are_refused(tmp_path, version, layers):
    spoiled = tmp_path / "net.h5"
    spoiled.write_bytes(OLD[version - 1].read_bytes())
    with h5py.File(spoiled, "r+") as file:
        file.attrs.modify("layers", layers)
    with pytest.raises(hdf5.WeightsError, match="net.h5"):
        hdf5.load(spoiled)
