"""Average pooling: the matrix under both border rules, what it refuses."""

import checks
import numpy as np
import pytest
from checks import normal, refuses

from minicnn.gradcheck.judge import matrix
from minicnn.ops import average_pool


@pytest.mark.parametrize("case", matrix.POOL, ids=str)
def test_average_pool(case):
    checks.average_pool(average_pool.forward, average_pool.backward, [case])


@pytest.mark.parametrize("case", matrix.POOL, ids=str)
def test_pytorch_agrees(case):
    pytest.importorskip("torch")
    checks.average_pool(average_pool.forward, average_pool.backward, [case], only=("PyTorch",))


def test_border_rules_on_ones():
    """Zeros of the padding pull the corner down to 4/9 of it, unless they do not count."""
    ones = np.ones((1, 3, 3, 1))
    assert average_pool.forward(ones, 3, 1, 1)[0][0, 0, 0, 0] == pytest.approx(4 / 9)
    y, _ = average_pool.forward(ones, 3, 1, 1, border="image")
    np.testing.assert_allclose(y, 1)


X = normal(1, 5, 6, 2)
WRONG = {
    "rank": (["average_pool.forward", "(N, H, W, C)", "(5, 6, 2)"], (X[0], 2), {}),
    "window too large": (["average_pool.forward", "spans 6", "5 samples"], (X, 6), {}),
    "pad as large as the window": (["average_pool.forward", "less than the window", "(2, 2)"],
                                   (X, 2, 2, 2), {}),
    "rounding": (["average_pool.forward", "floor, ceil", "'up'"], (X, 2), {"rounding": "up"}),
    "border": (["average_pool.forward", "padding, image", "'same'"], (X, 2), {"border": "same"}),
}


@pytest.mark.parametrize("what", WRONG)
def test_refuses(what):
    words, args, kwargs = WRONG[what]
    refuses(words, average_pool.forward, *args, **kwargs)
