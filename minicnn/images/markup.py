"""The HTML by which arrays, networks and records show themselves in a notebook.

Plain tables and pictures within the text: no script, no style sheet, no file. Every word is
escaped, since names of layers, classes and files can hold any character. What a notebook stores is
kept small: the pictures of one thing take some 200 kB together, and are reduced, or coded as JPEG,
where they would take more.
"""

import base64
import html
import io
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from minicnn.images import display, pictures
from minicnn.terminal import escaped

MOST_BYTES = 160_000  # of all pictures together, before base64 makes 4 letters of 3 bytes
LEAST = 192  # longer side of a picture on the screen, in pixels, and of how many at most:
SIDES = {1: 448, 2: 320, 6: 192, 16: 112}
STRIP = 120, 10  # width and height of a colour bar, in pixels
LONG = 40  # rows of a table that are all shown; a longer one scrolls
CELL = ' style="text-align:{};vertical-align:middle"'


class Html(str):
    """Text that is HTML already; all other text is escaped."""


class View(NamedTuple):
    """A picture that a record shows: (H, W, 3) uint8, with its name, the words below it, and the
    ColourBar of its scale. `blocks`: enlarged, its pixels are blocks."""

    name: str
    label: str
    picture: np.ndarray
    bar: display.ColourBar | None = None
    blocks: bool = False


def text(words: object) -> Html:
    """Words on one line, with what has a meaning in HTML or does not show escaped."""
    return words if isinstance(words, Html) else Html(html.escape(escaped(words)))


def paragraph(words: object) -> Html:
    """A paragraph."""
    return Html(f"<p>{text(words)}</p>")


def table(head: Sequence, rows: Iterable[Sequence], right: Sequence[int] = ()) -> Html:
    """A table; one of more than 40 rows scrolls.

    Parameters
    ----------
    head : sequence of str
    rows : iterable of sequences of str, numbers or Html
    right : sequence of int
        Columns that are flush right.
    """
    def line(cells, kind):
        return "<tr>" + "".join(
            f"<{kind}{CELL.format('right' if k in right else 'left')}>{text(cell)}</{kind}>"
            for k, cell in enumerate(cells)) + "</tr>"

    lines = [line(cells, "td") for cells in rows]
    body, high = "".join(lines), "max-height:40em;" * (len(lines) > LONG)
    return Html(f'<div style="{high}overflow:auto"><table>'
                f"<thead>{line(head, 'th')}</thead><tbody>{body}</tbody></table></div>")


def folded(title: object, content: Html) -> Html:
    """Content that a click on its title shows."""
    return Html(f"<details><summary>{text(title)}</summary>{content}</details>")


# ---- pictures

