"""The losses of training: how far scores are from their targets, and which way down.

A network with a softmax at its end, or with nothing after its scores, is trained with the softmax
cross-entropy. With targets t[n, k] that are themselves probabilities,

    loss = -(1/N) sum over n, k of t[n, k] log p[n, k]         p = softmax(x)
    ∂loss/∂x[n, k] = (p[n, k] - t[n, k]) / N

Labels are the targets that are 1 at one class and 0 elsewhere: the page `ops.cross_entropy`. Both
formulas are linear in t, so any other targets add only a term for their difference d to those:

    loss = cross-entropy + (1/N) sum of d x          gradient = its gradient + d / N

A network with one sigmoid at its end tells two classes apart: t[n] is the probability of class 1.

    loss = -(1/N) sum of t log p + (1 - t) log(1 - p) = (1/N) sum of log(1 + e^x) - t x
    ∂loss/∂x[n] = (p[n] - t[n]) / N
"""

import numpy as np

from minicnn.backend import array_module
from minicnn.network.layers import Sigmoid
from minicnn.ops import cross_entropy, sigmoid


def loss_of(network):
    """The loss that a network is trained with: `softmax_loss`, or `sigmoid_loss`."""
    return sigmoid_loss if isinstance(network.rows[-1].layer, Sigmoid) else softmax_loss


def classes_of(network):
    """How many classes a network tells apart; one sigmoid tells two."""
    return max(2, network.shapes[network.logits][-1])


def soft(targets, classes, smoothing=0.0):
    """Targets as probabilities, (N, K).

    Parameters
    ----------
    targets : (N,) integers or (N, K) probabilities
    classes : int
        K.
    smoothing : float in [0, 1)
        Label smoothing (Szegedy et al. 2016, section 7): this share of each target is spread
        evenly over all classes, so that the network need not be certain.
    """
    targets = np.asarray(targets)
    known = targets if targets.ndim == 2 else np.eye(classes)[targets]
    return (1 - smoothing) * known + smoothing / classes


def softmax_loss(scores, targets, smoothing=0.0):
    """The mean softmax cross-entropy of a batch.

    Parameters
    ----------
    scores : array (N, K)
    targets : (N,) integers or (N, K) probabilities
    smoothing : float

    Returns
    -------
    loss : scalar
    gradient : array (N, K)
        At the scores.
    """
    n, classes = scores.shape
    labels = targets if np.ndim(targets) == 1 else np.argmax(targets, axis=1)
    loss, cache = cross_entropy.forward(scores, labels)
    gradient = cross_entropy.backward(1.0, cache)
    if smoothing or np.ndim(targets) == 2:
        difference = (np.eye(classes)[labels] - soft(targets, classes, smoothing)) / n
        difference = array_module(scores).asarray(difference.astype(scores.dtype))
        loss, gradient = loss + (difference * scores).sum(), gradient + difference
    return loss, gradient


def sigmoid_loss(scores, targets, smoothing=0.0):
    """The mean binary cross-entropy of a batch; `scores` is (N, 1), the rest as for `softmax_loss`.
    """
    if scores.shape[1] != 1:
        raise ValueError("training: several sigmoids have no loss here; end the network in Softmax "
                         f"for {scores.shape[1]} classes, or in one sigmoid for two")
    xp = array_module(scores)
    t = xp.asarray(soft(targets, 2, smoothing)[:, 1:].astype(scores.dtype))
    loss = (xp.logaddexp(scores.dtype.type(0), scores) - t * scores).mean()
    return loss, (sigmoid.forward(scores)[0] - t) / scores.dtype.type(len(scores))


def predicted(scores):
    """The class of the highest score of each image; of one score, whether it is above 0."""
    return (scores[:, 0] > 0).astype(int) if scores.shape[1] == 1 else scores.argmax(axis=1)
