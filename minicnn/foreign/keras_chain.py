"""`Chain`, the layers translated so far from a Keras model, and Keras' padding (`keras_layers`)."""

from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import numpy as np

from minicnn.foreign.settings import pair, require
from minicnn.ops.window import output_size


@dataclass
class Chain:
    """The layers translated so far.

    Attributes
    ----------
    input_shape : (H, W, C)
    name : str
        The model's name.
    shape : (H, W, C) or (D,)
        The input shape of the next layer.
    layers : list of (str, Layer)
        By Keras' names; an activation that is a setting in Keras is called conv1_relu.
    zeros : (int, int)
        Rows above and below, columns left and right, of zeros that a ZeroPadding2D added; the next
        layer takes them over as its padding.
    grown : dict of str to (int, int)
        {layer: rows and columns of zeros to put before its kernels}.
    preprocessing : images.Preprocessing or None
        Set if the model begins with a Rescaling.
    notes : list of str
        Layers left out, and other remarks for the user.
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
        """Add a layer that takes over the `zeros`, and check the shapes."""
        layer.param_shapes(self.shape)
        self.shape = layer.output_shape(self.shape)
        self.layers.append((name, layer))
        self.zeros = (0, 0)

    def fitted(self, arrays):
        """A file's arrays, {"conv1/kernel": (kh, kw, in, out), ...}, in the form of `layers`."""
        for layer, extra in self.grown.items():
            w = arrays.get(f"{layer}/kernel")
            if w is not None and w.ndim == 4:
                arrays = arrays | {f"{layer}/kernel": np.pad(
                    w, [(n, 0) for n in extra] + [(0, 0)] * 2)}
        return arrays


def missing(size, kernel, stride, dilation=1):
    """The number of zeros that padding "same" adds along one axis."""
    return max((ceil(size / stride) - 1) * stride + dilation * (kernel - 1) + 1 - size, 0)


def note_size(chain, name):
    """Note that a layer's padding is only valid for inputs of this size."""
    chain.notes.append(f"Layer {name} is padded as Keras pads inputs of {chain.shape[0]}x"
                       f"{chain.shape[1]}; Keras may pad other sizes differently.")


def windows(chain, name, s):
    """(window, stride, pad, rounding) of a pooling.

    Rounding up has the same effect as padding one more row or column after the image than before
    it, since a pooling ignores its padding.
    """
    window = pair(s.get("pool_size", 2), "pool_size")
    stride = window if s.get("strides") is None else pair(s["strides"], "strides")
    require(all(zero < side for zero, side in zip(chain.zeros, window, strict=True)),
            "some windows {} cover only zeros put around its input", window)
    if not same(s):
        return window, stride, chain.zeros, "floor"
    require(not any(chain.zeros),
            "padding 'same' in addition to zeros put around its input is not supported")
    sizes = chain.shape[:2]
    pad = tuple(missing(sizes[a], window[a], stride[a]) // 2 for a in (0, 1))
    if any(window[a] > stride[a] > 1 for a in (0, 1)):
        note_size(chain, name)
    for rounding in ("floor", "ceil"):
        with suppress(ValueError):  # no window fits
            if all(output_size(sizes[a], window[a], stride[a], pad[a], 1, rounding)
                   == ceil(sizes[a] / stride[a]) for a in (0, 1)):
                return window, stride, pad, rounding
    raise ValueError(f"padding 'same' of a window {window} at step {stride} pads one side more "
                     "than the other; minicnn supports only equal padding on both sides")


def same(s):
    """Whether the padding in a layer's settings is "same", not "valid"."""
    padding = s.get("padding", "valid")
    require(padding in ("same", "valid"), "padding: expected 'same' or 'valid', got {!r:.60}",
            padding)
    return padding == "same"
