"""Names on their way to the terminal."""

import io
import sys
import unicodedata

import pytest

from minicnn.progress import bar
from minicnn.terminal import columns, escaped, is_quiet, note, quiet, tell


@pytest.mark.parametrize("text, shown", [
    ("a cat", "a cat"), ("", ""), ("Füchse, 狐, \U0001f98a, \xa0\u3000", None),
    ("\x1b]0;title\x07", r"\x1b]0;title\x07"), ("\x9b2J", r"\x9b2J"), ("a\nb\r\tc", r"a\nb\r\tc"),
    ("\u202egpj.exe\u2066\u200f", r"\u202egpj.exe\u2066\u200f"), ("\u2028\u2029\x85", None),
    ("\udce9.png", r"\udce9.png"), ("\U000e0041", r"\U000e0041"), ("\x7f\x00", r"\x7f\x00"),
    (r"C:\photos", r"C:\photos"), ("family \U0001f468\u200d\U0001f469", None)])
def test_what_does_something_is_escaped(text, shown):
    got = escaped(text)
    assert got == shown or shown is None
    kinds = {unicodedata.category(one) for one in got} - ({"Cf"} if "\u200d" in got else set())
    assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"} and escaped(got) == got
    got.encode()


def test_tell_prints_each_line_on_a_line_of_its_own(capsys):
    tell("a\nb", 3)
    tell("\x1b[2J", file=(other := io.StringIO()))
    assert capsys.readouterr().out == "a\\nb\n3\n" and other.getvalue() == "\\x1b[2J\n"


def test_the_label_of_a_bar(monkeypatch):
    monkeypatch.setattr("tqdm.tqdm", lambda items, name, **more: name)
    assert bar(range(3), "\x1b[2Jnew\n") == r"\x1b[2Jnew\n"


def test_notes_and_quiet(capsys):
    note("a\x07", "b")
    with quiet():
        with quiet(False):  # what is quiet stays quiet
            note("c")
        assert is_quiet()
    with quiet(False):
        note("d")
    assert capsys.readouterr() == ("", "a\\x07\nb\nd\n")


def test_text_is_as_wide_as_the_terminal_up_to_a_limit(monkeypatch):
    assert columns(79) == 79
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    for there, wide in ((80, 79), (300, 100), (5, 39)):
        monkeypatch.setenv("COLUMNS", str(there))
        assert columns(79) == wide


def test_lines_are_painted_once_they_are_escaped(capsys):
    tell("a\x1b", paint=lambda line: f"<{line}>")
    assert capsys.readouterr().out == "<a\\x1b>\n"
