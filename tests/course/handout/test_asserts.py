"""Tests as lines: right answers pass, planted mistakes do not, nothing tells the answer."""

import re

import numpy as np
import pytest

from minicnn.course.assignments import assignment, assignments
from minicnn.course.assignments.planted import mistakes
from minicnn.course.grader.local import Local
from minicnn.course.handout import handout
from minicnn.course.handout.asserts import HELPERS, Asserts

GRADERS_OWN = {"checking"}  # its finer mistakes only the grader notices


def both_tests(name, seed=5):
    """{id of a question: both tests}."""
    tests = Asserts(assignment(name))
    return {one.id: "\n".join([tests.visible(one, seed + 1), tests.hidden(one, seed)])
            for one in assignment(name).questions if one.kind not in ("written", "network")}


def passes(source, test):
    """Whether a source passes a test."""
    try:
        with np.errstate(all="ignore"):
            exec(test, Local(f"{source}\n\n{HELPERS}").names)
    except Exception:
        return False
    return True


def escaped(name):
    """Planted mistakes that a question's tests do not notice, of all."""
    tests = both_tests(name)
    pairs = [(question, one) for one in mistakes(name) for question in one.questions
             if question in tests]
    return [f"{question}: {one.words}" for question, one in pairs
            if passes(one.source, tests[question])], len(pairs)


@pytest.mark.filterwarnings("ignore")
def test_planted_mistakes_do_not_pass():
    found, count = escaped("gram")
    assert found == [] and count > 15


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [one.name for one in assignments()])
def test_planted_mistakes_hardly_pass(name):
    found, count = escaped(name)
    assert len(found) <= (8 if name in GRADERS_OWN else 1) < count, found


def test_the_handout_as_it_is_passes_nothing():
    tests = both_tests("gram")
    assert tests and not any(passes(handout(assignment("gram")), one) for one in tests.values())


def test_other_seeds_have_other_numbers():
    first, second = both_tests("gram", 5), both_tests("gram", 6)
    for name in first:
        assert set(re.findall(r'"[0-9a-f]{16}"', first[name])).isdisjoint(
            re.findall(r'"[0-9a-f]{16}"', second[name]))
    assert both_tests("gram", 5) == first


def test_digests_tell_numbers_and_shapes_apart_but_not_their_last_digits():
    names = {"np": np}
    exec(HELPERS, names)
    digest, x = names["digest"], np.array([[1.0, -2.0]])
    assert digest(x) == digest(x + 1e-9) != digest(x + 1e-3)
    assert digest(x) != digest(x.T) and digest(0.0) == digest(-0.0)
    assert digest((x, 1)) != digest((x, 2)) and digest(np.inf) != digest(-np.inf)
    assert digest(x, steps=9) == digest(x + 1e-3, steps=9)
