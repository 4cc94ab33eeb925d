"""Pictures among the text of a terminal."""

import base64
import re

import numpy as np
import pytest

from minicnn import images
from minicnn.report import inline


@pytest.mark.parametrize(("term", "program", "protocol"), [
    ("xterm-256color", "iTerm.app", "iterm"), ("xterm-256color", "WezTerm", "iterm"),
    ("xterm-kitty", "", "kitty"), ("xterm-ghostty", "ghostty", "kitty"),
    ("screen-256color", "iTerm.app", None), ("tmux-256color", "tmux", None),
    ("xterm-256color", "Apple_Terminal", None), ("", "", None)])
def test_which_terminals_show_pictures(term, program, protocol):
    assert inline.protocol({"TERM": term, "TERM_PROGRAM": program}) == protocol
    assert inline.protocol({}) is None


def test_iterm():
    assert inline.escape(b"picture", "iterm", 40) == (
        f"\033]1337;File=inline=1;size=7;width=40:{base64.b64encode(b'picture').decode()}\a")


def test_kitty():
    """In chunks; the last one has m=0."""
    data = bytes(range(256)) * 30
    shown = inline.escape(data, "kitty", 40)
    chunks = re.findall(r"\033_G(?:a=T,f=100,q=2,c=40,)?m=([01]);([\w+/=]+)\033\\", shown)
    assert shown.startswith("\033_Ga=T,f=100,") and shown.count("a=T") == 1
    assert [more for more, _ in chunks] == ["1", "1", "0"]
    assert all(len(part) <= 4096 for _, part in chunks)
    assert base64.b64decode("".join(part for _, part in chunks)) == data


@pytest.mark.parametrize(("environment", "protocol"), [
    ({"KITTY_WINDOW_ID": "1", "TERM": "xterm-256color"}, "kitty"),
    ({"LC_TERMINAL": "iTerm2"}, "iterm"), ({"TERM_PROGRAM": "mintty"}, "iterm"),
    ({"TERM": "foot"}, "sixel"), ({"TERM": "xterm-sixel"}, "sixel"),
    ({"TERM": "tmux-256color", "KITTY_WINDOW_ID": "1"}, None)])
def test_what_else_a_terminal_says_of_itself(environment, protocol):
    assert inline.protocol(environment) == protocol


def drawn(text):
    """The picture that a terminal draws from sixels."""
    height_width, body = re.fullmatch(
        r'\033P0;1;q"1;1;(\d+;\d+)(.*)\033\\', text, re.DOTALL).groups()
    width, height = map(int, height_width.split(";"))
    palette = {int(k): [int(c) for c in rgb.split(";")]
               for k, rgb in re.findall(r"#(\d+);2;(\d+;\d+;\d+)", body)}
    body = re.sub(r"#\d+;2;\d+;\d+;\d+", "", body)
    picture = np.full((-(-height // 6) * 6, width, 3), -1)
    for top, band in enumerate(body.split("-")):
        for colour, letters in re.findall(r"#(\d+)([^#$]*)", band):
            letters = re.sub(r"!(\d+)(.)", lambda run: run[2] * int(run[1]), letters)
            for x, letter in enumerate(letters):
                for row in range(6):
                    if ord(letter) - 63 >> row & 1:
                        picture[6 * top + row, x] = palette[int(colour)]
    return picture[:height]


def test_sixels():
    """Of a height that six does not divide, with runs; colours are in percent."""
    picture = np.zeros((8, 30, 3), np.uint8)
    picture[:4, :10], picture[5:, 3:] = (255, 0, 0), (0, 51, 255)
    shown = drawn(inline.escape(images.encode(picture), "sixel", 40))
    np.testing.assert_array_equal(shown, picture.astype(int) * 100 // 255)


def test_sixels_of_a_wide_picture_fit_the_columns():
    shown = inline.escape(images.encode(np.zeros((10, 500, 3), np.uint8)), "sixel", 20)
    assert '"1;1;200;4' in shown
