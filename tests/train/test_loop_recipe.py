"""The recipe of the shipped networks, from data to weight file, on a handful of drawn images."""

import importlib.util
import io
import re
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from minicnn.files import hdf5

RECIPE = Path(__file__).parents[2] / "weights" / "train_shipped.py"


def write_split(file, name, count, rng):
    """Images of one flat colour, whose label is how red they are."""
    encoded, labels = [], rng.integers(0, 4, count)
    for label in labels:
        pixels = np.full((64, 64, 3), (80 * label, 90, 120), np.uint8)
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "PNG")
        encoded.append(stream.getvalue())
    file[f"{name}/bytes"] = np.frombuffer(b"".join(encoded), np.uint8)
    file[f"{name}/offsets"] = np.cumsum([0] + [len(e) for e in encoded])
    file[f"{name}/labels"] = labels.astype(np.uint8)


@pytest.fixture
def module():
    """The recipe as a module."""
    spec = importlib.util.spec_from_file_location("train_shipped", RECIPE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def recipe(module, monkeypatch):
    """The recipe's main() with arguments."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["train_shipped.py", *map(str, arguments)])
        module.main()
    return run


def test_small_images_first_and_as_many_epochs_as_the_time_allows(module):
    assert [module.size_at(share) for share in (0, 0.29, 0.3, 0.54, 0.55, 1.0)] == [
        32, 32, 48, 48, 64, 64]
    speed = 0.1  # seconds an epoch and pixel: 410 for an epoch at 64
    mean = 0.3 * 32**2 + 0.25 * 48**2 + 0.45 * 64**2
    assert module.planned(0.0, 20 * speed * mean, speed) == 20
    assert module.planned(0.6, 3 * speed * 64**2, speed) == 3
    assert module.planned(0.9, 0, speed) == 1  # the end is always reached


def test_all_sizes_share_the_weights_and_fit_the_dense_layers(module):
    for name, last in module.LAST.items():
        network = module.batch_norm.add(getattr(module.models, name)()).initialize(0)
        for size in module.UNTIL:
            small = module.sized(network, size)
            assert small.params is network.params and small.shapes[last][:2] == (4, 4)
            assert small.param_shapes == network.param_shapes


@pytest.mark.thorough
def test_from_data_to_weights_and_again_after_a_break(module, recipe, tmp_path, capsys):
    rng = np.random.default_rng(0)
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["classes"] = [f"class {k}" for k in range(100)]
        write_split(file, "train", 128, rng)
        write_split(file, "val", 12, rng)
    whole, broken = tmp_path / "whole.h5", tmp_path / "broken.h5"
    recipe("minivgg", tmp_path / "data.h5", "--out", whole, "--epochs", 2)
    network = hdf5.load(whole)
    assert network.labels[7] == "class 7" and network.about["validation_images"] == 12
    assert 0 <= network.about["validation_top1"] <= network.about["validation_top5"] <= 1
    assert not any(name.endswith("_bn") for name in network.names)

    with pytest.MonkeyPatch.context() as patch:  # the machine dies in the second epoch
        one, begun = module.one_epoch, []
        patch.setattr(module, "one_epoch", lambda *arguments: begun.append(1) or (
            one(*arguments) if len(begun) == 1 else (_ for _ in ()).throw(KeyboardInterrupt)))
        with pytest.raises(KeyboardInterrupt):
            recipe("minivgg", tmp_path / "data.h5", "--out", broken, "--epochs", 2)
    assert not broken.exists() and broken.with_suffix(".checkpoint.npz").exists()
    capsys.readouterr()
    recipe("minivgg", tmp_path / "data.h5", "--out", broken, "--epochs", 2)
    assert re.findall("epoch ./.", capsys.readouterr().out) == ["epoch 2/2"]
    for name in network.param_shapes:
        for key, value in hdf5.load(broken).params[name].items():
            np.testing.assert_array_equal(value, network.params[name][key])
    assert not broken.with_suffix(".checkpoint.npz").exists()
    recipe("minivgg", tmp_path / "data.h5", "--out", tmp_path / "short.h5", "--hours", 1e-5)
    assert "epoch 1/1  32 px" in capsys.readouterr().out
