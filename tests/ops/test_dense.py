"""The dense layer."""

import checks
import numpy as np
import pytest
from checks import normal, refuses

from minicnn.ops import dense


def test_dense():
    checks.dense(dense.forward, dense.backward)


def test_pytorch_agrees():
    pytest.importorskip("torch")
    checks.dense(dense.forward, dense.backward, only=("PyTorch",))


def test_need_computes_nothing_else():
    y, cache = dense.forward(normal(2, 3), normal(3, 4), normal(4))
    everything = dense.backward(y, cache)
    for name in ("x", "w", "b"):
        only = dense.backward(y, cache, need=(name,))
        assert [field for field in only._fields if getattr(only, field) is not None] == [f"d{name}"]
        np.testing.assert_array_equal(getattr(only, f"d{name}"), getattr(everything, f"d{name}"))


def test_dx_needs_no_input():
    y, cache = dense.forward(normal(2, 3), normal(3, 4))
    cache = cache._replace(x=None)
    assert dense.backward(y, cache, need=("x",)).dx.shape == (2, 3)
    refuses(["dense.backward", "input x"], dense.backward, y, cache)


def test_refuses():
    x, w = normal(2, 3, 3, 2), normal(18, 4)
    refuses(["dense.forward", "(18, O)", "(17, 4)"], dense.forward, x, w[:17])
    refuses(["dense.forward", "(18, O)", "(18,)"], dense.forward, x, w[:, 0])
    refuses(["dense.forward", "(4,)", "(3,)"], dense.forward, x, w, normal(3))
