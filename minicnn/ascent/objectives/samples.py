"""Maps read at any positions, and the adjoint.

A position between four numbers of a map gets their bilinear mean. Along each axis a number counts
1 minus its distance from the position, if that is less than 1:

    y[n] = sum over i, j of R[n, i] Q[n, j] a[i, j]        R[n, i] = max(1 - |row[n] - i|, 0)

and Q likewise for columns. This is linear in a, so the adjoint has the same weights:

    da[i, j] = sum over n of R[n, i] Q[n, j] dy[n]

It is summed row by row of the map, as one product of matrices each. That is an order that does not
change, on a GPU either, where adding up at indices has none.
"""

from minicnn.backend import array_module
from minicnn.fast.threads import product


def bilinear(a, rows, columns):
    """A map at some positions.

    Parameters
    ----------
    a : array (H, W, C)
    rows, columns : arrays (n,)
        Positions, in steps of the map, from its first number; those outside move to its border.

    Returns
    -------
    y : array (n, C)
    back : callable
        From dy (n, C) to the gradient at a, (H, W, C).

    Examples
    --------
    >>> import numpy as np
    >>> y, back = bilinear(np.array([[[0.], [8.]], [[4.], [4.]]]), np.array([0.5]), np.array([1.]))
    >>> y
    array([[6.]])
    >>> back(y)[..., 0]
    array([[0., 3.],
           [0., 3.]])
    """
    xp, (height, width, _) = array_module(a), a.shape
    (top, down), (left, right) = (
        _between(xp, at, side, a.dtype) for at, side in ((rows, height), (columns, width)))
    bottom, far = xp.minimum(top + 1, height - 1), xp.minimum(left + 1, width - 1)
    y = ((1 - down) * ((1 - right) * a[top, left] + right * a[top, far])
         + down * ((1 - right) * a[bottom, left] + right * a[bottom, far]))  # -> n,C

    def back(dy):
        share, q = _tent(xp, top, down, height), _tent(xp, left, right, width)  # n,H and n,W
        da = xp.zeros(a.shape, dtype=dy.dtype)
        for i in range(height):
            near = xp.nonzero(share[:, i])[0]
            if len(near):
                weights = share[near, i, None] * q[near]
                da[i] = product(weights.T, dy[near])  # (W, k) @ (k, C) -> W,C
        return da
    return y, back


def _between(xp, at, side, dtype):
    """The last number before each position (n,), and the distance from it (n, 1)."""
    at = xp.clip(xp.asarray(at), 0, side - 1)
    before = xp.floor(at).astype(int)
    return before, (at - before).astype(dtype)[:, None]


def _tent(xp, before, after, side):
    """The share of each of the `side` numbers in each position, (n, side)."""
    away = xp.abs((before[:, None] - xp.arange(side)) + after)
    return xp.maximum(1 - away, 0).astype(after.dtype)
