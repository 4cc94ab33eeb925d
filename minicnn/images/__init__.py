"""Pictures: reading and writing files, preprocessing, folders of photos, displaying arrays.

What belongs here: reading (`decoding`) and writing one picture (completely or not at all),
`Preprocessing` and the conversion to and from a network's input values, sources of many photos
(`photos`), any array as pixels 0..255 (`display`), showing pictures on screen (`showing`). What
does not: sheets, pages and animations of several pictures (`minicnn.report`), and the steps of an
optimisation (`minicnn.ascent`).
"""

from minicnn.images.pictures import (
    FORMATS,
    RESAMPLES,
    ImageError,
    atomic,
    check_destination,
    check_finite,
    decode,
    encode,
    enlarged,
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
from minicnn.images.showing import show

__all__ = ["CHANNELS", "FORMATS", "RESAMPLES", "ImageError", "Preprocessing", "atomic", "bounds",
           "check_destination", "check_finite", "decode", "encode", "enlarged", "height_width",
           "load", "normalize", "prepare", "resize", "restore", "save", "show", "to_rgb"]
