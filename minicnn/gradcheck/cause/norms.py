"""Suspicions about norms: other statistics, another epsilon, another scale of dx.

Each function tests an Evidence and returns a Cause, a truth value, or None.
"""

import numpy as np

from minicnn.gradcheck.cause.candidates import redone
from minicnn.gradcheck.cause.evidence import Cause, same
from minicnn.gradcheck.judge.reference import NORMS, as_normalised


def normalised_otherwise(e):
    """A norm's y with other statistics: of other numbers together, or with another epsilon."""
    if e.op not in NORMS or "y" not in e.arrays or not e.usual:
        return None
    for name, words, ways in NORMALISED:
        for way in ways:
            if e.explained("y", way):
                return Cause(name, words)
    return None


def _y(case, x, mean, variance, epsilon=None, root=np.sqrt):
    epsilon = case.options.get("epsilon", 1e-5) if epsilon is None else epsilon
    z = (x - mean) / root(variance + epsilon)
    return {"y": case.inputs["gamma"] * z.reshape(case.inputs["x"].shape) + case.inputs["beta"]}


def _over(axes_of, of_mean=True, of_variance=True, ddof=0):
    """y where the mean, the variance, or both are taken over other axes: axes_of(array)."""
    def candidate(row):
        case = row.case
        x, own = as_normalised(case)
        axes = axes_of(x, own)
        mean = x.mean(axis=axes if of_mean else own, keepdims=True)
        variance = x.var(axis=axes if of_variance else own, keepdims=True, ddof=ddof)
        if of_mean and not of_variance:
            variance = np.square(x - mean).mean(axis=own, keepdims=True)
        if case.options.get("training") is False:
            raise ValueError("the statistics are given")
        return _y(case, x, mean, variance)
    return candidate


def _with_epsilon(change, root=np.sqrt):
    """y with another epsilon, change(epsilon)."""
    def candidate(row):
        x, own = as_normalised(row.case)
        mean, variance = x.mean(own, keepdims=True), x.var(own, keepdims=True)
        if row.case.options.get("training") is False:
            mean, variance = row.case.inputs["mean"], row.case.inputs["variance"]
        return _y(row.case, x, mean, variance, change(row.case.options.get("epsilon", 1e-5)), root)
    return candidate


def _outside(row):
    """y = (x - mean) / (deviation + epsilon)."""
    epsilon = row.case.options.get("epsilon", 1e-5)
    return _with_epsilon(lambda _: 0.0, lambda v: np.sqrt(v) + epsilon)(row)


def _by_variance(row):
    """y = (x - mean) / (variance + epsilon)."""
    return _with_epsilon(lambda epsilon: epsilon, lambda v: v)(row)


def _mixed(share_mean, share_variance):
    """y in training, with some of the running statistics in the batch's."""
    def candidate(row):
        case, x = row.case, row.case.inputs["x"]
        if not case.options.get("training") or case.op != "batch_norm":
            raise ValueError("the statistics are given")
        own = tuple(range(x.ndim - 1))
        mean = share_mean * case.inputs["mean"] + (1 - share_mean) * x.mean(own)
        variance = (share_variance * case.inputs["variance"]
                    + (1 - share_variance) * (x.var(own) if share_variance else
                                              np.square(x - mean).mean(own)))
        return _y(case, x, mean, variance)
    return candidate


def _channels_first(row):
    """y where an image N,H,W,C is read as if it were N,C,H,W."""
    case = row.case
    n, *sides, c = case.inputs["x"].shape
    x = case.inputs["x"].reshape(n, c, -1)  # N,H,W,C -> N,C,H W, in the wrong order
    z = (x - x.mean((0, 2), keepdims=True)) / np.sqrt(x.var((0, 2), keepdims=True)
                                                      + case.options["epsilon"])
    return {"y": case.inputs["gamma"] * z.reshape(case.inputs["x"].shape) + case.inputs["beta"]}


NORMALISED = [
    ("formula", "epsilon stands outside the root", [_outside]),
    ("formula", "the root is missing: it divides by the variance", [_by_variance]),
    ("formula", "the variance is not the mean square of the deviations",
     [_over(lambda x, own: own, ddof=1)]),
    ("formula", "epsilon is another number, or is ignored", [
        _with_epsilon(lambda _, one=one: one) for one in (0, 1e-3, 1e-5, 1e-8, 1e-7, 1e-12)]
        + [_with_epsilon(np.square), _with_epsilon(lambda e: max(e, 1e-3)),
           _with_epsilon(lambda e: max(e, 1e-4))]),
    ("statistics", "the running statistics are used in training", [
        _mixed(*shares) for shares in ((1, 1), (1, 0), (0, 1), (0.9, 0.9), (0.9, 0), (0, 0.9),
                                       (0.1, 0.1), (0.1, 0), (0, 0.1), (0.99, 0.99))]),
    ("channels", "one mean or variance is taken for all channels", [
        _over(lambda x, own: tuple(range(x.ndim)), *which)
        for which in ((True, True), (True, False), (False, True))]),
    ("batch", "mean and variance are taken over the images, too", [
        _over(lambda x, own: (0, *own), *which)
        for which in ((True, True), (True, False), (False, True))]),
    ("batch", "mean and variance are taken over the images", [
        _over(lambda x, own: (0,), *which)
        for which in ((True, True), (True, False), (False, True))]),
    ("batch", "each image is normalised by itself", [
        _over(lambda x, own: tuple(a for a in own if a), *which)
        for which in ((True, True), (True, False), (False, True))]),
    ("channels", "each pixel's channels are normalised", [_over(lambda x, own: (x.ndim - 1,))]),
    ("channels", "images are read channel by channel", [_channels_first]),
]


def scaled_otherwise(e):
    """dx alone is wrong: gamma does not count, or each set of numbers has a factor of its own."""
    if e.op not in NORMS or e.arrays != {"dx"}:
        return False
    return e.explained("dx", _without_gamma) or all(
        _one_factor_a_set(row) for row, _ in e.each("dx"))


def _without_gamma(row):
    return redone(row, {"gamma": np.ones_like(row.case.inputs["gamma"])})


def _one_factor_a_set(row):
    _, axes = as_normalised(row.case)
    shape = as_normalised(row.case)[0].shape
    got, right = row.got["dx"].reshape(shape), row.expected["dx"].reshape(shape)
    factor = (got * right).sum(axes, keepdims=True) / np.square(right).sum(axes, keepdims=True)
    return same(got, factor * right, right)


def testing_only(e):
    """Wrong only where it is not training."""
    return (e.op in ("batch_norm", "conv_bn_relu", "affine_bn_relu") and bool(e.wrong)
            and all(not row.case.options["training"] for row in e.wrong)
            and any(row.case.options["training"] for row in e.right))
