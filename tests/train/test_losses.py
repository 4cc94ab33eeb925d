"""The losses: against their definitions, and their gradients against differences."""

import numpy as np
import pytest

from minicnn.network import Network
from minicnn.network.layers import Dense, Sigmoid, Softmax
from minicnn.train import losses

SCORES = np.random.default_rng(0).standard_normal((5, 4))
LABELS = np.array([0, 3, 1, 1, 2])
MIXED = np.random.default_rng(1).dirichlet(np.ones(4), 5)  # rows of probabilities


def log_softmax(x):
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def numerical(loss, x, h=1e-6):
    """Central differences at every coordinate; their error is of order h^2."""
    steps = h * np.eye(x.size).reshape(-1, *x.shape)
    return np.array([(loss(x + s) - loss(x - s)) / (2 * h) for s in steps]).reshape(x.shape)


@pytest.mark.parametrize("targets", [LABELS, MIXED], ids=["labels", "probabilities"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_softmax_loss_by_definition(targets, smoothing):
    t = np.eye(4)[targets] if targets.ndim == 1 else targets
    t = (1 - smoothing) * t + smoothing / 4
    loss, gradient = losses.softmax_loss(SCORES, targets, smoothing)
    expected = -(t * log_softmax(SCORES)).sum(axis=1).mean()
    assert loss == pytest.approx(expected, rel=1e-12)  # float64
    np.testing.assert_allclose(gradient, (np.exp(log_softmax(SCORES)) - t) / 5, atol=1e-15)
    np.testing.assert_allclose(gradient, numerical(
        lambda x: losses.softmax_loss(x, targets, smoothing)[0], SCORES), atol=1e-8)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_sigmoid_loss_by_definition(smoothing):
    x, labels = SCORES[:, :1], np.array([0, 1, 1, 0, 1])
    t = (1 - smoothing) * labels + smoothing / 2
    p = 1 / (1 + np.exp(-x[:, 0]))
    loss, gradient = losses.sigmoid_loss(x, labels, smoothing)
    assert loss == pytest.approx(-(t * np.log(p) + (1 - t) * np.log(1 - p)).mean(), rel=1e-12)
    np.testing.assert_allclose(gradient[:, 0], (p - t) / 5, atol=1e-15)


def test_scores_far_from_zero_do_not_overflow():
    for x in (np.array([[1e4], [-1e4]], np.float32),):
        loss, gradient = losses.sigmoid_loss(x, np.array([0, 1]))
        assert loss == 1e4 and np.isfinite(gradient).all() and gradient.dtype == np.float32


def test_the_network_s_end_chooses():
    def ending(units, layer):
        return Network("n", [("fc", Dense(units)), ("prob", layer)], (2, 2, 1))

    assert losses.loss_of(ending(3, Softmax())) is losses.softmax_loss
    assert losses.loss_of(ending(1, Sigmoid())) is losses.sigmoid_loss
    assert losses.classes_of(ending(3, Softmax())) == 3
    assert losses.classes_of(ending(1, Sigmoid())) == 2
    with pytest.raises(ValueError, match="several sigmoids have no loss"):
        losses.sigmoid_loss(SCORES, LABELS)


def test_predicted():
    assert losses.predicted(np.array([[1.0, 3, 2], [5, 0, 0]])).tolist() == [1, 0]
    assert losses.predicted(np.array([[0.1], [-0.1]])).tolist() == [1, 0]
