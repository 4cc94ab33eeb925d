"""Maps read at any positions: by hand, linear, and an adjoint."""

import nets
import numpy as np
import pytest

from minicnn.ascent.objectives.samples import bilinear

A = nets.images(1, (5, 7, 3))[0]
ROWS = np.array([0.0, 1.25, 3.9, 4.0, -2.0, 9.0, 1.25])
COLUMNS = np.array([6.0, 0.5, 5.75, 3.0, 2.5, 9.0, 0.5])


def test_by_hand():
    y, _ = bilinear(A, ROWS, COLUMNS)
    np.testing.assert_array_equal(y[0], A[0, 6])
    above, below = ((A[i, 0] + A[i, 1]) / 2 for i in (1, 2))
    np.testing.assert_allclose(y[1], 0.75 * above + 0.25 * below)
    np.testing.assert_allclose(y[4], (A[0, 2] + A[0, 3]) / 2)  # from outside, at the border
    np.testing.assert_array_equal(y[5], A[4, 6])


def test_the_adjoint():
    """<y, dy> = <a, back(dy)> for every dy, two positions of one place among them."""
    y, back = bilinear(A, ROWS, COLUMNS)
    dy = nets.like(y)
    assert (y * dy).sum() == pytest.approx((A * back(dy)).sum(), rel=1e-12)
    assert back(dy).shape == A.shape


def test_every_weight_by_differences():
    """It is linear: a whole unit's change is exact to rounding."""
    y, back = bilinear(A, ROWS, COLUMNS)
    for at in [(0, 6, 0), (1, 0, 1), (4, 5, 2), (2, 2, 0)]:
        more = A.copy()
        more[at] += 1
        change = bilinear(more, ROWS, COLUMNS)[0] - y
        for n in range(len(ROWS)):
            dy = np.zeros_like(y)
            dy[n, at[2]] = 1
            assert back(dy)[at] == pytest.approx(change[n, at[2]], abs=1e-14)


def test_types_are_kept():
    y, back = bilinear(A.astype(np.float32), ROWS, COLUMNS)
    assert y.dtype == back(y).dtype == np.float32
