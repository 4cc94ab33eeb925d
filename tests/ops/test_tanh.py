"""The hyperbolic tangent."""

import checks
import numpy as np
import pytest
from checks import refuses

from minicnn.ops import tanh


def test_tanh():
    checks.tanh(tanh.forward, tanh.backward)


def test_pytorch_agrees():
    pytest.importorskip("torch")
    checks.tanh(tanh.forward, tanh.backward, only=("PyTorch",))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_out_it_saturates_without_overflow(dtype):
    y, cache = tanh.forward(np.array([-1e4, 1e4], dtype))
    np.testing.assert_array_equal(y, [-1, 1])
    np.testing.assert_array_equal(tanh.backward(np.ones(2, dtype), cache), 0)


def test_refuses():
    refuses(["tanh.forward", "floating", "int"], tanh.forward, np.arange(3))
