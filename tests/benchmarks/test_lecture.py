"""The lecture's comparison on tiny networks and drawn photos: made once, told in a table."""

import io
import json

import h5py
import lecture
import numpy as np
import pytest
from PIL import Image

from minicnn import models
from minicnn.files import hdf5
from minicnn.images import Preprocessing
from minicnn.network import Network
from minicnn.network.layers import Conv, Dense, Flatten, MaxPool, ReLU, Sigmoid

HEAD = [("flatten_1", Flatten()), ("dense_1", Dense(1)), ("sigmoid_1", Sigmoid())]
SIDE = 12


def base():
    """Two blocks with the names of VGG-16's last ones."""
    rows = [("conv4_1", Conv(3, 3, pad=1)), ("relu4_1", ReLU()), ("pool4", MaxPool(2)),
            ("conv5_1", Conv(4, 3, pad=1)), ("relu5_1", ReLU()), ("pool5", MaxPool(2))]
    return Network("base", rows, (SIDE, SIDE, 3), Preprocessing((SIDE, SIDE), scale=1 / 255))


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """Run the program on 3 classes of 30 + 2 photos: `dark` and `light` are easy to tell apart."""
    monkeypatch.setattr(models, "lecture_vgg16", lambda: base().extended("tiny", HEAD))
    monkeypatch.setattr(models, "lecture_catsdogs", lambda: Network(
        "cats", HEAD, (SIDE, SIDE, 3), Preprocessing((SIDE, SIDE), scale=1 / 255)))
    monkeypatch.setattr(lecture, "RATES", dict.fromkeys(lecture.WAYS, 0.01))
    hdf5.save(base().initialize(3), tmp_path / "base.h5")
    rng = np.random.default_rng(0)
    with h5py.File(tmp_path / "pack.h5", "w") as file:
        file["classes"] = ["dark", "other", "light"]
        for split, count in (("train", 30), ("val", 2)):
            labels = np.arange(3 * count) % 3
            pictures = [png(rng.integers(0, 100, (6, 6, 3)) + 70 * label) for label in labels]
            ends = np.cumsum([0, *map(len, pictures)])
            file[f"{split}/bytes"] = np.frombuffer(b"".join(pictures), np.uint8)
            file[f"{split}/offsets"], file[f"{split}/labels"] = ends, labels

    def run(*more):
        lecture.run(lecture.read([
            "--data", str(tmp_path / "pack.h5"), "--weights", str(tmp_path / "base.h5"),
            "--classes", "dark", "light", "--photos", "10", "--copies", "2", "--epochs", "1", "2",
            "1", "--seeds", "4", "--cache", str(tmp_path / "cache"),
            "--out", str(tmp_path / "table"), *more]))
        return json.loads((tmp_path / "table.json").read_text(encoding="utf-8"))
    return run


def png(pixels):
    kept = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(kept, "png")
    return kept.getvalue()


def interrupted(*_):
    raise KeyboardInterrupt
    yield


@pytest.mark.thorough
def test_everything_is_trained_once_and_told(bench, tmp_path, monkeypatch):
    with monkeypatch.context() as now, pytest.raises(KeyboardInterrupt):
        now.setattr(lecture, "from_scratch", interrupted)
        bench()
    text = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert "Interrupted: " in text and text.count("| with |") == 2
    first = bench()
    rows, about = first["rows"], first["about"]
    assert len(rows) == 3 * 2 and (about["training"], about["test"]) == (20, 44)
    assert [len(lecture.chosen(rows, way, lecture.VARIED)[0]["epochs"])
            for way in lecture.WAYS] == [1, 2, 1]
    assert about["parameters"] == {lecture.SCRATCH: 433, "whole": 84 + 112 + 37,
                                   lecture.FROZEN: 37, lecture.TUNED: 112 + 37}
    text = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert "dark or light" in text and "Interrupted" not in text and text.count("| with |") == 3
    assert (tmp_path / "table.png").exists()
    monkeypatch.setattr(lecture.train.loop, "train_step", None)
    monkeypatch.setattr(lecture.images, "normalize", None)
    monkeypatch.setattr(lecture, "told_right", None)
    assert bench()["rows"] == rows  # nothing was computed again
    assert all(len(row["right"]) == 44 and row["epochs"][-1][-1] == round(
        row["right"].count("1") / 44, 4) for row in rows)
    with pytest.raises(ValueError, match="features of other settings"):
        bench("--copies", "3")
    check_what_learnt(tmp_path / "cache")


def check_what_learnt(cache):
    """Frozen: the head; fine-tuned: block 5 too, and the head goes on from there."""
    began, learnt = base().initialize(3), {}
    for way, epochs in ((lecture.FROZEN, 2), (lecture.TUNED, 1)):
        with np.load(cache / f"{way} without 4, {epochs} epochs.npz") as file:
            learnt[way] = {name: file[name] for name in file.files if name.startswith("param")}
    assert {*learnt[lecture.FROZEN]} == {"param|dense_1|w", "param|dense_1|b"}
    assert {*learnt[lecture.TUNED]} - {*learnt[lecture.FROZEN]} == {"param|conv5_1|w",
                                                                   "param|conv5_1|b"}
    assert abs(learnt[lecture.TUNED]["param|conv5_1|w"] - began.params["conv5_1"]["w"]).max() > 0
    assert abs(learnt[lecture.TUNED]["param|dense_1|w"]
               - learnt[lecture.FROZEN]["param|dense_1|w"]).max() < 0.1  # of one step of 0.03


def test_the_photos_of_training_and_test_are_different_ones(bench, tmp_path):
    options = lecture.read(["--data", str(tmp_path / "pack.h5"), "--classes", "dark", "light",
                            "--photos", "10"])
    training, test = lecture.photos(options)
    assert np.bincount(training.labels).tolist() == [10, 10] and training.classes[1] == "light"
    assert np.bincount(test.labels).tolist() == [22, 22]
    images = [*training.images, *test.images]
    assert len({image.tobytes() for image in images}) == 64 == len(images)
    for options.classes, options.photos in ((["dark", "none"], 10), (["dark", "light"], 31)):
        with pytest.raises(ValueError, match="no class 'none'|more than 31 photos"):
            lecture.photos(options)


def test_the_order_is_told_only_where_it_can_be(monkeypatch):
    monkeypatch.setattr(lecture, "ORDER", tuple((way, "with") for way in "abcd"))
    half, most = "01" * 50, "0111111111" * 10
    rows = [{"way": way, "augmentation": "with", "right": right} for way, told in (
        ("a", (half, half)), ("b", (most, most)), ("c", (half, "11" + half[2:])),
        ("d", (half, half[::-1]))) for right in told]
    verdicts = [line.rsplit(", ", 1)[1] for line in lecture.order(rows) if line[:1] == "-"]
    assert verdicts == ["holds", "is contradicted", "cannot be told"]
    by, error = lecture.difference(rows, ("a", "with"), ("c", "with"))
    assert by == pytest.approx(0.005)  # one photo of 100, at one seed of two
    photos = 100 / 99 * (0.25 / 100 - 0.005**2)  # the variance of 0.5 once and 0 otherwise
    assert error**2 == pytest.approx(photos / 100 + 0.01**2 / 2 / 2)


def test_a_copy_is_of_its_own_photo():
    copies = np.arange(12).reshape(3, 4, 1, 1, 1)
    seen = [lecture.one_copy(copies, np.random.default_rng(k)).ravel() for k in range(9)]
    assert all((one // 4 == [0, 1, 2]).all() for one in seen) and len(np.unique(seen)) > 8
