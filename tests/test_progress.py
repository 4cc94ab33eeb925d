"""The bar: passes items through, and is seen only on a terminal and where it is wanted."""

import io
import sys

import pytest

from minicnn import terminal
from minicnn.progress import bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("stream, shown, seen", [
    (Terminal, True, True), (Terminal, False, False), (io.StringIO, True, False)])
def test_where_it_is_seen(monkeypatch, stream, shown, seen):
    monkeypatch.setattr(sys, "stderr", stream())
    assert list(bar(range(3), "photos", shown)) == [0, 1, 2]
    assert ("photos" in sys.stderr.getvalue()) is seen


def test_by_hand(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with bar(name="steps", total=5, initial=2) as b:
        b.update(3)
        assert b.n == 5
    assert "2/5" in sys.stderr.getvalue()


def test_a_quiet_command_shows_none(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with terminal.quiet():
        assert list(bar(range(3))) == [0, 1, 2]
    assert sys.stderr.getvalue() == ""
