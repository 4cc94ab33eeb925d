"""Average pooling: the mean of every window.

    y[n, p, q, c] = sum over (i, j) of x[n, S p + i - P, S q + j - P, c] / A[p, q]

A is the number of samples that count. Inside the image it is KH*KW; at the border the libraries
differ, so the rule has a name:

    border="padding"   samples in the padding count, samples beyond it (under a window that
                       sticks out by ceil rounding) do not: Caffe, PyTorch's default
    border="image"     only true pixels count: PyTorch's count_include_pad=False, Keras' "same"

Backward
    y is a sum with fixed weights 1/A, so each pixel receives dy/A from every window it lies in.
"""

from typing import Any, NamedTuple

from minicnn.backend import array_module
from minicnn.ops.window import extent, overhang, pad_image, pool_geometry, views

BORDERS = ("padding", "image")


class AveragePoolCache(NamedTuple):
    """`area` (1, OH, OW, 1): how many samples each window's sum is divided by."""

    area: Any
    x_shape: tuple
    window: tuple
    stride: tuple
    pad: tuple


def forward(x, window, stride=None, pad=0, rounding="floor", border="padding"):
    """Average every window.

    Parameters
    ----------
    x : array (N, H, W, C)
    window, stride, pad, rounding
        As for `minicnn.ops.pool.forward`; the padding is of zeros.
    border : {"padding", "image"}
        Which samples count in the divisor.

    Returns
    -------
    y : array (N, OH, OW, C)
    cache : AveragePoolCache
    """
    cache = describe(x, window, stride, pad, rounding, border)
    area, _, window, stride, pad = cache
    out = area.shape[1:3]
    padded = pad_image(x, pad, overhang(x.shape, window, stride, pad, out), 0)
    return sum(views(padded, window, stride, out)) / area, cache


def backward(dy, cache):
    """Share dy (N, OH, OW, C) among the pixels of each window: dx (N, H, W, C)."""
    area, (n, h, w, c), window, stride, pad = cache
    out = dy.shape[1:3]
    padded = array_module(dy).zeros((n, *extent(cache.x_shape, window, stride, pad, out), c),
                                    dy.dtype)
    share = dy / area
    for target in views(padded, window, stride, out):
        target += share
    return padded[:, pad[0] : pad[0] + h, pad[1] : pad[1] + w].copy()


def describe(x, window, stride, pad, rounding, border):
    """Check the settings of a pooling and return its AveragePoolCache."""
    op = "average_pool.forward"
    window, stride, pad, out = pool_geometry(x, window, stride, pad, rounding, op)
    if border not in BORDERS:
        raise ValueError(f"{op}: border must be one of {', '.join(BORDERS)}, got {border!r}")
    area = _area(x, window, stride, pad, out, border)
    return AveragePoolCache(area, x.shape, window, stride, pad)


def _area(x, window, stride, pad, out, border):
    """(1, OH, OW, 1): the product of the samples that count along each axis."""
    xp = array_module(x)
    counts = []
    for a in (0, 1):
        size = x.shape[1 + a]
        low, high = (0, size) if border == "image" else (-pad[a], size + pad[a])
        starts = [stride[a] * p - pad[a] for p in range(out[a])]
        counts.append([min(s + window[a], high) - max(s, low) for s in starts])
    area = xp.asarray(counts[0])[:, None] * xp.asarray(counts[1])  # OH,1 * OW -> OH,OW
    return area[None, :, :, None].astype(x.real.dtype)  # OH,OW -> 1,OH,OW,1
