"""Dropout."""

import checks
import numpy as np
import pytest
from checks import normal, refuses

from minicnn.ops import dropout


def test_dropout():
    checks.dropout(dropout.forward, dropout.backward)


def test_mean_is_kept():
    """Inverted scaling: of 40000 ones a share of 0.3 vanishes and the mean stays 1."""
    y, _ = dropout.forward(np.ones((200, 200)), rate=0.3, seed=1)
    assert abs((y == 0).mean() - 0.3) < 0.01
    assert abs(y.mean() - 1) < 0.02


def test_seed_decides_the_mask():
    x = np.ones(50)
    assert np.array_equal(dropout.forward(x, seed=1)[0], dropout.forward(x, seed=1)[0])
    assert not np.array_equal(dropout.forward(x, seed=1)[0], dropout.forward(x, seed=2)[0])


def test_generator_moves_on():
    generator, x = np.random.default_rng(0), np.ones(50)
    one, other = (dropout.forward(x, seed=generator)[0] for _ in range(2))
    assert np.array_equal(one, dropout.forward(x, seed=0)[0])
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("rate", [1.0, -0.1, 2])
def test_refuses(rate):
    refuses(["dropout.forward", "rate", str(rate)], dropout.forward, normal(3), rate=rate)
