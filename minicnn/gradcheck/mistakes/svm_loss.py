"""The hinge loss of several classes (a support vector machine), with margin 1."""

import numpy as np


def forward(x, labels):
    """x (N,K) and N labels -> the mean over the images of sum max(0, x[k] - x[label] + 1)."""
    labels = np.asarray(labels)
    if x.ndim != 2 or x.dtype.kind not in "fc" or labels.shape != x.shape[:1]:
        raise ValueError("expected scores (N, K) and N labels")
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= x.shape[1]:
        raise ValueError("the labels must be integers in 0 .. K-1")
    n = x.shape[0]
    rows = np.arange(n)
    right = x[rows, labels][:, None]
    margins = np.maximum(x - right + 1, 0)
    margins[rows, labels] = 0
    loss = margins.sum() / n
    return loss.astype(x.dtype), (margins, labels.copy())


def backward(dloss, cache):
    """dx (N,K): 1/N where a margin is violated, minus their number at the label."""
    margins, labels = cache
    n = margins.shape[0]
    dx = (margins > 0).astype(margins.dtype)
    dx[np.arange(n), labels] -= dx.sum(axis=1)
    dx /= n
    return dx * np.asarray(dloss).astype(margins.dtype)
