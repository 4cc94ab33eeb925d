"""The command train: from data to a weight file, on small drawn images."""

import json
import re

import numpy as np
import pytest

import minicnn
from minicnn import images, models
from minicnn.cli import document, main
from minicnn.network import Network
from minicnn.network.layers import Conv, Dense, MaxPool, ReLU, Softmax
from minicnn.train import data as data_sets
from minicnn.train import snapshots
from minicnn.train.shapes import Shapes


def tiny(classes=10):
    """A network that trains in no time."""
    return Network("minivgg", [
        ("conv1", Conv(4, 3, pad=1)), ("relu1", ReLU()), ("pool1", MaxPool(4)),
        ("fc2", Dense(classes)), ("prob", Softmax()),
    ], (16, 16, 3), images.Preprocessing((16, 16), mean=128, scale=1 / 64, resize_to=16))


@pytest.fixture(autouse=True)
def small_world(monkeypatch, tmp_path):
    """Few and small shapes, and a small network, in an empty folder."""
    monkeypatch.setattr(models, "minivgg", tiny)
    monkeypatch.setattr(data_sets, "shapes", lambda count, seed, size: data_sets.Data(
        Shapes(60, seed, size), Shapes(60).labels, list(data_sets.CLASSES)))
    monkeypatch.chdir(tmp_path)


WORDS = ["train", "shapes", "--epochs", "2", "--batch", "20", "--rate", "0.01"]


def test_it_trains_saves_and_measures(said, tmp_path):
    lines = said(*WORDS, "--plot", "p.png", "--confusion", "c.png", "--batch-norm").splitlines()
    assert [line[:8] for line in lines[:2]] == ["epoch 1 ", "epoch 2 "]
    assert lines[2].startswith("trained.h5 on the validation images of shapes: 60 images   loss ")
    net = minicnn.load("trained.h5")
    assert net.labels[0] == "disc" and "conv1_bn" not in net.names
    assert net.about["trained_on"] == "shapes" and 0 <= net.about["validation_top1"] <= 1
    assert net.probe is not None
    assert images.load("p.png").ndim == images.load("c.png").ndim == 3
    assert not list(tmp_path.glob("*.npz"))
    again = said("train", "shapes", "--evaluate", "--weights", "trained.h5", "--confusion",
                 "c.png").splitlines()  # which is replaced
    assert again[0] == lines[2]


def test_only_a_network_that_was_named_is_measured(complaint):
    line = complaint("train", "shapes", "--evaluate")
    assert "no network to measure; name one, such as --weights trained.h5, or --weights min" in line


