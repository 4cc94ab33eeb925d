"""Global average pooling: for each channel the mean over all positions (Lin et al. 2013).

    y[n, c] = mean over (p, q) of x[n, p, q, c]

Backward: every position contributed 1/(H*W), so dx[n, p, q, c] = dy[n, c] / (H*W).
"""

from typing import NamedTuple

from minicnn.backend import array_module
from minicnn.ops.window import check_image


class GlobalAveragePoolCache(NamedTuple):
    """The shape (N, H, W, C) that was averaged."""

    x_shape: tuple


def forward(x):
    """Average x (N, H, W, C) over its positions: y (N, C), and the cache."""
    check_image(x, "global_average_pool.forward")
    return x.mean(axis=(1, 2)), GlobalAveragePoolCache(x.shape)


def backward(dy, cache):
    """Spread dy (N, C) evenly: dx (N, H, W, C)."""
    n, h, w, c = cache.x_shape
    share = dy / (h * w)
    return array_module(dy).broadcast_to(share[:, None, None, :], (n, h, w, c)).copy()
