"""The logistic sigmoid, without overflow on either side; the cache is the output."""

import numpy as np


def forward(x):
    """y = 1 / (1 + exp(-x))."""
    if x.dtype.kind not in "fc":
        raise ValueError("x must hold floating point numbers")
    e = np.exp(-np.abs(x))
    y = np.where(x >= 0, 1 / (1 + e), e / (1 + e))
    return y, y.copy()


def backward(dy, cache):
    """dx = dy y (1 - y)."""
    y = cache
    return dy * y * (1 - y)
