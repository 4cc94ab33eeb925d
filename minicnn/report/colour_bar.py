"""Colour bars: which numbers the colours of a map stand for."""

import numpy as np

from minicnn.images import display
from minicnn.images.display import ColourBar, signed
from minicnn.report.canvas import TEXT_SIZE, Canvas, line_height, text_width, wrapped

__all__ = ["ColourBar", "legible", "signed", "strip", "under"]
MARGIN = 8
LINES = 36  # a sheet's width over its bar's text size: on a phone, 390 pixels wide, 11 pixels


def legible(width):
    """The size of a text that can be read where a phone shows a sheet of this width, in pixels."""
    return max(TEXT_SIZE, width // LINES)


def strip(bar, width, size=TEXT_SIZE):
    """A bar with its ends' numbers and their unit below it.

    Parameters
    ----------
    bar : ColourBar
    width : int
    size : int
        Of the text, in pixels.

    Returns
    -------
    (H, width, 3) uint8
        On white. A unit that does not fit between the numbers has lines of its own.
    """
    low, high = map(_text, (bar.low, bar.high))
    sides = 2 * max(text_width(low, size), text_width(high, size))  # the unit is in the middle
    fits = sides + text_width(f"  {bar.unit}  ", size) <= width
    below = [] if fits or not bar.unit else wrapped(bar.unit, size, width)
    line = line_height(size)
    canvas = Canvas(size + 2 + (1 + len(below)) * line, width, 255)
    levels = np.linspace(0, 255, max(width - 2, 1)).round().astype(np.uint8)
    framed = np.full((size, width, 3), 128, np.uint8)
    framed[1:-1, 1:-1] = display.coloured(levels, bar.colours)
    canvas.paste(framed, 0, 0)
    canvas.label(low, 0, size, width // 2, "left", size)
    canvas.label(high, width // 2, size, width - width // 2, "right", size)
    for row, words in enumerate(below or [bar.unit]):
        canvas.label(words, 0, size + row * line + (line if below else 0), width, "middle", size)
    return canvas.pixels()


def _text(end):
    """A number with three digits, and as many before the point as it has."""
    if isinstance(end, str):
        return end
    return f"{end:.3g}" if abs(end) < 1000 else f"{end:,.0f}"


def under(sheet, bar, beside=1):
    """A sheet of many maps with one bar for all below it.

    Parameters
    ----------
    sheet : (H, W, 3) uint8
    bar : ColourBar
    beside : int
        Number of such sheets that will stand beside each other.

    Returns
    -------
    (H + some, W, 3) uint8
        The text is the larger the wider all that is, to be read where a phone shows it small.
    """
    width = sheet.shape[1]
    made = strip(bar, width - 2 * MARGIN, legible(beside * width))
    framed = np.pad(made, ((MARGIN // 2, MARGIN // 2), (MARGIN, MARGIN), (0, 0)),
                    constant_values=255)
    return np.concatenate([sheet, framed])
