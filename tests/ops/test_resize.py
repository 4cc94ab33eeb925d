"""Bilinear resizing and its adjoint."""

import checks
import numpy as np
import pytest
from checks import normal, refuses

from minicnn.ops import resize


@pytest.mark.parametrize("case", checks.RESIZES, ids=str)
def test_resize(case):
    checks.resize(resize.forward, resize.backward, [case])


@pytest.mark.parametrize("case", checks.RESIZES, ids=str)
def test_pytorch_agrees(case):
    pytest.importorskip("torch")
    checks.resize(resize.forward, resize.backward, [case], only=("PyTorch",))


def test_doubling_by_hand():
    """Half-pixel centres: the new samples lie at -1/4, 1/4, 3/4, 5/4, held at the ends."""
    y, _ = resize.forward(np.array([0.0, 4.0]).reshape(1, 1, 2, 1), (1, 4))  # 2 -> N,H,W,C
    np.testing.assert_allclose(y.ravel(), [0, 1, 3, 4])


def test_same_size_is_the_image():
    x = normal(1, 4, 5, 2)
    np.testing.assert_array_equal(resize.forward(x, (4, 5))[0], x)


def test_refuses():
    x = normal(1, 4, 5, 2)
    refuses(["resize.forward", "(height, width)", "(3, 0)"], resize.forward, x, (3, 0))
    refuses(["resize.forward", "(height, width)", "(3,)"], resize.forward, x, (3,))
    refuses(["resize.forward", "(N, H, W, C)", "(4, 5, 2)"], resize.forward, x[0], (3, 3))
