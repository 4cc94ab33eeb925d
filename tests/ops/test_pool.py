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
    assert dx.sum() == y.size
    np.testing.assert_array_equal(cache.switches, naive.pool_switches(x, 2, 1, 1))


def test_nan_has_the_switch_of_its_window():
    """As in PyTorch: of several the last, wherever the numbers are that are larger."""
    x = np.array([[9, np.nan, 1, np.nan], [3, 2, np.nan, 5]]).reshape(1, 2, 4, 1)
    y, cache = pool.forward(x, 2)
    assert np.isnan(y).all() and cache.switches.ravel().tolist() == [1, 2]
    np.testing.assert_array_equal(cache.switches, naive.pool_switches(x, 2))
    dx = pool.backward(np.ones_like(y), cache)
    assert np.argwhere(dx[0, :, :, 0]).tolist() == [[0, 1], [1, 2]]
    np.testing.assert_array_equal(dx, naive.pool_backward(np.ones_like(y), x, 2))


@pytest.mark.parametrize("seed", range(6))
def test_switches_of_what_is_not_finite_are_pytorchs(seed):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    x = rng.choice([np.nan, -np.inf, np.inf, 0.0, 1.0], (2, 6, 7, 3), p=[.1, .6, .1, .1, .1])
    y, cache = pool.forward(x, 3, 2, 1)
    tensor = torch.tensor(x.transpose(0, 3, 1, 2).copy(), requires_grad=True)
    expected = torch.nn.functional.max_pool2d(tensor, 3, 2, 1)
    expected.sum().backward()
    np.testing.assert_array_equal(y, expected.detach().numpy().transpose(0, 2, 3, 1))
    dx = pool.backward(np.ones_like(y), cache)
    np.testing.assert_array_equal(dx, tensor.grad.numpy().transpose(0, 2, 3, 1))


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
