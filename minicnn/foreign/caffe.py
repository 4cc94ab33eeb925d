"""Reader of Caffe's weight files: .caffemodel with its architecture, and .binaryproto mean images.

A .caffemodel is a NetParameter message: the layers of the trained network with their settings and
their weights, called "blobs". Arrays are named after the layer and the blob's number:

    conv1/0    kernels (out, in/groups, kh, kw)        fc6/0    weights (out, in), input in C,H,W
    conv1/1    biases (out,)                           fc6/1    biases (out,)

So "/0" and "/1" are `w` and `b` of the layer of that name. If the architecture is understood,
Caffe's BatchNorm and the Scale after it become one BatchNorm layer with the name of the first and
the arrays "bn1/gamma", "bn1/beta", "bn1/mean" and "bn1/variance", as in minicnn. Otherwise `layers`
is None, a note says why, and the arrays are those of the file.
"""

from contextlib import suppress
from dataclasses import replace

import numpy as np

from minicnn.files import mapped
from minicnn.foreign import caffe_blobs, caffe_data, caffe_graph, caffe_upgrade, prototxt
from minicnn.foreign.caffe_layers import one, word
from minicnn.foreign.caffe_schema import BLOB, NET
from minicnn.foreign.contents import Foreign
from minicnn.foreign.protobuf import BYTES, WIRES, Reader, WireError
from minicnn.foreign.settings import Misfit, require

WHAT = "a Caffe model (.caffemodel)"
MEAN = "a Caffe mean image (.binaryproto)"


def recognises(path):
    """Whether a file begins like a NetParameter message; the rest may be damaged."""
    data = mapped.head(path, 65536)
    reader, at = Reader(data), 0
    with suppress(WireError):
        while at < len(data):
            name, kind, wire, at = _field(reader, NET, at)
            value, start = reader.varint(at, len(data))  # the value, or its length
            if name in ("layer", "layers"):
                return _fits(kind, wire) and _fits(*_field(reader, kind, start)[1:3])
            at = start + value if wire == BYTES else start
            if not _fits(kind, wire) or name == "name" and not (
                    data[start:at].decode("utf-8", "replace").isprintable()):
                return False
    return False


def read(path, described=None, mean=None):
    """Read a .caffemodel file.

    Parameters
    ----------
    path : str or path
    described : str or path, optional
        A .prototxt with the architecture, which replaces the one in the file; its layers take the
        weights of the same name, as in Caffe.
    mean : str or path, optional
        The .binaryproto with the mean image that was subtracted.

    Returns
    -------
    Foreign
        With arrays named as described above; `layers`, `input_shape` and `preprocessing` as far as
        they are known. If the image size has to be inferred, a note says so.

    Raises
    ------
    WeightsError
        Naming the file and what is wrong with it.
    """
    image = None if mean is None else read_mean(mean)[0]
    with mapped.opened(path, WHAT) as data:
        net, version = caffe_upgrade.current(Reader(data).message(NET))
        require(net.get("layer"), "it has no layers")
        weights, kind = caffe_blobs.weights(net["layer"]), f"Caffe model ({version} layers)"
        if described is None:
            return _foreign(kind, net, net, weights, image)
    with mapped.opened(described, prototxt.WHAT) as data:
        return _foreign(kind, prototxt.message(data), net, weights, image)


def read_mean(path):
    """Read a mean image.

    Parameters
    ----------
    path : str or path
        A .binaryproto file.

    Returns
    -------
    image : (H, W, C) float32
        0..255, with the channels in the file's order: Caffe's tools write B, G, R for photos (its
        CIFAR-10 example R, G, B).
    pixel : (C,) float32
        The mean over all positions.

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
        require(np.isfinite(blob).all(), "not all of its numbers are finite")
    image = np.array(blob.transpose(1, 2, 0), np.float32, order="C")  # C,H,W -> H,W,C, off the file
    return image, image.mean(axis=(0, 1), dtype=np.float64).astype(np.float32)  # H,W,C -> C


def _field(reader, schema, at):
    """(name, kind, wire type, first byte of the value) of the field at a byte."""
    tag, at = reader.varint(at, len(reader.data))
    return *schema.get(tag >> 3, ("", None)), tag & 7, at


def _fits(kind, wire):
    return wire in ((BYTES,) if isinstance(kind, dict) else WIRES.get(kind, ()))


# ---- the architecture

def _foreign(kind, described, net, weights, mean):
    """The Foreign of a model: the message `described` describes its layers, usually the model `net`
    itself; `weights` are {layer: (Caffe's type, its arrays)}."""
    says, images = {"network": one(net, "name", "")}, _images(described, net, weights, mean)
    try:
        translation, shape, notes = _architecture(described, net, weights, images)
    except Misfit as error:
        if described is not net:
            raise
        arrays = {f"{name}/{k}": array for name, (_, blobs) in weights.items()
                  for k, array in enumerate(blobs)}
        unread = f"Its own architecture is not used: {error}."
        return Foreign(kind, arrays, "OIHW", says=says, notes=[unread], unread=unread)
    arrays, turned = caffe_blobs.arrays(translation, described, weights)
    prepared, how = caffe_data.preprocessing(images, shape, mean)
    return Foreign(kind, arrays, "OIHW", translation.rows, shape, prepared, says=says,
                   notes=notes + translation.notes + turned + how)


def _images(described, net, weights, mean):
    """What is known of the images: from the description, else the model, else the mean image."""
    said, own = caffe_data.images(described), caffe_data.images(net)
    height, width, channels = (None, None, None) if mean is None else mean.shape
    first = next((layer for layer in described["layer"]
                  if one(layer, "type") in ("Convolution", "InnerProduct")), {})
    if one(first, "type") == "Convolution":
        channels = caffe_blobs.inputs(first, weights) or channels
    return replace(own if own.prepared and not said.prepared else said,
                   height=said.height or own.height or height,
                   width=said.width or own.width or width, channels=said.channels or channels)


def _architecture(described, net, weights, images):
    """(Translation, (H, W, C) or None, notes)."""
    phases = [word(layer, "phase", caffe_graph.PHASES)
              for layer in net["layer"] if "phase" in layer]
    phase = "TRAIN" if described is net and "TRAIN" in phases else "TEST"
    shape, notes = (images.height, images.width, images.channels), []
    if not all(shape):
        translation = caffe_graph.translated(described, phase)
        channels, sides = caffe_data.fitting_sides(translation.rows, {
            one(layer, "name"): caffe_blobs.inputs(layer, weights)
            for layer in described["layer"]})
        if not sides:
            return translation, None, ["The file does not give the size of its images."]
        side = caffe_data.likely_side(sides)
        shape = side, side, channels
        notes.append(f"The file does not give the size of its images; {side} x {side} is assumed, "
                     f"as sides from {sides[0]} to {sides[-1]} fit its first dense layer.")
    return caffe_graph.translated(described, phase, shape), shape, notes
