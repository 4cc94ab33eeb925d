"""Bilinear resizing, one axis after the other; the way back adds to the two neighbours."""

import numpy as np


def forward(x, size):
    """x (N,H,W,C), size (OH,OW) -> y (N,OH,OW,C) and the cache."""
    if x.ndim != 4 or x.dtype.kind not in "fc" or len(size) != 2 or min(size) < 1:
        raise ValueError("x must have four axes, the size be two positive numbers")
    rows = _neighbours(x.shape[1], size[0], x.dtype)
    columns = _neighbours(x.shape[2], size[1], x.dtype)
    tall = _blend(x, rows, 1)
    y = _blend(tall, columns, 2)
    return y, (x.shape, rows, columns)


def backward(dy, cache):
    """dy (N,OH,OW,C) -> dx (N,H,W,C)."""
    (n, h, w, c), rows, columns = cache
    dtall = _spread(dy, columns, 2, w)
    return _spread(dtall, rows, 1, h)


def _neighbours(old, new, dtype):
    """For every new pixel its two old neighbours and the second one's share."""
    at = (np.arange(new) + 0.5) * old / new - 0.5
    at = np.clip(at, 0, old - 1)
    first = np.floor(at).astype(int)
    second = np.minimum(first + 1, old - 1)
    return first, second, (at - first).astype(dtype)


def _blend(x, neighbours, axis):
    first, second, share = neighbours
    share = share.reshape([-1 if a == axis else 1 for a in range(4)])
    return np.take(x, first, axis) * (1 - share) + np.take(x, second, axis) * share


def _spread(dy, neighbours, axis, old):
    first, second, share = neighbours
    dy = np.moveaxis(dy, axis, 0)
    share = share.reshape(-1, 1, 1, 1)
    dx = np.zeros((old, *dy.shape[1:]), dtype=dy.dtype)
    np.add.at(dx, first, dy * (1 - share))
    np.add.at(dx, second, dy * share)
    return np.moveaxis(dx, 0, axis).copy()
