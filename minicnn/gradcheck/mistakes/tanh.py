"""The hyperbolic tangent; the cache is the output."""

import numpy as np


def forward(x):
    """y = tanh(x)."""
    if x.dtype.kind not in "fc":
        raise ValueError("x must hold floating point numbers")
    y = np.tanh(x)
    return y, {"y": y.copy()}


def backward(dy, cache):
    """dx = dy (1 - y^2)."""
    y = cache["y"]
    slope = 1 - y * y
    return dy * slope
