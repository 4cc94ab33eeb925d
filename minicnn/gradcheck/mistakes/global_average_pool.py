"""Global average pooling: the mean of each channel over all positions."""

import numpy as np


def forward(x):
    """x (N,H,W,C) -> y (N,C); the cache is x's shape."""
    if x.ndim != 4 or x.dtype.kind not in "fc":
        raise ValueError("x must be (N, H, W, C), of floating point numbers")
    n, h, w, c = x.shape
    total = x.sum(axis=(1, 2))
    y = total / (h * w)
    return y, x.shape


def backward(dy, cache):
    """dy (N,C) -> dx (N,H,W,C): every position gets the same share."""
    n, h, w, c = cache
    share = dy / (h * w)
    dx = np.zeros((n, h, w, c), dtype=dy.dtype)
    dx += share[:, None, None, :]
    return dx