def test_classes_of_other_names(said, complaint, capsys):
    """A network of ten digits fits ten shapes in number only."""
    said(*WORDS)
    network, names = minicnn.load("trained.h5"), list(data_sets.CLASSES)
    network.labels = [str(k) for k in range(10)]
    network.save("digits.h5")
    line = complaint("train", "shapes", "--evaluate", "--weights", "digits.h5")
    assert (f"10 of 10 classes have other names in digits.h5 than in shapes, such as class 0: "
            f"'0', and {names[0]!r} in the data; name data of") in line and "--labels FILE" in line
    network.labels = [*names[:9], "wave"]
    network.save("nearly.h5")
    assert main(["train", "shapes", "--evaluate", "--weights", "nearly.h5"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("nearly.h5 on the validation images of shapes: 60 images")
    assert err.startswith("minicnn: warning: 1 of 10 classes have other names in nearly.h5 than in "
                          "shapes, such as class 9: 'wave', and ") and err.count("\n") == 1


def test_json_of_training_and_of_evaluation(capsys):
    """What training says meanwhile is a note; a second result gets another name."""
    assert main([*WORDS, "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert [line[:8] for line in err.splitlines()] == ["epoch 1 ", "epoch 2 "]
    assert set(found) == {"format", "version", *document.KEYS["train"]}
    assert found["out"] == "trained.h5" and [one["index"] for one in found["epochs"]] == [0, 1]
    assert main(["train", "shapes", "--evaluate", "--weights", "trained.h5", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again == found | {"out": None, "epochs": []}
    assert main([*WORDS, "--json", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["out"] == "trained-2.h5" and err == ""


def test_same_seed_same_bytes_other_seed_others(said):
    for out, seed in (("a.h5", 1), ("b.h5", 1), ("c.h5", 2)):
        said(*WORDS, "--out", out, "--seed", seed)
    w = [minicnn.load(out).params["conv1"]["w"] for out in ("a.h5", "b.h5", "c.h5")]
    np.testing.assert_array_equal(w[0], w[1])
    assert (w[0] != w[2]).any()


@pytest.mark.parametrize("named", [(), ("--checkpoint", "broken.checkpoint.npz")])
def test_ctrl_c_and_the_same_command_again(named, said, capsys, monkeypatch, tmp_path):
    said(*WORDS, "--out", "whole.h5")
    from minicnn.train import loop
    step, seen = loop.train_step, []

    def interrupted(*arguments):
        seen.append(1)
        if len(seen) == 5:
            raise KeyboardInterrupt
        return step(*arguments)

    monkeypatch.setattr(loop, "train_step", interrupted)
    assert main([*WORDS, "--out", "broken.h5", *named]) == 130
    assert "the same command goes on from broken.checkpoint.npz" in capsys.readouterr().err
    monkeypatch.setattr(loop, "train_step", step)
    said(*WORDS, "--out", "broken.h5", *named)
    for name, arrays in minicnn.load("whole.h5").params.items():
        for key, value in arrays.items():
            np.testing.assert_array_equal(minicnn.load("broken.h5").params[name][key], value)
    assert (tmp_path / "broken.checkpoint.npz").exists() == bool(named)


@pytest.mark.thorough
def test_snapshots_for_evolution(said, complaint, tmp_path):
    words = [*WORDS, "--batch-norm", "--snapshots", "kept", "--at", "0,1"]
    said(*words)
    found = snapshots.load("kept")
    assert list(found) == [0, 1, 2]  # the last one is always kept
    last, trained = found[2], minicnn.load("trained.h5")
    np.testing.assert_array_equal(last.params["conv1"]["w"], trained.params["conv1"]["w"])
    assert last.labels == trained.labels
    assert "kept: has snapshots of an earlier training; remove them" in complaint(*words)
    (tmp_path / "file").touch()
    assert "file: is no folder" in complaint(*WORDS, "--snapshots", "file")


def test_a_toml_file_and_what_has_precedence(said, tmp_path):
    (tmp_path / "t.toml").write_text(
        'data = "shapes"\nepochs = 2\nbatch = 20\nrate = 0.01\naugment = ["flip", "shift"]\n'
        'optimizer = "sgd"\nbatch-norm = true\n', encoding="utf-8")
    assert len(said("train", "--config", "t.toml").splitlines()) >= 3
    (line, *_) = said("train", "--epochs", "1", "--config", "t.toml").splitlines()[1:]
    assert line.startswith("trained-2.h5")  # the first is still there


@pytest.mark.parametrize("text, words", [
    ("epoch = 2", "there is no option 'epoch'; did you mean epochs?"),
    ("epochs = 0", "epochs: expected a whole number of at least 1, got '0'"),
    ("optimizer = 'sdg'", "optimizer: expected one of sgd, rmsprop"),
    ("epochs = ", "not a TOML file"),
])
def test_mistakes_in_a_toml_file(text, words, capsys, tmp_path):
    (tmp_path / "t.toml").write_text(text, encoding="utf-8")
    assert main(["train", "shapes", "--config", "t.toml"]) == 1
    error = capsys.readouterr().err
    assert words in error and "t.toml" in error and len(error.splitlines()) == 1


def test_a_trained_network_gets_a_new_head_for_other_classes(said, tmp_path):
    said(*WORDS)
    before = minicnn.load("trained.h5")
    for name in ("light", "dark"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for k in range(10):
            level = 30 * (name == "light") + 10 * k
            images.save(tmp_path / "photos" / name / f"{k}.png",
                        np.full((20, 20, 3), level, np.uint8))
    said("train", "photos", "--weights", "trained.h5", "--freeze", "conv*", "--epochs", 2,
         "--batch", 4, "--out", "new.h5")
    net = minicnn.load("new.h5")
    assert net.labels == ["dark", "light"] and net.shapes["fc2"] == (2,)
    np.testing.assert_array_equal(net.params["conv1"]["w"], before.params["conv1"]["w"])


def test_the_sheet_of_an_augmentation(said):
    for _ in "12":  # the second replaces the first
        assert said("train", "shapes", "--augment", "lecture,colour", "--show-augmentation",
                    "sheet.png") == "sheet.png\n"
    assert images.load("sheet.png").shape[1] > 500


@pytest.mark.parametrize("words, message", [
    ([], "no data; name some"),
    (["nowhere"], "nowhere: no such data"),
    (["shapes", "--augment", "flop"], "there is no 'flop'; .* did you mean flip"),
    (["shapes", "--show-augmentation", "a.png"], "name what to show"),
    (["shapes", "--decay", "0.1"], "adam has no weight decay; use --optimizer adamw"),
    (["shapes", "--weights", "minivgg", "--model", "lenet5"], "not both"),
    (["shapes", "--weights", "minivgg", "--batch-norm"], "only for a network trained from the"),
    (["shapes", "--freeze", "con", "--batch", "20"], "no layer 'con' to freeze; near it: conv1"),
    (["shapes", "--batch", "100"], "60 images do not fill one batch of 100"),
    (["shapes", "--out", "a.png"], "cannot tell the file format"),
    (["shapes", "--model", "lecture_catsdogs"], "2 classes, so labels must be .* from 0 to 9"),
])
def test_one_clear_line_for_what_cannot_be_done(words, message, capsys):
    assert main(["train", *words]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(message, line), line


def test_names_of_classes_are_printed_with_escapes(said, tmp_path):
    """They come from folders or files, and may hold what a terminal obeys."""
    for k, name in enumerate(("a\x1b[2Jcat", "dog")):
        (tmp_path / "data" / name).mkdir(parents=True)
        for n in range(12):
            images.save(tmp_path / "data" / name / f"{n}.png",
                        np.full((64, 64, 3), (20 * n + k) % 256, np.uint8))
    text = said("train", tmp_path / "data", "--epochs", 1, "--batch", 4, "--out", tmp_path / "t.h5")
    assert "\x1b" not in text and "taken for" in text
