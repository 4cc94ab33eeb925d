"""The error of the central difference against its step."""

import types

import handed_in
import numpy as np
import pytest

from minicnn.gradcheck.judge import files
from minicnn.gradcheck.judge.step_sizes import STEPS, error_by_step

SIGMOID = """
import numpy as np

def sigmoid_forward(x):
    y = 1 / (1 + np.exp(-x))
    return y, y

def sigmoid_backward(dy, y):
    return 1.01 * dy * y * (1 - y)
"""


def curve(text):
    """The StepCurve of the one op of a text."""
    module = types.ModuleType("mine")
    exec(text, vars(module))
    with files.opened(module) as layers:
        return files.judged(layers, layers.found[0], quick=True, curve=error_by_step).curve


def test_a_wrong_gradient_keeps_its_error_and_the_right_one_follows_theory():
    found = curve(SIGMOID)
    middle = (STEPS < 1e-3) & (STEPS > 1e-8)
    np.testing.assert_allclose(found.yours[middle], 0.01, rtol=1e-2)
    assert found.array == "x" and found.right[middle].min() < 1e-9
    wide = (STEPS <= 1e-1) & (STEPS > 3e-3)
    np.testing.assert_allclose(found.right[wide], found.truncation[wide], rtol=0.2)
    fine = STEPS < 1e-7
    assert (found.right[fine] < 30 * found.rounding[fine]).all()


def test_a_linear_forward_has_no_truncation():
    found = curve(handed_in.CROPPED_CONV)
    assert found.truncation is None and found.array == "x"
    assert found.right[STEPS > 1e-3].max() < 1e-10 < 1e-2 < found.yours.min()


def test_an_unknown_op_has_no_right_gradient():
    found = curve(handed_in.WRONG_OWN)
    assert found.right is None and found.yours.min() == pytest.approx(0.01, rel=0.1)


def test_without_a_wrong_result_there_is_none():
    assert curve(handed_in.GREEDY_TANH) is None
    raising = handed_in.RELU.replace("return dout", "return 1 / 0 * dout")
    assert curve(raising) is None
