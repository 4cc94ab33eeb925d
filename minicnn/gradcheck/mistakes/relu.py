"""ReLU; the cache is the mask."""

import numpy as np


def forward(x):
    """y = max(x, 0)."""
    if x.dtype.kind not in "fc":
        raise ValueError("x must hold floating point numbers")
    mask = x > 0
    y = np.where(mask, x, 0).astype(x.dtype)
    cache = mask
    return y, cache


def backward(dy, cache):
    """dy passes where x was positive."""
    mask = cache
    if dy.shape != mask.shape:
        raise ValueError("dy must have the shape of x")
    dx = dy * mask
    return dx
