"""Bugs of ReLU, sigmoid, tanh and dropout."""

import numpy as np

from minicnn.ops import dropout, relu, sigmoid, tanh
from mutants.mutant import Mutant


def dy_overwritten(dy, cache, rule="gradient"):
    dx = relu.backward(dy, cache, rule)
    dy[...] = dx
    return dx


def x_overwritten(x):
    positive = x > 0
    x[~positive] = 0
    return x, relu.ReluCache(positive)


def passes_at_zero(x):
    y, _ = relu.forward(x)
    return y, relu.ReluCache(x >= 0)


def always(rule):
    """One rule for all: a signal that is not the gradient is passed off as it, or the reverse."""
    return lambda dy, cache, wanted="gradient": relu.backward(dy, cache, rule)


def guided_without_dy(dy, cache, rule="gradient"):
    return relu.backward(dy, cache, "gradient" if rule == "guided" else rule)


def deconvnet_with_mask(dy, cache, rule="gradient"):
    return relu.backward(dy, cache, "guided" if rule == "deconvnet" else rule)


def float64_mask(dy, cache, rule="gradient"):
    return relu.backward(dy, cache, rule) * cache.positive.astype(float)


def leaks(dy, cache, rule="gradient"):
    return relu.backward(dy, cache, rule) + dy.dtype.type(1e-6) * dy


def dropout_with(change):
    """dropout.forward with another mask in the cache than the one that was used, or another y."""

    def forward(x, rate=0.5, seed=0):
        y, cache = dropout.forward(x, rate, seed)
        return change(x, y, cache, rate)

    return forward


def unscaled(x, y, cache, rate):
    mask = (cache.mask > 0).astype(cache.mask.dtype)
    return x * mask, dropout.DropoutCache(mask)


def unscaled_backward(x, y, cache, rate):
    return y, dropout.DropoutCache((cache.mask > 0).astype(cache.mask.dtype))


def scaled_by_rate(x, y, cache, rate):
    scale = x.dtype.type((1 - rate) / rate if rate else 1)
    return y * scale, dropout.DropoutCache(cache.mask * scale)


def fresh_mask(x, y, cache, rate):
    return y, dropout.forward(x, rate, seed=99)[1]


def x_itself(x, y, cache, rate):
    return (y if rate else x), cache


def keeps_the_share(x, rate=0.5, seed=0):
    keep = np.random.default_rng(seed).random(x.shape) < rate
    mask = keep.astype(x.dtype) / x.dtype.type(rate or 1)
    return x * mask, dropout.DropoutCache(mask)


def unseeded(x, rate=0.5, seed=0):
    return dropout.forward(x, rate, np.random.default_rng())


FORWARD, BACKWARD = relu.forward, relu.backward
MUTANTS = [
    Mutant("dy overwritten", "relu", FORWARD, dy_overwritten,
           "deep-learning-from-scratch common/layers.py Relu"),
    Mutant("x overwritten", "relu", x_overwritten, BACKWARD,
           "in-place ReLU: pytorch/pytorch issue 61519, jacobgil/pytorch-grad-cam issue 147"),
    Mutant("zero passes", "relu", passes_at_zero, BACKWARD),
    Mutant("deconvnet's rule passed off as the gradient", "relu", FORWARD, always("deconvnet")),
    Mutant("the gradient passed off as deconvnet's rule", "relu", FORWARD, always("gradient"),
           "infocusp/tf_cnnvis issue 47"),
    Mutant("guided without looking at dy", "relu", FORWARD, guided_without_dy),
    Mutant("deconvnet looks at x", "relu", FORWARD, deconvnet_with_mask),
    Mutant("float32 in, float64 out", "relu", FORWARD, float64_mask),
    Mutant("a millionth leaks through", "relu", FORWARD, leaks),
    Mutant("derivative 1 - y", "sigmoid", sigmoid.forward, lambda dy, c: dy * (1 - c.y)),
    Mutant("derivative of y, not of x", "sigmoid", sigmoid.forward,
           lambda dy, c: dy * sigmoid.forward(c.y)[0] * (1 - sigmoid.forward(c.y)[0])),
    Mutant("derivative 1 - y", "tanh", tanh.forward, lambda dy, c: dy * (1 - c.y)),
    Mutant("sigmoid's derivative", "tanh", tanh.forward, lambda dy, c: dy * c.y * (1 - c.y)),
    Mutant("not scaled, both ways alike", "dropout", dropout_with(unscaled), dropout.backward),
    Mutant("not scaled on the way back", "dropout", dropout_with(unscaled_backward),
           dropout.backward),
    Mutant("scaled by 1/rate", "dropout", dropout_with(scaled_by_rate), dropout.backward),
    Mutant("another mask on the way back", "dropout", dropout_with(fresh_mask), dropout.backward),
    Mutant("keeps what it should silence", "dropout", keeps_the_share, dropout.backward),
    Mutant("seed ignored", "dropout", unseeded, dropout.backward),
    Mutant("y is x itself at rate 0", "dropout", dropout_with(x_itself), dropout.backward),
]
