"""Softmax."""

import checks
import numpy as np
import pytest

from minicnn.ops import softmax


def test_softmax():
    checks.softmax(softmax.forward, softmax.backward)


def test_pytorch_agrees():
    pytest.importorskip("torch")
    checks.softmax(softmax.forward, softmax.backward, only=("PyTorch",))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_scores_do_not_overflow(dtype):
    y, _ = softmax.forward(np.array([[1e4, 0.0, -1e4], [-1e30, -1e30, -1e30]], dtype))
    np.testing.assert_allclose(y, [[1, 0, 0], [1 / 3] * 3], rtol=1e-6)
