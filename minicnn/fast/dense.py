"""The dense layer, its products divided among threads: the twin of `minicnn.ops.dense`."""

from minicnn.fast.threads import product
from minicnn.ops.dense import Gradients, check_backward, describe


def forward(x, w, b=None):
    """Like `minicnn.ops.dense.forward`."""
    cache = describe(x, w, b)
    y = product(x.reshape(len(x), -1), w)  # (N, D) @ (D, O) -> N,O
    return (y if b is None else y + b), cache


def backward(dy, cache, need=("x", "w", "b")):
    """Like `minicnn.ops.dense.backward`."""
    check_backward(cache, need)
    dx = product(dy, cache.w.T).reshape(cache.x_shape) if "x" in need else None  # N,D -> N,H,W,C
    dw = product(cache.x.reshape(len(dy), -1).T, dy) if "w" in need else None  # N,H,W,C -> D,O
    db = dy.sum(axis=0) if "b" in need and cache.has_bias else None
    return Gradients(dx, dw, db)
