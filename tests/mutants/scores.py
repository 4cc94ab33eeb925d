"""Bugs of the dense layer, softmax and cross-entropy."""

import numpy as np

from minicnn.ops import cross_entropy, dense, softmax
from mutants.mutant import Mutant


def channels_first(x, w, b=None):
    """The image read channel by channel, as Caffe and PyTorch do."""
    order = (0, x.ndim - 1, *range(1, x.ndim - 1))
    return dense.forward(x.transpose(order), w, b)  # N,H,W,C -> N,C,H,W


def channels_first_backward(dy, cache):
    right = dense.backward(dy, cache)
    return right._replace(dx=np.moveaxis(right.dx, 1, -1).copy())  # N,C,H,W -> N,H,W,C


def dense_changed(**changes):
    """dense.backward with some gradients replaced by functions of (gradients, dy, cache)."""

    def backward(dy, cache):
        right = dense.backward(dy, cache)
        return right._replace(**{name: f(right, dy, cache) for name, f in changes.items()})

    return backward


def plain_exp(x):
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.exp(x)
        y = e / e.sum(axis=-1, keepdims=True)
    return y, softmax.SoftmaxCache(y)


def over_axis(axis):
    def forward(x):
        y, _ = softmax.forward(np.swapaxes(x, axis, -1))
        y = np.swapaxes(y, axis, -1).copy()
        return y, softmax.SoftmaxCache(y)

    return forward


def overwrites_y(dy, cache):
    dx = softmax.backward(dy, cache)
    cache.y[...] = dx
    return dx


def sum_over_batch(dy, cache):
    return cache.y * (dy - (dy * cache.y).sum())


def loss_summed(x, labels):
    loss, cache = cross_entropy.forward(x, labels)
    return loss * x.dtype.type(len(x)), cache


def mean_forgotten(dloss, cache):
    dx = cross_entropy.backward(dloss, cache)
    return dx * dx.dtype.type(len(dx))


def probabilities_overwritten(dloss, cache):
    """The shortest way to write it changes the cache: a second call is wrong."""
    p = cache.probabilities
    p[np.arange(len(p)), cache.labels] -= 1
    return p * (p.dtype.type(dloss) / len(p))


def best_not_true(dloss, cache):
    return cross_entropy.backward(dloss, cache._replace(labels=cache.probabilities.argmax(axis=1)))


def upstream_ignored(dloss, cache):
    return cross_entropy.backward(1.0, cache)


def float64_loss(x, labels):
    """Python's float forgets the dtype."""
    loss, cache = cross_entropy.forward(x, labels)
    return (loss if np.iscomplexobj(loss) else float(loss)), cache


def softmax_twice(x, labels):
    p = softmax.forward(x)[0]
    return cross_entropy.forward(p, labels)


FORWARD = dense.forward
MUTANTS = [
    Mutant("image read channel by channel, both ways alike", "dense", channels_first,
           channels_first_backward),
    Mutant("dx left flat", "dense", FORWARD, dense_changed(
        dx=lambda right, dy, cache: right.dx.reshape(len(dy), -1))),  # N,H,W,C -> N,D
    Mutant("dw averaged over the batch", "dense", FORWARD, dense_changed(
        dw=lambda right, dy, cache: right.dw / len(dy))),
    Mutant("dw of the first image only", "dense", FORWARD, dense_changed(
        dw=lambda right, dy, cache: np.outer(cache.x[0], dy[0]))),  # D, O -> D,O
    Mutant("db averaged over the batch", "dense", FORWARD, dense_changed(
        db=lambda right, dy, cache: None if right.db is None else dy.mean(axis=0))),
    Mutant("db of the wrong axis", "dense", FORWARD, dense_changed(
        db=lambda right, dy, cache: None if right.db is None else dy.sum(axis=1))),
    Mutant("the Jacobian's diagonal only", "softmax", softmax.forward,
           lambda dy, cache: dy * cache.y * (1 - cache.y)),
    Mutant("the diagonal missing", "softmax", softmax.forward,
           lambda dy, cache: -cache.y * (dy * cache.y).sum(axis=-1, keepdims=True)),
    Mutant("summed over the batch", "softmax", softmax.forward, sum_over_batch),
    Mutant("over the first axis", "softmax", over_axis(0), softmax.backward),
    Mutant("over the second axis", "softmax", over_axis(1), softmax.backward),
    Mutant("exp of large scores", "softmax", plain_exp, softmax.backward),
    Mutant("cache overwritten", "softmax", softmax.forward, overwrites_y),
    Mutant("mean forgotten on the way back", "cross_entropy", cross_entropy.forward,
           mean_forgotten),
    Mutant("loss summed, both ways alike", "cross_entropy", loss_summed, mean_forgotten),
    Mutant("probabilities overwritten", "cross_entropy", cross_entropy.forward,
           probabilities_overwritten),
    Mutant("the best class, not the true one", "cross_entropy", cross_entropy.forward,
           best_not_true),
    Mutant("upstream gradient ignored", "cross_entropy", cross_entropy.forward, upstream_ignored),
    Mutant("softmax taken twice", "cross_entropy", softmax_twice, cross_entropy.backward),
    Mutant("float32 in, float64 out", "cross_entropy", float64_loss, cross_entropy.backward),
]
