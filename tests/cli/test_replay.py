"""The command replay, and the options that keep settings, frames and plots."""

import json

import pytest
import small
from PIL import Image

from minicnn import images
from minicnn.cli import main

NETWORK = small.network()
COMMANDS = [
    ["maximize", "--layer", "relu2", "--channel", "1", "--steps", "3", "--seed", "5"],
    ["texture", "PHOTO", "--steps", "2"],
    ["deepdream-image", "--layer", "conv2", "--channels", "0..1", "--pyramid-levels", "1"],
    ["style", "PHOTO", "PHOTO", "--steps", "1", "--size", "128", "--colours", "luminance"],
    ["invert", "PHOTO", "--layers", "relu1", "--steps", "2"],
    ["deconvnet", "PHOTO", "--layer", "relu2"],
    ["saliency", "PHOTO", "--method", "smooth", "--samples", "2"],
    ["gradcam", "PHOTO", "--guided"],
    ["occlusion", "PHOTO", "--square", "8"],
]


def completed(command, photo):
    return [str(photo) if word == "PHOTO" else word for word in command]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c[0])
def test_the_file_comes_out_the_same(command, said, weights, photo, tmp_path):
    labels = tmp_path / "names.txt"
    labels.write_text("one\ntwo\nthree\nfour\n")
    out, again = tmp_path / "a.png", tmp_path / "b.png"
    text = said(*completed(command, photo), "--weights", weights, "--labels", labels,
                "--keep-settings", "--out", out)
    told = said("replay", tmp_path / "a.json", "--out", again)
    assert again.read_bytes() == out.read_bytes()
    text, settings, end = text.rpartition(f"  settings: {tmp_path / 'a.json'}\n")
    assert settings and not end
    text = text.replace(f"{tmp_path / 'a'}", f"{tmp_path / 'b'}")  # where each picture is
    caption = text.replace("b/a.png", "b/b.png").partition(": ")[2]
    assert told == f"{again}: the same picture as in {tmp_path / 'a.json'}: {caption}"


def test_without_being_asked_nothing_is_kept(said, weights, photo, tmp_path):
    said("saliency", photo, "--weights", weights, "--out", tmp_path / "s.png")
    assert not (tmp_path / "s.json").exists()


def test_a_photo_and_weights_that_have_moved(said, weights, photo, tmp_path, complaint):
    said("gradcam", photo, "--weights", weights, "--keep-settings", "--out", tmp_path / "g.png")
    moved = tmp_path / "moved"
    moved.mkdir()
    photo.rename(moved / "p.png")
    assert "no such file" in complaint("replay", tmp_path / "g.json", "--out", tmp_path / "b.png")
    said("replay", tmp_path / "g.json", "--photo", moved / "p.png", "--weights", weights, "--out",
         tmp_path / "b.png")
    assert (tmp_path / "b.png").read_bytes() == (tmp_path / "g.png").read_bytes()


def test_what_differs_is_one_line_and_no_picture(said, weights, photo, tmp_path, complaint):
    said("saliency", photo, "--weights", weights, "--keep-settings", "--out", tmp_path / "s.png")
    Image.fromarray(small.photo(seed=9)).save(photo)
    words = complaint("replay", tmp_path / "s.json", "--out", tmp_path / "b.png")
    assert "the SHA-256 of the photo is" in words
    assert not (tmp_path / "b.png").exists()


def test_frames_and_a_plot(said, weights, tmp_path):
    text = said(
        "maximize", "--weights", weights, "--layer", "relu2", "--steps", 7, "--every", 3,
        "--frames", tmp_path / "f.gif", "--plot", tmp_path / "p.png", "--out", tmp_path / "m.png")
    assert text.endswith(f"  steps: {tmp_path / 'f.gif'}\n  plot: {tmp_path / 'p.png'}\n")
    with Image.open(tmp_path / "f.gif") as animation:
        assert animation.n_frames == 4 and animation.size == (260, 208)  # 0, 3, 6 and last
    assert images.load(tmp_path / "p.png").shape[1] == 700


@pytest.mark.parametrize("option, name, words", [
    ("--frames", "f.png", "end the name in one of .gif"), ("--frames", "no/f.gif", "folder"),
    ("--plot", "p.gif", "end the name in one of .png"), ("--plot", "no/p.png", "folder")])
def test_destinations_are_checked_before_the_work(option, name, words, weights, tmp_path,
                                                  complaint):
    told = complaint("maximize", "--weights", weights, option, tmp_path / name, "--out",
                     tmp_path / "m.png")
    assert words in told and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("more", [["--steps"], ["--relu", "each"]])
def test_several_projections_are_not_kept(more, weights, photo, tmp_path):
    with pytest.raises(SystemExit) as end:
        main(["deconvnet", str(photo), "--layer", "relu2", "--keep-settings", *more])
    assert end.value.code == 2


def test_a_file_that_names_no_method(said, weights, photo, tmp_path, complaint):
    said("saliency", photo, "--weights", weights, "--keep-settings", "--out", tmp_path / "s.png")
    entry = json.loads((tmp_path / "s.json").read_text()) | {"method": "os.system"}
    (tmp_path / "s.json").write_text(json.dumps(entry))
    assert "no method 'os.system'" in complaint("replay", tmp_path / "s.json")


def test_help_says_where_the_rest_comes_from(capsys):
    with pytest.raises(SystemExit) as end:
        main(["replay", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert end.value.code == 0
    assert "(default: the weights it was made with, at the same path)" in shown
    assert "(default: replay.png; where" in shown and "(default: cpu)" in shown
