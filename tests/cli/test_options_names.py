"""Names from files that would do something to a terminal: every command shows them escaped."""

import unicodedata

import numpy as np
import pytest
import small
from PIL import Image

from minicnn.cli import main
from minicnn.files import hdf5
from minicnn.network import Network

EVIL = "\x1b]0;owned\x07\x1b[2J\u202e\nminicnn: all is well\r\x9b8m"
SAFE = r"\x1b]0;owned\x07\x1b[2J\u202e\nminicnn: all is well\r\x9b8m"
COMMANDS = {
    "summary": ["--receptive-fields"], "summary matlab": ["--style", "matlab"], "classes": [],
    "classify": ["PHOTO", "PHOTO"], "saliency": ["PHOTO", "--out", "a.png"],
    "gradcam": ["PHOTO", "--out", "a.png"],
    "occlusion": ["PHOTO", "--square", "16", "--stride", "16", "--out", "a.png"],
    "maximize": ["--target", "0", "1", "--steps", "1", "--out", "a.png"],
    "deconvnet": ["PHOTO", "--layer", "relu1" + EVIL, "--out", "a.png"],
    "activations": ["PHOTO", "--out", "folder"],
    "strongest": ["PHOTO", "--layers", "relu1" + EVIL, "--channels", "0", "--out", "folder"],
    "kernels": ["--out", "a.png"], "texture": ["PHOTO", "--steps", "1", "--out", "a.png"],
    "deepdream-image": ["--channels", "0", "--iterations", "1", "--out", "a.png"],
    "doctor": [], "convert": ["--to", "b.h5", "--probe", "none"],
}
WRONG = {
    "no such photo": ["classify", "missing" + EVIL], "no photo": ["classify", "TEXT"],
    "no such layer": ["deconvnet", "PHOTO", "--layer", "relu", "--out", "a.png"],
    "ambiguous": ["maximize", "--target", "fox", "--out", "a.png"],
    "no such file": ["summary", "--weights", EVIL],
    "wrong usage": ["summary", EVIL], "a wrong number": ["classify", "PHOTO", "--top", EVIL],
}


@pytest.fixture
def evil(tmp_path, monkeypatch):
    """A network whose labels and layers have such names, and files that are called so."""
    monkeypatch.chdir(tmp_path)
    plain = small.network()
    renamed = {name: name + EVIL for name in plain.names}
    network = Network(f"small{EVIL}", [
        (renamed[name], layer, tuple(renamed.get(place, place) for place in inputs))
        for name, layer, inputs in plain.rows],
        plain.input_shape, plain.preprocessing, [label + EVIL for label in small.LABELS])
    network.params = {renamed[name]: arrays for name, arrays in plain.params.items()}
    hdf5.save(network, "evil.h5")
    photo, text = f"p{EVIL}.png", f"text{EVIL}.png"
    Image.fromarray(small.photo()).save(photo)
    (tmp_path / text).write_text("no photo")
    return {"PHOTO": photo, "TEXT": text, "evil.h5": "evil.h5"}


def harmless(text):
    assert all(one == "\n" or unicodedata.category(one) not in ("Cc", "Cf", "Zl", "Zp")
               for one in text)
    assert not any(line.startswith("minicnn: all is well") for line in text.splitlines())


@pytest.mark.parametrize("name", COMMANDS)
def test_what_commands_say(evil, capsys, name):
    command, arguments = name.split()[0], [evil.get(a, a) for a in COMMANDS[name]]
    given = ["evil.h5"] if command == "convert" else ["--weights", "evil.h5"]
    assert main([command, *given, *arguments]) == 0
    said = capsys.readouterr()
    harmless(said.out)
    harmless(said.err)
    assert SAFE in said.out or command in ("kernels", "doctor")


@pytest.mark.parametrize("name", WRONG)
def test_what_errors_say(evil, capsys, name):
    command, *arguments = [evil.get(a, a) for a in WRONG[name]]
    try:
        status = main([command, "--weights", "evil.h5", *arguments])
    except SystemExit as end:
        status = end.code
    assert status in (1, 2)
    error = capsys.readouterr().err
    harmless(error)
    assert "owned" in error and len([x for x in error.splitlines() if x.startswith("mini")]) == 1


def test_pages_escape_html(evil, tmp_path, monkeypatch):
    from minicnn.report import stops, tour

    monkeypatch.setattr(tour, "STOPS", stops.STOPS[:3])
    network = small.network()
    network.labels = ["<script>alert(1)</script>"] * 4
    network.name = "<b>net"
    page = tour.tour(network, np.asarray(small.photo()), tmp_path / "t").read_text()
    assert "<script>" not in page and "<b>net" not in page and "&lt;script&gt;" in page
