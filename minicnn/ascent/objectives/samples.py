"""Maps read at any positions, and the adjoint.

A position between four numbers of a map gets their bilinear mean. Along each axis a number counts
1 minus its distance from the position, if that is less than 1:

    y[n] = sum over i, j of R[n, i] Q[n, j] a[i, j]        R[n, i] = max(1 - |row[n] - i|, 0)

and Q likewise for columns. This is linear in a, so the adjoint has the same weights:

    da[i, j] = sum over n of R[n, i] Q[n, j] dy[n]

It is summed row by row of the map, as one product of matrices each. That is an order that does not
change, on a GPU either, where adding up at indices has none.
"""

import numpy as np

from minicnn.backend import array_module
from minicnn.fast.threads import product


def bilinear(a, rows, columns):
    """A map at some positions.

    Parameters
    ----------
    a : array (H, W, C)
    rows, columns : NumPy arrays (n,)
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
    rows, columns = np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)
    (top, down), (left, right) = (
        (xp.asarray(at.astype(int)), xp.asarray(at % 1, dtype=a.dtype)[:, None])
        for at in (rows, columns))
    bottom, far = xp.minimum(top + 1, height - 1), xp.minimum(left + 1, width - 1)
    y = ((1 - down) * ((1 - right) * a[top, left] + right * a[top, far])
         + down * ((1 - right) * a[bottom, left] + right * a[bottom, far]))  # -> n,C

    def back(dy):
        share, q = _tent(rows, height), xp.asarray(_tent(columns, width), dtype=dy.dtype)
        da = xp.zeros(a.shape, dtype=dy.dtype)
        for i in range(height):
            near = np.nonzero(share[:, i])[0]
            if len(near):
                weights = xp.asarray(share[near, i, None], dtype=dy.dtype)
                near = xp.asarray(near)
                da[i] = product((weights * q[near]).T, dy[near])  # (W, k) @ (k, C) -> W,C
        return da
    return y, back


def _tent(at, side):
    """The share of each of `side` numbers in each position, (n, side)."""
    return np.maximum(1 - np.abs(at[:, None] - np.arange(side)), 0)
