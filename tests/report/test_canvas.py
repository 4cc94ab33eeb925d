"""The canvas: where pictures and words lie, and words that fit."""

import numpy as np
import pytest

from minicnn.report.canvas import Canvas, line_height, shortened, text_width, wrapped


def inked(canvas):
    """The columns that have ink on a white canvas, first and last."""
    columns = np.flatnonzero((canvas.pixels() < 128).any(axis=(0, 2)))
    return columns[0], columns[-1]


def test_a_picture_lies_where_it_was_put():
    canvas = Canvas(6, 8, (9, 9, 9))
    canvas.paste(np.full((2, 3, 3), 200, np.uint8), 1, 4)
    expected = np.full((6, 8), 9)
    expected[1:3, 4:7] = 200
    np.testing.assert_array_equal(canvas.pixels()[..., 0], expected)


def test_a_label_is_left_middle_or_right():
    ends = {}
    for align in ("left", "middle", "right"):
        canvas = Canvas(20, 200, 255)
        canvas.label("HH", 20, 0, 160, align)
        ends[align] = inked(canvas)
    assert ends["left"][0] - 20 <= 2 and 180 - ends["right"][1] <= 3
    assert abs(sum(ends["middle"]) - 199) <= 3


def test_larger_text_is_larger():
    assert text_width("HHH", 24) > 1.8 * text_width("HHH", 12)
    assert line_height(24) > 1.8 * line_height(12)


@pytest.mark.parametrize("width", [60, 80, 100])
def test_words_are_shortened_or_wrapped_to_fit(width):
    text = "a text of several words"
    cut = shortened(text, 12, width)
    assert cut.endswith("…") and text_width(cut, 12) <= width
    lines = wrapped(text, 12, width)
    assert all(text_width(line, 12) <= width for line in lines) and " ".join(lines) == text
    assert shortened("a", 12, width) == "a"
