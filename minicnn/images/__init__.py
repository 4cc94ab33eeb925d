"""Pictures: files to arrays and back, preprocessing, folders of photos, what is not a photo shown.

What belongs here: reading and writing one picture (whole or not at all), `Preprocessing` and the
way into and out of a network's own numbers, where many photos come from (`photos`), any array
spread over 0..255 (`display`). What does not: sheets, pages and animations of several pictures
(`minicnn.report`), and what an optimisation does to its image (`minicnn.ascent`).
"""

from minicnn.images.pictures import (
    FORMATS,
    RESAMPLES,
    ImageError,
    atomic,
    check_destination,
    check_finite,
    decode,
    height_width,
    load,
    resize,
    save,
)
from minicnn.images.preprocessing import (
    CHANNELS,
    Preprocessing,
    bounds,
    normalize,
    prepare,
    restore,
    to_rgb,
)

__all__ = ["CHANNELS", "FORMATS", "RESAMPLES", "ImageError", "Preprocessing", "atomic", "bounds",
           "check_destination", "check_finite", "decode", "height_width", "load", "normalize",
           "prepare", "resize", "restore", "save", "to_rgb"]
