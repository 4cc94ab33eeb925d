"""Colour bars: the colours from end to end, the numbers below them, and their size."""

import numpy as np
import pytest

from minicnn.images import display
from minicnn.report import colour_bar
from minicnn.report.canvas import Canvas
from minicnn.report.colour_bar import ColourBar, signed, strip, under


@pytest.mark.parametrize("colours", ["viridis", "inferno", "gray"])
def test_a_strip_goes_from_the_first_colour_to_the_last(colours):
    row = strip(ColourBar(0, 1, "", colours), 258)[5]
    np.testing.assert_array_equal(row[1:-1], display.coloured(np.arange(256, dtype=np.uint8),
                                                              colours))


def words(monkeypatch, bar, width):
    """What is written below the bar, from left to right, and the height."""
    said = []
    label = Canvas.label

    def heard(self, words, x, *others):
        said.append(words)
        label(self, words, x, *others)

    monkeypatch.setattr(Canvas, "label", heard)
    return said, len(strip(bar, width))


@pytest.mark.parametrize("low, high, expected", [
    (0, 0.72134, ("0", "0.721")), (-0.0192, 0.0192, ("-0.0192", "0.0192")),
    (5446.2, 66400, ("5,446", "66,400")), ("-2", "2", ("-2", "2")), (1.5e-9, 2, ("1.5e-09", "2"))])
def test_the_numbers_at_the_ends_have_three_digits(monkeypatch, low, high, expected):
    said, _ = words(monkeypatch, ColourBar(low, high, "unit"), 300)
    assert said == [*expected, "unit"]


def test_a_unit_that_does_not_fit_has_lines_of_its_own(monkeypatch):
    bar = ColourBar("0", "strongest", "standard deviations from the mean")
    with monkeypatch.context() as patch:
        wide, low = words(patch, bar, 330)
    assert len(strip(bar, 290)) > low  # in the middle it would touch the right end
    narrow, high = words(monkeypatch, bar, 120)
    assert wide[2:] == [bar.unit] and len(narrow) == 2 + 2 and high == low + 2 * 16
    assert " ".join(narrow[2:]) == bar.unit


def test_zero_of_a_signed_bar_is_in_the_middle():
    bar = signed(3.0, "weight")
    assert (bar.low, bar.high) == (-3, 3)
    assert abs(int(strip(bar, 257)[5, 128, 0]) - display.MID_GREY) <= 1  # rounding


def test_the_wider_the_sheet_the_larger_the_text_under_it():
    """390 pixels, as wide as a phone: the text is 10 pixels high there, or more."""
    for width in (300, 468, 1000, 1600):
        sheet = np.full((10, width, 3), 7, np.uint8)
        made = under(sheet, ColourBar(0, 1, "activation"))
        assert made.shape[1] == width and (made[:10] == 7).all()
        text = (len(made) - 10 - 8 - 2) / 2.3  # a bar and a line of 1.3 below it, in text sizes
        assert text * min(1, 390 / width) >= 10 - 0.5  # rounding
    assert colour_bar.under(sheet, ColourBar(0, 1), 2).shape[0] > made.shape[0]
