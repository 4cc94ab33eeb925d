"""The configurations of windowed ops: each has what its name and its reason say."""

import numpy as np
import pytest

from minicnn.gradcheck.judge.matrix import (
    CEIL,
    CONV,
    POOL,
    VALUES,
    WINDOWS,
    Case,
    both,
    conv_inputs,
    settings,
)
from minicnn.ops import conv, pool


def named(name):
    (case,) = [case for case in {*WINDOWS, *CEIL, *CONV, *POOL} if case.name == name]
    return case


def test_names_are_unique():
    for cases in (CONV, POOL):
        assert len({str(case) for case in cases}) == len(cases)
    assert {*WINDOWS} < {*CONV} and {*WINDOWS, *CEIL} < {*POOL}


@pytest.mark.parametrize("case", CONV, ids=str)
def test_a_convolution_can_be_computed(case):
    inputs = conv_inputs(case)
    kh, kw = case.kernel_size()
    assert inputs["x"].shape == case.image
    assert inputs["w"].shape == (kh, kw, case.image[3] // case.groups, case.outputs)
    assert ("b" in inputs) == case.bias
    options = settings(case, "stride", "pad", "groups", "dilation")
    y, _ = conv.forward(inputs["x"], inputs["w"], inputs.get("b"), **options)
    assert y.shape[::3] == (case.image[0], case.outputs) and y.size > 0


def windows(case, rounding):
    options = settings(case, "window", "stride", "pad") | {"rounding": rounding}
    return pool.forward(case.x(), **options)[0].shape


def test_rounding_up_matters_but_for_the_exact_case_and_the_dropped_window():
    same = {case.name for case in CEIL if windows(case, "ceil") == windows(case, "floor")}
    assert same == {"ceil, exact", "ceil drops a window"}
    assert windows(named("floor leaves rows over"), "ceil") == (1, 2, 3, 1)


def test_what_the_names_say():
    for case in CONV:
        assert ("depthwise" in case.name) <= (case.groups == case.image[3] == case.outputs)
        assert ("dilated" in case.name) <= (case.dilation != 1)
        assert ("no bias" in case.name) == (not case.bias)
    for case in POOL:
        assert ("pairs" in case.name) <= any(isinstance(value, tuple)
                                             for value in (case.window, case.stride, case.pad))
        assert ("gaps" in case.name) <= (np.min(case.stride) > np.max(case.window) - 1)
    assert both(named("a window of more than 256 pixels").window) == (17, 17)


HOLDS = {"negative": lambda x: (x <= -1).all(), "constant": lambda x: np.ptp(x) == 0,
         "rising": lambda x: (np.diff(x.ravel()) > 0).all(),
         "integer": lambda x: {*x.flat} == {-1, 0, 1},
         "normal": lambda x: len({*x.flat}) == x.size and (x < 0).any()}


def test_the_numbers():
    assert HOLDS.keys() == VALUES.keys()
    for values, holds in HOLDS.items():
        assert holds(Case("any", (2, 5, 6, 2), values=values).x()), values
    assert (named("padded").x() == named("padded").x()).all()
    assert (named("padded").x() != named("padded")._replace(name="other").x()).any()


def test_both():
    assert both(3) == (3, 3) and both((1, 2)) == (1, 2)
