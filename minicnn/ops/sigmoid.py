"""The logistic sigmoid: y = 1 / (1 + exp(-x)).

Backward: ∂y/∂x = y (1 - y). It is written with tanh, y = (1 + tanh(x/2)) / 2, which is the same
function and cannot overflow.
"""

from typing import Any, NamedTuple

from minicnn.backend import array_module
from minicnn.ops.window import check_float


class SigmoidCache(NamedTuple):
    """The output."""

    y: Any


def forward(x):
    """Squash an array of any shape to (0, 1): y, and the cache."""
    check_float(x, "sigmoid.forward")
    y = (1 + array_module(x).tanh(x / 2)) / 2
    return y, SigmoidCache(y)


def backward(dy, cache):
    """Gradient at the input, of dy's shape."""
    return dy * cache.y * (1 - cache.y)
