"""What is built of a Keras model so far, and how its next layer is padded; see `keras_layers`."""

from dataclasses import dataclass, field
from math import ceil
from typing import Any

import numpy as np

from minicnn.foreign.settings import pair
from minicnn.ops.window import output_size


@dataclass
class Chain:
    """What has been built so far.

    Attributes
    ----------
    input_shape : (H, W, C)
    name : str
        The model's.
    shape : (H, W, C) or (D,)
        What the next layer will get.
    layers : list of (str, Layer)
        By Keras' names; an activation that is a setting in Keras is called conv1_relu.
    zeros : (int, int)
        Zeros around the image, above and left as below and right, that a ZeroPadding2D has put
        there and the next layer has to.
    grown : dict of str to (int, int)
        How many rows and columns of zeros to put before the kernels of a layer.
    preprocessing : images.Preprocessing or None
        Where the model begins with a Rescaling.
    notes : list of str
        What was left out, and what to know.
    """

    input_shape: tuple
    name: str = ""
    layers: list = field(default_factory=list)
    zeros: tuple = (0, 0)
    grown: dict = field(default_factory=dict)
    preprocessing: Any = None
    notes: list = field(default_factory=list)

    def __post_init__(self):
        self.shape = self.input_shape

    def put(self, name, layer):
        """Add a layer, with the shapes checked; the zeros are then taken care of."""
        layer.param_shapes(self.shape)
        self.shape = layer.output_shape(self.shape)
        self.layers.append((name, layer))
        self.zeros = (0, 0)

    def fitted(self, arrays):
        """The arrays of a file, {"conv1/kernel": (kh, kw, in, out), ...}, as `layers` need them."""
        grown = {f"{layer}/kernel": extra for layer, extra in self.grown.items()}
        return {key: np.pad(w, [(n, 0) for n in grown[key]] + [(0, 0)] * 2)
                if key in grown and w.ndim == 4 else w for key, w in arrays.items()}


def missing(size, kernel, stride, dilation=1):
    """How many samples "same" adds along one axis."""
    return max((ceil(size / stride) - 1) * stride + dilation * (kernel - 1) + 1 - size, 0)


def _count(size, window, stride, pad, rounding):
    """How many windows there are along one axis, perhaps none."""
    try:
        return output_size(size, window, stride, pad, 1, rounding)
    except ValueError:
        return 0


def note_size(chain, name):
    """Note that a layer's padding holds for images of this size."""
    chain.notes.append(f"Layer {name} is padded as Keras pads images of {chain.shape[0]}x"
                       f"{chain.shape[1]}; other sizes Keras may pad otherwise.")


def windows(chain, name, s):
    """(window, stride, pad, rounding) of a pooling.

    One sample more after the image than before it is what rounding up does: what lies there is not
    looked at either way.
    """
    window = pair(s.get("pool_size", 2), "pool_size")
    stride = window if s.get("strides") is None else pair(s["strides"], "strides")
    if any(zero >= side for zero, side in zip(chain.zeros, window, strict=True)):
        raise ValueError(f"there are windows {window} wholly among the zeros put around its input")
    if not same(s):
        return window, stride, chain.zeros, "floor"
    if any(chain.zeros):
        raise ValueError("padding 'same' on top of zeros put around the image")
    sizes = chain.shape[:2]
    counts = [ceil(size / step) for size, step in zip(sizes, stride, strict=True)]
    pad = tuple(missing(sizes[a], window[a], stride[a]) // 2 for a in (0, 1))
    if any(window[a] > stride[a] > 1 for a in (0, 1)):
        note_size(chain, name)
    for rounding in ("floor", "ceil"):
        if all(_count(sizes[a], window[a], stride[a], pad[a], rounding) == counts[a]
               for a in (0, 1)):
            return window, stride, pad, rounding
    raise ValueError(f"padding 'same' of a window {window} at step {stride} has one side more than "
                     "the other; here both sides are padded alike")


def same(s):
    """Whether the padding of a layer's settings is "same"; it is "valid" otherwise."""
    padding = s.get("padding", "valid")
    if padding not in ("same", "valid"):
        raise ValueError(f"padding is 'same' or 'valid', got {padding!r:.60}")
    return padding == "same"
