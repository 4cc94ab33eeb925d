"""Softmax cross-entropy: how surprised the network is by the true labels.

    loss = -(1/N) sum over n of log softmax(x[n])[label[n]]

computed as log(sum of exp) minus the true score, which never takes the log of a probability that
has rounded to 0.

Backward
    ∂loss/∂x[n, k] = (softmax(x[n])[k] - [k = label[n]]) / N: the probabilities, less one at the
    true class. The mean over the batch is part of the loss, so 1/N is part of the gradient.
"""

from typing import Any, NamedTuple

import numpy as np

from minicnn.backend import array_module
from minicnn.ops import softmax
from minicnn.ops.window import check_float


class CrossEntropyCache(NamedTuple):
    """The probabilities (N, K) and the labels (N,)."""

    probabilities: Any
    labels: Any


def forward(x, labels):
    """Mean cross-entropy of a batch.

    Parameters
    ----------
    x : array (N, K)
        Scores (logits), not probabilities.
    labels : integer array (N,)
        The true classes, each in 0 .. K-1; on the host, or on the same device as x.

    Returns
    -------
    loss : scalar
    cache : CrossEntropyCache
    """
    check_float(x, "cross_entropy.forward")
    xp = array_module(x)
    labels = labels if hasattr(labels, "dtype") else np.asarray(labels)
    if x.ndim != 2 or labels.shape != x.shape[:1] or labels.dtype.kind not in "iu":
        raise ValueError("cross_entropy.forward: expected scores (N, K) and N integer labels, got "
                         f"{x.shape} and {labels.dtype} {labels.shape}")
    if labels.size and (labels.min() < 0 or labels.max() >= x.shape[1]):
        raise ValueError(f"cross_entropy.forward: labels must lie in 0 .. {x.shape[1] - 1}, got "
                         f"{int(labels.min())} .. {int(labels.max())}")
    labels = xp.asarray(labels)  # after the checks, so that they run where the labels came from
    shifted = x - x.real.max(axis=1, keepdims=True)
    surprise = xp.log(xp.exp(shifted).sum(axis=1)) - shifted[xp.arange(len(x)), labels]
    return surprise.mean(), CrossEntropyCache(softmax.forward(x)[0], labels)


def backward(dloss, cache):
    """Gradient at the scores, (N, K), from the scalar `dloss`."""
    dx = cache.probabilities.copy()
    dx[array_module(dx).arange(len(dx)), cache.labels] -= 1
    return dx * (dx.dtype.type(dloss) / len(dx))
