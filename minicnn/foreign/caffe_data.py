"""What a Caffe network says of its images: their size, and how they were prepared.

A network for use says its input's size. One in training has a data layer instead, which may say
how large a piece is cut out of each image, what is subtracted, and by what it is multiplied; of
the images' own size it says nothing. Colour images are B, G, R.
"""

from dataclasses import dataclass
from math import prod

import numpy as np

from minicnn.foreign.caffe_layers import flag, number, one, whole
from minicnn.foreign.caffe_nodes import SOURCES, included
from minicnn.images import Preprocessing
from minicnn.network import INPUT
from minicnn.network.layers import Conv, Dense

LARGEST_SIDE = 4096  # looked at where a size is inferred


@dataclass(frozen=True)
class Images:
    """What is known of a network's images; None where it is not.

    Attributes
    ----------
    channels, height, width : int or None
    prepared : bool
        Whether a data layer says how images were prepared.
    scale : float
        x = (pixel - mean) * scale.
    mean : tuple of float
        One number, or one a channel; empty where nothing is subtracted.
    mean_file : str or None
        The file with the mean image that was subtracted.
    cropped : bool
        Whether height and width are those of a piece that is cut out of each image.
    """

    channels: int | None = None
    height: int | None = None
    width: int | None = None
    prepared: bool = False
    scale: float = 1.0
    mean: tuple = ()
    mean_file: str | None = None
    cropped: bool = False


def images(net):
    """Read what a network says of its images, from its inputs or its data layer.

    Parameters
    ----------
    net : dict of str to list
        In the present form.

    Returns
    -------
    Images
    """
    dims = _input_dims(net)
    if dims:
        return Images(*dims[1:4])
    sources = [layer for layer in net.get("layer", []) if one(layer, "type") in SOURCES]
    if not sources:
        return Images()
    tested = [layer for layer in sources if included(layer, "TEST")]
    return _from_source((tested or sources)[0])


def preprocessing(found, shape, mean=None):
    """How a photo becomes the network's numbers, as far as it is known.

    Caffe's tools put blue first, and no file says so. In photographs red is the brightest channel
    on average and blue the darkest; a mean that falls from the first channel to the last is
    therefore taken as one with red first, as that of Caffe's CIFAR-10 example is. What was the
    size of images before a piece was cut out is not told either: pieces of around 224 come from
    256, as everywhere with Caffe and ImageNet.

    Parameters
    ----------
    found : Images
    shape : (H, W, C) or None
        The image's, where it is known.
    mean : array (H, W, C), optional
        The mean image.

    Returns
    -------
    prepared : images.Preprocessing or None
    notes : list of str
    """
    if shape is None:
        return None, []
    if mean is None and found.mean_file:
        return None, [f"A mean image was subtracted, {found.mean_file!r:.80}; its .binaryproto "
                      "can be given beside the model."]
    *size, channels = shape
    if channels not in (1, 3) or (mean is None and not found.prepared):
        return None, []
    pixel = np.ravel(found.mean or 0.0) if mean is None else mean.mean(axis=(0, 1))
    red_first = channels == 3 and pixel[0] > pixel[-1]
    order = "L" if channels == 1 else "RGB" if red_first else "BGR"
    notes = ["The mean is brightest in the first channel: the channels are taken as red, green, "
             "blue."] if red_first else []
    before = 256 if found.cropped and min(size) >= 200 and max(size) < 256 else None
    if before:
        notes.append(f"The file does not say of what size images are cropped; {before} is taken.")
    said = (tuple(pixel) if pixel.size > 1 else pixel[0]) if mean is None else mean
    try:
        return Preprocessing(tuple(size), order, said, found.scale, before), notes
    except ValueError as error:
        if mean is not None:
            raise
        return None, [f"How it prepares its images is not used: {error}."]


def fitting_sides(rows, inputs):
    """The sides of square images for which the first dense layer gets the inputs it has.

    Parameters
    ----------
    rows : list of (str, Layer, list of str)
    inputs : dict of str to int
        How many channels a convolution, and how many numbers a dense layer reads, by name.

    Returns
    -------
    channels : int or None
    sides : range
        Those that fit; empty where none does, or no dense layer fixes them.
    """
    first = next((name for name, layer, _ in rows if isinstance(layer, (Conv, Dense))), None)
    dense = next((name for name, layer, _ in rows if isinstance(layer, Dense)), None)
    channels = [1, 3] if first is None or first == dense else [inputs.get(first)]
    for c in channels if inputs.get(dense) and all(channels) else []:
        low, high = (_smallest(rows, dense, c, inputs[dense] + more) for more in (0, 1))
        if low < high <= LARGEST_SIDE:
            return c, range(low, high)
    return (channels[0] if len(channels) == 1 else None), range(0)


def likely_side(sides):
    """The one most often halved without remainder: of 27 and 28 it is 28, of 32 to 39 it is 32."""
    return max(sides, key=lambda side: side & -side)


def _smallest(rows, dense, channels, wanted):
    """The smallest side at which layer `dense` reads at least `wanted` numbers."""
    low, high = 1, LARGEST_SIDE + 1
    while low < high:
        side = (low + high) // 2
        if _numbers(rows, dense, (side, side, channels)) < wanted:
            low = side + 1
        else:
            high = side
    return low


def _numbers(rows, dense, image):
    shapes = {INPUT: image}
    for name, layer, inputs in rows:
        below = [shapes[place] for place in inputs]
        if name == dense:
            return prod(below[0])
        try:
            shapes[name] = layer.output_shape(below if layer.several else below[0])
        except (ValueError, IndexError):  # too small an image
            return 0


def _input_dims(net):
    """(N, C, H, W) as the network's input says it; None where it says nothing."""
    layers = [layer for layer in net.get("layer", []) if one(layer, "type") == "Input"]
    shapes = net.get("input_shape", []) + [shape for layer in layers
                                           for message in layer.get("input_param", [])
                                           for shape in message.get("shape", [])]
    dims = shapes[0].get("dim", []) if shapes else net.get("input_dim", [])[:4]
    return [_side(v) for v in dims] if len(dims) == 4 else None


def _side(value):
    return whole({"dim": [value]}, "dim", least=1)


def _from_source(layer):
    memory, dummy = one(layer, "memory_data_param"), one(layer, "dummy_data_param")
    if memory:
        return Images(*(whole(memory, key, least=1) for key in ("channels", "height", "width")))
    if dummy:
        dims = (dummy.get("shape") or [{}])[0].get("dim") or [
            (dummy.get(key) or [0])[0] for key in ("num", "channels", "height", "width")]
        return Images(*map(_side, dims[1:4]))
    old = one(layer, "data_param", {}) | one(layer, "image_data_param", {})
    said = old | one(layer, "transform_param", {})
    side = whole(said, "crop_size", 0)
    grey = flag(said, "force_gray", False) or not flag(said, "is_color", True)
    return Images(channels=1 if grey else None,
                  height=side or whole(said, "new_height", 0) or None,
                  width=side or whole(said, "new_width", 0) or None,
                  prepared=True, scale=number(said, "scale", 1.0),
                  mean=tuple(number({"mean_value": [v]}, "mean_value", 0)
                             for v in said.get("mean_value", [])),
                  mean_file=one(said, "mean_file"), cropped=bool(side))
