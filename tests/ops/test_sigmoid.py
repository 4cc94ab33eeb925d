"""The sigmoid."""

import checks
import numpy as np
import pytest
from checks import refuses

from minicnn.ops import sigmoid


def test_sigmoid():
    checks.sigmoid(sigmoid.forward, sigmoid.backward)


def test_pytorch_agrees():
    pytest.importorskip("torch")
    checks.sigmoid(sigmoid.forward, sigmoid.backward, only=("PyTorch",))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_out_it_saturates_without_overflow(dtype):
    y, cache = sigmoid.forward(np.array([-1e4, 1e4], dtype))
    np.testing.assert_array_equal(y, [0, 1])
    np.testing.assert_array_equal(sigmoid.backward(np.ones(2, dtype), cache), 0)


def test_refuses():
    refuses(["sigmoid.forward", "floating", "int"], sigmoid.forward, np.arange(3))
