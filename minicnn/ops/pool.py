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
from minicnn.fast import cuda
from minicnn.fast.cuda import pool as pool_cuda
from minicnn.fast.threads import row_blocks, spread
from minicnn.fast.workspace import empty, zeros
from minicnn.ops.window import check_image, cover, extent, pool_geometry, views


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
    check_image(x, "pool.forward")
    window, stride, pad, out = pool_geometry(x.shape, window, stride, pad, rounding, "pool.forward")
    if cuda.usable(x):
        y, switches = pool_cuda.forward(x, window, stride, pad, out)
        return y, PoolCache(switches, x.shape, window, stride, pad)
    xp = array_module(x)
    covered = cover(x, window, stride, pad, out, -xp.inf)
    y = empty(xp, (len(x), *out, x.shape[3]), x.dtype)
    switches = zeros(xp, y.shape, xp.min_scalar_type(window[0] * window[1] - 1))

    def compute(block):
        best, switch = y[block], switches[block]
        places = views(_under(covered, block, stride), window, stride, best.shape[1:3])
        best[...] = next(places)
        for place, candidate in enumerate(places, start=1):
            # switch[candidate > best] = place, without a masked copy (2.5 times faster): places
            # only grow, so the largest is the latest winner; and ">" keeps the first of equals
            won = (candidate > best).view(xp.uint8) * switches.dtype.type(place)
            xp.maximum(switch, won, out=switch)
            xp.maximum(best, candidate, out=best)

    spread(compute, row_blocks(y, 4 * window[0] * window[1]))
    return y, PoolCache(switches, x.shape, window, stride, pad)


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
    if values.shape != switches.shape:
        raise ValueError("pool.unpool: values and switches must have one shape, got "
                         f"{values.shape} and {switches.shape}")
    if cuda.usable(values):
        return pool_cuda.unpool(values, switches, x_shape, window, stride, pad)
    xp, out = array_module(values), values.shape[1:3]
    (n, h, w, c), (height, width) = x_shape, extent(x_shape, window, stride, pad, out)
    covered = zeros(xp, (n, height, width, c), values.dtype)
    rows, columns = (xp.arange(out[a]) * stride[a] for a in (0, 1))
    corners = ((rows[:, None] * width + columns)[..., None] * c + xp.arange(c))  # -> OH,OW,C
    inside = (xp.arange(window[0])[:, None] * width + xp.arange(window[1])).ravel() * c  # -> KH*KW
    for k in range(n):
        places = inside.take(switches[k])
        places += corners  # OH,OW,C: where in the image's numbers each value belongs
        xp.add.at(covered[k].reshape(-1), places.reshape(-1), values[k].reshape(-1))  # -> H*W*C
    image = covered[:, pad[0] : pad[0] + h, pad[1] : pad[1] + w]
    return covered if image.shape == covered.shape else image.copy()


def _under(covered, block, stride):
    """The part of the padded images that lies under a block of output rows, and all below it."""
    if block == (...,):
        return covered
    images, rows = block
    return covered[images, rows.start * stride[0] :]
