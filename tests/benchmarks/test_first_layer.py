"""Two forms of a first layer trained alike, measured, and told in a table; on drawn shapes."""

import json

import first_layer
import numpy as np
import pytest

from minicnn import images, models, train
from minicnn.cli import main
from minicnn.images import Preprocessing
from minicnn.network import Network
from minicnn.network.layers import Conv, Dense, MaxPool, ReLU, Softmax
from minicnn.train import data, snapshots


def tiny(classes, kernel, stride):
    return Network("minialex", [
        ("conv1", Conv(4, kernel, stride=stride, pad=kernel // 2)), ("relu1", ReLU()),
        ("pool1", MaxPool(3, 4 // stride, pad=1)), ("conv2", Conv(24, 3, pad=1)),
        ("relu2", ReLU()), ("fc", Dense(classes)), ("prob", Softmax()),
    ], (16, 16, 3), Preprocessing((16, 16), mean=128, scale=1 / 64, resize_to=16))


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """Run the program on few and small shapes, with a small network, for two epochs."""
    monkeypatch.setattr(models, "minialex", tiny)
    monkeypatch.setattr(first_layer, "BATCH", 10)
    drawn = {split: data.shapes(count, seed, 16).in_memory() for split, count, seed in (
        ("train", 60, 1), ("val", 20, 2))}
    monkeypatch.setattr(data, "pack", lambda path, split: train.Data(
        drawn[split].images, drawn[split].labels, list(first_layer.CLASSES)))
    folder, out = str(tmp_path / "networks"), str(tmp_path / "table")

    def run(*more):
        assert main(["bench", "first-layer", "--data", "pack.h5", "--epochs", "2", "--networks",
                     folder, "--images", "4", "--out", out, *more]) == 0
    return run


@pytest.mark.thorough
def test_both_are_trained_measured_and_shown(bench, tmp_path, capsys):
    bench("--kernels", "11")
    assert list(snapshots.there(tmp_path / "networks" / "11x11")) == [0, 1, 2]
    assert not (tmp_path / "table.json").exists()
    bench()
    result = json.loads((tmp_path / "table.json").read_text(encoding="utf-8"))
    for row, kernel, stride in zip(result["rows"], (7, 11), (2, 4), strict=True):
        assert (row["kernel"], row["stride"], row["filters"]) == (kernel, stride, 4)
        assert len(row["norms"]) == 4 and row["epochs"] == [0, 1, 2] and len(row["loss"]) == 3
        assert row["weights"]["relu2"][::2] == [1, 0] and row["responses"]["relu1"][-1] == 1
        assert row["jumps"]["relu1"][0] is None
    text = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert "|  | 7x7, stride 2 | 11x11, stride 4 |" in text and "| relu2 | 11x11 | 1.00 |" in text
    for name in ("table.jpg", "table_7x7_evolution.jpg", "table_11x11_curves.png"):
        assert images.load(tmp_path / name).ndim == 3
    capsys.readouterr()
    bench()  # everything is there
    assert capsys.readouterr().out.count("epoch 2") == 2


@pytest.mark.thorough
def test_both_are_measured_as_far_as_both_have_come(bench, tmp_path, capsys):
    bench()
    snapshots.path(tmp_path / "networks" / "7x7", 2).unlink()
    bench("--measure")
    result = json.loads((tmp_path / "table.json").read_text(encoding="utf-8"))
    assert [row["epochs"] for row in result["rows"]] == [[0, 1]] * 2
    assert "1 of\n2 epochs" in (tmp_path / "table.md").read_text(encoding="utf-8")


def test_both_begin_alike(tmp_path, bench):
    """The filters of both with the same standard deviation; 4 images of each of ten classes."""
    some = first_layer.chosen("pack.h5", "train", 4)
    assert len(some) == 40 and (np.bincount(some.labels) == 4).all()
    for kernel in (7, 11):
        first_layer.training_of(kernel, some, some, 1, tmp_path / "a" / str(kernel))
        network = snapshots.load(tmp_path / "a" / str(kernel))[0]
        assert network.params["conv1"]["w"].std() == pytest.approx(first_layer.SMALL)
        assert network.labels == list(first_layer.CLASSES)


def test_a_pack_of_other_classes_is_told(bench, monkeypatch):
    monkeypatch.setattr(data, "pack", lambda path, split: train.Data(
        np.zeros((1, 16, 16, 3), np.uint8), np.zeros(1, int), ["cat"]))
    with pytest.raises(ValueError, match="pack.h5: there is no class 'goldfish'"):
        first_layer.chosen("pack.h5", "train", 4)


def test_nothing_to_measure_is_told(tmp_path, bench, capsys):
    with pytest.raises(AssertionError):
        bench("--measure")
    assert "no snapshots of both networks" in capsys.readouterr().err


def test_means_leave_out_the_dead_and_what_is_unknown():
    assert first_layer.mean([0.1, 0.9, None, 0.3], without=[1]) == "20.0 %"
    assert first_layer.mean([None]) == "" and first_layer.numbers([np.nan, 1 / 3]) == [None, 0.3333]
