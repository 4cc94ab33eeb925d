"""Suspicions about ops with formulas of their own: lists, LRN, losses, ReLU, dropout, softmax.

Each function tests an Evidence and returns a Cause, a truth value, or None.
"""

import numpy as np

from minicnn.gradcheck.cause.candidates import redone
from minicnn.gradcheck.cause.evidence import Cause
from minicnn.gradcheck.judge.reference import NORMS, results
from minicnn.gradcheck.own.known import LOSSES, PARTS


def of_parts(e):
    """Parts that are left out, or pieces of dy that are cut at the wrong places."""
    if e.op not in PARTS or not e.wrong:
        return None
    counts = [len(row.case.inputs) for row in e.wrong]
    fewer = [len(row.case.inputs) for row in e.right]
    if min(counts) > max(fewer, default=9) > 1:
        words = f"parts after number {max(fewer)} are left out"
        return Cause("range" if max(fewer) > 2 else "missing", words)
    return None


def cut_wrongly(e):
    """The gradients of a concat are other pieces of dy."""
    return e.op == "concat" and bool(e.wrong) and "y" not in e.arrays


# ---- LRN

def lrn_otherwise(e):
    """LRN's y with another window of channels."""
    if e.op != "lrn" or not e.usual:
        return None
    for name, words, window in LRN_WINDOWS:
        if e.explained("y", lambda row, window=window: {"y": _lrn(row.case, window)}):
            return Cause(name, words)
    return None


