"""Local response normalisation, also where alpha is large enough for its second term to show."""

import checks
import numpy as np
import pytest
from checks import normal, refuses

from minicnn.ops import lrn


@pytest.mark.parametrize("case", checks.LRNS, ids=str)
def test_lrn(case):
    checks.lrn(lrn.forward, lrn.backward, [case])


@pytest.mark.parametrize("case", checks.LRNS, ids=str)
def test_pytorch_agrees(case):
    pytest.importorskip("torch")
    checks.lrn(lrn.forward, lrn.backward, [case], only=("PyTorch",))


def test_default_is_alexnets():
    """size 5, alpha 1e-4 divided by the size, beta 0.75, k 1."""
    x = 10 * normal(1, 2, 2, 7)
    y, _ = lrn.forward(x, 5, 2e-5, 0.75, 1.0, "paper")
    np.testing.assert_allclose(lrn.forward(x)[0], y, rtol=1e-14)


def test_other_rules_back():
    x, dy = normal(1, 2, 2, 5), normal(1, 2, 2, 5, seed=2)
    _, cache = lrn.forward(x, alpha=1.0)
    through = lrn.backward(dy, cache, rule="through")
    np.testing.assert_array_equal(through, dy)
    assert not np.shares_memory(through, dy)
    np.testing.assert_allclose(lrn.backward(dy, cache, rule="scale"), dy * cache.scale**-0.75)


X = normal(1, 2, 2, 5)


def test_refuses():
    refuses(["lrn.forward", "odd", "4"], lrn.forward, X, size=4)
    refuses(["lrn.forward", "at least 1", "-1"], lrn.forward, X, size=-1)
    refuses(["lrn.forward", "caffe, paper", "'torch'"], lrn.forward, X, convention="torch")
    refuses(["lrn.forward", "(N, H, W, C)", "(2, 2, 5)"], lrn.forward, X[0])
    y, cache = lrn.forward(X)
    refuses(["lrn.backward", "gradient, through, scale", "'guided'"],
            lrn.backward, y, cache, rule="guided")
