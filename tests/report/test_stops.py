"""The stops of the tour: each makes its pictures with the shipped network."""

import inspect

import pytest

from minicnn.course import lessons
from minicnn.report import stops


@pytest.mark.parametrize("stop", stops.STOPS, ids=lambda stop: stop.make.__name__)
def test_it_says_what_one_sees(stop):
    heading, _, text = inspect.getdoc(stop.make).partition("\n\n")
    assert "\n" not in heading and 1 <= text.count(". ") + text.endswith(".") <= 4
    assert lessons.lesson(stop.lesson).number == stop.lesson
