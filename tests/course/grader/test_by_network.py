"""The student's code inside a trained network, and what it makes."""

from time import perf_counter

import numpy as np
import pytest

from minicnn.course.assignments import assignments
from minicnn.course.grader import by_network
from minicnn.course.grader.grade import Asked
from minicnn.course.grader.local import Local
from minicnn.course.handout.cut import handout, solution

QUICK = ("convolution", "dense", "deconvnet")


def checked(one, source):
    asked = Asked(one, 4, "", f"{one.name}.py", True, Local(solution(one)), perf_counter() + 60)
    return by_network.checks(one.questions[-1], source, asked)


ONES = [pytest.param(one, id=one.name, marks=() if one.name in QUICK else pytest.mark.thorough)
        for one in assignments()]


@pytest.mark.parametrize("one", ONES)
def test_the_pages_make_the_picture(one):
    found, why = checked(one, Local(solution(one)))
    assert all(check.right for check in found), found
    assert why["share"] == 1 and why["words"]
    assert why["picture"].dtype == np.uint8 and np.ptp(why["picture"]) > 100


@pytest.mark.parametrize("one", ONES)
def test_the_handout_makes_none(one, unwritten):
    found, why = checked(one, unwritten(handout(one)))
    assert not any(check.right for check in found)
    assert why["share"] == 0 and "NotImplementedError" in why["words"]


def test_the_page_of_pebbles_is_drawn():
    drawn = by_network.pebbles((64, 64))
    assert drawn.shape == (64, 64, 3) and np.array_equal(drawn, by_network.pebbles((64, 64)))
