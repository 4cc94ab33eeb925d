"""Every command that runs a network, with --device gpu: what it writes with --device cpu."""

import re

import numpy as np
import pytest
from PIL import Image

from minicnn.cli import COMMANDS, main
from minicnn.train import snapshots

CALLS = {  # {photo} is a picture, {other} a weight file
    "activations": "{photo} --layers conv1",
    "classify": "{photo}",
    "compare": "{photo} --against {other}",
    "deconvnet": "{photo} --layer relu2",
    "deepdream-image": "--layer relu2 --channels 0..1 --pyramid-levels 1 --iterations 2",
    "dream": "{photo} --layers relu1 --octaves 1 --steps 2",
    "filters": "--layers relu1 --count 2 --steps 2",
    "gradcam": "{photo} --guided",
    "hypercolumns": "{photo} --layers relu1,relu2",
    "kernels": "--layer conv1",
    "maximize": "--channel frog --steps 3 --frames {folder}/steps.gif",
    "occlusion": "{photo} --square 8 --stride 4",
    "saliency": "{photo} --method smooth --samples 2",
    "strongest": "{photo} --layers relu2",
    "style": "{photo} {photo} --steps 2",
    "summary": "",
    "invert": "{photo} --layers relu1 --steps 2",
    "texture": "{photo} --steps 2",
    "zoom": "{photo} --layers relu1 --octaves 1 --steps 2 --frames 2 --out {folder}/zoom.gif",
}
ELSEWHERE = {"bench", "check", "course", "classes", "completion", "convert", "doctor",
             "explain", "fetch", "lesson", "train"}  # run no network there, or not on photos
TOGETHER = {"evolution", "replay", "tour"}  # below


def written(command, device, folder, monkeypatch, capsys):
    """What a command printed, and the pictures that it wrote, by name."""
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert main([*command, "--device", device]) == 0, capsys.readouterr().err
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".png", ".gif"))
    return "".join(capsys.readouterr()), {path.name: pixels(path) for path in files}


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def alike(here, there):
    """The same pictures: numbers in a caption may differ in their last digit."""
    assert list(here) == list(there)
    for name, picture in here.items():
        assert there[name].shape == picture.shape
        assert np.abs(there[name].astype(int) - picture).mean() < 1, name


@pytest.mark.thorough
@pytest.mark.parametrize("command", CALLS)
def test_every_command(xp, command, weights, photo, tmp_path, monkeypatch, capsys):
    results = []
    for device in ("cpu", "gpu"):
        folder = tmp_path / device
        words = CALLS[command].format(photo=photo, other=weights, folder=folder).split()
        results.append(written([command, *words, "--weights", str(weights)], device, folder,
                               monkeypatch, capsys))
    (printed, pictures), (printed_there, pictures_there) = results
    alike(pictures, pictures_there)
    assert pictures or printed
    assert len(printed_there.splitlines()) == len(printed.splitlines())


@pytest.mark.filterwarnings("default::UserWarning")
def test_a_picture_is_made_again_on_the_device(xp, weights, tmp_path, monkeypatch, capsys):
    """Settings that were kept on the host do on a GPU; the picture may differ there, and it says
    so."""
    words = f"maximize --channel frog --steps 3 --keep-settings --weights {weights}".split()
    _, pictures = written(words, "cpu", tmp_path / "cpu", monkeypatch, capsys)
    settings = next((tmp_path / "cpu").glob("*.json"))
    printed, again = written(["replay", str(settings), "--out", "maximize.png"], "gpu",
                             tmp_path / "gpu", monkeypatch, capsys)
    assert re.search("device cpu; this is .* device gpu: the picture may differ", printed)
    alike(pictures, again)


@pytest.mark.thorough
def test_the_evolution_of_features(xp, weights, photo, tmp_path, monkeypatch, capsys):
    for epoch in (0, 3):
        snapshots.path(tmp_path, epoch).write_bytes(weights.read_bytes())
    words = ["evolution", str(tmp_path), str(photo), "--count", "1", "--plot", "plot.png"]
    results = [written(words, device, tmp_path / device, monkeypatch, capsys)
               for device in ("cpu", "gpu")]
    alike(*(pictures for _, pictures in results))
    assert results[0][0] == results[1][0]


def test_no_command_is_left_out():
    assert set(CALLS) | ELSEWHERE | TOGETHER == set(COMMANDS)


@pytest.mark.thorough
def test_the_tour(xp, weights, photo, tmp_path, monkeypatch, capsys):
    words = ["tour", str(photo), "--weights", str(weights), "--out", "tour"]
    _, pictures = written(words, "gpu", tmp_path / "gpu", monkeypatch, capsys)
    assert "classes.png" in pictures and len(pictures) >= 5
