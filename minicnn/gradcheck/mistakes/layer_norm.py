"""Layer normalisation: every row brought to mean 0 and variance 1."""

import numpy as np


def forward(x, gamma, beta, epsilon=1e-5):
    """x (N,D), gamma and beta (D,) -> y and the cache, a tuple."""
    if x.dtype.kind not in "fc" or not gamma.shape == beta.shape == x.shape[-1:]:
        raise ValueError("gamma and beta need one number for each feature")
    mean = x.mean(axis=-1, keepdims=True)
    centred = x - mean
    variance = (centred**2).mean(axis=-1, keepdims=True)
    std = np.sqrt(variance + epsilon)
    z = centred / std
    y = gamma * z + beta
    return y, (z, std, gamma)


def backward(dy, cache):
    """dy (N,D) -> dx, dgamma, dbeta."""
    z, std, gamma = cache
    dgamma = (dy * z).sum(axis=0)
    dbeta = dy.sum(axis=0)
    dz = dy * gamma
    mean_dz = dz.mean(axis=-1, keepdims=True)
    along = (dz * z).mean(axis=-1, keepdims=True)
    dx = (dz - mean_dz - z * along) / std
    return dx, dgamma, dbeta
