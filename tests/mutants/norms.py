"""Bugs of local response and batch normalisation."""

import numpy as np

from minicnn.ops import batch_norm, lrn
from mutants.mutant import Mutant


def near(v, size, last=None):
    """Sum over the channels from size//2 before to `last` after each one."""
    after = size // 2 if last is None else last
    padded = np.pad(v, ((0, 0), (0, 0), (0, 0), (size // 2, size // 2)))
    return sum(padded[..., k : k + v.shape[-1]] for k in range(size // 2 + after + 1))


def lrn_back(cross):
    """The direct term of the gradient minus 2 a beta times a wrong cross term."""

    def backward(dy, cache):
        x, s, size, a, beta = cache
        return dy * s**-beta - 2 * a * beta * cross(dy, x, s, size, beta)

    return backward


def scale_from(total):
    """LRN with another sum of squares."""

    def forward(x, size=5, alpha=1e-4, beta=0.75, k=1.0, convention="caffe"):
        _, cache = lrn.forward(x, size, alpha, beta, k, convention)
        scale = k + total(x * x, size, cache.a)
        return x * scale**-beta, cache._replace(scale=scale)

    return forward


def wrapped(v, size):
    return sum(np.roll(v, k, axis=-1) for k in range(-(size // 2), size // 2 + 1))


def clipped_size(v, size, a):
    """alpha divided by the channels there are, not by the size."""
    return a * size * near(v, size) / near(np.ones(v.shape, v.real.dtype), size)


def lrn_with(**fixed):
    """A setting ignored."""
    return lambda x, **options: lrn.forward(x, **(options | fixed))


def squares_in_place(x, **options):
    y, cache = lrn.forward(x.copy(), **options)
    np.multiply(x, x, out=x)
    return y, cache


def bn_axes(x):
    return tuple(range(x.ndim - 1))


def mean_constant(dy, cache):
    right = batch_norm.backward(dy, cache)
    if not cache.training:
        return right
    g, z = dy * (cache.gamma * cache.inverse), cache.z
    return right._replace(dx=g - z * (g * z).mean(axis=bn_axes(dy)))


def variance_constant(dy, cache):
    right = batch_norm.backward(dy, cache)
    if not cache.training:
        return right
    g = dy * (cache.gamma * cache.inverse)
    return right._replace(dx=g - g.mean(axis=bn_axes(dy)))


def both_constant(dy, cache):
    return batch_norm.backward(dy, cache._replace(training=False))


def training_always(dy, cache):
    return batch_norm.backward(dy, cache._replace(training=True))


def gamma_forgotten(dy, cache):
    plain = cache._replace(gamma=np.ones_like(cache.gamma))
    return batch_norm.backward(dy, cache)._replace(dx=batch_norm.backward(dy, plain).dx)


def dgamma_of_x(dy, cache):
    x = cache.z / cache.inverse + cache.mean
    return batch_norm.backward(dy, cache)._replace(dgamma=(dy * x).sum(axis=bn_axes(dy)))


def dbeta_mean(dy, cache):
    return batch_norm.backward(dy, cache)._replace(dbeta=dy.mean(axis=bn_axes(dy)))


def statistics_with(change):
    """Training statistics computed another way, then used as given ones."""

    def forward(x, gamma, beta, mean, variance, epsilon=1e-5, training=False):
        if training:
            mean, variance = change(x)
        y, cache = batch_norm.forward(x, gamma, beta, mean, variance, epsilon)
        return y, cache._replace(training=training)

    return forward


def unbiased(x):
    axes, count = bn_axes(x), x.size // x.shape[-1]
    centred = x - x.mean(axis=axes)
    return x.mean(axis=axes), (centred * centred).sum(axis=axes) / (count - 1)


def of_all_channels(x):
    mean, ones = x.mean(), np.ones(x.shape[-1], x.dtype)
    return mean * ones, ((x - mean) ** 2).mean() * ones


def epsilon_outside(x, gamma, beta, mean, variance, epsilon=1e-5, training=False):
    if training:
        mean = x.mean(axis=bn_axes(x))
        variance = ((x - mean) ** 2).mean(axis=bn_axes(x))
    inverse = 1 / (np.sqrt(variance) + epsilon)
    z = (x - mean) * inverse
    return gamma * z + beta, batch_norm.BatchNormCache(z, gamma, inverse, mean, variance, training)


def batch_in_use(x, gamma, beta, mean, variance, epsilon=1e-5, training=False):
    """The batch's own statistics also after training."""
    return batch_norm.forward(x, gamma, beta, mean, variance, epsilon, training=True)


LRN, BN = lrn.forward, batch_norm.forward
MUTANTS = [
    Mutant("cross term with x[j] x[j], not x[i] x[j]", "lrn", LRN, lrn_back(
        lambda dy, x, s, size, beta: near(dy * x * x * s ** (-beta - 1), size)),
        "convnetjs convnet_layers_normalization.js, fix in PR 69"),
    Mutant("four channels summed, not five", "lrn",
           scale_from(lambda v, size, a: a * near(v, size, max(size // 2 - 1, 0))), lrn.backward,
           "chainer test_local_response_normalization.py, the test's oracle"),
    Mutant("alpha not divided by the size", "lrn", lrn_with(convention="paper"), lrn.backward,
           "BVLC/caffe issue 1453, vlfeat/matconvnet issue 339"),
    Mutant("alpha always divided by the size", "lrn", lrn_with(convention="caffe"), lrn.backward,
           "MarcBS/keras PR 4"),
    Mutant("k always 1", "lrn", lrn_with(k=1.0), lrn.backward),
    Mutant("cross term missing", "lrn", LRN, lrn_back(lambda dy, x, s, size, beta: 0 * x)),
    Mutant("cross term of the own channel only", "lrn", LRN, lrn_back(
        lambda dy, x, s, size, beta: x * dy * x * s ** (-beta - 1))),
    Mutant("cross term with dy outside the sum", "lrn", LRN, lrn_back(
        lambda dy, x, s, size, beta: dy * x * near(x * s ** (-beta - 1), size))),
    Mutant("cross term with the wrong exponent", "lrn", LRN, lrn_back(
        lambda dy, x, s, size, beta: x * near(dy * x * s**-beta, size))),
    Mutant("cross term without its factor 2", "lrn", LRN, lrn_back(
        lambda dy, x, s, size, beta: x * near(dy * x * s ** (-beta - 1), size) / 2)),
    Mutant("cross term added", "lrn", LRN, lrn_back(
        lambda dy, x, s, size, beta: -x * near(dy * x * s ** (-beta - 1), size))),
    Mutant("channels wrap around", "lrn", scale_from(lambda v, size, a: a * wrapped(v, size)),
           lrn.backward),
    Mutant("alpha divided by the channels at the end", "lrn", scale_from(clipped_size),
           lrn.backward),
    Mutant("x squared in place", "lrn", squares_in_place, lrn.backward),
    Mutant("mean treated as a constant", "batch_norm", BN, mean_constant),
    Mutant("variance treated as a constant", "batch_norm", BN, variance_constant),
    Mutant("both treated as constants", "batch_norm", BN, both_constant),
    Mutant("fixed statistics treated as the batch's", "batch_norm", BN, training_always),
    Mutant("gamma forgotten in dx", "batch_norm", BN, gamma_forgotten),
    Mutant("dgamma of x, not of z", "batch_norm", BN, dgamma_of_x),
    Mutant("dbeta averaged", "batch_norm", BN, dbeta_mean),
    Mutant("variance divided by the count less one", "batch_norm", statistics_with(unbiased),
           batch_norm.backward),
    Mutant("one mean for all channels", "batch_norm", statistics_with(of_all_channels),
           batch_norm.backward),
    Mutant("epsilon outside the root", "batch_norm", epsilon_outside, batch_norm.backward),
    Mutant("the batch's statistics also after training", "batch_norm", batch_in_use,
           batch_norm.backward),
]
