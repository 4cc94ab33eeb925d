"""One part of an op at the settings of its contract."""

from time import perf_counter

from minicnn.course.assignments import assignment
from minicnn.course.grader import by_op
from minicnn.course.grader.grade import Asked
from minicnn.course.grader.local import Local
from minicnn.course.handout.cut import solution

ONE = assignment("convolution")


def checked(name, source, explain=True, end=60):
    asked = Asked(ONE, 4, "", "convolution.py", explain, None, perf_counter() + end)
    return by_op.checks(ONE.question(name), Local(source), asked)


def test_right():
    for question in ONE.questions:
        if question.kind == "op":
            found, why = checked(question.id, solution(ONE))
            assert all(check.right for check in found) and not any(why.values())


def test_the_dtype_counts_where_numbers_are_right():
    found, why = checked("convolution-3", solution(ONE).replace(
        "return (y if b is None else y + b), cache",
        "return (y if b is None else y + b).astype(float), cache"))
    assert [check.right for check in found] == [True] * 6 + [False] * 2
    assert "y is float64, expected float32" in found[-1].words and "dtype" in why["cause"]


def test_a_mistake_has_a_cause_and_a_smallest_input():
    source = solution(ONE).replace("db = sum_positions(dy)", "db = 2 * sum_positions(dy)")
    assert source != solution(ONE)
    found, why = checked("convolution-7", source)
    assert not any(check.right for check in found)
    assert why["cause"] and "conv_backward(dy, cache)" in why["smallest"]
    assert (why["shown"].part, why["shown"].got, why["shown"].expected) == ("db", 2, 1)
    assert not {"smallest", "shown"} & {*checked("convolution-7", source, explain=False)[1]}


def test_time_that_is_over_earns_nothing_more():
    found, _ = checked("convolution-1", solution(ONE), end=-1)
    assert not any(check.right for check in found) and len(found) == 8


def test_settings_that_are_ignored_are_named_by_the_shapes():
    source = solution(ONE) + """
right = conv_forward
def conv_forward(x, w, b=None, stride=1, pad=0, groups=1, dilation=1):
    return right(x, w, b, 1, 0, groups, dilation)
"""
    assert checked("convolution-2", source)[1]["cause"] == "the stride and the padding are ignored"
