"""Dropout: in training, a random share of the activations is silenced (Srivastava et al. 2014).

    y = x * m,   m = 0 with probability `rate`, else 1 / (1 - rate)

The survivors are scaled up at once ("inverted"), so that the expected value is unchanged and
nothing needs to be done when the network is used: dropout is then left out.

Backward: y is x times a constant, so dx = dy * m.
"""

from typing import Any, NamedTuple

import numpy as np

from minicnn.backend import array_module
from minicnn.ops.window import check_float


class DropoutCache(NamedTuple):
    """The mask m: 0 or 1 / (1 - rate)."""

    mask: Any


def forward(x, rate=0.5, seed=0):
    """Silence a random share of x.

    Parameters
    ----------
    x : array of any shape
    rate : float in [0, 1)
        Share that is silenced.
    seed : int or numpy.random.Generator
        The mask is ``generator.random(x.shape) >= rate``, drawn on the host, so that CPU and GPU
        see the same one.

    Returns
    -------
    y : array of x's shape
    cache : DropoutCache
    """
    check_float(x, "dropout.forward")
    if not 0 <= rate < 1:
        raise ValueError(f"dropout.forward: rate must be at least 0 and below 1, got {rate}")
    keep = np.random.default_rng(seed).random(x.shape) >= rate
    mask = array_module(x).asarray(keep).astype(x.dtype) / x.dtype.type(1 - rate)
    return x * mask, DropoutCache(mask)


def backward(dy, cache):
    """Pass dy where x was kept, with the same scale."""
    return dy * cache.mask
