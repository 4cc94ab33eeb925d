"""Softmax cross-entropy."""

import checks
import numpy as np
import pytest
from checks import normal, refuses

from minicnn.ops import cross_entropy


def test_cross_entropy():
    checks.cross_entropy(cross_entropy.forward, cross_entropy.backward)


def test_pytorch_agrees():
    pytest.importorskip("torch")
    checks.cross_entropy(cross_entropy.forward, cross_entropy.backward, only=("PyTorch",))


def test_hopeless_score_has_a_finite_loss():
    loss, cache = cross_entropy.forward(np.array([[1000.0, -1000.0]]), np.array([1]))
    assert loss == 2000
    np.testing.assert_array_equal(cross_entropy.backward(1.0, cache), [[1, -1]])


def test_labels_may_be_a_list():
    x = normal(3, 4)
    labels = [1, 0, 3]
    assert cross_entropy.forward(x, labels)[0] == cross_entropy.forward(x, np.array(labels))[0]


X = normal(3, 4)


@pytest.mark.parametrize(("words", "x", "labels"), [
    (["0 .. 3", "0 .. 4"], X, [0, 4, 1]),
    (["0 .. 3", "-1 .. 2"], X, [0, -1, 2]),
    (["(N, K)", "(3, 4)", "(2,)"], X, [0, 1]),
    (["integer", "float64"], X, [0.0, 1.0, 2.0]),
    (["(N, K)", "(4,)"], X[0], [1]),
])
def test_refuses(words, x, labels):
    refuses(["cross_entropy.forward", "got", *words], cross_entropy.forward, x, np.array(labels))
