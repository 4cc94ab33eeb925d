"""The hyperbolic tangent, the activation of LeNet-5 (LeCun et al. 1998).

Backward: ∂y/∂x = 1 - y^2.
"""

from typing import Any, NamedTuple

from minicnn.backend import array_module
from minicnn.ops.window import check_float


class TanhCache(NamedTuple):
    """The output."""

    y: Any


def forward(x):
    """Squash an array of any shape to (-1, 1): y, and the cache."""
    check_float(x, "tanh.forward")
    y = array_module(x).tanh(x)
    return y, TanhCache(y)


def backward(dy, cache):
    """Gradient at the input, of dy's shape."""
    return dy * (1 - cache.y * cache.y)
