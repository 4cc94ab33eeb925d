"""Layers for a student's gradient checker."""

import numpy as np
import pytest

from minicnn.course.assignments import assignment
from minicnn.course.handout import layers
from minicnn.gradcheck import page

CHECKERS = [one for one in assignment("checking").questions if one.kind == "checker"]


@pytest.mark.parametrize("one", CHECKERS, ids=lambda one: one.id)
@pytest.mark.parametrize("kind", ["visible", "hidden"])
def test_the_page_passes(one, kind):
    text = layers.tests(one, np.random.default_rng(0), kind)
    exec(text, {"np": np, "check": page.check})
    assert text.count("found = check(") >= 2


@pytest.mark.parametrize("said", [[], ["x"], ["x", "w", "b"]])
def test_who_says_always_the_same_does_not(said):
    text = layers.tests(CHECKERS[0], np.random.default_rng(0), "visible")
    with pytest.raises(AssertionError, match="expected"):
        exec(text, {"np": np, "check": lambda *given: said})


def test_every_layer_of_the_table_is_what_it_says():
    for (op, name), (gradients, wrong) in layers.WRONG.items():
        assert wrong in layers.RIGHT[op][0] and gradients != layers.RIGHT[op][3], name
