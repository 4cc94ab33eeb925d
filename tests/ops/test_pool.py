"""Max pooling: the matrix, its switches and unpooling, what it refuses."""

import checks
import numpy as np
import pytest
from checks import normal, refuses

from minicnn import naive
from minicnn.gradcheck.judge import matrix
from minicnn.ops import pool


@pytest.mark.parametrize("case", matrix.POOL, ids=str)
def test_pool(case):
    checks.pool(pool.forward, pool.backward, [case])


@pytest.mark.parametrize("case", matrix.POOL, ids=str)
def test_unpool(case):
    checks.unpool(pool.unpool, [case])


@pytest.mark.parametrize("case", matrix.POOL, ids=str)
def test_pytorch_agrees(case):
    pytest.importorskip("torch")
    checks.pool(pool.forward, pool.backward, [case], only=("PyTorch",))


def test_stride_is_the_window_where_not_given():
    x = normal(1, 6, 6, 2)
    np.testing.assert_array_equal(pool.forward(x, (2, 3))[0], pool.forward(x, (2, 3), (2, 3))[0])


def test_switches_are_bytes_until_the_window_outgrows_them():
    x = normal(1, 18, 17, 2)
    for window, dtype in [((16, 16), np.uint8), ((18, 15), np.uint16)]:
        y, cache = pool.forward(x, window, stride=1)
        assert cache.switches.dtype == dtype
        np.testing.assert_array_equal(cache.switches, naive.pool_switches(x, window, 1))
        dx = naive.pool_backward(y, x, window, 1)
        np.testing.assert_allclose(pool.backward(y, cache), dx, rtol=1e-12)


def test_minus_infinity_in_the_image():
    """An image of minus infinities has minus infinity for a maximum, at a place inside it."""
    x = np.full((1, 2, 2, 1), -np.inf)
    y, cache = pool.forward(x, 2, 1, 1)
    assert np.all(y == -np.inf)
    dx = pool.backward(np.ones_like(y), cache)
    assert dx.shape == x.shape


X = normal(1, 5, 6, 2)
WRONG = {
    "rank": (["pool.forward", "(N, H, W, C)", "(5, 6, 2)"], (X[0], 2), {}),
    "integers": (["pool.forward", "floating", "int"], (X.astype(int), 2), {}),
    "window too large": (["pool.forward", "spans 6", "5 samples"], (X, 6), {}),
    "pad as large as the window": (["pool.forward", "less than the window", "(2, 2)"], (X, 2, 2, 2),
                                   {}),
    "rounding": (["pool.forward", "floor, ceil", "'round'"], (X, 2), {"rounding": "round"}),
    "stride 0": (["pool.forward", "stride 0"], (X, 2, 0), {}),
    "window of three": (["pool.forward window", "pair", "(2, 2, 2)"], (X, (2, 2, 2)), {}),
}


@pytest.mark.parametrize("what", WRONG)
def test_refuses(what):
    words, args, kwargs = WRONG[what]
    refuses(words, pool.forward, *args, **kwargs)


def test_unpool_refuses_values_of_another_shape():
    y, cache = pool.forward(X, 2)
    refuses(["pool.unpool", "(1, 2, 3, 1)", "(1, 2, 3, 2)"], pool.unpool, y[..., :1], *cache)
