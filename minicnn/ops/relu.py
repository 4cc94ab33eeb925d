"""The rectified linear unit, and the three ways back through it.

    y = max(x, 0)

Its three backward rules are the heart of the visualisations. They differ in one condition:

    gradient    dx = dy where x > 0              what calculus says (Simonyan et al. 2014)
    deconvnet   dx = dy where dy > 0             rectify what comes back (Zeiler & Fergus 2014)
    guided      dx = dy where x > 0 and dy > 0   both (Springenberg et al. 2015)

At x = 0 the derivative is taken as 0. Only the first is the gradient of anything.
"""

from typing import Any, NamedTuple

from minicnn.backend import array_module
from minicnn.ops.window import check_float

RULES = {
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
    >>> _, cache = forward(np.array([-1., 2., 3.]))
    >>> dy = np.array([5., 6., -7.])
    >>> for rule in RULES:
    ...     print(rule, backward(dy, cache, rule))
    gradient [ 0.  6. -7.]
    deconvnet [ 5.  6. -0.]
    guided [ 0.  6. -0.]
    """
    check_backward(dy, cache, rule)
    return dy * RULES[rule](dy, cache.positive)


def check_backward(dy, cache, rule):
    """Raise ValueError unless the rule is known and dy has the input's shape."""
    if rule not in RULES:
        raise ValueError(f"relu.backward: rule must be one of {', '.join(RULES)}, got {rule!r}")
    if dy.shape != cache.positive.shape:
        raise ValueError(f"relu.backward: dy must have the input's shape {cache.positive.shape}, "
                         f"got {dy.shape}")
