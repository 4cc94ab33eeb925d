"""The command line, end to end: what it prints, writes and returns. Failures: see
test_cli_errors.py."""

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import small
from PIL import Image

import minicnn
from minicnn import images, vis
from minicnn.cli import build_parser, main
from minicnn.network import Network
from minicnn.report import sheets
from minicnn.report.tour import tour

ROOT = Path(__file__).resolve().parents[1]
NETWORK = small.network()


@pytest.fixture
def said(capsys):
    """Run a command that shall succeed; what it printed."""
    def run(*arguments):
        assert main([str(a) for a in arguments]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        return out
    return run


# ---- every command

def test_summary(said, weights):
    assert said("summary", "--weights", weights) == NETWORK.summary() + "\n"
    assert said("summary") == minicnn.load("minivgg").summary() + "\n"


@pytest.mark.parametrize("model", [name for name in minicnn.models.__all__ if name != "load"])
def test_summary_of_a_network_without_weights(said, model):
    network = getattr(minicnn.models, model)()
    assert said("summary", "--model", model) == network.summary() + "\n"


def test_summary_in_the_other_style(said):
    expected = minicnn.models.alexnet_caffe().summary("matlab") + "\n"
    assert said("summary", "--model", "alexnet_caffe", "--style", "matlab") == expected


def test_classify(said, weights, photo):
    lines = said("classify", "--weights", weights, photo).splitlines()
    assert lines == [f"{p:.4f}  {label}" for label, p in NETWORK.classify(photo)]
    assert len(lines) == 4  # of four classes
    assert said("classify", "--weights", weights, photo, "--top", 2).splitlines() == lines[:2]


def test_classify_of_several_photos_names_each(said, weights, photo):
    lines = said("classify", "--weights", weights, "--top", "1", photo, photo).splitlines()
    assert lines[0] == lines[2] == str(photo) and lines[1] == lines[3]


def test_classify_with_the_shipped_network(said, photo):
    lines = said("classify", photo).splitlines()
    expected = minicnn.load("minivgg").classify(photo)
    assert lines == [f"{p:.4f}  {label}" for label, p in expected] and len(lines) == 5


def test_googlenet_on_coffee(said, shared_data):
    """The golden logits come from an independent implementation."""
    logits = np.load(shared_data / "golden" / "googlenet_coffee.npz")["logits"].ravel()
    shares = np.exp(logits - logits.max())
    golden = shares / shares.sum()
    first = said("classify", "--weights", shared_data / "weights" / "googlenet_bvlc.h5",
                 shared_data / "photos" / "coffee.png").splitlines()[0]
    probability, _, label = first.partition("  ")
    assert label == "espresso"
    assert abs(float(probability) - golden.max()) < 0.0005  # three decimals


def test_maximize(said, weights, tmp_path):
    out = tmp_path / "m.png"
    text = said("maximize", "--weights", weights, "--layer", "relu2", "--channel", 1, "--steps", 3,
                "--start", "noise", "--rate", 4, "--momentum", 0.2, "--jitter", 1, "--diffuse", 0.1,
                "--seed", 5, "--size", 24, "--out", out)
    record = vis.maximize(NETWORK, "relu2", 1, 3, "noise", 24, 4.0, 0.2, 1, 0.1, 5)
    np.testing.assert_array_equal(images.load(out), record.image)
    assert text == f"{out}: {record.caption}\n"


def test_maximize_a_class_by_name(said, weights, tmp_path):
    text = said("maximize", "--weights", weights, "--channel", "tree frog", "--steps", 2, "--out",
                tmp_path / "m.jpg")
    assert "fc channel 2" in text
    with Image.open(tmp_path / "m.jpg") as picture:
        assert picture.format == "JPEG" and picture.size == (20, 16)


def test_deconvnet(said, weights, tmp_path):
    photo, out = small.picture_file(tmp_path, size=(26, 33)), tmp_path / "d.png"
    text = said("deconvnet", "--weights", weights, photo, "--layer", "relu2", "--channel", 1,
                "--position", "1,2", "--relu", "guided", "--lrn", "through", "--size", "keep",
                "--out", out)
    record = vis.deconvnet(NETWORK, photo, "relu2", 1, (1, 2), "guided", "through", "keep")
    np.testing.assert_array_equal(images.load(out), sheets.projection(small.photo(26, 33), record))
    assert text == f"{out}: {record.caption}\n"


def test_texture(said, weights, photo, tmp_path):
    out = tmp_path / "t.png"
    text = said("texture", "--weights", weights, photo, "--layers", "relu1,mix", "--steps", 2,
                "--size", "keep", "--rate", 3, "--pooling", "max", "--seed", 4, "--out", out)
    record = vis.texture(NETWORK, photo, ["relu1", "mix"], 2, "keep", 3.0, "max", 4)
    np.testing.assert_array_equal(images.load(out), record.image)
    assert text == f"{out}: {record.caption}\n"


def test_tour(said, weights, photo, tmp_path, monkeypatch):
    module = sys.modules["minicnn.report.tour"]
    monkeypatch.setattr(module, "CLASSES", 2)
    monkeypatch.setattr(module, "FILTERS", 1)
    folder = tmp_path / "t"
    assert said("tour", "--weights", weights, photo, "--out", folder) == f"{folder}/index.html\n"
    assert len(list(folder.glob("*.png"))) == 5


def test_without_out_the_picture_has_the_command_s_name(said, weights, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said("maximize", "--weights", weights, "--layer", "relu2", "--steps", 1)
    assert [file.name for file in tmp_path.iterdir()] == ["maximize.png"]


def test_a_label_file_gives_the_names(said, weights, photo, tmp_path):
    (tmp_path / "names.txt").write_text("a\nb\nc\nn01440764 d, e\n")
    lines = said("classify", "--weights", weights, "--labels", tmp_path / "names.txt", photo)
    assert {line.partition("  ")[2] for line in lines.splitlines()} == {"a", "b", "c", "d, e"}


# ---- photos of every kind

@pytest.mark.parametrize("kind", ["grey", "palette", "RGBA", "16 bits"])
def test_a_photo_of_another_kind_is_seen_as_what_it_shows(said, weights, tmp_path, kind):
    path = small.picture_file(tmp_path, kind)
    with Image.open(path) as picture:
        assert picture.mode == {"grey": "L", "palette": "P", "16 bits": "I;16"}.get(kind, kind)
    grey = np.asarray(Image.fromarray(small.photo()).convert("L"))
    shown = {
        "grey": np.dstack([grey] * 3), "16 bits": np.dstack([grey] * 3), "RGBA": small.photo(),
        "palette": np.asarray(Image.fromarray(small.photo()).quantize(16).convert("RGB")),
    }[kind]
    expected = [f"{p:.4f}  {label}" for label, p in NETWORK.classify(shown)]
    assert said("classify", "--weights", weights, path).splitlines() == expected


def test_a_photo_of_one_pixel(said, tmp_path):
    Image.new("RGB", (1, 1), (200, 30, 90)).save(tmp_path / "dot.png")
    flat = np.full((64, 64, 3), (200, 30, 90), np.uint8)
    expected = [f"{p:.4f}  {label}" for label, p in minicnn.load("minivgg").classify(flat)]
    assert said("classify", tmp_path / "dot.png").splitlines() == expected
    said("texture", tmp_path / "dot.png", "--steps", 1, "--out", tmp_path / "t.png")
    assert images.load(tmp_path / "t.png").shape == (64, 64, 3)


# ---- help and defaults

FUNCTIONS = {
    "tour": tour, "maximize": vis.maximize, "deconvnet": vis.deconvnet, "texture": vis.texture,
    "classify": Network.classify, "summary": Network.summary,
}
POSITIONAL = {"tour": ["photo"], "deconvnet": ["image"], "texture": ["image"],
              "classify": ["image"]}
ELSEWHERE = {"network", "self", "progress", "folder"}  # folder is --out
NO_OPTION = {("classify", "size")}


def options(command):
    """(name, default) of each parameter that is an option."""
    parameters = inspect.signature(FUNCTIONS[command]).parameters
    return [(name, p.default) for name, p in parameters.items()
            if name not in ELSEWHERE and name not in POSITIONAL.get(command, ())
            and (command, name) not in NO_OPTION]


def help_by_option(text):
    """{"seed": "N  for the start (default: 0)"} from what --help prints."""
    _, _, listed = text.partition("\noptions:")
    pieces = re.split(r"\s--(?=\w)", " ".join(listed.split()))
    return {name: words for name, _, words in (piece.partition(" ") for piece in pieces)}


@pytest.mark.parametrize("command", FUNCTIONS)
def test_help_shows_the_function_s_own_defaults(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    shown = help_by_option(capsys.readouterr().out)
    assert end.value.code == 0
    for name, default in options(command):
        told = re.findall(r"\(default: ([^)]*)\)", shown[name])
        if default is inspect.Parameter.empty:
            assert not told
        else:
            assert told == ["as said" if default is None else str(default)], name
    assert "(default: minivgg)" in shown["weights"] and "(default: cpu)" in shown["device"]


@pytest.mark.parametrize("command", FUNCTIONS)
def test_an_option_not_given_is_the_function_s_default(command):
    needed = {"deconvnet": ["photo", "--layer", "a"], "texture": ["photo"],
              "classify": ["photo"]}
    chosen = vars(build_parser().parse_args([command, *needed.get(command, [])]))
    for name, default in options(command):
        if default is not inspect.Parameter.empty:
            assert chosen[name] == default, name
    if command == "tour":
        assert chosen["out"] == inspect.signature(tour).parameters["folder"].default


def test_version(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0 and capsys.readouterr().out == f"minicnn {minicnn.__version__}\n"


# ---- as a program of its own

def program(*arguments, **more):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, "-m", "minicnn", *map(str, arguments)], text=True,
                          capture_output=True, env=environment, check=False, **more)


def test_python_m_minicnn(weights, photo):
    ended = program("classify", "--weights", weights, photo)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == [f"{p:.4f}  {k}" for k, p in NETWORK.classify(photo)]


def test_python_m_minicnn_tells_failure_and_wrong_usage_by_its_status(weights):
    failed = program("maximize", "--weights", weights, "--layer", "rellu2")
    assert failed.returncode == 1 and "Traceback" not in failed.stderr
    assert len(failed.stderr.splitlines()) == 1 and "relu2" in failed.stderr
    assert program().returncode == 2


def test_text_goes_to_a_file_when_asked(said, weights, photo, tmp_path):
    for command in (["summary"], ["classify", photo]):
        printed = said(*command, "--weights", weights)
        out = tmp_path / "text.txt"
        assert said(*command, "--weights", weights, "--out", out) == ""
        assert out.read_text(encoding="utf-8") == printed != ""
