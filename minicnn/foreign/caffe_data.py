"""What a Caffe network says about its images: their size and their preprocessing.

A deployed network gives its input size. A network in training has a data layer instead, which may
give the size of the crop, the mean to subtract and the scale to multiply by, but not the size of
the images before the crop. Colour images are B, G, R.
"""

from bisect import bisect_left
from dataclasses import dataclass
from math import prod

import numpy as np

from minicnn.foreign import settings
from minicnn.foreign.caffe_graph import SOURCES, included
from minicnn.foreign.caffe_layers import flag, number, one, whole
from minicnn.images import Preprocessing
from minicnn.network import INPUT
from minicnn.network.layers import Conv, Dense

LARGEST_SIDE = 4096  # tried when a size is inferred
SIDES = ("channels", "height", "width")


@dataclass(frozen=True)
class Images:
    """What is known about a network's images; None means unknown.

    Attributes
    ----------
    channels, height, width : int or None
    prepared : bool
        Whether a data layer says how images were prepared.
    scale : float
        x = (pixel - mean) * scale.
    mean : tuple of float
        One number, or one per channel; empty if nothing is subtracted.
    mean_file : str or None
        The file with the mean image that was subtracted.
    cropped : bool
        Whether height and width are those of a crop of each image.
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
    """Read what a network says about its images, from its inputs or its data layer.

    Parameters
    ----------
    net : dict of str to list
        In the current form (`caffe_upgrade.current`).

    Returns
    -------
    Images
    """
    layers = net.get("layer", [])
    shapes = net.get("input_shape", []) + [
        shape for layer in layers if one(layer, "type") == "Input"
        for message in layer.get("input_param", []) for shape in message.get("shape", [])]
    dims = shapes[0].get("dim", []) if shapes else net.get("input_dim", [])[:4]
    if len(dims) == 4:
        return Images(*[settings.whole(side, "dim") for side in dims][1:])
    sources = [layer for layer in layers if one(layer, "type") in SOURCES]
    tested = [layer for layer in sources if included(layer, "TEST")]
    return _from_source((tested or sources)[0]) if sources else Images()


def preprocessing(found, shape, mean=None):
    """The preprocessing of a network's photos, as far as it is known.

    Caffe's tools write B, G, R, but no file says so. In photographs red is the brightest channel on
    average and blue the darkest. A mean that falls from the first channel to the last therefore
    means R, G, B, as in Caffe's CIFAR-10 example. Files do not give the image size before the crop
    either: crops of about 224 are assumed to come from 256, as usual with Caffe and ImageNet.

    Parameters
    ----------
    found : Images
    shape : (H, W, C) or None
        The image's shape, if known.
    mean : array (H, W, C), optional
        The mean image.

    Returns
    -------
    prepared : images.Preprocessing or None
    notes : list of str
    """
    if shape and mean is None and found.mean_file:
        return None, [f"The mean image {found.mean_file!r:.80} was subtracted; give its "
                      ".binaryproto with the model."]
    *size, channels = shape or (0, 0, 0)
    if channels not in (1, 3) or (mean is None and not found.prepared):
        return None, []
    pixel = np.ravel(found.mean or 0.0) if mean is None else mean.mean(axis=(0, 1))  # H,W,C -> C
    order, notes = "L" if channels == 1 else "BGR", []
    if channels == 3 and pixel[0] > pixel[-1]:
        order = "RGB"
        notes.append("The mean is brightest in the first channel: the channels are assumed to be "
                     "red, green, blue.")
    before = 256 if found.cropped and min(size) >= 200 and max(size) < 256 else None
    if before:
        notes.append(f"The file does not give the image size before the crop; {before} is assumed.")
    said = (tuple(pixel) if pixel.size > 1 else pixel[0]) if mean is None else mean
    try:
        return Preprocessing(tuple(size), order, said, found.scale, before), notes
    except ValueError as error:
        if mean is not None:
            raise
        return None, [f"Its preprocessing is not used: {error}."]


def fitting_sides(rows, inputs):
    """The sides of square images that give the first dense layer its number of inputs.

    Parameters
    ----------
    rows : list of (str, Layer, list of str)
    inputs : dict of str to int
        {layer: the input channels of a convolution, the inputs of a dense layer}.

    Returns
    -------
    channels : int or None
    sides : range
        The sides that fit; empty if none fits or there is no dense layer.
    """
    first = next((name for name, layer, _ in rows if isinstance(layer, (Conv, Dense))), None)
    dense = next((name for name, layer, _ in rows if isinstance(layer, Dense)), None)
    channels = [1, 3] if first is None or first == dense else [inputs.get(first)]
    for c in channels if inputs.get(dense) and all(channels) else []:
        low, high = (1 + bisect_left(range(1, LARGEST_SIDE + 1), inputs[dense] + more,
                                     key=lambda side, c=c: _numbers(rows, dense, (side, side, c)))
                     for more in (0, 1))
        if low < high <= LARGEST_SIDE:
            return c, range(low, high)
    return (channels[0] if len(channels) == 1 else None), range(0)


def likely_side(sides):
    """The side divisible by the highest power of 2: 28 of 27 and 28, 32 of 32 to 39."""
    return max(sides, key=lambda side: side & -side)


def _numbers(rows, dense, image):
    """The number of values that layer `dense` reads; 0 if the image is too small."""
    shapes = {INPUT: image}
    for name, layer, inputs in rows:
        below = [shapes[place] for place in inputs]
        if name == dense:
            return prod(below[0])
        try:
            shapes[name] = layer.output_shape(below if layer.several else below[0])
        except (ValueError, IndexError):
            return 0


def _from_source(layer):
    memory, dummy = one(layer, "memory_data_param"), one(layer, "dummy_data_param")
    if memory:
        return Images(*(whole(memory, key, least=1) for key in SIDES))
    if dummy:
        dims = (dummy.get("shape") or [{}])[0].get("dim", [])[1:4] or [
            (dummy.get(key) or [0])[0] for key in SIDES]
        return Images(*(settings.whole(side, "dim") for side in dims))
    said = one(layer, "data_param", {}) | one(layer, "image_data_param", {}) | one(
        layer, "transform_param", {})
    side = whole(said, "crop_size", 0)
    grey = flag(said, "force_gray", False) or not flag(said, "is_color", True)
    height, width = (side or whole(said, key, 0) or None for key in ("new_height", "new_width"))
    mean = tuple(settings.number(value, "mean_value") for value in said.get("mean_value", []))
    return Images(1 if grey else None, height, width, True, number(said, "scale", 1.0), mean,
                  one(said, "mean_file"), bool(side))
