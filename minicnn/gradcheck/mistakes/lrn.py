"""Local response normalisation across channels; the cache is a dict."""

import numpy as np


def forward(x, size=5, alpha=1e-4, beta=0.75, k=1.0, convention="caffe"):
    """x (N,H,W,C) -> y = x / (k + a * the sum of squares of the size channels around) ** beta."""
    if x.ndim != 4 or x.dtype.kind not in "fc":
        raise ValueError("x must be (N, H, W, C), of floating point numbers")
    if size < 1 or size % 2 == 0:
        raise ValueError("the size must be odd and at least 1")
    if convention not in ("caffe", "paper"):
        raise ValueError("the convention must be caffe or paper")
    a = alpha / size if convention == "caffe" else alpha
    squares = x * x
    scale = k + a * _around(squares, size)
    y = x * scale ** (-beta)
    return y, {"x": x, "scale": scale, "size": size, "a": a, "beta": beta}


def backward(dy, cache):
    """dx = dy s^-beta - 2 a beta x times the sum around of dy x s^(-beta - 1)."""
    x, s, size, a, beta = (cache[name] for name in ("x", "scale", "size", "a", "beta"))
    if dy.shape != x.shape:
        raise ValueError("dy must have the shape of x")
    direct = dy * s ** (-beta)
    through = dy * x * s ** (-beta - 1)
    dx = direct - 2 * a * beta * x * _around(through, size)
    return dx


def _around(values, size):
    """The sum over the size channels centred on each; beyond the ends there are none."""
    total = np.zeros(values.shape, dtype=values.dtype)
    channels = values.shape[-1]
    for c in range(channels):
        first, last = max(0, c - size // 2), min(channels, c + size // 2 + 1)
        total[..., c] = values[..., first:last].sum(axis=-1)
    return total
