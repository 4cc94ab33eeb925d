"""Snapshots: the network as it was, also where training is interrupted and taken up again."""

import nets
import numpy as np
import pytest

from minicnn import train
from minicnn.files import hdf5
from minicnn.images import Preprocessing
from minicnn.train import batch_norm, snapshots
from minicnn.train.loop import fit

PREPROCESSING = Preprocessing((6, 6), "BGR", (120.0, 125.0, 130.0), 1 / 64, resize_to=6)


def plain():
    network = nets.classifier()
    network.preprocessing, network.labels = PREPROCESSING, [f"class {k}" for k in range(10)]
    return network


def trained(folder, network, epochs=4, at=(0, 1, 3, 4, 9), **more):
    """Train on noise; returns the parameters after each epoch."""
    rng, after = np.random.default_rng(0), {0: nets.parameters(network)}
    data = rng.integers(0, 256, (16, 6, 6, 3)).astype(np.uint8), rng.integers(0, 10, 16)
    base = {"plain": more.pop("plain", None)}
    for epoch in fit(network, data, epochs, train.SGD(0.02, 0.9), batch=8, progress=False,
                     after=snapshots.Keeper(folder, network, at, **base), **more):
        after[epoch.index + 1] = nets.parameters(network)
    return after


def the_same(network, parameters):
    found = nets.parameters(network)
    assert found.keys() == parameters.keys()
    for name, value in found.items():
        np.testing.assert_array_equal(value, parameters[name], name)


def test_the_network_as_it_was_after_the_chosen_epochs(tmp_path):
    after = trained(tmp_path / "a" / "b", plain().initialize(0))
    found = snapshots.there(tmp_path / "a" / "b")
    assert list(found) == [0, 1, 3, 4]  # there is no epoch 9
    for epoch, file in found.items():
        network = hdf5.load(file)
        the_same(network, after[epoch])
        assert network.about == {"epoch": epoch} and network.labels[1] == "class 1"
    assert (after[1]["conv1/w"] != after[3]["conv1/w"]).any()


@pytest.mark.parametrize("broken_off", [3, 7])  # of 8 steps: in epoch 2, and in epoch 4
def test_training_taken_up_again_keeps_the_same_bytes(tmp_path, broken_off):
    """Also although `fit` tells its first epochs again when the network is already further."""
    trained(tmp_path / "whole", plain().initialize(0))
    steps = []

    def pressing(images, rng):
        steps.append(len(steps))
        if len(steps) == broken_off + 1:
            raise KeyboardInterrupt
        return images

    checkpoint = tmp_path / "c.npz"
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "parts", plain().initialize(0), augment=pressing, checkpoint=checkpoint)
    assert len(snapshots.there(tmp_path / "parts")) < 4
    trained(tmp_path / "parts", plain().initialize(0), augment=lambda images, rng: images,
            checkpoint=checkpoint)
    whole, parts = (snapshots.there(tmp_path / name) for name in ("whole", "parts"))
    assert list(whole) == list(parts)
    for epoch, file in whole.items():
        assert file.read_bytes() == parts[epoch].read_bytes(), epoch


def test_batch_norms_are_folded_away(tmp_path):
    network = batch_norm.add(plain()).initialize(0)
    trained(tmp_path, network, 2, (0, 2), plain=plain())
    kept = hdf5.load(snapshots.there(tmp_path)[2])
    assert kept.names == plain().names
    x = np.random.default_rng(1).standard_normal((2, 6, 6, 3)).astype(np.float32)
    np.testing.assert_allclose(kept.probabilities(x), network.probabilities(x), rtol=1e-4)


def test_some_are_loaded_in_order(tmp_path):
    after = trained(tmp_path, plain().initialize(0), at=(0, 1, 2, 3))
    loaded = snapshots.load(tmp_path, [3, 0, 3])
    assert list(loaded) == [0, 3] and list(snapshots.load(tmp_path)) == [0, 1, 2, 3]
    the_same(loaded[3], after[3])
    with pytest.raises(ValueError, match="none after epoch 5; there are 0, 1, 2, 3"):
        snapshots.load(tmp_path, [3, 7, 5])
    with pytest.raises(ValueError, match="no epoch is named"):
        snapshots.load(tmp_path, [])


def test_a_folder_without_snapshots_is_told(tmp_path):
    (tmp_path / "epoch_x.h5").touch()
    (tmp_path / "epoch_3.png").touch()
    for folder in (tmp_path, tmp_path / "none"):
        assert snapshots.there(folder) == {}
        with pytest.raises(ValueError, match=r"no snapshots here; expected .* epoch_010.h5, which"):
            snapshots.load(folder)


def test_the_epochs_of_the_figure():
    assert snapshots.EPOCHS == (0, 1, 2, 5, 10, 20, 30, 40, 64)
