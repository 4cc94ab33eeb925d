"""Max pooling, its switches, and unpooling.

    y[n, p, q, c] = max over (i, j) of  x[n, S p + i - P, S q + j - P, c]
    switch        = the place (i, j) that won, as the number i*KW + j: row by row in the window

over the places i = 0 ... KH-1 and j = 0 ... KW-1 of the window; S is the stride, P the padding.

Backward
    Change the maximum a little: y changes by the same amount, so the slope is 1. Change a smaller
    pixel: y stays the same, so the slope is 0. So dy goes to the pixel that won, and a pixel gets
    the sum over all windows that it won:

        dx[n, h, w, c] = sum of dy[n, p, q, c] over the windows (p, q) whose switch says (h, w)

    That is exactly the unpooling of Zeiler & Fergus (2014, section 2.1): put each value back where
    its switch says, zeros elsewhere. So `backward` is `unpool` applied to dy, and at a pooling
    their deconvnet and the gradient are the same; they differ at the ReLU (`minicnn.ops.relu`).

Decisions
    Ties go to the first maximum, row by row, as in Caffe. Padding is minus infinity: with zeros a
    window of negative numbers at the border would return a zero that is in no image, and its dy
    would go to the padding and be cut off. For the same reason the search begins at the first place
    inside the image, where a window of minus infinities stays. What is not a number (NaN) is the
    maximum of its window and has the switch, the last NaN if there are several, as in PyTorch.
    `rounding` says what happens to a last window that sticks out: Caffe keeps it ("ceil"), Keras
    and PyTorch leave it out by default (see `minicnn.ops.window`). `minicnn.naive.pool_forward`
    computes all of this with nested loops.

    A tie is a tie of the numbers in x. Where a photo is flat (white, black, saturated), the outputs
    of a convolution are equal in exact arithmetic, but float32 rounds them up to 4e-7 apart, and
    chance decides which place wins. A projection through such an area can differ from another
    program's by a tenth of its largest number; elsewhere the two agree to rounding.
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
        By default the window's size, so that windows tile the image.
    pad : int or (vertical, horizontal)
        How far the image is padded on each side; less than the window.
    rounding : {"floor", "ceil"}

    Returns
    -------
    y : array (N, OH, OW, C)
    cache : PoolCache

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[3., 1., 2.], [0., 3., 5.], [5., 4., 5.]]).reshape(1, 3, 3, 1)
    >>> y, cache = forward(x, window=2, stride=1)
    >>> y[0, :, :, 0]
    array([[3., 5.],
           [5., 5.]])
    >>> cache.switches[0, :, :, 0]  # of the two 3s, and of the two 5s below right, the first
    array([[0, 3],
           [2, 1]], dtype=uint8)
    >>> dy = np.array([[1., 2.], [3., 4.]]).reshape(1, 2, 2, 1)
    >>> backward(dy, cache)[0, :, :, 0]  # the 5 in the middle row won two windows: 2 + 4
    array([[1., 0., 0.],
           [0., 0., 6.],
           [3., 0., 0.]])
    """
    window, stride, pad, out = pool_geometry(x, window, stride, pad, rounding, "pool.forward")
    xp = array_module(x)
    padded = pad_image(x, pad, overhang(x.shape, window, stride, pad, out), -xp.inf)
    places = views(padded, window, stride, out)
    best = next(places).copy()  # of place 0; a copy, or a 1x1 window's y would be a view of x
    switches = xp.zeros(best.shape, xp.min_scalar_type(window[0] * window[1] - 1))
    switches += first_inside(xp, window, stride, pad, out).astype(switches.dtype)
    for place, candidate in enumerate(places, start=1):  # ">": the first of equals stays
        switches[(candidate > best) | xp.isnan(candidate)] = place
        best = xp.maximum(best, candidate)
    return best, PoolCache(switches, x.shape, window, stride, pad)


def first_inside(xp, window, stride, pad, out):
    """For each window its first place i*KW + j that lies inside the image: (OH, OW, 1)."""
    i, j = (xp.maximum(0, pad[a] - stride[a] * xp.arange(out[a])) for a in (0, 1))
    return (i[:, None] * window[1] + j)[..., None]  # OH,OW -> OH,OW,1


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
    for place, pixels in enumerate(views(padded, window, stride, out)):
        pixels += xp.where(switches == place, values, 0)  # a view: this adds into `padded`
    return padded[:, pad[0] : pad[0] + h, pad[1] : pad[1] + w].copy()  # without the padding


def check_switches(values, switches):
    """Raise ValueError unless each value has its switch."""
    if values.shape != switches.shape:
        raise ValueError("pool.unpool: the values (or dy) and the switches must have the same "
                         f"shape, got {values.shape} and {switches.shape}")