def picture(pixels: np.ndarray, words: object = "", blocks: bool = False, among: int = 1) -> Html:
    """A picture (H, W, 3) uint8.

    Parameters
    ----------
    pixels
    words : str
        In its place, where pictures are not shown.
    blocks : bool
        Show a small picture's pixels as blocks; else it is enlarged smoothly.
    among : int
        How many pictures share the place and the bytes; a larger picture is reduced.
    """
    most = next((side for count, side in SIDES.items() if among <= count), min(SIDES.values()))
    height, width = pixels.shape[:2]
    scale = min(1, most / max(height, width))
    if scale < 1:
        height, width = (max(1, round(scale * side)) for side in (height, width))
        pixels = pictures.resize(pixels, (height, width), "box")
    shown = max(1, min(LEAST, most) / max(height, width))
    how = "image-rendering:pixelated" if blocks else ""
    data, kind = small(pixels, MOST_BYTES // among)
    return _image(data, kind, words, round(shown * width), round(shown * height), how)


def small(pixels: np.ndarray, most: int = MOST_BYTES) -> tuple[bytes, str]:
    """(a file of the picture, "png" or "jpeg"): PNG, if that takes at most so many bytes."""
    png = pictures.encode(pixels)
    return (png, "png") if len(png) <= most else (pictures.encode(
        pixels, "JPEG", quality=85), "jpeg")


def heat(values: np.ndarray, words: object = "", side: int = 40, colours: str = "viridis") -> Html:
    """A map (H, W) as a thumbnail, from its least number to its largest; NaN and infinite as none.
    """
    known = np.isfinite(values)
    levels = display.to_uint8(np.where(known, values, values[known].min() if known.any() else 0))
    height, width = levels.shape
    step = -(-max(height, width) // side)  # a mean would hide a single strong unit
    return _image(_paletted(levels[::step, ::step], colours), "png", words, *(
        max(1, round(side * edge / max(height, width))) for edge in (width, height)),
        "image-rendering:pixelated")


def _paletted(levels, colours):
    """Grey levels (H, W) as a PNG with 256 colours: one byte a pixel."""
    from PIL import Image

    image, file = Image.fromarray(levels).convert("P"), io.BytesIO()
    image.putpalette(display.coloured(np.arange(256, dtype=np.uint8), colours).tobytes())
    image.save(file, "PNG")
    return file.getvalue()


def _image(data, kind, words, width, height, how=""):
    return Html(f'<img {_sized(width, height, how)} alt="{text(words)}" '
                f'src="data:image/{kind};base64,{base64.b64encode(data).decode()}">')


def _sized(width, height, how=""):
    """The size of a picture on the screen, twice: Jupyter's style sheet overrules attributes, and
    some pages that show notebooks leave out styles."""
    return (f'width="{width}" height="{height}" '
            f'style="width:{width}px;height:{height}px;max-width:none;{how}"')


def colour_bar(bar: display.ColourBar) -> Html:
    """A colour map with the numbers at its ends, and their unit."""
    ramp = np.arange(256, dtype=np.uint8)[None]
    low, high = (one if isinstance(one, str) else f"{one:.3g}" for one in (bar.low, bar.high))
    strip = _image(_paletted(ramp, bar.colours), "png", "", *STRIP, "display:inline")
    return Html(f'<small><span style="white-space:nowrap">{text(low)} {strip} {text(high)}</span> '
                f'<span style="display:inline-block">{text(bar.unit)}</span></small>')


def some(items: Sequence, most: int) -> list:
    """At most so many of some items, evenly spread, the first and the last among them."""
    chosen = np.unique(np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int))
    return [items[k] for k in chosen] if len(items) else []


def sheet(name: str, tiles: np.ndarray, columns: int, words: str, bar=None) -> View:
    """A View of pictures (N, H, W, 3) in rows."""
    return View(name, words, display.tiled(np.asarray(tiles), min(columns, len(tiles))), bar, True)


def side_by_side(views: Sequence[View]) -> Html:
    """Pictures beside each other, each with its label and colour bar below it."""
    cells = []
    for one in views:
        below = [text(one.label)] + ([] if one.bar is None else [colour_bar(one.bar)])
        cells.append(picture(one.picture, one.label, one.blocks, len(views))
                     + "".join(f"<br>{words}" for words in below if words))
    return Html('<div style="display:flex;flex-wrap:wrap;gap:12px">'
                + "".join(f'<div style="width:min-content">{cell}</div>' for cell in cells)
                + "</div>")


def curve(values: Sequence[float], words: object = "") -> Html:
    """Numbers as a small curve, from left to right, with the first and the last in words."""
    values = np.asarray(values, float)
    known = np.isfinite(values)
    if known.sum() < 2:
        return Html("")
    chosen = np.unique(np.linspace(0, known.sum() - 1, 120).round().astype(int))
    heights = values[known][chosen]
    span = np.ptp(heights) or 1
    points = " ".join(f"{x:.0f},{y:.1f}" for x, y in zip(
        np.linspace(1, STRIP[0] - 1, len(chosen)), 39 - 38 * (heights - heights.min()) / span,
        strict=True))
    return Html(f'<svg {_sized(STRIP[0], 40)}><polyline points="{points}" fill="none" '
                f'stroke="#1f77b4"/></svg> <small>{text(words)} {values[known][0]:.4g} to '
                f"{values[known][-1]:.4g}</small>")
