"""The checker on one page: what it catches, and what it must not report."""

import numpy as np
import pytest

from minicnn.gradcheck import mistakes, page
from minicnn.gradcheck.judge.reference import passes

rng = np.random.default_rng(0)
POINTS = {
    "dense": {"x": rng.standard_normal((3, 4)), "w": rng.standard_normal((4, 2)),
              "b": rng.standard_normal(2)},
    "conv": {"x": rng.standard_normal((1, 4, 5, 2)), "w": rng.standard_normal((2, 3, 2, 2)),
             "b": rng.standard_normal(2)},
    "softmax": {"x": rng.standard_normal((2, 4))}, "tanh": {"x": rng.standard_normal((2, 4))},
    "relu": {"x": np.array([[-1.0, 0, 2], [0, 0, 1]])},
    "pool": {"x": np.round(rng.standard_normal((1, 4, 4, 2)))},
}
SETTINGS = {"pool": {"window": 2, "stride": 1}}


def checked(layer, op):
    """The names that `check` reports for a layer."""
    def backward(dy, cache):
        found = layer.backward(dy, cache)
        return tuple(found) if isinstance(found, tuple) else (found,)

    return page.check(lambda *given: layer.forward(*given, **SETTINGS.get(op, {})), backward,
                      POINTS[op])


@pytest.mark.parametrize("op", POINTS)
def test_right_layers_pass_also_at_kinks(op):
    assert checked(passes(op), op) == []


@pytest.mark.parametrize("op, kind, name", [
    ("dense", "dw averaged over the batch", "w"), ("dense", "db of the last one", "b"),
    ("conv", "overlap assigned", "x"), ("conv", "dw of the last window", "w"),
    ("softmax", "diagonal only", "x"), ("tanh", "gradient halved", "x"),
    ("relu", "mask inverted", "x"), ("relu", "upstream ignored", "x"),
    ("pool", "overlap assigned", "x"), ("pool", "upstream ignored", "x")])
def test_wrong_layers_are_reported_by_name(op, kind, name):
    layer = next(one for one in mistakes.known(op) if one.kind == kind).fresh()
    assert name in checked(layer, op)


def test_kinks_of_several_outputs_do_not_cancel():
    x, dy = np.array([0.0]), np.array([1.0, -1.0])
    apart = page.kinks(lambda x: np.maximum(np.repeat(x, 2), 0), x, dy)
    assert apart[0] == pytest.approx(1.0)  # each output's slope may be 0 or 1


def test_a_gradient_of_another_shape_or_not_finite():
    assert page.error(np.zeros(2), np.zeros(3)) == np.inf
    assert page.error(np.array([np.nan]), np.zeros(1)) == np.inf
    assert page.error(np.zeros(2), np.zeros(2)) == 0


def test_the_smooth_part_has_no_kink():
    x = rng.standard_normal((2, 3))
    assert not page.kinks(np.tanh, x, np.ones_like(x)).any()
