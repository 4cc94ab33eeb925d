"""A student's checker: every bug counts, and false alarms cost more."""

from time import perf_counter

import pytest

from minicnn.course.assignments import assignment
from minicnn.course.grader import by_checker
from minicnn.course.grader.grade import Asked
from minicnn.course.grader.local import Local
from minicnn.course.handout.cut import solution

ONE = assignment("checking")
QUESTIONS = [question for question in ONE.questions if question.kind == "checker"]
SAYS = "def check(forward, backward, inputs, tolerance=1e-6, seed=0):\n    "


def share(question, source):
    asked = Asked(ONE, 4, "", "checking.py", True, Local(solution(ONE)), perf_counter() + 60)
    return by_checker.checks(question, Local(source), asked)[1]["share"]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)
def test_the_page_catches_all_and_reports_no_right_layer(question):
    assert share(question, solution(ONE)) == 1


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)
@pytest.mark.parametrize("body", [
    "return []", "return ['x']", "return [*inputs]", "return None", "return True", "return 'x'",
    "return ['x'] * int(abs(inputs['x'].sum()) * 1e6 % 2)", "return ['none']",
    "raise ValueError('wrong')"])
def test_who_says_the_same_of_all_or_guesses_earns_nothing(question, body):
    assert share(question, SAYS + body) == 0
