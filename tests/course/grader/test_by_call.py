"""Calls compared with the pages': what is wrong, and which known mistake answers so."""

from time import perf_counter

import pytest

from minicnn.course.assignments import assignment
from minicnn.course.grader import by_call
from minicnn.course.grader.grade import Asked
from minicnn.course.grader.local import Local
from minicnn.course.handout.cut import solution

ONE = assignment("gram")
MATRIX, LOSS = ONE.question("gram-1"), ONE.question("gram-2")


def checked(question, source):
    asked = Asked(ONE, 4, "", "gram.py", True, Local(solution(ONE)), perf_counter() + 60)
    return by_call.checks(question, Local(source), asked)


def test_right():
    found, why = checked(MATRIX, solution(ONE))
    assert all(check.right for check in found) and not any(why.values())


def test_wrong_by_a_factor():
    found, why = checked(MATRIX, solution(ONE) + "\nright = gram_matrix\n"
                         "def gram_matrix(a, layer=''):\n    return 3 * right(a)\n")
    assert not any(check.right for check in found)
    assert "too large by a factor 3" in found[0].words
    assert why["theirs"].shape == why["expected"].shape
    assert "from gram import gram_matrix" in why["smallest"]


@pytest.mark.parametrize("returned, words", [
    ("None", "nothing (None)"), ("'text'", "a str"), ("np.zeros(3)", "has shape (3,)"),
    ("(1, 2)", "a tuple")])
def test_results_of_another_kind(returned, words):
    found, _ = checked(MATRIX, solution(ONE) + "\nimport numpy as np\n"
                       f"def gram_matrix(a, layer=''):\n    return {returned}\n")
    assert not any(check.right for check in found) and words in found[0].words


def test_parts_of_a_tuple():
    pairs = by_call.pairs((1, 2), (3, 4), "f")
    assert [name for name, *_ in pairs] == ["part 0 of f", "part 1 of f"]
    assert by_call.pairs((1,), (3, 4), "f") == [("f", None, (3, 4))]


def test_a_known_mistake_in_another_order_of_sums_is_known_in_float32_too():
    source = solution(ONE) + """
import numpy as np
def gram_matrix(a, layer=""):
    total = sum(a[:, i, j, :, None] * a[:, i, j, None, :]
                for i in range(a.shape[1]) for j in range(a.shape[2]))
    return total
"""
    found, why = checked(MATRIX, source)
    assert not any(check.right for check in found[1:]) and "positions" in why["cause"]
