"""Probes: the same draws give the same calls, and nothing that a lazy answer would pass."""

import numpy as np
import pytest

from minicnn.course.assignments import assignments
from minicnn.course.assignments.probes import PROBES, draws, small_draws
from minicnn.course.grader.by_call import probed
from minicnn.course.grader.local import Local
from minicnn.course.handout.cut import solution

QUESTIONS = [(one, question) for one in assignments() for question in one.questions
             if question.kind == "call"]
RIGHT = {one.name: Local(solution(one)) for one, _ in QUESTIONS}


def flat(found):
    return np.concatenate([np.ravel(part) for part in (
        found if isinstance(found, (tuple, list)) else [found])])


@pytest.mark.parametrize("one, question", QUESTIONS, ids=lambda one: getattr(one, "id", ""))
def test_a_probe_repeats_itself_and_depends_on_the_submission(one, question):
    first, again, other = ([flat(probed(question, RIGHT[one.name], draw))
                            for draw in draws(question, 5, name)] for name in ("a", "a", "b"))
    assert all(map(np.array_equal, first, again))
    fixed = question.contract.get("alike") or question.contract["probe"] == "strongest"
    assert fixed or not all(map(np.array_equal, first, other))


@pytest.mark.parametrize("one, question", QUESTIONS, ids=lambda one: getattr(one, "id", ""))
def test_small_draws_work(one, question):
    for draw in small_draws(question, 5):
        assert not np.isnan(flat(probed(question, RIGHT[one.name], draw))).any()


def test_every_probe_is_used():
    assert {question.contract["probe"] for _, question in QUESTIONS} == {*PROBES}


def test_some_draws_are_in_float32_where_the_dtype_counts():
    for _, question in QUESTIONS:
        dtypes = [draw.dtype for draw in draws(question, 5)]
        assert dtypes.count(np.float32) == question.contract.get("single", 0)
        assert draws(question, 5)[-1].array(2).dtype == dtypes[-1]
