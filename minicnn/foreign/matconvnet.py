"""MatConvNet's simple networks: a .mat file with a list of layers, each a structure.

Only the names of fields count, never their order, which differs between versions. Kernels lie
(kh, kw, in/groups, out), red first where a network looks at photos. Dense layers are convolutions
over the whole map, and become Dense here, with weights (kh*kw*in, out). Arrays are named after the
layer: "conv1/0" the kernels, "conv1/1" the biases, `w` and `b` of our layer of that name.

Source: MatConvNet's manual; for the layers see `matconvnet_layers`.
"""

import numpy as np

from minicnn.files import mapped
from minicnn.foreign import mat5, matconvnet_layers
from minicnn.foreign.contents import Foreign
from minicnn.foreign.matconvnet_layers import empty, number
from minicnn.images import RESAMPLES, Preprocessing

WHAT = "a MatConvNet file (.mat)"
KIND = "MatConvNet network"
WANTED = {"layers", "meta", "net", "classes", "normalization", "params", "vars"}


def recognises(path):
    """Whether a file begins as one of MATLAB's does, damaged further on or not."""
    return mapped.head(path, 10) in (mat5.START[:10], b"MATLAB 7.3")


def read(path):
    """Read a MatConvNet file.

    Parameters
    ----------
    path : str or path
        Of the .mat file.

    Returns
    -------
    Foreign
        Layout "HWIO", with `layers` and `input_shape`, and with `preprocessing` and `labels` where
        the file says them. Where it does not say how large its images are, without `layers`, and
        with all weights as kernels.

    Raises
    ------
    WeightsError
        Naming the file, and what is wrong with it or the layer that has no counterpart here.
    """
    with mapped.opened(path, WHAT) as data:
        held = mat5.read(data, WANTED)
        held = held["net"] if isinstance(held.get("net"), dict) else held
        if "params" in held or "vars" in held:
            raise ValueError("it is a DagNN file, with params and vars; only simple networks, a "
                             "list of layers, can be read")
        if not isinstance(held.get("layers"), list) or not held["layers"]:
            raise ValueError("there is no cell 'layers' in it")
        return _foreign(held)


def _foreign(held):
    meta, notes = _dict(held, "meta"), []
    normal = _dict(meta, "normalization") or _dict(held, "normalization")
    classes = _dict(meta, "classes") or _dict(held, "classes")
    shape = _image_size(normal.get("imageSize", meta.get("inputSize")))
    records = matconvnet_layers.named(held["layers"])
    if shape is None:
        arrays = matconvnet_layers.kernels(records)
        unread = ("The file does not say how large its images are (meta.normalization.imageSize); "
                  "its own architecture is not used.")
        return Foreign(KIND, arrays, "HWIO", labels=_labels(classes), notes=[unread],
                       unread=unread)
    layers, arrays = matconvnet_layers.build(records, shape, notes)
    return Foreign(KIND, arrays, "HWIO", layers, shape, _preprocessing(normal, shape, notes),
                   _labels(classes), notes=notes)


def _image_size(size):
    """(H, W, C) or None."""
    if isinstance(size, list):  # {'input', [224 224 3 1]}
        size = size[-1] if size else None
    if not isinstance(size, np.ndarray) or size.size < 2 or size.dtype.kind not in "iuf":
        return None
    sides = [*np.ravel(size)[:3], 3][:3]
    if not all(np.isfinite(v) and 1 <= v <= 100_000 and v == int(v) for v in sides):
        raise ValueError(f"imageSize: expected [height width channels], got {sides!r:.80}")
    return tuple(int(v) for v in sides)


def _preprocessing(normal, shape, notes):
    """How a photo becomes the network's numbers; None where that is not told."""
    mean = normal.get("averageImage")
    if not isinstance(mean, np.ndarray) or mean.dtype.kind != "f" or shape[2] not in (1, 3):
        return None
    if mean.size in (1, shape[2]):
        mean = float(mean.flat[0]) if mean.size == 1 else tuple(float(v) for v in np.ravel(mean))
    how = normal.get("interpolation")
    try:
        if not empty(normal.get("imageStd", [])):
            raise ValueError("it has an imageStd too, which is not known here")
        return Preprocessing(shape[:2], "RGB" if shape[2] == 3 else "L", mean,
                             resize_to=_resize_to(normal, shape),
                             rule="crop" if number(normal, "keepAspect", 1) else "squash",
                             resample=how if how in RESAMPLES else "bicubic")
    except ValueError as error:
        notes.append(f"How it prepares its images is not used: {error}.")
        return None


def _resize_to(normal, shape):
    """The side before the crop: `cropSize` is the fraction that is kept, `border` what is cut."""
    if not empty(normal.get("cropSize", [])):
        kept = float(np.ravel(normal["cropSize"])[0])
        side = round(max(shape[:2]) / kept) if 0 < kept <= 1 else None
    else:
        side = max(shape[:2]) + round(number(normal, "border", 0))
    return None if side is None or side <= max(shape[:2]) else side


def _labels(classes):
    for key in ("description", "name"):
        names = classes.get(key)
        if isinstance(names, list) and names and all(isinstance(n, str) for n in names):
            return names
    return None


def _dict(held, key):
    return held[key] if isinstance(held.get(key), dict) else {}
