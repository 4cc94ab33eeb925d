"""Batch normalisation, with fixed statistics and with the batch's own."""

import checks
import numpy as np
import pytest
from checks import normal, refuses

from minicnn.ops import batch_norm


def test_batch_norm():
    checks.batch_norm(batch_norm.forward, batch_norm.backward)


def test_pytorch_agrees():
    pytest.importorskip("torch")
    checks.batch_norm(batch_norm.forward, batch_norm.backward, only=("PyTorch",))


ONE, ZERO = np.ones(3), np.zeros(3)


def test_training_uses_and_shows_the_statistics_of_the_batch():
    x = 5 + 2 * normal(4, 3, 2, 3)
    y, cache = batch_norm.forward(x, ONE, ZERO, ZERO, ONE, training=True)
    np.testing.assert_allclose(cache.mean, x.mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(cache.variance, x.var(axis=(0, 1, 2)))
    np.testing.assert_allclose(y.mean(axis=(0, 1, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(y.std(axis=(0, 1, 2)), 1, rtol=1e-4)


def test_given_statistics_are_used_otherwise():
    x = normal(2, 3)
    y, _ = batch_norm.forward(x, 2 * ONE, ONE, 3 * ONE, 4 * ONE, epsilon=0)
    np.testing.assert_allclose(y, 2 * (x - 3) / 2 + 1)


def test_need_computes_nothing_else():
    y, cache = batch_norm.forward(normal(4, 3), ONE, ZERO, ZERO, ONE, training=True)
    everything = batch_norm.backward(y, cache)
    for name in ("x", "gamma", "beta"):
        only = batch_norm.backward(y, cache, need=(name,))
        assert [field for field in only._fields if getattr(only, field) is not None] == [f"d{name}"]
        np.testing.assert_array_equal(getattr(only, f"d{name}"), getattr(everything, f"d{name}"))


@pytest.mark.parametrize("wrong", ["gamma", "beta", "mean", "variance"])
def test_refuses(wrong):
    arrays = {"gamma": ONE, "beta": ZERO, "mean": ZERO, "variance": ONE} | {wrong: np.ones(2)}
    refuses(["batch_norm.forward", wrong, "(3,)", "(2,)"],
            batch_norm.forward, normal(4, 3), **arrays)
