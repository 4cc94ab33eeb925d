"""What is drawn in a terminal: pictures, variables, and what the terminal can do."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest

from minicnn import images
from minicnn.course import terminal
from minicnn.course.terminal import Screen


def test_pictures_are_saved_and_shown(tmp_path, capsys):
    figures = [plt.figure(figsize=(2, 1)) for _ in range(2)]
    (one, _), (two, _) = terminal.save(figures, tmp_path / "a" / "b", 6)
    assert [one.name, two.name] == ["cell07a.png", "cell07b.png"]
    assert images.load(one).ndim == 3
    Screen(inline="kitty", width=60).picture(one, figures[0])
    shown = capsys.readouterr().out
    assert "c=18," in shown and shown.endswith(f"picture: {one}\n")
    Screen().picture(two, figures[1])
    assert capsys.readouterr().out == f"picture: {two}\n"
    plt.close("all")


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def test_what_a_terminal_can_do(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-kitty")
    monkeypatch.setenv("WT_SESSION", "1")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("NO_COLOR", raising=False)
    screen = Screen.of(Terminal())
    assert screen.inline == "kitty" and screen.width == terminal.WIDEST
    assert screen.paint("bold", "x") == "\033[1mx\033[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert Screen.of(Terminal()).paint("bold", "x") == "x"
    pipe = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert Screen.of(pipe).inline is None and not Screen.of(pipe).signs
    assert Screen.of(pipe).paint("bold", "x") == "x"


def test_feature_maps_are_shown_as_planes():
    maps = np.arange(8.0).reshape(1, 2, 2, 2)
    assert terminal.values(maps) == ["[0, :, :, 0]", "[[0. 2.]", " [4. 6.]]",
                                     "[0, :, :, 1]", "[[1. 3.]", " [5. 7.]]"]
    photo = np.zeros((2, 1, 3), np.uint8)
    assert terminal.values(photo)[:3] == ["[:, :, 0]", "[[0]", " [0]]"]
    assert terminal.values(np.ones((2, 2, 2, 50)))[0] == "[[[[1. 1. 1. ... 1. 1. 1.]" or (
        len(terminal.values(np.ones((2, 2, 2, 200)))) <= terminal.MOST_LINES + 1)


def a_function(x, pad=0):
    """Its first line.

    And another.
    """


@pytest.mark.parametrize(("value", "about", "lines"), [
    (np.array([1, 3]), "int64 (2,), from 1 to 3, mean 2", ["[1 3]"]),
    (np.zeros((0, 3), np.float32), "float32 (0, 3)", ["[]"]),
    (np.array([True]), "bool (1,)", ["[ True]"]),
    (np.float32(2.5), "float32", ["2.5"]), (3, "int", ["3"]), ("word", "str of 4", ["word"]),
    ((1, 2), "tuple of 2", ["(1, 2)"]), ({"a": 1}, "dict of 1", ["{'a': 1}"]), (None, "NoneType",
                                                                                ["None"]),
    (a_function, "function a_function(x, pad=0)", ["Its first line."])])
def test_variables(value, about, lines):
    assert terminal.about(value) == about and terminal.values(value) == lines


def test_what_is_long_is_cut():
    lines = terminal.values({k: "x" * 70 for k in range(100)})
    assert len(lines) == terminal.MOST_LINES + 1 and lines[-1] == "..."
