"""Max pooling, its switches, and unpooling.

    y[n, p, q, c] = max over (i, j) in the window of  x[n, S p + i - P, S q + j - P, c]
    switch        = the (i, j) that won, kept as the row-major index i*KW + j inside the window

Backward
    Only the winner moves the maximum, so dy goes to the winner's pixel and nowhere else; a pixel
    that won several overlapping windows receives the sum. That is exactly the unpooling of Zeiler
    & Fergus (2014, section 2.1): put each value back where its switch says, zeros elsewhere. So
    `backward` is `unpool` applied to dy: the deconvnet differs from the gradient elsewhere, at
    the ReLU.

Decisions
    Ties go to the first maximum in row-major order, as in Caffe. Padding is minus infinity: with
    zeros a window of negative numbers at the border would return a zero that is in no image, and
    lose its gradient. `rounding` says what happens to a last window that sticks out: Caffe rounds
    up ("ceil"), Keras and PyTorch unless told otherwise down (see `minicnn.ops.window`).
"""

from typing import Any, NamedTuple

from minicnn.backend import array_module
from minicnn.ops.window import extent, overhang, pad_image, pool_geometry, views


class PoolCache(NamedTuple):
    """`switches` (N, OH, OW, C): which place in its window won; the rest is geometry."""

    switches: Any
    x_shape: tuple
    window: tuple
    stride: tuple
    pad: tuple


def forward(x, window, stride=None, pad=0, rounding="floor"):
    """Take the maximum of every window, and remember where it was.

    Parameters
    ----------
    x : array (N, H, W, C)
    window : int or (vertical, horizontal)
    stride : int or (vertical, horizontal), optional
        The window's size where not given, so that windows tile the image.
    pad : int or (vertical, horizontal)
        Minus infinities on each side; less than the window.
    rounding : {"floor", "ceil"}

    Returns
    -------
    y : array (N, OH, OW, C)
    cache : PoolCache

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[1., 5., 2.], [4., 3., 9.], [7., 8., 6.]]).reshape(1, 3, 3, 1)
    >>> y, cache = forward(x, window=2, stride=1)
    >>> y[0, :, :, 0]
    array([[5., 9.],
           [8., 9.]])
    >>> cache.switches[0, :, :, 0]
    array([[1, 3],
           [3, 1]], dtype=uint8)
    >>> backward(np.ones_like(y), cache)[0, :, :, 0]
    array([[0., 1., 0.],
           [0., 0., 2.],
           [0., 1., 0.]])
    """
    window, stride, pad, out = pool_geometry(x, window, stride, pad, rounding, "pool.forward")
    xp = array_module(x)
    padded = pad_image(x, pad, overhang(x.shape, window, stride, pad, out), -xp.inf)
    places = views(padded, window, stride, out)
    best = next(places).copy()
    switches = xp.zeros(best.shape, xp.min_scalar_type(window[0] * window[1] - 1))
    for place, candidate in enumerate(places, start=1):
        switches[candidate > best] = place  # ">": the first of equals stays
        best = xp.maximum(best, candidate)
    return best, PoolCache(switches, x.shape, window, stride, pad)


def backward(dy, cache):
    """Send dy (N, OH, OW, C) to the pixels that won: dx (N, H, W, C)."""
    return unpool(dy, *cache)


def unpool(values, switches, x_shape, window, stride, pad):
    """Put pooled values back where their switches say, zeros elsewhere.

    Parameters
    ----------
    values : array (N, OH, OW, C)
        `switches` of the same shape say where in its window each belongs.
    switches, x_shape, window, stride, pad
        The fields of a PoolCache.

    Returns
    -------
    array (N, H, W, C)
        Values that fall on the same pixel, from overlapping windows, are added.
    """
    check_switches(values, switches)
    xp, (n, h, w, c), out = array_module(values), x_shape, values.shape[1:3]
    padded = xp.zeros((n, *extent(x_shape, window, stride, pad, out), c), values.dtype)
    for place, target in enumerate(views(padded, window, stride, out)):
        target += xp.where(switches == place, values, values.dtype.type(0))
    return padded[:, pad[0] : pad[0] + h, pad[1] : pad[1] + w].copy()


def check_switches(values, switches):
    """Raise ValueError unless each value has its switch."""
    if values.shape != switches.shape:
        raise ValueError("pool.unpool: values and switches must have one shape, got "
                         f"{values.shape} and {switches.shape}")
