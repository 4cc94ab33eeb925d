"""ReLU and its three rules."""

import checks
import numpy as np
import pytest
from checks import normal, refuses

from minicnn.ops import relu


def test_relu():
    checks.relu(relu.forward, relu.backward)


def test_pytorch_agrees():
    pytest.importorskip("torch")
    checks.relu(relu.forward, relu.backward, only=("PyTorch",))


def test_zero_passes_nothing():
    _, cache = relu.forward(np.array([0.0, -0.0]))
    np.testing.assert_array_equal(relu.backward(np.ones(2), cache), 0)


def test_refuses():
    y, cache = relu.forward(normal(2, 3))
    refuses(["relu.backward", "gradient, deconvnet, guided", "'Guided'"],
            relu.backward, y, cache, rule="Guided")
    refuses(["relu.backward", "(2, 3)", "(3,)"], relu.backward, y[0], cache)
    refuses(["relu.forward", "floating", "int"], relu.forward, np.arange(3))
