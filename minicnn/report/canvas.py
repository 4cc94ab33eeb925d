"""A canvas for pictures and words, on which sheets, captions and colour bars are drawn.

Text is drawn in Pillow's built-in font, so a sheet looks the same on every machine.
"""

import math
from functools import lru_cache

import numpy as np

TEXT_SIZE = 12
LINE = 1.3  # height of a line of text, in text sizes


class Canvas:
    """A canvas for pictures and words; positions are in pixels from the top left.

    Parameters
    ----------
    height, width : int
    background : int or (R, G, B), 0..255
        The text is black or white, whichever is legible on it.
    """

    def __init__(self, height, width, background):
        from PIL import Image, ImageDraw

        colour = tuple(int(c) for c in np.broadcast_to(background, 3))
        self.ink = (0, 0, 0) if sum(colour) > 3 * 110 else (255, 255, 255)
        self.picture = Image.new("RGB", (width, height), colour)
        self.draw = ImageDraw.Draw(self.picture)

    def paste(self, picture, y, x):
        """Put a picture (H, W, 3) uint8 on it."""
        from PIL import Image

        self.picture.paste(Image.fromarray(np.ascontiguousarray(picture)), (x, y))

    def label(self, words, x, y, width, align, size=TEXT_SIZE):
        """Draw words at the left, in the middle or at the right of `width` pixels from (x, y), cut
        to fit."""
        words = shortened(words, size, width - 2)  # neighbours must not run together
        free = width - text_width(words, size)
        x += {"left": 0, "middle": free // 2, "right": free}[align]
        self.draw.text((x, y), words, fill=self.ink, font=_font(size))

    def lines(self, lines, x, y, size):
        """Draw lines of words, one below the other."""
        for i, line in enumerate(lines):
            self.draw.text((x, y + i * line_height(size)), line, fill=self.ink, font=_font(size))

    def pixels(self):
        """All of it, (H, W, 3) uint8."""
        return np.array(self.picture)


# ---- words

@lru_cache
def _font(size):
    from PIL import ImageFont

    return ImageFont.load_default(size)  # with a size: Pillow 10.1 or newer


def line_height(size):
    """Pixels from one line of text to the next."""
    return math.ceil(size * LINE)


def _printable(text):
    """The text as one line that the font can draw: no control characters, no lone surrogates."""
    text = " ".join(str(text).split())
    return "".join(c if c.isprintable() else "?" for c in text)


def text_width(text, size):
    """The width of a text in one line, in pixels."""
    return math.ceil(_font(size).getlength(_printable(text)))


def shortened(text, size, width):
    """The text, or as much of it as fits into `width` pixels, with an ellipsis."""
    text = _printable(text)
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[:-1].rstrip()
    return text + "…"


def wrapped(text, size, width):
    """Wrap a text into lines no wider than `width`; line breaks are kept."""
    return [line for part in str(text).split("\n") for line in _wrap_part(part, size, width)]


def _wrap_part(text, size, width):
    lines = [""]
    for word in _printable(text).split():
        for piece in _cut(word, size, width):
            longer = f"{lines[-1]} {piece}".strip()
            if text_width(longer, size) <= width or not lines[-1]:
                lines[-1] = longer
            else:
                lines.append(piece)
    return lines


def _cut(word, size, width):
    """Cut a word into as few pieces as fit; nearly always into one."""
    pieces = [""]
    for letter in word:
        if pieces[-1] and text_width(pieces[-1] + letter, size) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces
