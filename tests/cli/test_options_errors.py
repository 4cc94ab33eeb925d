"""The command line when it cannot do what it is asked: one line, an exit status, no half file."""

import errno
import os
import shutil
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import small

from minicnn.ascent.optimizers import SGD
from minicnn.cli import main
from minicnn.files import hdf5
from minicnn.network import Network

NETWORK = small.network()
QUICK = ["--layer", "relu2", "--channel", "1", "--steps", "2"]


# ---- names that are not there

@pytest.mark.parametrize("command", ["maximize", "deconvnet", "texture"])
def test_a_wrong_layer_name_shows_the_near_ones(complaint, weights, photo, command):
    chosen = {"maximize": ["--layer", "rellu2"], "texture": [photo, "--layers", "relu1,rellu2"],
              "deconvnet": [photo, "--layer", "rellu2", "--channel", "0"]}[command]
    line = complaint(command, "--weights", weights, *chosen)
    assert "no layer 'rellu2'; near it: relu2" in line


@pytest.mark.parametrize("chosen, words", [
    (["--layer", "relu2", "--channel", "5"], "relu2 has 5 channels, counted from 0; there is no 5"),
    (["--channel", "-1"], "fc has 4 channels"), (["--channel", "fox"], "0 red fox; 1 grey fox"),
    (["--channel", "wolf"], "no class 'wolf'")])
def test_a_channel_or_class_that_is_not_there(complaint, weights, chosen, words):
    assert words in complaint("maximize", "--weights", weights, *chosen)


def test_a_silent_unit_and_a_position_that_is_not_there(complaint, weights, photo):
    unit = ["deconvnet", "--weights", weights, photo, "--layer", "relu2", "--channel"]
    assert "relu2 is silent there" in complaint(*unit, "0")
    assert "relu2 has 3x4 positions" in complaint(*unit, "1", "--position", "3,0")


# ---- weights

