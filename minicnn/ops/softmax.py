"""Softmax: scores turned into probabilities.

    y[k] = exp(x[k]) / sum over j of exp(x[j])

The largest score is subtracted first; it cancels, and exp cannot overflow.

Backward
    ∂y[j]/∂x[k] = y[j] ([j = k] - y[k]), so dx[k] = y[k] (dy[k] - sum over j of dy[j] y[j]).
    Where y[k] is nearly 1 this is nearly 0: a saturated softmax has no gradient left, which is
    why classes are maximised on the scores (logits) and not on the probabilities.
"""

from typing import Any, NamedTuple

from minicnn.backend import array_module
from minicnn.ops.window import check_float


class SoftmaxCache(NamedTuple):
    """The probabilities."""

    y: Any


def forward(x):
    """Probabilities along the last axis, each row summing to 1, and the cache."""
    check_float(x, "softmax.forward")
    e = array_module(x).exp(x - x.real.max(axis=-1, keepdims=True))
    y = e / e.sum(axis=-1, keepdims=True)
    return y, SoftmaxCache(y)


def backward(dy, cache):
    """Gradient at the scores, of dy's shape."""
    y = cache.y
    return y * (dy - (dy * y).sum(axis=-1, keepdims=True))
