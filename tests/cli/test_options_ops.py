"""--ops, on every command that runs a network: pages, or a file of one's own."""

import argparse
import json
import warnings
from pathlib import Path

import course_style
import pytest
import small

from minicnn.cli import COMMANDS, build_parser, main
from minicnn.files import hdf5
from minicnn.network.layers import MaxPool

NO_NETWORK = {"check", "course", "convert", "fetch", "bench", "explain", "lesson",
              "completion"}


@pytest.fixture
def mine(tmp_path):
    """A student's file."""
    path = tmp_path / "mine.py"
    path.write_text(Path(course_style.__file__).read_text(encoding="utf-8"), encoding="utf-8")
    return path


@pytest.fixture
def told(weights, photo, capsys):
    """What `classify` of the small network prints with some options: (text, what was said)."""
    def run(*options, status=0):
        arguments = ["classify", photo, "--weights", weights, *options]
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            assert main([str(a) for a in arguments]) == status
        return capsys.readouterr()
    return run


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - NO_NETWORK))
def test_every_command_that_runs_a_network_has_it(command):
    def subparsers(parser):
        return next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))

    parser = subparsers(build_parser([command])).choices[command]
    options = {option for action in parser._actions for option in action.option_strings}
    assert {"--ops", "--missing"} <= options


def test_the_pages(told):
    assert told("--ops", "plain").out == told().out
    assert told("--ops", "conv=plain", "--ops", "pool1=plain").err == (
        "conv: plain\npool1: plain\nall others: fast\n")


def test_a_student_s_op(told, mine):
    said = told("--ops", f"conv1={mine}")
    assert said.out == told().out
    assert said.err == ("conv1: conv_forward_naive and conv_backward_naive of mine.py (N,C,H,W; "
                        "settings: stride, pad)\nall others: fast\n")


def test_rows_with_other_settings(told, mine):
    err = told("--ops", f"conv={mine}", status=1).err
    assert err.startswith("minicnn: conv_forward_naive") and "mix/3x3 (groups 2)" in err
    said = told("--ops", f"conv={mine}", "--missing", "page")
    assert said.out == told().out
    assert "mix/3x3 (groups 2): the plain implementation (page) computes these" in said.err


def test_a_file_alone_gives_all_that_it_has(told, mine):
    said = told("--ops", mine, "--missing", "page")
    assert said.out == told().out
    assert [line.partition(":")[0] for line in said.err.splitlines()
            if not line.startswith("minicnn")] == ["conv", "dense", "pool", "relu", "lrn",
                                                   "all others"]


WRONG = {
    "no such op": (["'convx'", "near it: conv"], "convx={mine}"),
    "no such file": (["nowhere.py", "no such file"], "conv=nowhere.py"),
    "no such word": (["--ops slow", "fast or plain"], "slow"),
    "nothing in it": (["has no softmax"], "softmax={mine}"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_done(what, told, mine):
    words, text = WRONG[what]
    err = told("--ops", text.format(mine=mine), status=1).err
    assert err.count("\n") == 1 and all(word in err for word in words)


def test_a_file_without_ops(told, tmp_path):
    (tmp_path / "empty.py").write_text("def forward(x): pass\ndef backward(dy, cache): pass\n")
    err = told("--ops", tmp_path / "empty.py", status=1).err
    assert "empty.py: nothing in it is named like an op of network small" in err
    assert "name the op: --ops OP=" in err


def test_an_op_that_fails_says_row_and_line(told, tmp_path):
    (tmp_path / "bad.py").write_text("def forward(x):\n    return x.nothing, None\n"
                                     "def backward(dy, cache): pass\n")
    assert told("--ops", f"relu={tmp_path / 'bad.py'}", status=1).err.splitlines()[-1] == (
        "minicnn: layer relu1, relu by bad.py: its forward failed: AttributeError: "
        "'numpy.ndarray' object has no attribute 'nothing' (line 2)")


def test_a_replay_asks_for_the_file_again(weights, mine, tmp_path, capsys):
    """And never imports what a saved file names."""
    made = ["maximize", "--weights", weights, "--layer", "relu2", "--channel", "1", "--steps", "2",
            "--ops", f"conv2={mine}", "--out", tmp_path / "m.png", "--keep-settings"]
    assert main([str(a) for a in made]) == 0
    entry = json.loads((tmp_path / "m.json").read_text())
    assert len(entry["network"]["ops"]["rows"]["conv2"]["sha256"]) == 64
    again = ["replay", str(tmp_path / "m.json"), "--out", str(tmp_path / "r.png")]
    capsys.readouterr()
    assert main(again) == 1
    assert "--ops OP=FILE.py" in capsys.readouterr().err
    assert main([*again, "--ops", f"conv2={mine}"]) == 0
    mine.write_text(mine.read_text() + "\n# changed\n")
    assert main([*again, "--ops", f"conv2={mine}"]) == 1


@pytest.mark.thorough
def test_the_doctor_replays_the_probe_on_them(tmp_path, mine, capsys):
    """And names the first layer that differs."""
    pytest.importorskip("h5py")
    from minicnn.files import probe
    network = small.network().until("relu1").extended("short", [("pool1", MaxPool(2))])
    network.probe = probe.make(network)
    hdf5.save(network, tmp_path / "n.h5")
    command = ["doctor", "--weights", str(tmp_path / "n.h5"), "--device", "cpu", "--cache",
               str(tmp_path / "none")]
    assert main([*command, "--ops", f"conv={mine}"]) == 0
    assert "conv_forward_naive" in capsys.readouterr().out
    text = mine.read_text()
    wrong = text.replace("+ b[f]", "+ 2 * b[f]")
    assert wrong != text
    mine.write_text(wrong)
    assert main([*command, "--ops", f"conv={mine}"]) == 1
    assert "conv1" in capsys.readouterr().out