def cut_short(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def with_nan(path):
    with h5py.File(path, "a") as file:
        file["conv2/w"][0, 1, 2, 3] = np.nan


def without_layer(path):
    with h5py.File(path, "a") as file:
        del file["conv2"]


def as_text(path):
    path.write_text("no weights\n")


@pytest.mark.parametrize("damage, words", [
    (cut_short, ["cannot be read as HDF5", "cut short"]),
    (with_nan, ["conv2/w", "1 of its numbers are not finite, the first at (0, 1, 2, 3)"]),
    (without_layer, ["missing: conv2/w (3, 3, 9, 5)", "missing: conv2/b (5,)"]),
    (as_text, ["cannot be read as HDF5"])])
def test_a_damaged_weight_file(complaint, weights, photo, tmp_path, damage, words):
    path = tmp_path / "damaged.h5"
    shutil.copy(weights, path)
    damage(path)
    line = complaint("classify", "--weights", path, photo)
    assert str(path) in line and all(word in line for word in words)


def test_weights_that_are_not_there(complaint, photo):
    line = complaint("classify", "--weights", "maxivgg", photo)
    assert "maxivgg: neither a shipped network (minialex, minivgg) nor a file" in line


def test_a_folder_is_no_weight_file(complaint, photo, tmp_path):
    assert str(tmp_path) in complaint("classify", "--weights", tmp_path, photo)


def test_a_label_file_of_the_wrong_length_or_none(complaint, weights, photo, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("one\ntwo\nthree\n")
    line = complaint("classify", "--weights", weights, "--labels", names, photo)
    assert f"{names}: expected 4 class names" in line and "got 3" in line
    missing = complaint("classify", "--weights", weights, "--labels", tmp_path / "no.txt", photo)
    assert "no.txt: cannot be read" in missing


def test_a_network_that_cannot_prepare_photos(complaint, photo, tmp_path):
    bare = Network("bare", NETWORK.rows, NETWORK.input_shape)
    bare.params = NETWORK.params
    hdf5.save(bare, tmp_path / "bare.h5")
    for command in (["classify", photo], ["maximize"], ["texture", photo], ["tour", photo],
                    ["deconvnet", photo, "--layer", "relu2", "--channel", "1"]):
        out = ["--out", tmp_path / "o"] if command[0] == "tour" else []
        assert "Preprocessing" in complaint(*command, "--weights", tmp_path / "bare.h5", *out)


def test_the_gpu_without_cupy(complaint, weights, photo, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)  # importing it fails, installed or not
    assert "needs CuPy" in complaint("classify", "--weights", weights, "--device", "gpu", photo)


# ---- photos

def test_a_text_file_called_png(complaint, weights, tmp_path):
    path = tmp_path / "text.png"
    path.write_text("no picture\n")
    for command in (["classify"], ["texture"], ["deconvnet", "--layer", "relu2", "--channel", 1]):
        assert f"{path}: not a picture" in complaint(*command, "--weights", weights, path)


@pytest.mark.parametrize("damage, words", [
    (lambda path: path.write_bytes(path.read_bytes()[:200]), "cannot be read"),
    (lambda path: path.write_bytes(b""), "is empty"), (lambda path: path.unlink(), "no such file"),
    (lambda path: (path.unlink(), path.mkdir()), "is a folder")])
def test_a_photo_that_cannot_be_read(complaint, weights, photo, damage, words):
    damage(photo)
    line = complaint("classify", "--weights", weights, photo)
    assert str(photo) in line and words in line


# ---- where it goes

@pytest.mark.parametrize("name, words", [
    ("nowhere/m.png", "folder"), ("m.txt", "end the name in one of .png, .jpg, .jpeg"),
    ("m", "end the name in one of"), (".", "")])
@pytest.mark.parametrize("command", ["maximize", "deconvnet", "texture"])
def test_a_place_that_nothing_can_be_written_to(complaint, weights, photo, tmp_path, name, words,
                                                command):
    chosen = {"maximize": QUICK, "texture": [photo, "--steps", "2"],
              "deconvnet": [photo, *QUICK[:4]]}[command]
    out = tmp_path / name
    line = complaint(command, "--weights", weights, *chosen, "--out", out)
    assert str(out) in line and words in line


def own_names(tmp_path, photo):
    """A photo, a link to it, a file that is the same one, and another way to the folder."""
    os.link(photo, tmp_path / "hard.png")
    (tmp_path / "soft.png").symlink_to(photo)
    (tmp_path / "way").symlink_to(tmp_path)
    return [photo, tmp_path / "hard.png", tmp_path / "soft.png", tmp_path / "way" / photo.name]


def test_a_photo_is_not_replaced_by_its_picture(complaint, weights, photo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before, names = photo.read_bytes(), own_names(tmp_path, photo)
    monkeypatch.setattr(Network, "forward", None)  # before any work
    for given, out in [*zip(names, names[::-1], strict=True), (names[0], names[0])]:
        for command in (["dream", given], ["texture", given], ["saliency", given],
                        ["deconvnet", given, "--layer", "relu2"], ["activations", given],
                        ["classify", given], ["compare", given, "--against", weights],
                        ["maximize", "--start", given], ["classify", "other.png", given],
                        ["dream", "other.png", "--guide", given]):
            line = complaint(command[0], "--weights", weights, *command[1:], "--out", out)
            assert f"{out}: is an input of this command and would be replaced" in line
    os.link(photo, "hard.gif")
    for more in (["--frames", "hard.gif"], ["--plot", "hard.png"]):
        assert "is an input" in complaint("maximize", "--weights", weights, "--start", photo, *more,
                                          "--out", tmp_path / "new.png")
    Path("hard.gif").unlink()
    assert "is an input" in complaint("zoom", "--weights", weights, photo, "--out",
                                      photo.with_suffix(".gif"))  # whose sheet is a .png
    assert photo.read_bytes() == before


def test_weights_labels_and_own_ops_are_not_replaced(complaint, weights, photo, tmp_path):
    (tmp_path / "names.txt").write_text("a\nb\nc\nd\n")
    (tmp_path / "mine.py").write_text("mine = True\n")
    for out, more in ((weights, []), (tmp_path / "names.txt", ["--labels", tmp_path / "names.txt"]),
                      (tmp_path / "mine.py", ["--ops", f"conv={tmp_path / 'mine.py'}"])):
        before = out.read_bytes()
        assert "is an input" in complaint("classify", "--weights", weights, photo, *more, "--out",
                                          out)
        assert out.read_bytes() == before


def test_a_folder_of_photos_that_pictures_are_written_into(complaint, weights, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("relu1.png", "photo.png"):
        shutil.move(small.picture_file(tmp_path), folder / name)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    for given in (folder, folder / "relu1.png"):
        assert "relu1.png: is " in complaint("strongest", "--weights", weights, given, "--layers",
                                             "relu1", "--out", folder)
    for command in ("tour", "activations"):
        assert "photo.png: is an input" in complaint(command, "--weights", weights,
                                                     folder / "photo.png", "--out", folder)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("command", [["strongest"], ["tour"], ["activations"], ["lesson", "1"],
                                     ["course", "new"]])
def test_a_folder_is_not_called_like_a_picture(complaint, weights, photo, tmp_path, command):
    out = tmp_path / "st.h5" if command[0] == "activations" else tmp_path / "st.png"
    more = {"lesson": [], "course": []}.get(command[0], ["--weights", weights, photo])
    line = complaint(*command, *more, *([] if command[0] == "course" else ["--out"]), out)
    assert str(out) in line and not out.exists()


def test_two_results_in_one_file(complaint, weights, tmp_path):
    out = tmp_path / "m.png"
    for plot in (out, tmp_path / "in" / ".." / "m.png"):
        (tmp_path / "in").mkdir(exist_ok=True)
        assert "two results would be written to it" in complaint(
            "maximize", "--weights", weights, *QUICK, "--plot", plot, "--out", out)


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_place_without_permission_is_told_before_the_work(complaint, weights, photo, tmp_path,
                                                            monkeypatch, number):
    monkeypatch.setattr(Network, "forward", None)
    (tmp_path / "in").mkdir()
    real = os.open

    def refuse(path, flags, *mode, **more):
        if flags & os.O_CREAT:
            raise OSError(number, os.strerror(number), str(path))
        return real(path, flags, *mode, **more)

    monkeypatch.setattr(os, "open", refuse)
    for command, out in ((["dream", photo], "a.png"), (["strongest", photo], "in"),
                         (["filters"], "f.png"), (["zoom", photo], "z.gif"), (["tour"], "new"),
                         (["activations", photo], "new"), (["classify", photo], "c.txt")):
        line = complaint(command[0], "--weights", weights, *command[1:], "--out", tmp_path / out)
        assert line.startswith(f"minicnn: {tmp_path / out}: {os.strerror(number)}; ")
        assert ".minicnn-" not in line and "unfinished" not in line


def test_the_place_is_looked_at_before_the_work(complaint, weights, tmp_path, monkeypatch):
    """A minute's ascent must not end in "no such folder"."""
    steps = []
    monkeypatch.setattr(SGD, "step", lambda self, value, *rest: (steps.append(1), value)[1])
    complaint("maximize", "--weights", weights, *QUICK, "--out", tmp_path / "nowhere" / "m.png")
    complaint("maximize", "--weights", weights, *QUICK, "--out", tmp_path / "m.txt")
    assert steps == []


def test_a_tour_into_a_file(complaint, weights, photo, tmp_path):
    (tmp_path / "taken").write_text("mine")
    line = complaint("tour", "--weights", weights, photo, "--out", tmp_path / "taken")
    assert "taken" in line and (tmp_path / "taken").read_text() == "mine"


def test_a_failure_leaves_the_old_file(complaint, weights, tmp_path, monkeypatch):
    """Before the picture is there, and in the middle of writing it."""
    out = tmp_path / "m.png"
    out.write_bytes(b"old")
    complaint("maximize", "--weights", weights, "--layer", "rellu2", "--out", out)
    assert out.read_bytes() == b"old"

    write = Path.write_bytes

    def full_disk(path, data):
        write(path, b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    line = complaint("maximize", "--weights", weights, *QUICK, "--out", out)
    assert line == f"minicnn: {out}: No space left on device; free some space and run it again\n"
    assert out.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["m.png"]


# ---- settings

@pytest.mark.parametrize("arguments", [
    ["fly"], ["style"], ["classify", "a.png", "--top", "0"], ["maximize", "--steps", "many"],
    ["maximize", "--steps", "-3"], ["maximize", "--start", "ones"], ["maximize", "--size", "0"],
    ["maximize", "--rate", "nan"], ["maximize", "--rate", "0"], ["maximize", "--diffuse", "2"],
    ["maximize", "--jitter", "-1"], ["maximize", "--seed", "-1"],
    ["texture", "a.png", "--rate", "1e999"], ["deconvnet", "a.png", "--channel", "1"],
    ["deconvnet", "a.png", "--layer", "a", "--channel", "1", "--position", "3"],
    ["deconvnet", "a.png", "--layer", "a", "--channel", "1", "--relu", "leaky"],
    ["texture", "a.png", "--size", "large"], ["texture", "a.png", "--pooling", "min"],
    ["summary", "--model", "vgg12"], ["summary", "--style", "plain"],
    ["classify", "a.png", "--device", "tpu"]], ids=" ".join)
def test_wrong_usage_is_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    out, err = capsys.readouterr()
    assert end.value.code == 2 and out == "" and err.startswith("minicnn")
    assert "error: " in err and err.count("\n") == 2


def test_not_enough_memory(weights, photo, complaint, monkeypatch):
    def exhaust(*arguments):
        raise MemoryError

    monkeypatch.setattr(Network, "probabilities", exhaust)
    assert "not enough memory" in complaint("classify", "--weights", weights, photo)
