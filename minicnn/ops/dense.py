"""The dense (fully connected) layer: a matrix product.

    y = x @ W + b        (N, D) @ (D, O) + (O,)

An input image is flattened row by row, pixel by pixel, channel by channel (H, W, C); weights
trained for another order (Caffe and PyTorch: C, H, W) are reordered when they are loaded.

Backward
    y[n, o] = sum over d of x[n, d] W[d, o] + b[o]. By the chain rule the gradient at a factor is
    the sum, over all outputs that contain it, of dy times the other factor:

        dx[n, d] = sum over o of dy[n, o] W[d, o]        dx = dy @ W^T
        dW[d, o] = sum over n of x[n, d] dy[n, o]        dW = x^T @ dy
        db[o]    = sum over n of dy[n, o]
"""

from math import prod
from typing import Any, NamedTuple

from minicnn.ops.window import check_float, check_need


class DenseCache(NamedTuple):
    """What `backward` needs; `x` may be None if dw is not wanted."""

    x: Any
    x_shape: tuple
    w: Any
    has_bias: bool


class Gradients(NamedTuple):
    """Gradients at the input, the weights and the bias; None where not asked for."""

    dx: Any
    dw: Any
    db: Any


def forward(x, w, b=None):
    """Apply a matrix to every image.

    Parameters
    ----------
    x : array (N, ...)
        Flattened to (N, D) in row-major order.
    w : array (D, O)
    b : array (O,), optional

    Returns
    -------
    y : array (N, O)
    cache : DenseCache
    """
    cache = describe(x, w, b)
    y = x.reshape(len(x), -1) @ w  # (N, D) @ (D, O) -> N,O
    return (y if b is None else y + b), cache


def backward(dy, cache, need=("x", "w", "b")):
    """Gradients of a dense layer.

    Parameters
    ----------
    dy : array (N, O)
    cache : DenseCache
    need : collection of "x", "w", "b"
        Which gradients to compute.

    Returns
    -------
    Gradients
        dx of x's shape, dw (D, O), db (O,); None where not needed, db also where b was None.
    """
    check_backward(cache, need)
    dx = (dy @ cache.w.T).reshape(cache.x_shape) if "x" in need else None  # N,D -> N,H,W,C
    dw = cache.x.reshape(len(dy), -1).T @ dy if "w" in need else None  # (D, N) @ (N, O) -> D,O
    db = dy.sum(axis=0) if "b" in need and cache.has_bias else None
    return Gradients(dx, dw, db)


def describe(x, w, b):
    """Check that the arguments fit together; return the DenseCache of a dense layer."""
    check_float(x, "dense.forward")
    size = prod(x.shape[1:])
    if w.ndim != 2 or size != w.shape[0]:
        raise ValueError(f"dense.forward: x {x.shape} holds {size} numbers per image, so w must be "
                         f"({size}, O), got {w.shape}; an image of another size than the network's "
                         "own does not fit its dense layers")
    if b is not None and b.shape != w.shape[1:]:
        raise ValueError(f"dense.forward: b must be ({w.shape[1]},), got {b.shape}")
    return DenseCache(x, x.shape, w, b is not None)


def check_backward(cache, need):
    """Raise ValueError unless the cache holds what the gradients in `need` require."""
    check_need(need, ("x", "w", "b"), "dense.backward")
    if "w" in need and cache.x is None:
        raise ValueError("dense.backward: dw needs the input x, which this cache no longer holds; "
                         "in a network, run forward(..., learn=True)")
