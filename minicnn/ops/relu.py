"""The rectified linear unit and its three backward rules.

    y = max(x, 0)

The backward rule decides what a picture of a network shows: its gradient, a deconvnet's
projection, or guided backpropagation. The three rules differ in one condition:

    gradient    dx = dy where x > 0, else 0              calculus (Simonyan et al. 2014)
    deconvnet   dx = dy where dy > 0, else 0             rectified again (Zeiler & Fergus 2014)
    guided      dx = dy where x > 0 and dy > 0, else 0   both (Springenberg et al. 2015)

At x = 0, where the slope jumps from 0 to 1, it is set to 0. Only the first rule is a gradient. A
gradient is linear in dy; the other rules are not: they let dy and -dy pass at different places.
"""

from typing import Any, NamedTuple

from minicnn.backend import array_module
from minicnn.ops.window import check_float

RULES = {  # where dy passes; `positive` says where x > 0
    "gradient": lambda dy, positive: positive,
    "deconvnet": lambda dy, positive: dy > 0,
    "guided": lambda dy, positive: positive & (dy > 0),
}


class ReluCache(NamedTuple):
    """`positive`: where x > 0, a boolean array of x's shape."""

    positive: Any


def forward(x):
    """Rectify an array of any shape: y, and where it was positive."""
    check_float(x, "relu.forward")
    return array_module(x).maximum(x, 0), ReluCache(x > 0)


def backward(dy, cache, rule="gradient"):
    """Pass dy back by one of the three rules.

    Parameters
    ----------
    dy : array of x's shape
    cache : ReluCache
    rule : {"gradient", "deconvnet", "guided"}

    Returns
    -------
    dx : array of x's shape

    Examples
    --------
    >>> import numpy as np
    >>> _, cache = forward(np.array([-1., 2., 3., 0.]))
    >>> dy = np.array([5., 6., -7., 8.])
    >>> for rule in ("gradient", "deconvnet", "guided"):
    ...     print(rule, backward(dy, cache, rule))
    gradient [ 0.  6. -7.  0.]
    deconvnet [5. 6. 0. 8.]
    guided [0. 6. 0. 0.]
    """
    check_backward(dy, cache, rule)
    return array_module(dy).where(RULES[rule](dy, cache.positive), dy, 0)


def check_backward(dy, cache, rule):
    """Raise ValueError unless the rule is known and dy has the input's shape."""
    if rule not in RULES:
        raise ValueError(f"relu.backward: rule must be one of {', '.join(RULES)}, got {rule!r}")
    if dy.shape != cache.positive.shape:
        raise ValueError(f"relu.backward: dy must have the input's shape {cache.positive.shape}, "
                         f"got {dy.shape}")
