"""Many small pictures on one sheet, with labels; and one picture with a caption."""

import math
from typing import NamedTuple

import numpy as np

from minicnn import images as picture_files
from minicnn.report import colour_bar
from minicnn.report.canvas import TEXT_SIZE, Canvas, line_height, text_width, wrapped

TITLE_SIZE = 16
MARGIN = 8
LEAST_LABEL_WIDTH = 44  # a narrower label would be only dots, so labelled tiles get this width
LEAST_CAPTION_WIDTH = 200
MOST_ROW_LABEL_WIDTH = 160
WIDE, LEAST_TILE, MOST_TILE = 1024, 96, 256  # of `roomy`
BAR_GAP = 4  # above a colour bar


class Grid(NamedTuple):
    """The layout in pixels: every picture has the size `tile`; below it are `bar` for a colour bar
    and `label` for words."""

    tile: tuple
    cell_width: int
    bar: int
    label: int
    gap: int
    left: int
    top: int

    def corner(self, row, column):
        y = self.top + row * (self.tile[0] + self.bar + self.label + self.gap)
        return y, self.left + column * (self.cell_width + self.gap)


def contact_sheet(images, columns=None, labels=None, row_labels=None, column_labels=None,
                  title=None, tile=None, gap=2, background=255, blocks=False, bars=None):
    """Arrange pictures in rows, from left to right and from top to bottom.

    Parameters
    ----------
    images : (N, H, W, 3) uint8, or list of (H, W, 3) or (H, W) uint8 of any sizes
        A smaller picture is centred in its tile.
    columns : int or None
        None: the number of column labels, or as the number of row labels requires, or such that
        the sheet is nearly square.
    labels : list of N str, or None
        Written under the pictures; too long ones are shortened with an ellipsis.
    row_labels, column_labels : list of str, or None
        One for each row, on its left; one for each column, above it.
    title : str or None
        Written on top; a long one is wrapped.
    tile : None, int or (H, W)
        Size of each tile. Pictures are resized to fit, smoothly and with their aspect ratio kept.
        None: no resizing, and the tile has the size of the largest picture.
    gap : int
        Pixels between the tiles.
    background : int or (R, G, B), 0..255
        The text is black or white, whichever is legible on it.
    blocks : bool, or list of N bool
        True: where a picture is enlarged each pixel becomes a block, so that a filter's weights, or
        a map's few cells, can be counted.
    bars : list of N ColourBar or None, or None
        Drawn under the pictures, above the labels. All text then has their size, to be read where
        a phone shows the sheet small.

    Returns
    -------
    sheet : (H, W, 3) uint8

    Raises
    ------
    ValueError
        There are no pictures, they are not uint8, or the number of labels does not match.
    """
    pictures = [_colour(image) for image in _as_list(images)]
    columns = _columns(len(pictures), columns, row_labels, column_labels)
    rows = -(-len(pictures) // columns)
    _check_counts(labels=(labels, len(pictures)), bars=(bars, len(pictures)),
                  row_labels=(row_labels, rows), column_labels=(column_labels, columns))
    if tile is not None:
        pictures = [_fit(picture, np.broadcast_to(tile, 2), as_blocks) for picture, as_blocks in
                    zip(pictures, np.broadcast_to(blocks, len(pictures)), strict=True)]
    width = max(picture.shape[1] for picture in pictures)
    size = colour_bar.legible(min(columns, len(pictures)) * width) if bars else TEXT_SIZE
    strips = [bar and colour_bar.strip(bar, width, size) for bar in bars or ()]
    grid = _grid(pictures, strips, labels, row_labels, column_labels, gap, size)

    height, width = (end - gap + MARGIN for end in grid.corner(rows, columns))
    width = max(width, LEAST_CAPTION_WIDTH) if title else width
    words = wrapped(title, TITLE_SIZE, width - 2 * MARGIN) if title else []
    title_height = len(words) * line_height(TITLE_SIZE) + 4 * bool(words)
    grid = grid._replace(top=grid.top + title_height)
    sheet = Canvas(height + title_height, width, background)
    sheet.lines(words, MARGIN, MARGIN, TITLE_SIZE)
    for i, picture in enumerate(pictures):
        y, x = grid.corner(*divmod(i, columns))
        sheet.paste(picture, y + (grid.tile[0] - picture.shape[0]) // 2,
                    x + (grid.cell_width - picture.shape[1]) // 2)
    for i, strip in enumerate(strips):
        if strip is not None:
            y, x = grid.corner(*divmod(i, columns))
            sheet.paste(strip, y + grid.tile[0] + BAR_GAP,
                        x + (grid.cell_width - strip.shape[1]) // 2)
    for i, text in enumerate(labels or ()):
        y, x = grid.corner(*divmod(i, columns))
        above = grid.tile[0] + (grid.bar if strips and strips[i] is not None else 0)
        sheet.label(text, x, y + above + 1, grid.cell_width, "middle", size)
    for column, text in enumerate(column_labels or ()):
        y, x = grid.corner(0, column)
        sheet.label(text, x, y - line_height(size) - 2, grid.cell_width, "middle", size)
    for row, text in enumerate(row_labels or ()):
        y = grid.corner(row, 0)[0] + (grid.tile[0] - line_height(size)) // 2
        sheet.label(text, MARGIN, y, grid.left - 2 * MARGIN + 2, "right", size)
    return sheet.pixels()


def roomy(count=None, columns=None):
    """The side of a tile, in pixels, with which a sheet is about 1000 pixels wide; 96 to 256.

    Parameters
    ----------
    count : int, optional
        Number of pictures on a nearly square sheet.
    columns : int, optional
        Of another sheet.
    """
    columns = math.ceil(math.sqrt(count)) if columns is None else columns
    return min(max(WIDE // columns, LEAST_TILE), MOST_TILE)


def caption(image, text, size=TEXT_SIZE):
    """Write a caption under a picture, wrapped to its width, black on white.

    Parameters
    ----------
    image : (H, W, 3) or (H, W) uint8
        A picture narrower than 200 pixels is centred in that width, to leave room for words.
    text : str
        All that a reader needs to make the picture again: network, layer, unit, value, rule.
        Line breaks are kept.
    size : int
        Of the text, in pixels.

    Returns
    -------
    captioned : (H + lines, max(W, 200), 3) uint8
    """
    picture = _colour(image)
    height, width = picture.shape[:2]
    wide = max(width, LEAST_CAPTION_WIDTH)
    lines = wrapped(text, size, wide - 2 * MARGIN)
    sheet = Canvas(height + len(lines) * line_height(size) + MARGIN + 2, wide, 255)
    sheet.paste(picture, 0, (wide - width) // 2)
    sheet.lines(lines, MARGIN, height + MARGIN // 2, size)
    return sheet.pixels()


def stacked(pictures):
    """Stack pictures vertically, aligned on the left, on white.

    Parameters
    ----------
    pictures : sequence of (H, W, 3) uint8, of any sizes

    Returns
    -------
    (sum of the H, largest W, 3) uint8
    """
    width = max(picture.shape[1] for picture in pictures)
    return np.concatenate([np.pad(picture, ((0, 0), (0, width - picture.shape[1]), (0, 0)),
                                  constant_values=255) for picture in pictures])


# ---- checking and converting the arguments

def _as_list(images):
    if isinstance(images, np.ndarray) and (images.ndim < 3 or images.shape[-1] == 3 == images.ndim):
        raise ValueError(f"contact_sheet: expected several pictures, got an array {images.shape}; "
                         "for one picture pass [image]")
    if len(images) == 0:
        raise ValueError("contact_sheet: expected at least one picture, got an empty list")
    return list(images)


def _colour(image):
    image = np.asarray(image)
    if image.dtype != np.uint8:
        raise ValueError(f"contact_sheet: expected uint8 pictures, got {image.dtype}; convert with "
                         "images.restore, display.to_uint8 or display.signed_to_uint8")
    if image.ndim == 2:
        image = image[:, :, None]  # H,W -> H,W,1
    if image.ndim != 3 or image.shape[2] not in (1, 3) or image.size == 0:
        raise ValueError("contact_sheet: expected pictures (H, W, 3) or (H, W), "
                         f"got {image.shape}")
    return np.broadcast_to(image, (*image.shape[:2], 3))  # H,W,1 -> H,W,3


def _columns(count, columns, row_labels, column_labels):
    if columns is not None and columns < 1:
        raise ValueError(f"contact_sheet: columns must be at least 1, got {columns}")
    if columns is not None:
        return columns
    if column_labels:
        return len(column_labels)
    if row_labels:
        return -(-count // len(row_labels))
    return math.ceil(math.sqrt(count))


def _check_counts(**labels):
    for name, (texts, count) in labels.items():
        if isinstance(texts, str) or (texts is not None and len(texts) != count):
            got = "one string" if isinstance(texts, str) else len(texts)
            raise ValueError(f"contact_sheet: expected {count} {name}, got {got}")


def _fit(picture, room, blocks):
    ratio = min(room[0] / picture.shape[0], room[1] / picture.shape[1])
    size = [max(1, round(n * ratio)) for n in picture.shape[:2]]
    return picture_files.resize(picture, size, "nearest" if blocks and ratio > 1 else "lanczos")


def _grid(pictures, strips, labels, row_labels, column_labels, gap, size):
    tile = tuple(max(picture.shape[axis] for picture in pictures) for axis in (0, 1))
    worded = labels is not None or column_labels is not None
    line = line_height(size)
    widths = [text_width(text, size) for text in row_labels or ()]
    left = min(max(widths, default=-MARGIN), MOST_ROW_LABEL_WIDTH)
    bar = max((len(strip) + BAR_GAP for strip in strips if strip is not None), default=0)
    return Grid(tile, max(tile[1], LEAST_LABEL_WIDTH * worded), bar,
                label=0 if labels is None else line + 6, gap=gap, left=left + 2 * MARGIN,
                top=MARGIN + (0 if column_labels is None else line + 2))
