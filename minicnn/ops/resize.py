"""Bilinear resizing, and its adjoint.

A new row lies between two old rows and is their weighted mean; the same holds for columns. So
resizing multiplies by a matrix on each side, the same for every channel:

    y[n, :, :, c] = R @ x[n, :, :, c] @ Q^T        R (OH, H), Q (OW, W)

Pixel centres are at half-integers: row p of OH lies at (p + 1/2) H / OH - 1/2 in the old rows,
clipped to the first and the last of them (PyTorch's align_corners=False). Reducing skips rows
without averaging them; blur first where that matters.

Backward: dx = R^T @ dy @ Q, exactly.
"""

from typing import Any, NamedTuple

from minicnn.backend import array_module
from minicnn.ops.window import check_image


class ResizeCache(NamedTuple):
    """The two matrices R (OH, H) and Q (OW, W)."""

    rows: Any
    columns: Any


def forward(x, size):
    """Resize images.

    Parameters
    ----------
    x : array (N, H, W, C)
    size : (OH, OW)

    Returns
    -------
    y : array (N, OH, OW, C)
    cache : ResizeCache
    """
    check_image(x, "resize.forward")
    if len(size) != 2 or min(size) < 1:
        raise ValueError(f"resize.forward: size must be (height, width), at least 1, "
                         f"got {size}")
    rows, columns = (_matrix(x, x.shape[1 + a], size[a]) for a in (0, 1))
    return _both_sides(rows, x, columns), ResizeCache(rows, columns)


def backward(dy, cache):
    """The adjoint: from dy (N, OH, OW, C) to dx (N, H, W, C)."""
    return _both_sides(cache.rows.T, dy, cache.columns.T)


def _both_sides(rows, x, columns):
    xp = array_module(x)
    y = xp.tensordot(rows, x, axes=(1, 1))  # (P, H) . (N, H, W, C) -> P,N,W,C
    y = xp.tensordot(columns, y, axes=(1, 2))  # (Q, W) . (P, N, W, C) -> Q,P,N,C
    return xp.ascontiguousarray(y.transpose(2, 1, 0, 3))  # Q,P,N,C -> N,P,Q,C


def _matrix(x, old, new):
    """(new, old): row p weighs the one or two old samples that new sample p lies between."""
    xp = array_module(x)
    at = xp.clip((xp.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    distance = xp.abs(at[:, None] - xp.arange(old))  # new,1 - old -> new,old
    return xp.maximum(1 - distance, 0).astype(x.real.dtype)
