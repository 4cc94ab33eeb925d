"""Layers that are objects: their parameters are checked as well, wherever they keep them."""

import numpy as np
import pytest

from minicnn import gradcheck
from minicnn.ops import relu


def normal(*shape, seed=1):
    return np.random.default_rng(seed).standard_normal(shape)


class Attributes:
    """W and b, dW and db."""

    factor = 1

    def __init__(self):
        self.W, self.b = normal(4, 3), normal(3, seed=2)
        self.dW = self.db = None

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        self.dW, self.db = self.x.T @ dy, self.factor * dy.sum(0)
        return dy @ self.W.T


class Lists:
    """params and grads, which refer to the same arrays as the attributes, and are filled."""

    factor = 1

    def __init__(self):
        self.W, self.b = normal(4, 3).astype("f4"), normal(3, seed=2).astype("f4")
        self.params = [self.W, self.b]
        self.grads = [np.zeros_like(self.W), np.zeros_like(self.b)]

    def forward(self, x):
        W, b = self.params
        self.x = x
        return x @ W + b

    def backward(self, dy):
        self.grads[0][...] = self.x.T @ dy
        self.grads[1][...] = self.factor * dy.sum(0)
        return dy @ self.W.T


class Dicts(Attributes):
    """params["W"] and grads["W"]."""

    def __init__(self):
        self.params, self.grads = {"W": normal(4, 3), "b": normal(3, seed=2)}, {}

    def forward(self, x):
        self.x = x
        return x @ self.params["W"] + self.params["b"]

    def backward(self, dy):
        self.grads = {"W": self.x.T @ dy, "b": self.factor * dy.sum(0)}
        return dy @ self.params["W"].T


@pytest.mark.parametrize("kind", [Attributes, Lists, Dicts])
def test_parameters_are_checked(kind):
    layer = kind()
    report = gradcheck.check(layer, normal(5, 4))
    assert report.ok, report
    layer.factor = 2
    report = gradcheck.check(layer, normal(5, 4))
    name = "dparams1" if kind is Lists else "db"
    assert report["central differences"].words.startswith(f"{name}[")
    assert "too large by a factor 2" in report["central differences"].words


def test_the_layer_itself_is_not_touched():
    layer = Attributes()
    before = layer.W.copy()
    gradcheck.check(layer, {"x": normal(5, 4)})
    assert layer.dW is None and not hasattr(layer, "x")
    np.testing.assert_array_equal(layer.W, before)


def test_gradients_that_are_added_up():
    class Adding(Attributes):
        def __init__(self):
            super().__init__()
            self.dW, self.db = np.zeros_like(self.W), np.zeros_like(self.b)

        def backward(self, dy):
            self.dW += self.x.T @ dy
            self.db += dy.sum(0)
            return dy @ self.W.T

    report = gradcheck.check(Adding(), normal(5, 4))
    assert report.gradient_ok, report
    assert [one.kind for one in report.failed] == ["backward twice", "a second batch"]
    assert "dW: it was added to the first" in report["backward twice"].words
    assert "; it was added to that of the first" in report["a second batch"].words


def test_something_left_from_the_first_batch():
    class First(Attributes):
        def forward(self, x):
            if not hasattr(self, "x"):
                self.x = x
            return x @ self.W + self.b

    report = gradcheck.check(First(), normal(5, 4))
    assert report.gradient_ok, report
    assert "a second batch in one layer object: dW[" in report["a second batch"].words


def test_several_outputs():
    class Twice(Attributes):
        def forward(self, x):
            y = super().forward(x)
            return y, y**2

        def backward(self, dy, dz):
            y = self.x @ self.W + self.b
            return super().backward(dy + 2 * y * dz)

    report = gradcheck.check(Twice(), normal(5, 4), outputs=2)
    assert report.ok, report


def test_a_module():
    assert gradcheck.check(relu, normal(3, 4)).ok


def test_a_name_that_is_taken():
    with pytest.raises(ValueError, match="names of inputs and of parameters"):
        gradcheck.check(Attributes(), {"W": normal(5, 4)})
