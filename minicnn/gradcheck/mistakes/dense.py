"""The dense (fully connected, affine) layer; the cache is a tuple."""

import numpy as np


def forward(x, w, b=None):
    """x (N, ...) flattened to (N,D), w (D,O), b (O,) or None -> y (N,O)."""
    if x.dtype.kind not in "fc" or w.ndim != 2 or np.prod(x.shape[1:]) != w.shape[0]:
        raise ValueError("x and w do not fit together")
    if b is not None and b.shape != w.shape[1:]:
        raise ValueError("b must hold one number for each output")
    rows = x.reshape(x.shape[0], -1)
    y = rows @ w
    if b is not None:
        y = y + b
    cache = (x, w, b)
    return y, cache


def backward(dy, cache):
    """dy (N,O) -> dx like x, dw (D,O), db (O,) or None."""
    x, w, b = cache
    rows = x.reshape(x.shape[0], -1)
    dx = (dy @ w.T).reshape(x.shape)
    dw = rows.T @ dy
    db = None if b is None else dy.sum(axis=0)
    return dx, dw, db
