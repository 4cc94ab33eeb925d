"""Pictures: reading and writing files, preprocessing, displaying arrays.

What belongs here: reading (`decoding`) and writing one picture, writing any file completely or not
at all (`writing`), `Preprocessing` and the conversion to and from a network's input values, any
array as pixels 0..255 (`display`), showing pictures and numbers on screen (`showing`), the HTML by
which things show themselves in a notebook (`markup`). What does not: sources of many photos
(`minicnn.files.photos`), sheets, pages and animations of several pictures (`minicnn.report`), and
the steps of an optimisation (`minicnn.ascent`).
"""

from minicnn.images.pictures import (
    FORMATS,
    RESAMPLES,
    ImageError,
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
from minicnn.images.writing import atomic, check_folder, check_writable, sparing, write
from minicnn.rooms import offered

__all__ = ["CHANNELS", "FORMATS", "RESAMPLES", "ImageError", "Preprocessing", "atomic", "bounds",
           "check_destination", "check_finite", "check_folder", "check_writable", "decode",
           "encode", "enlarged", "height_width", "load", "normalize", "prepare", "resize",
           "restore", "save", "show", "sparing", "to_rgb", "write"]
__getattr__, __dir__ = offered(__name__)
