"""What each op should compute: its page, or a few lines here for ops that have no page.

    y, gradients = results(case.op, case.inputs, case.options, dy)

A course has layers that minicnn's networks do not use: layer norm, group norm, the hinge loss of a
support-vector machine, and two or three layers in one function ("sandwiches"). They stand here in
the pages' form, forward(x, ...) -> (y, cache) and backward(dy, cache) -> gradients.
"""

import importlib
from types import SimpleNamespace

import numpy as np

from minicnn.gradcheck.own.known import PARTS

SANDWICHES = {
    "affine_relu": ("dense", "relu"),
    "affine_bn_relu": ("dense", "batch_norm", "relu"),
    "conv_relu": ("conv", "relu"),
    "conv_bn_relu": ("conv", "batch_norm", "relu"),
    "conv_relu_pool": ("conv", "relu", "pool"),
}
TAKES = {  # what each layer of a sandwich takes: arrays, and {its setting: the sandwich's name}
    "dense": (("w", "b"), {}),
    "conv": (("w", "b"), {"stride": "stride", "pad": "pad"}),
    "batch_norm": (("gamma", "beta", "mean", "variance"), {"training": "training"}),
    "relu": ((), {}),
    "pool": ((), {"window": "window", "stride": "pool_stride"}),
}
NORMS = ("batch_norm", "layer_norm", "group_norm")


def passes(op):
    """The forward and backward of an op: an object with both."""
    if op in SANDWICHES:
        return SimpleNamespace(forward=lambda *a, **s: _through(SANDWICHES[op], *a, **s),
                               backward=_back_through)
    if op in OWN:
        return SimpleNamespace(forward=OWN[op][0], backward=OWN[op][1])
    return importlib.import_module(f"minicnn.ops.{op}")


def results(op, inputs, options, dy):
    """(y, {name: gradient}) of an op; without `dy` (None) only y.

    `inputs` are arrays by name in the page's order; `options` are the page's settings.
    """
    of, arrays = passes(op), list(inputs.values())
    y, cache = of.forward(*([arrays] if op in PARTS else arrays), **options)
    if dy is None:
        return np.asarray(y), {}
    found = of.backward(dy, cache)
    found = found if isinstance(found, (tuple, list)) else [found]
    named = zip(inputs, found, strict=False)
    return np.asarray(y), {name: gradient for name, gradient in named if gradient is not None}


# ---- normalisation over the numbers of a row, or of a group of channels

def as_normalised(case):
    """(x, axes): the numbers along these axes are normalised together."""
    x = case.inputs["x"]
    if case.op == "batch_norm":
        return x, tuple(range(x.ndim - 1))
    if case.op == "layer_norm":
        return x, (1,)
    n, h, w, c = x.shape
    groups = case.options.get("groups", 1)
    return x.reshape(n, h, w, groups, c // groups), (1, 2, 4)  # N,H,W,C -> N,H,W,G,C/G


def _normalise(x, axes, epsilon):
    """z = (x - mean) / sqrt(variance + epsilon) over some axes, and 1 / sqrt(...)."""
    centred = x - x.mean(axis=axes, keepdims=True)
    inverse = 1 / np.sqrt((centred * centred).mean(axis=axes, keepdims=True) + epsilon)
    return centred * inverse, inverse


def _normalise_back(g, z, inverse, axes):
    """The mean of g and its part along z drop out, as in `minicnn.ops.batch_norm`."""
    along = (g * z).mean(axis=axes, keepdims=True)
    return (g - g.mean(axis=axes, keepdims=True) - z * along) * inverse


def layer_norm(x, gamma, beta, epsilon=1e-5):
    """Each row of x (N, D) brought to mean 0 and variance 1 (Ba, Kiros & Hinton 2016)."""
    z, inverse = _normalise(x, -1, epsilon)
    return gamma * z + beta, (z, inverse, gamma)


def layer_norm_back(dy, cache):
    """(dx, dgamma, dbeta) of `layer_norm`."""
    z, inverse, gamma = cache
    return _normalise_back(dy * gamma, z, inverse, -1), (dy * z).sum(0), dy.sum(0)


def group_norm(x, gamma, beta, groups=1, epsilon=1e-5):
    """Each group of an image's channels, all positions together (Wu & He 2018); x (N, H, W, C)."""
    n, h, w, c = x.shape
    z, inverse = _normalise(x.reshape(n, h, w, groups, c // groups), (1, 2, 4), epsilon)
    return gamma * z.reshape(x.shape) + beta, (z, inverse, gamma)


def group_norm_back(dy, cache):
    """(dx, dgamma, dbeta) of `group_norm`."""
    z, inverse, gamma = cache
    flat = z.reshape(dy.shape)  # N,H,W,G,C/G -> N,H,W,C
    dx = _normalise_back((dy * gamma).reshape(z.shape), z, inverse, (1, 2, 4))
    return dx.reshape(dy.shape), (dy * flat).sum((0, 1, 2)), dy.sum((0, 1, 2))


# ---- the hinge loss of several classes

def svm_loss(x, labels):
    """mean over n of sum over k != label of max(0, x[k] - x[label] + 1); x (N, K)."""
    x, labels = np.asarray(x), np.asarray(labels)
    if labels.shape != x.shape[:1] or labels.min() < 0 or labels.max() >= x.shape[1]:
        raise ValueError(f"svm_loss: labels must be {len(x)} numbers in 0 .. {x.shape[1] - 1}")
    rows = np.arange(len(x))
    margins = np.maximum(x - x[rows, labels][:, None] + 1, 0)
    margins[rows, labels] = 0
    return margins.sum() / len(x), (margins > 0, rows, labels)


def svm_loss_back(dloss, cache):
    """dx of `svm_loss`: at a margin of exactly 0 the slope is 0."""
    over, rows, labels = cache
    dx = over.astype(np.asarray(dloss).dtype)
    dx[rows, labels] -= over.sum(1)
    return dx * (dloss / len(dx))


OWN = {"layer_norm": (layer_norm, layer_norm_back), "group_norm": (group_norm, group_norm_back),
       "svm_loss": (svm_loss, svm_loss_back)}


# ---- several layers in one

def _through(layers, x, *arrays, **settings):
    """Forward through a sandwich's layers; the arrays are those of its layers, in order."""
    left, caches, counts = list(arrays), [], []
    for op in layers:
        names, called = TAKES[op]
        own, left = left[: len(names)], left[len(names) :]
        options = {name: settings[key] for name, key in called.items() if key in settings}
        x, cache = passes(op).forward(x, *own, **options)
        caches.append((op, cache))
        counts.append(len(own))
    return x, (caches, counts)


def _back_through(dy, kept):
    gradients = []
    for (op, cache), count in zip(*map(reversed, kept), strict=True):
        found = passes(op).backward(dy, cache)
        dy, *own = found if isinstance(found, tuple) else (found,)
        gradients = [*own[:count], *[None] * (count - len(own)), *gradients]
    return [dy, *gradients]
