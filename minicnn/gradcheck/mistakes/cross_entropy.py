"""Softmax and cross-entropy in one: the mean loss over the images; the cache is a tuple."""

import numpy as np


def forward(x, labels):
    """x (N,K) and N labels -> the loss, a number."""
    labels = np.asarray(labels)
    if x.ndim != 2 or x.dtype.kind not in "fc" or labels.shape != x.shape[:1]:
        raise ValueError("expected scores (N, K) and N labels")
    if labels.dtype.kind not in "iu":
        raise ValueError("the labels must be integers")
    if labels.min() < 0 or labels.max() >= x.shape[1]:
        raise ValueError("the labels must lie in 0 .. K-1")
    n = x.shape[0]
    shifted = x - x.max(axis=1, keepdims=True)
    e = np.exp(shifted)
    total = e.sum(axis=1, keepdims=True)
    log_p = shifted - np.log(total)
    loss = -log_p[np.arange(n), labels].sum() / n
    return loss.astype(x.dtype), (e / total, labels.copy())


def backward(dloss, cache):
    """dx (N,K): the probabilities, less 1 at the label, over N."""
    p, labels = cache
    n = p.shape[0]
    dx = p.copy()
    dx[np.arange(n), labels] -= 1
    dx = dx / n
    return dx * np.asarray(dloss).astype(p.dtype)
