"""Group normalisation: each image's channels in groups, each brought to mean 0 and variance 1."""

import numpy as np

AXES = (1, 2, 4)  # of N, H, W, G, C/G


def forward(x, gamma, beta, groups=1, epsilon=1e-5):
    """x (N,H,W,C), gamma and beta (C,) -> y and the cache, a dict."""
    n, h, w, c = x.shape
    if groups < 1 or c % groups or x.dtype.kind not in "fc":
        raise ValueError("the groups must divide the channels")
    if not gamma.shape == beta.shape == (c,):
        raise ValueError("gamma and beta need one number for each channel")
    grouped = x.reshape(n, h, w, groups, c // groups)
    mean = grouped.mean(axis=AXES, keepdims=True)
    variance = grouped.var(axis=AXES, keepdims=True)
    inverse = 1 / np.sqrt(variance + epsilon)
    z = (grouped - mean) * inverse
    y = z.reshape(x.shape) * gamma + beta
    return y, {"z": z, "inverse": inverse, "gamma": gamma}


def backward(dy, cache):
    """dy (N,H,W,C) -> dx, dgamma, dbeta."""
    z, inverse = cache["z"], cache["inverse"]
    dbeta = dy.sum(axis=(0, 1, 2))
    dgamma = (dy * z.reshape(dy.shape)).sum(axis=(0, 1, 2))
    g = (dy * cache["gamma"]).reshape(z.shape)
    mean_g = g.mean(axis=AXES, keepdims=True)
    mean_gz = (g * z).mean(axis=AXES, keepdims=True)
    dx = inverse * (g - mean_g - z * mean_gz)
    return dx.reshape(dy.shape), dgamma, dbeta
