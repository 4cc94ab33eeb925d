"""Values and calls as lines of Python."""

import numpy as np
import pytest

from minicnn.course.handout.typed import Lines, call, typed


@pytest.mark.parametrize("value", [
    np.array([[1.5, -2.0]]), np.array([True, False]), np.arange(3, dtype=np.uint8),
    np.array([np.nan, np.inf, -np.inf]), np.float32([0.1])], ids=lambda one: str(one.dtype))
def test_an_array_comes_back_with_its_dtype(value):
    again = eval(typed(value), {"np": np})
    assert again.dtype == value.dtype
    assert np.array_equal(again, value, equal_nan=value.dtype.kind == "f")


def test_everything_else():
    assert typed((1, 2)) == "(1, 2)" and typed((1,)) == "(1,)" and typed([0.5]) == "[0.5]"
    assert typed(np.int64(3)) == "3" and typed("floor") == "'floor'" and typed(None) == "None"


def test_a_call():
    assert call("f", ["x", "None"], {"pad": (1, 2)}) == "f(x, None, pad=(1, 2))"
    assert Lines("y = 1", "y", [], "").is_gradient is False