def _lrn(case, window):
    x, s = case.inputs["x"], case.options
    c, a = x.shape[-1], s["alpha"] / (s["size"] if s["convention"] == "caffe" else 1)
    total = sum(x[..., [near]] ** 2 * (np.arange(c) == at)
                for at in range(c) for near in window(at, s["size"] // 2, c))
    return x * (s["k"] + a * total) ** -s["beta"]


def _between(low, high):
    return lambda at, half, c: [near for near in range(at - half + low, at + half + 1 + high)
                                if 0 <= near < c]


LRN_WINDOWS = [
    ("missing", "the window's last channel is left out", _between(0, -1)),
    ("missing", "the window's first channel is left out", _between(1, 0)),
    ("missing", "the window has one channel too many", _between(0, 1)),
    ("missing", "both ends of the window are left out", _between(1, -1)),
    ("padding", "the window of the first channels wraps around",
     lambda at, half, c: [near for near in range(at - half, min(c, at + half + 1))]),
    ("padding", "the window wraps around at both ends",
     lambda at, half, c: [near % c for near in range(at - half, at + half + 1)]),
    ("padding", "the window is moved to stay inside",
     lambda at, half, c: [min(max(near, 0), c - 1) for near in range(at - half, at + half + 1)]),
]


# ---- axes and sums

def crossed(e):
    """dx alone is wrong, where every number of it depends on a shared sum."""
    return (getattr(e.form, "part", "all") == "all" and e.arrays == {"dx"}
            and e.op in ("softmax", "cross_entropy", "lrn", *NORMS))


def turned_over(e):
    """A softmax along the first axis: of a column, not of a row."""
    def candidate(row):
        y, gradients = results(e.op, {"x": np.moveaxis(row.case.inputs["x"], 0, -1)}, {},
                               np.moveaxis(row.case.dy(), 0, -1))
        return {"y": np.moveaxis(y, -1, 0), "dx": np.moveaxis(gradients["x"], -1, 0)}
    return e.op == "softmax" and e.all_explained(candidate)


def channels_first(row):
    """A dense layer or a global mean that reads an image channel by channel."""
    x = row.case.inputs["x"]
    if row.case.op == "global_average_pool":
        n, h, w, c = x.shape
        return {"y": x.reshape(n, c, h * w).mean(2)}
    found = redone(row, {"x": x.transpose(0, 3, 1, 2)})
    return {name: value for name, value in found.items() if name != "dx"}


# ---- losses

def of_loss(e):
    """The gradient of a loss with another part of it, or other labels."""
    if e.op not in LOSSES or not e.usual:
        return None
    return first_that(e, OTHER_LOSSES)


def first_that(e, named):
    """The Cause of the first (name, words, candidate) that explains all that is wrong."""
    return next((Cause(name, words) for name, words, candidate in named
                 if e.all_explained(candidate)), None)


def _less_true(times, at=slice(None)):
    """A candidate: dx with `times` the part at the true class less, for some images."""
    def candidate(row):
        x, labels = row.case.inputs["x"], row.case.inputs["labels"]
        rows, dx = np.arange(len(x))[at], row.expected["dx"].copy()
        if row.case.op == "svm_loss":
            dx[rows, labels[at]] *= 1 - times
        else:
            dx[rows, labels[at]] += times * row.case.dy() / len(x)
        return {"dx": dx}
    return candidate


def _with_labels(change):
    def candidate(row):
        x, labels = row.case.inputs["x"], row.case.inputs["labels"]
        return redone(row, {"labels": change(x, labels) % x.shape[1]})
    return candidate


def _of_margins(change):
    """A candidate: the hinge loss's dx, where change(margins) weighs the violated margins."""
    def candidate(row):
        x, labels = row.case.inputs["x"], row.case.inputs["labels"]
        rows = np.arange(len(x))
        margins = np.maximum(x - x[rows, labels][:, None] + 1, 0)
        margins[rows, labels] = 0
        dx = change(margins).astype(float)
        dx[rows, labels] = -dx.sum(1)
        return {"dx": dx * row.case.dy() / len(x)}
    return candidate


def _label_once(row):
    x, labels = row.case.inputs["x"], row.case.inputs["labels"]
    dx = row.expected["dx"].copy()
    at = np.arange(len(x)), labels
    dx[at] = -np.sign(-dx[at] / row.case.dy()) * row.case.dy() / len(x)
    return {"dx": dx}


OTHER_LOSSES = [
    ("missing", "the part of the true class is missing", _less_true(1)),
    ("batch", "the true class counts in the first image only", _less_true(1, slice(1, None))),
    ("sign", "the part of the true class has the wrong sign", _less_true(2)),
    ("mask", "the best class is taken for the true one",
     _with_labels(lambda x, labels: x.argmax(1))),
    ("channels", "labels count from one", _with_labels(lambda x, labels: labels - 1)),
    ("channels", "labels are off by one", _with_labels(lambda x, labels: labels + 1)),
    ("missing", "the true class counts once for several violated margins", _label_once),
    ("formula", "it is the gradient of the squared hinge",
     _of_margins(lambda margins: 2 * margins)),
    ("formula", "it is the gradient of half the squared hinge", _of_margins(lambda m: m)),
    ("formula", "only the largest margin counts", _of_margins(
        lambda m: (m == m.max(1, keepdims=True)) & (m > 0))),
]


# ---- kinks, ReLU and dropout

def among_equals(e):
    """A max pool's dx is wrong only where maxima are equal, also by rounding to float32."""
    def has_ties(row):
        return "ties" in row.case.tags or (row.dtype == np.float32 and "values" in row.case.tags)
    return (e.op in ("pool", "relu", "svm_loss") and bool(e.all_wrong)
            and all(map(has_ties, e.all_wrong)) and any(not has_ties(row) for row in e.all_right))


def rectified(row):
    """What a ReLU's backward returns under another mask, as a list of candidates' dx."""
    x, dy = row.case.inputs["x"], row.case.dy()
    return [dy * (dy > 0), dy * ((dy > 0) & (x > 0)), dy * (x < 0), dy, np.maximum(dy, 0),
            dy * (x <= 0), dy * (np.abs(x) > 0)]


def other_mask(e):
    """A ReLU's dy passes elsewhere."""
    if e.op != "relu" or "y" in e.arrays or not e.usual:
        return False
    passed = all(((row.got["dx"] == 0) | (row.got["dx"] == row.case.dy())).all() for row in e.usual)
    return passed or any(e.explained("dx", lambda row, k=k: {"dx": rectified(row)[k]})
                         for k in range(7))


def rectifies(e):
    """y is rectified where it should not be."""
    return (e.op not in ("relu", "pool") and "y" in e.arrays
            and e.explained("y", lambda row: {"y": np.maximum(row.expected["y"], 0)})
            and any((row.expected["y"] < 0).any() for row in e.usual))


def of_random(e):
    """A dropout's mask: drawn anew, or scaled wrongly."""
    return e.op == "dropout" and ("random" in e.conduct or bool(e.all_wrong))
