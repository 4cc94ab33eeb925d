"""Caffe's weight files: .caffemodel, with the architecture it holds, and .binaryproto means.

A .caffemodel is a NetParameter message: the layers of the network that was trained, with their
settings and, as "blobs", their weights. Arrays are named after the layer and the blob's number:

    conv1/0    kernels (out, in/groups, kh, kw)        fc6/0    weights (out, in), input in C,H,W
    conv1/1    biases (out,)                           fc6/1    biases (out,)

so "/0" and "/1" are `w` and `b` of the layer of that name. Where the architecture is understood,
Caffe's BatchNorm and the Scale after it are one BatchNorm layer, named after the former, with
arrays "bn1/gamma", "bn1/beta", "bn1/mean" and "bn1/variance", as our layer calls them. Where it is
not, `layers` is None, a note says why, and the arrays are those of the file.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from minicnn.files import mapped
from minicnn.foreign import (
    caffe_blobs,
    caffe_data,
    caffe_graph,
    caffe_layers,
    caffe_nodes,
    caffe_upgrade,
    prototxt,
)
from minicnn.foreign.caffe_layers import one
from minicnn.foreign.caffe_schema import BLOB, NET
from minicnn.foreign.contents import Foreign
from minicnn.foreign.protobuf import BYTES, WIRES, Reader, WireError
from minicnn.foreign.settings import Misfit

WHAT = "a Caffe model (.caffemodel)"
MEAN = "a Caffe mean image (.binaryproto)"


def recognises(path):
    """Whether a file begins as a NetParameter message does, damaged further on or not."""
    data = mapped.head(path, 65536)
    reader, at = Reader(data), 0
    try:
        while at < len(data):
            name, kind, wire, at = _field(reader, NET, at)
            if not _fits(kind, wire):
                return False
            value, at = reader.varint(at, len(data))  # or how long the value is
            if name in ("layer", "layers"):
                return _fits(*_field(reader, kind, at)[1:3])
            if wire == BYTES:
                at += value
            if name == "name" and not data[at - value:at].decode("utf-8", "replace").isprintable():
                return False
    except WireError:
        pass
    return False


def read(path, described=None, mean=None):
    """Read a .caffemodel file.

    Parameters
    ----------
    path : str or path
    described : str or path, optional
        A .prototxt with the architecture, used instead of that in the file; its layers take the
        weights of the same name, as in Caffe.
    mean : str or path, optional
        The .binaryproto with the mean image that was subtracted.

    Returns
    -------
    Foreign
        With arrays as at the top of this file; `layers`, `input_shape` and `preprocessing` as far
        as they are known. Where the size of the image has to be inferred, a note says so.

    Raises
    ------
    WeightsError
        Naming the file and what is wrong with it.
    """
    image = None if mean is None else read_mean(mean)[0]
    with mapped.opened(path, WHAT) as data:
        net, version = caffe_upgrade.current(Reader(data).message(NET))
        if not net.get("layer"):
            raise ValueError("there are no layers in it")
        source = _Source(net, version, caffe_blobs.weights(net["layer"]), image)
        if described is None:
            return _foreign(net, source)
    with mapped.opened(described, prototxt.WHAT) as data:
        return _foreign(prototxt.message(data), source)


def read_mean(path):
    """Read a mean image.

    Parameters
    ----------
    path : str or path
        A .binaryproto file.

    Returns
    -------
    image : (H, W, C) float32
        0..255, the channels in the file's order: of three, blue first in what Caffe's tools make
        of photos (in its CIFAR-10 example red is first).
    pixel : (C,) float32
        Its mean over all positions.

    Raises
    ------
    WeightsError
        Naming the file and what is wrong with it.
    """
    with mapped.opened(path, MEAN) as data:
        blob = caffe_blobs.array(Reader(data).message(BLOB))
        if blob.ndim == 4 and len(blob) == 1:
            blob = blob[0]
        if blob.ndim != 3 or len(blob) not in (1, 3) or 0 in blob.shape:
            raise ValueError(f"expected one image (1 or 3, H, W), got shape {blob.shape}")
        if not np.isfinite(blob).all():
            raise ValueError("its numbers are not finite")
    image = np.array(blob.transpose(1, 2, 0), np.float32, order="C")  # C,H,W -> H,W,C, off the file
    return image, image.mean(axis=(0, 1), dtype=np.float64).astype(np.float32)  # H,W,C -> C


class _Source(NamedTuple):
    """What a .caffemodel holds: `weights` are {layer: (Caffe's type, its arrays)}."""

    net: dict
    version: str
    weights: dict
    mean: Any


def _field(reader, schema, at):
    """(name, kind, wire type, where its value begins) of the field at a byte."""
    tag, at = reader.varint(at, len(reader.data))
    return *schema.get(tag >> 3, ("", None)), tag & 7, at


def _fits(kind, wire):
    return wire in ((BYTES,) if isinstance(kind, dict) else WIRES.get(kind, ()))


# ---- the architecture

def _foreign(described, source):
    """What is known of a model whose layers the message `described` tells."""
    images = _images(described, source)
    result = {"format": f"Caffe model ({source.version} layers)", "layout": "OIHW",
              "says": {"network": one(source.net, "name", "")}}
    try:
        translation, shape, notes = _architecture(described, source, images)
    except Misfit as error:
        if described is not source.net:
            raise
        arrays = {f"{name}/{k}": array for name, (_, blobs) in source.weights.items()
                  for k, array in enumerate(blobs)}
        unread = f"Its own architecture is not used: {error}."
        return Foreign(arrays=arrays, notes=[unread], unread=unread, **result)
    arrays, turned = caffe_blobs.arrays(translation, described, source.weights)
    prepared, how = caffe_data.preprocessing(images, shape, source.mean)
    return Foreign(arrays=arrays, layers=translation.rows, input_shape=shape,
                   preprocessing=prepared, notes=notes + translation.notes + turned + how, **result)


def _images(described, source):
    """What is known of the images: the description's word, else the model's, else the mean's."""
    said, own = caffe_data.images(described), caffe_data.images(source.net)
    height, width, channels = (None, None, None) if source.mean is None else source.mean.shape
    return replace(own if own.prepared and not said.prepared else said,
                   height=said.height or own.height or height,
                   width=said.width or own.width or width,
                   channels=said.channels or _channels(described, source) or channels)


def _channels(described, source):
    """How many the first convolution reads; None where the network begins otherwise."""
    first = next((layer for layer in described["layer"]
                  if one(layer, "type") in ("Convolution", "InnerProduct")), {})
    convolves = one(first, "type") == "Convolution"
    return caffe_blobs.inputs(first, source.weights) if convolves else None


def _architecture(described, source, images):
    """(Translation, (H, W, C) or None, notes)."""
    phases = [caffe_layers.word(layer, "phase", caffe_nodes.PHASES)
              for layer in source.net["layer"] if "phase" in layer]
    phase = "TRAIN" if described is source.net and "TRAIN" in phases else "TEST"
    shape = images.height, images.width, images.channels
    if all(shape):
        return caffe_graph.translated(described, phase, shape), shape, []
    translation = caffe_graph.translated(described, phase)
    channels, sides = caffe_data.fitting_sides(translation.rows, {
        one(layer, "name"): caffe_blobs.inputs(layer, source.weights)
        for layer in described["layer"]})
    if not sides:
        return translation, None, ["The file does not say how large its images are."]
    side = caffe_data.likely_side(sides)
    shape = side, side, channels
    return caffe_graph.translated(described, phase, shape), shape, [
        f"The file does not say how large its images are; {side} x {side} is taken, of the sides "
        f"{sides[0]} to {sides[-1]} that fit its first dense layer."]
