"""Calls compared with the pages': what is wrong, and which known mistake answers so."""

from time import perf_counter

import numpy as np
import pytest

from minicnn.course.assignments import assignment
from minicnn.course.grader import by_call
from minicnn.course.grader.grade import Asked
from minicnn.course.grader.local import Local
from minicnn.course.handout.cut import solution
from minicnn.gradcheck.own.script import typed
from minicnn.report.stepfigures.of_op import Answer

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
    shown = why["shown"]
    assert shown.op == "gram_matrix" and f"gram_matrix({typed(shown.inputs['a'])})" in why[
        "smallest"]
    assert np.array_equal(shown.got, 3 * shown.expected)


def test_what_a_step_figure_is_made_of():
    """None for calls that no figure shows, and where the second call was not made."""
    x, mask, dy, matrix = np.ones((1, 2, 2, 1)), np.array([[True, False]]), np.ones((1, 2)), [3]
    pooled = by_call._answer([("pool_forward", (x,), {"window": 2})], None, matrix)
    assert pooled == Answer("pool", {"x": x}, {"window": 2}, "switches", None, None, matrix)
    calls = [("ReluCache", (mask,), {}), ("relu_backward", (dy, "handle"), {"rule": "guided"})]
    relu = by_call._answer(calls, dy, dy)
    assert relu.inputs["x"].tolist() == [[1, -1]] and relu.dy is dy and relu.part == "dx"
    for other in (calls[:1], [("l2", (dy,), {})], [("pool_unpool", (x, x), {})]):
        assert by_call._answer(other, None, None) is None


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
