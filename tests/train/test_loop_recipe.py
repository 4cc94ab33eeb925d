"""The recipe of the shipped network, from data to weight file, on a handful of drawn images."""

import importlib.util
import io
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from minicnn.files import hdf5

RECIPE = Path(__file__).parents[2] / "weights" / "train_minivgg.py"


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
def recipe(monkeypatch):
    """The recipe as a module whose main() takes arguments."""
    spec = importlib.util.spec_from_file_location("train_minivgg", RECIPE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["train_minivgg.py", *map(str, arguments)])
        module.main()
    return run


@pytest.mark.thorough
def test_from_data_to_weights_and_again_after_a_break(recipe, tmp_path, capsys):
    rng = np.random.default_rng(0)
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["classes"] = [f"class {k}" for k in range(100)]
        write_split(file, "train", 128, rng)
        write_split(file, "val", 12, rng)
    whole, broken = tmp_path / "whole.h5", tmp_path / "broken.h5"
    recipe(tmp_path / "data.h5", "--out", whole, "--epochs", 2)
    network = hdf5.load(whole)
    assert network.labels[7] == "class 7" and network.about["validation_images"] == 12
    assert 0 <= network.about["validation_top1"] <= network.about["validation_top5"] <= 1
    assert not any(name.endswith("_bn") for name in network.names)

    save = hdf5.save
    with pytest.MonkeyPatch.context() as patch:  # the machine dies before the weights are written
        patch.setattr(hdf5, "save", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            recipe(tmp_path / "data.h5", "--out", broken, "--epochs", 2)
    assert not broken.exists() and broken.with_suffix(".checkpoint.npz").exists()
    assert hdf5.save is save
    capsys.readouterr()
    recipe(tmp_path / "data.h5", "--out", broken, "--epochs", 2)
    assert "epoch" not in capsys.readouterr().out  # both epochs were in the checkpoint
    for name in network.param_shapes:
        for key, value in hdf5.load(broken).params[name].items():
            np.testing.assert_array_equal(value, network.params[name][key])
    assert not broken.with_suffix(".checkpoint.npz").exists()
