"""Kinds of values, from the text of an option."""

import argparse

import pytest

from minicnn.cli import kinds
from minicnn.cli.kinds import units


def test_a_class_s_name_may_have_commas():
    assert units("goldfish, Carassius auratus") == ["goldfish, Carassius auratus"]
    assert units("1, 3..4") == [1, 3, 4] and units("-1") == [-1] and units("3") == [3]


@pytest.mark.parametrize("kind, text, value", [
    (kinds.whole(0), "0", 0), (kinds.number(0, most=1), "0.5", 0.5),
    (kinds.names, " a, b,", ["a", "b"]), (kinds.numbers, "1,3..5", [1, 3, 4, 5]),
    (kinds.side, "keep", "keep"), (kinds.side, "64", 64),
    (kinds.position, "2,3", (2, 3)), (kinds.pair, "1,2.5", (1.0, 2.5)),
    (kinds.colour, "mean", None), (kinds.colour, "7", 7), (kinds.colour, "1,2,3", (1, 2, 3)),
    (kinds.index_or_name, "cat", "cat")])
def test_what_a_text_becomes(kind, text, value):
    assert kind(text) == value


@pytest.mark.parametrize("kind, text, words", [
    (kinds.whole(1), "0", "a whole number of at least 1, got '0'"),
    (kinds.number(above=0), "nan", "a number above 0, got 'nan'"),
    (kinds.numbers, "5..3", "FIRST..LAST, got '5..3'"),
    (kinds.numbers, "0..1000000", "at most 100,000 numbers"),
    (kinds.side, "-1", "pixels, or 'keep', got '-1'"), (kinds.position, "2", "ROW,COLUMN, got '2'"),
    (kinds.pair, "1", "LOW,HIGH, got '1'"), (kinds.colour, "1,2", "R,G,B, or 'mean', got '1,2'")])
def test_what_is_refused(kind, text, words):
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        kind(text)
    assert words in str(caught.value)
