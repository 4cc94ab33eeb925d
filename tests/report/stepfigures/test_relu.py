"""The figure of the three rules: its numbers are the op's."""

import numpy as np
import pytest

from minicnn.ops import relu
from minicnn.report.stepfigures import step_relu

X, DY = np.random.default_rng(0).integers(-3, 4, (2, 3, 5)).astype(float)


def test_the_numbers_are_the_op_s():
    library = step_relu(X, DY).data["library"]
    y, cache = relu.forward(X)
    assert library.pop("y") == y.tolist()
    assert library == {rule: relu.backward(DY, cache, rule).tolist() for rule in relu.RULES}


def test_a_row_of_numbers_is_one_row():
    assert step_relu(X[0], DY[0]).data["x"] == [X[0].tolist()]


def test_what_does_not_fit_is_said():
    with pytest.raises(ValueError, match=r"dy: expected the shape of x, \(3, 5\), got \(1, 5\)"):
        step_relu(X, DY[0])
    with pytest.raises(ValueError, match="step_relu, x: .* at most 12 columns, got 20"):
        step_relu(np.ones(20), np.ones(20))
