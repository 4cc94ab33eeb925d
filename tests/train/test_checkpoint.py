"""Checkpoints: what comes back is what was saved; another training's file is refused."""

import nets
import numpy as np
import pytest

from minicnn.ascent.optimizers import SGD, Adam, AdamW, RMSprop
from minicnn.train import checkpoint

SETTINGS = {"epochs": 3, "seed": 0, "frozen": ["conv1"]}


def stepped(optimizer):
    network = nets.classifier().initialize(0)
    for name, arrays in network.params.items():
        for key in arrays:
            for _ in range(2):
                arrays[key] = optimizer.step(arrays[key], np.ones_like(arrays[key]), (name, key))
    return network, optimizer


@pytest.mark.parametrize("make", [lambda: SGD(0.1, 0.9), lambda: RMSprop(0.1), lambda: Adam(0.1),
                                  lambda: AdamW(0.1)])
def test_parameters_memory_and_progress_come_back(make, tmp_path):
    network, optimizer = stepped(make())
    progress = {"epoch": 2, "history": [[0, 1.5, 0.25, None, None]], "loss": 0.1}
    checkpoint.save(tmp_path / "c.npz", network, optimizer, SETTINGS, progress)
    other, fresh = nets.classifier().initialize(5), make()
    assert checkpoint.load(tmp_path / "c.npz", other, fresh, SETTINGS) == progress
    for name, arrays in network.params.items():
        for key, value in arrays.items():
            np.testing.assert_array_equal(other.params[name][key], value, strict=True)
            gradient = np.full_like(value, 0.5)  # the next step tells whether the memory is there
            one, two = (o.step(value, gradient, (name, key)) for o in (optimizer, fresh))
            np.testing.assert_array_equal(one, two, strict=True)


def test_an_optimiser_without_memory(tmp_path):
    network, optimizer = stepped(SGD(0.1))
    checkpoint.save(tmp_path / "c.npz", network, optimizer, SETTINGS, {"epoch": 1})
    assert checkpoint.load(tmp_path / "c.npz", network, SGD(0.1), SETTINGS) == {"epoch": 1}


def test_other_settings_are_named(tmp_path):
    network, optimizer = stepped(SGD(0.1))
    checkpoint.save(tmp_path / "c.npz", network, optimizer, SETTINGS, {})
    with pytest.raises(checkpoint.CheckpointError, match="another training: seed was 0, is 1. Rem"):
        checkpoint.load(tmp_path / "c.npz", network, optimizer, SETTINGS | {"seed": 1})


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\3\4 broken"])
def test_other_files_are_refused(content, tmp_path):
    (tmp_path / "c.npz").write_bytes(content)
    with pytest.raises(checkpoint.CheckpointError, match="not a checkpoint, or damaged"):
        checkpoint.load(tmp_path / "c.npz", nets.classifier(), SGD(0.1), SETTINGS)


def test_another_network_s_layers_are_refused(tmp_path):
    network, optimizer = stepped(SGD(0.1))
    checkpoint.save(tmp_path / "c.npz", network, optimizer, SETTINGS, {})
    with pytest.raises(checkpoint.CheckpointError, match="layer conv1 has . .* wants"):
        checkpoint.load(tmp_path / "c.npz", nets.everything(), SGD(0.1), SETTINGS)


def test_a_pickle_inside_is_not_opened(tmp_path):
    np.savez(tmp_path / "c.npz", about=np.array([{"a": 1}], dtype=object))
    with pytest.raises(checkpoint.CheckpointError, match="not a checkpoint"):
        checkpoint.load(tmp_path / "c.npz", nets.classifier(), SGD(0.1), SETTINGS)


def test_remove(tmp_path):
    (tmp_path / "c.npz").write_bytes(b"x")
    for _ in range(2):
        checkpoint.remove(tmp_path / "c.npz")
    assert not (tmp_path / "c.npz").exists()
