"""Every feature of a setting has its words."""

import pytest

from minicnn.gradcheck.judge import features
from minicnn.gradcheck.judge.cases import CASES, cases

OUTSIDE = {"float32", "float64", "refusals"}  # features of a result, not tags of a case


def test_the_words_are_those_of_the_cases():
    tags = {tag for op in CASES for case in cases(op) for tag in case.tags}
    assert tags == set(features.FEATURES) - OUTSIDE


def test_left_out():
    assert features.left_out("padding, no aliasing,float32") == (
        "padding", "no aliasing", "float32")
    assert features.left_out("") == ()
    with pytest.raises(ValueError, match="unknown feature 'paddng'; there are padding, stride"):
        features.left_out("paddng")
