"""Batch normalisation, the way back step by step through the chain of the forward pass."""

import numpy as np


def forward(x, gamma, beta, mean, variance, epsilon=1e-5, training=False):
    """x (..., C); gamma, beta, mean, variance (C,) -> y and the cache, a dict."""
    if x.dtype.kind not in "fc" or any(a.shape != x.shape[-1:] for a in (
            gamma, beta, mean, variance)):
        raise ValueError("gamma, beta, mean and variance need one number for each channel")
    axes = tuple(range(x.ndim - 1))
    m = x.size // x.shape[-1]
    if training:
        mean = x.sum(axis=axes) / m
    centred = x - mean
    if training:
        variance = (centred * centred).sum(axis=axes) / m
    root = np.sqrt(variance + epsilon)
    inverse = 1 / root
    z = centred * inverse
    y = gamma * z + beta
    return y, {"centred": centred, "root": root, "inverse": inverse, "z": z, "gamma": gamma,
               "axes": axes, "m": m, "training": training}


def backward(dy, cache):
    """dy like x -> dx, dgamma, dbeta."""
    centred, root, inverse, z = (cache[name] for name in ("centred", "root", "inverse", "z"))
    axes, m = cache["axes"], cache["m"]
    dbeta = dy.sum(axis=axes)
    dgamma = (dy * z).sum(axis=axes)
    dz = dy * cache["gamma"]
    dcentred = dz * inverse
    if not cache["training"]:
        return dcentred, dgamma, dbeta
    dinverse = (dz * centred).sum(axis=axes)
    droot = -dinverse / (root * root)
    dvariance = 0.5 * droot / root
    dsquares = dvariance / m
    dcentred += 2 * centred * dsquares
    dmean = -dcentred.sum(axis=axes)
    dx = dcentred + dmean / m
    return dx, dgamma, dbeta
