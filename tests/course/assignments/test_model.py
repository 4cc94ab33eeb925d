"""The eight assignments as data."""

import importlib

import pytest

from minicnn.course.assignments import assignment, assignments
from minicnn.course.assignments.model import KINDS


def test_there_are_eight_with_a_hundred_points_each():
    assert [one.number for one in assignments()] == [*range(1, 9)]
    assert {one.points for one in assignments()} == {100}
    assert all(one.minutes == sum(q.minutes for q in one.questions) for one in assignments())


@pytest.mark.parametrize("one", assignments(), ids=lambda one: one.name)
def test_what_is_cut_is_there(one):
    for page in one.pages:
        module = importlib.import_module(page.module)
        for name in page.cut:
            found = module
            for part in name.split("."):
                found = getattr(found, part)
            assert callable(found)


@pytest.mark.parametrize("one", assignments(), ids=lambda one: one.name)
def test_it_ends_in_a_network_and_has_a_written_question(one):
    kinds = [question.kind for question in one.questions]
    assert {*kinds} <= {*KINDS} and "written" in kinds and kinds[-1] == "network"


def test_found_by_name_and_number():
    assert assignment("lrn") is assignment(4) is assignment("4")
    assert assignment(4).question("lrn-2") is assignment(4).question(2)
    with pytest.raises(ValueError, match="no assignment 'none'; there are 1 convolution"):
        assignment("none")
    with pytest.raises(ValueError, match="lrn has no question 20"):
        assignment(4).question(20)
