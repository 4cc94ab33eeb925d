"""Trials: settings from the course's seed, numbers from the submission, within the contract."""

import numpy as np
import pytest

from minicnn.course.assignments import assignments
from minicnn.course.assignments.trials import COUNT, SINGLE, beyond, trials
from minicnn.gradcheck.judge.sizes import OF

QUESTIONS = [question for one in assignments() for question in one.questions
             if question.kind == "op"]


def ids(question):
    return question.id


@pytest.mark.parametrize("question", QUESTIONS, ids=ids)
def test_within_the_contract(question):
    drawn = trials(question, seed=3)
    assert len(drawn) == COUNT
    assert [one.dtype for one in drawn].count(np.float32) == SINGLE
    for one in drawn:
        sizes = OF[question.contract["op"]][1](one.case)
        for name, value in question.contract["sizes"].items():
            if name in sizes and not any(name in some
                                         for some in question.contract.get("some", ())):
                low, high = value if isinstance(value, list) else (value, value)
                assert low <= sizes[name] <= high, name
        assert not beyond(question.contract, one.case)


@pytest.mark.parametrize("question", QUESTIONS, ids=ids)
def test_two_submissions_have_the_same_settings_and_other_numbers(question):
    first, second, again = (trials(question, 3, name) for name in ("a", "b", "a"))
    for one, two, three in zip(first, second, again, strict=True):
        assert str(one) == str(two) == str(three)
        assert np.array_equal(one.case.dy(), three.case.dy())
        assert not np.array_equal(one.case.inputs["x"], two.case.inputs["x"])


def test_two_seeds_have_other_settings():
    question = QUESTIONS[4]
    assert [*map(str, trials(question, 1))] != [*map(str, trials(question, 2))]


def test_what_is_beyond_a_contract():
    first, fourth = QUESTIONS[0], QUESTIONS[3]
    later = next(one.case for one in trials(fourth, 1) if one.case.inputs["x"].shape[3] > 1)
    assert "not in this question" in beyond(first.contract, later)


def test_settings_that_are_left_out_at_times():
    question = next(one for one in QUESTIONS if "left_out" in one.contract)
    given = ["stride" in one.case.options for one in trials(question, 1)]
    assert given == [True, True, True, False] * 2
