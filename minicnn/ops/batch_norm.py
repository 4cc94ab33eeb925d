"""Batch normalisation: each channel brought to mean 0 and variance 1 (Ioffe & Szegedy 2015).

    z = (x - m) / sqrt(v + epsilon)        y = gamma * z + beta

In training m and v are the mean and (biased) variance of this batch, over all images and
positions; afterwards they are fixed numbers gathered during training.

Backward
    dgamma = sum of dy z        dbeta = sum of dy        g = dy * gamma / sqrt(v + epsilon)

    With fixed m and v the op is a plain scaling: dx = g. In training every x also changes m and v,
    which are computed from the M numbers of its channel:

        ∂z[j]/∂x[i] = ([i = j] - 1/M - z[i] z[j] / M) / sqrt(v + epsilon)

    so, summed over j with the upstream gradient, the mean of g and its part along z drop out:

        dx = g - mean(g) - z * mean(g z)
"""

from typing import Any, NamedTuple

from minicnn.backend import array_module
from minicnn.ops.window import check_float, check_need, sum_positions


class BatchNormCache(NamedTuple):
    """Normalised input z, gamma, 1/sqrt(v + epsilon), and the mean and variance that were used."""

    z: Any
    gamma: Any
    inverse: Any
    mean: Any
    variance: Any
    training: bool


class Gradients(NamedTuple):
    """Gradients at the input, the scale and the shift; None where not asked for."""

    dx: Any
    dgamma: Any
    dbeta: Any


def forward(x, gamma, beta, mean, variance, epsilon=1e-5, training=False):
    """Normalise each channel.

    Parameters
    ----------
    x : array (..., C)
    gamma, beta, mean, variance : array (C,)
        Scale, shift, and the statistics to use when not training.
    epsilon : float
        Keeps the square root away from zero; 1e-5 in Caffe and PyTorch, 1e-3 in Keras.
    training : bool
        Use the batch's own mean and variance; they are in the cache, for running averages.

    Returns
    -------
    y : array (..., C)
    cache : BatchNormCache
    """
    check_forward(x, gamma, beta, mean, variance)
    if training:
        mean = _mean(x)
        variance = _mean((x - mean) ** 2)
    inverse = 1 / array_module(x).sqrt(variance + epsilon)
    z = (x - mean) * inverse
    return gamma * z + beta, BatchNormCache(z, gamma, inverse, mean, variance, training)


def check_forward(x, gamma, beta, mean, variance):
    """Raise ValueError unless each of the others has one number per channel of x."""
    check_float(x, "batch_norm.forward")
    for name, value in [("gamma", gamma), ("beta", beta), ("mean", mean), ("variance", variance)]:
        if value.shape != x.shape[-1:]:
            raise ValueError(f"batch_norm.forward: {name} must be ({x.shape[-1]},), one per "
                             f"channel, got {value.shape}")


def backward(dy, cache, need=("x", "gamma", "beta")):
    """Gradients of batch normalisation.

    Parameters
    ----------
    dy : array (..., C)
    cache : BatchNormCache
    need : collection of "x", "gamma", "beta"

    Returns
    -------
    Gradients
        dx (..., C), dgamma (C,), dbeta (C,); None where not needed.
    """
    check_need(need, ("x", "gamma", "beta"), "batch_norm.backward")
    z = cache.z
    dx = dy * (cache.gamma * cache.inverse) if "x" in need else None
    if dx is not None and cache.training:
        dx = dx - _mean(dx) - z * _mean(dx * z)
    dgamma = sum_positions(dy * z) if "gamma" in need else None
    dbeta = sum_positions(dy) if "beta" in need else None
    return Gradients(dx, dgamma, dbeta)


def _mean(x):
    return sum_positions(x) / (x.size // x.shape[-1])
