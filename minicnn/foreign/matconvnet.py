"""Reader of MatConvNet's simple networks: a .mat file with a list of layers, each a structure.

Fields are found by name, since their order differs between versions. Kernels are (kh, kw,
in/groups, out), with red first in networks for photos. Dense layers are convolutions over the whole
map, and become `Dense` with weights (kh*kw*in, out). Arrays are named after the layer: "conv1/0"
are the kernels, "conv1/1" the biases, `w` and `b` of minicnn's layer.

Source: MatConvNet's manual; `matconvnet_layers` translates the layers.
"""

import numpy as np

from minicnn.files import mapped
from minicnn.foreign import mat5, matconvnet_layers
from minicnn.foreign.contents import Foreign
from minicnn.foreign.matconvnet_layers import empty, number
from minicnn.foreign.settings import require
from minicnn.images import RESAMPLES, Preprocessing

WHAT = "a MatConvNet file (.mat)"
KIND = "MatConvNet network"
WANTED = {"layers", "meta", "net", "classes", "normalization", "params", "vars"}


def recognises(path):
    """Whether a file begins like a MATLAB file; the rest may be damaged."""
    return mapped.head(path, 10) in (mat5.START[:10], b"MATLAB 7.3")


def read(path):
    """Read a MatConvNet file.

    Parameters
    ----------
    path : str or path
        The .mat file.

    Returns
    -------
    Foreign
        Layout "HWIO", with `layers` and `input_shape`, and with `preprocessing` and `labels` if the
        file gives them. If it does not give the size of its images, `layers` is None, and all
        weights are kernels.

    Raises
    ------
    WeightsError
        Naming the file, and what is wrong with it or the layer that is not supported.
    """
    with mapped.opened(path, WHAT) as data:
        held = mat5.read(data, WANTED)
        held = held["net"] if isinstance(held.get("net"), dict) else held
        require("params" not in held and "vars" not in held, "it is a DagNN file, with params and "
                "vars; only simple networks, with a list of layers, can be read")
        if not isinstance(held.get("layers"), list) or not held["layers"]:
            raise ValueError("there is no cell 'layers' in it")
        return _foreign(held)


def _foreign(held):
    meta, notes = _dict(held, "meta"), []
    normal = _dict(meta, "normalization") or _dict(held, "normalization")
    labels = _labels(_dict(meta, "classes") or _dict(held, "classes"))
    shape = _image_size(normal.get("imageSize", meta.get("inputSize")))
    records = matconvnet_layers.named(held["layers"])
    if shape is None:
        unread = ("The file does not give the size of its images (meta.normalization.imageSize); "
                  "its own architecture is not used.")
        return Foreign(KIND, matconvnet_layers.kernels(records), "HWIO", labels=labels,
                       notes=[unread], unread=unread)
    layers, arrays = matconvnet_layers.build(records, shape, notes)
    prepared = _preprocessing(normal, shape, notes)
    return Foreign(KIND, arrays, "HWIO", layers, shape, prepared, labels, notes=notes)


def _image_size(size):
    """(H, W, C) or None."""
    if isinstance(size, list):  # {'input', [224 224 3 1]}
        size = size[-1] if size else None
    if not isinstance(size, np.ndarray) or size.size < 2 or size.dtype.kind not in "iuf":
        return None
    sides = [*np.ravel(size)[:3], 3][:3]
    require(all(np.isfinite(v) and 1 <= v <= 100_000 and v == int(v) for v in sides),
            "imageSize: expected [height width channels], got {!r:.80}", sides)
    return tuple(int(v) for v in sides)


def _preprocessing(normal, shape, notes):
    """The preprocessing of photos; None if the file does not give it."""
    mean = normal.get("averageImage")
    if not isinstance(mean, np.ndarray) or mean.dtype.kind != "f" or shape[2] not in (1, 3):
        return None
    if mean.size in (1, shape[2]):
        mean = float(mean.flat[0]) if mean.size == 1 else tuple(float(v) for v in np.ravel(mean))
    how, squash = normal.get("interpolation"), not number(normal, "keepAspect", 1)
    try:
        require(empty(normal.get("imageStd", [])), "it has an imageStd, which is not supported")
        return Preprocessing(shape[:2], "RGB" if shape[2] == 3 else "L", mean,
                             resize_to=_resize_to(normal, max(shape[:2])),
                             rule="squash" if squash else "crop",
                             resample=how if how in RESAMPLES else "bicubic")
    except ValueError as error:
        notes.append(f"Its preprocessing is not used: {error}.")
        return None


def _resize_to(normal, side):
    """The side before the crop: `cropSize` is the fraction kept, `border` the pixels cut off."""
    before = side + round(number(normal, "border", 0))
    if not empty(normal.get("cropSize", [])):
        kept = float(np.ravel(normal["cropSize"])[0])
        before = round(side / kept) if 0 < kept <= 1 else side
    return before if before > side else None


def _labels(classes):
    for key in ("description", "name"):
        names = classes.get(key)
        if isinstance(names, list) and names and all(isinstance(n, str) for n in names):
            return names
    return None


def _dict(held, key):
    return held[key] if isinstance(held.get(key), dict) else {}
