"""A Pillow image of any mode and size as pixels, as a viewer would show it.

Pixels of more than 8 bits are scaled, transparent parts laid on white, and the camera's orientation
is applied. Of a very large picture of which a small one will be made, no more is decoded than that
needs.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import PIL.Image

MAX_PIXELS = 100_000_000  # a larger picture is a mistake, not a photo
LARGE = 1 << 25  # pixels: a larger picture is reduced while it is read
SPARE = 3  # how many times as large as wanted a reduced picture stays: it is resized once more
TRANSPARENT = ("RGBA", "RGBa", "LA", "La", "PA")
DARK = 4096  # of 65536 grey levels


class ImageError(ValueError):
    """A picture cannot be read, written or used; the message is one line."""


def to_rgb(picture: PIL.Image.Image, wanted: Callable | None = None) -> np.ndarray:
    """Decode a picture.

    Parameters
    ----------
    picture : PIL.Image.Image
        It is changed; pass a copy of an image that is not your own.
    wanted : callable, optional
        From a size (H, W) to the size that such a picture will be resized to. If given, a picture
        of more than LARGE pixels may come back reduced, yet at least SPARE times that large.

    Returns
    -------
    pixels : (H, W, 3) uint8, 0..255, red first

    Raises
    ------
    ImageError
        No pixels or too many, grey levels out of range.
    """
    from PIL import Image, ImageOps

    if 0 in picture.size:
        raise ImageError(f"the picture has no pixels ({picture.width} x {picture.height})")
    is_file, width = picture.format is not None, picture.width
    factor = _factor(picture.size, wanted)
    if factor > 1:  # a JPEG can be decoded at a half, a quarter or an eighth
        picture.draft(None, tuple(side // factor for side in picture.size))
        factor = factor * picture.width // width
    if picture.width * picture.height > MAX_PIXELS:
        raise ImageError(f"{picture.width} x {picture.height} is more than {MAX_PIXELS:,} pixels; "
                         "make the picture smaller first")
    _shorten_transparent_colour(picture)
    picture.load()  # damaged pixels fail here; damaged metadata below does not matter
    with suppress(SyntaxError):
        ImageOps.exif_transpose(picture, in_place=True)
    if picture.mode[0] in "IF":  # I, I;16, I;16B, F: Pillow's own conversion clips at 255
        picture = _wide_grey(picture, is_file)
    if picture.mode in TRANSPARENT or "transparency" in picture.info:
        picture = _reduced(picture.convert("LA") if picture.mode == "La" else picture, factor,
                           "RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
        return np.array(picture.convert("RGB"))
    return np.array(_reduced(picture, factor, "RGB"))


def _factor(size, wanted):
    """By how much to divide the sides of a picture of (W, H), which may lie on its side."""
    if wanted is None or size[0] * size[1] <= LARGE:
        return 1
    return max(1, min(have // want for shape in (size, size[::-1])
                      for have, want in zip(shape, wanted(shape), strict=True)) // SPARE)


def _reduced(picture, factor, mode):
    picture = picture if picture.mode == mode else picture.convert(mode)
    return picture.reduce(factor) if factor > 1 else picture


def _shorten_transparent_colour(picture):
    """Of RGB with 16 bits Pillow keeps the upper 8, but all 16 of a colour that is transparent."""
    colour = picture.info.get("transparency")
    wide = any("16" in str(tile[3]) for tile in getattr(picture, "tile", ()))
    if isinstance(colour, tuple) and (wide or max(colour) > 255):
        picture.info["transparency"] = tuple(level >> 8 for level in colour)


def _wide_grey(picture, is_file):
    """Grey levels of more than 8 bits as a picture of 8."""
    from PIL import Image

    grey, transparent = np.asarray(picture), picture.info.get("transparency")
    most = grey.max()
    if grey.dtype.kind == "f" or grey.min() < 0 or most > 65535:
        raise ImageError(f"expected 8- or 16-bit pixels, got {grey.dtype} from {grey.min():g} to "
                         f"{most:g}; save it as an 8-bit PNG first")
    if most < 256 and grey.dtype.itemsize == 4 and not is_file:
        warnings.warn(f"images: whole numbers of up to {most} count as grey levels 0..255",
                      stacklevel=5)
        levels = grey.astype(np.uint8)
    else:
        if 0 < most < DARK:
            warnings.warn(f"images: a nearly black picture: its lightest pixel is {most} of 65535; "
                          "if it is a scan of 10 or 12 bits, scale it to 16 first", stacklevel=5)
        levels = np.empty(grey.shape, np.uint8)
        for row, found in zip(levels, grey, strict=True):  # one by one: the quotients are large
            row[:] = np.rint(found / 257)  # 65535 = 255 * 257
    if isinstance(transparent, int):
        levels[grey == transparent] = 255
    return Image.fromarray(levels)
