"""A submission graded in walled processes."""

import numpy as np
import pytest

from minicnn.course.assignments import assignment
from minicnn.course.grader.grade import grade
from minicnn.course.grader.outcome import BY_HAND, MISSING, NO_ANSWER, NOT_WRITTEN, RIGHT
from minicnn.course.handout.cut import handout, solution

ONE = assignment("gram")
SOME = ("gram-1", "gram-2")


def test_the_solution_has_full_marks():
    one = assignment("lrn")
    result = grade(solution(one), one, 3, "Ada")
    assert result.points == result.most == 90 and result.student == "Ada" and result.layers
    assert {one.status for one in result.outcomes} == {RIGHT, BY_HAND}


def test_the_handout_has_none():
    one = assignment("lrn")
    result = grade(handout(one), one, 3)
    assert result.points == 0
    assert {one.status for one in result.outcomes} == {NOT_WRITTEN, BY_HAND}


@pytest.mark.parametrize("source, status, words", [
    ("def gram_matrix(:", NO_ANSWER, "invalid syntax"), ("1 / 0", MISSING, ""),
    ("x = 1", MISSING, "there is no gram_matrix"), ("", MISSING, "there is no gram_matrix")])
def test_files_that_cannot_be_graded(source, status, words):
    outcomes = grade(source, ONE, 3, questions=SOME).outcomes
    assert {one.points for one in outcomes} == {0}
    assert outcomes[0].status in (status, NO_ANSWER) and words in outcomes[0].words


@pytest.mark.thorough
def test_an_endless_loop_costs_its_question_alone():
    source = solution(ONE) + """
def gram_matrix(a, layer=""):
    while a.ndim == 4 and a.shape[3] != 1000:
        pass
"""
    result = grade(source.replace("off = gram_matrix(a)", "off = right(a)").replace(
        "def gram_loss", "def right(a):\n    f = a.reshape(len(a), -1, a.shape[3])\n"
        "    return f.transpose(0, 2, 1) @ f / f.shape[1]\n\n\ndef gram_loss"), ONE, 3,
        questions=SOME)
    first, second = result.outcomes
    assert first.points == 0 and "stopped after" in first.words
    assert second.points == second.question.points


def test_the_same_submission_has_the_same_points_and_another_seed_other_numbers():
    source = solution(ONE) + """
old = gram_matrix
def gram_matrix(a, layer=""):
    return -old(a)
"""
    first, again, other = (grade(source, ONE, seed, questions=SOME[:1]).outcomes[0]
                           for seed in (3, 3, 4))
    assert np.array_equal(first.theirs, again.theirs)
    assert not np.array_equal(first.theirs, other.theirs)


def test_who_changes_what_it_is_given_is_told():
    source = solution(ONE) + """
right = gram_matrix
def gram_matrix(a, layer=""):
    y = right(a)
    a *= 2
    return y
"""
    (outcome,) = grade(source, ONE, 3, questions=SOME[:1]).outcomes
    assert outcome.points == 0 and "it changes an array that it was given" in outcome.words


@pytest.mark.thorough
def test_a_network_that_is_wrong_points_to_what_explains_it():
    source = solution(ONE) + """
right = gram_loss
def gram_loss(a, target):
    value, gradient = right(a, target)
    return value, 2 * gradient
"""
    outcomes = grade(source, ONE, 3, questions=("gram-2", "gram-3", "gram-8")).outcomes
    assert [one.points for one in outcomes] == [ONE.question(2).points, 0, 0]
    assert outcomes[2].words.endswith("; see question 3")
