"""The generated class: that it is what it says, and that the two commands grade it so."""

import ast
import json
import sys
from functools import cache

import course
import course_class
import course_tables
import course_texts
import pytest
from course_tricks import TRICKS

from minicnn.course.assignments import assignment, assignments
from minicnn.course.grader import submissions
from minicnn.course.grader.names import wanted
from minicnn.course.handout.cut import handout, solution

CONVOLUTION, POOLING = assignments()[:2]
BOOK = json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def members(one=CONVOLUTION, count=40, seed=1):
    return course_class.draw(one, course_of(one.name), count, seed)


@cache
def course_of(name):
    one = assignment(name)
    return course_class.Course(handout(one), solution(one), BOOK)


def of(kind, what=""):
    return [one for one in members() if one.kind == kind and what in one.what]


# ---- the class

def test_a_class_has_forty_submissions_of_all_kinds_and_the_same_ones_again():
    found = members()
    assert len({one.student for one in found}) == 40 == sum(n for _, n in course_class.PLAN)
    assert {one.kind for one in found} == {kind for kind, _ in course_class.PLAN}
    assert found == members() and found != members(seed=2)
    assert [one.kind for one in members(count=1)] == ["right"] and len(members(count=4)) == 4


@pytest.mark.parametrize("one", assignments(), ids=lambda one: one.name)
def test_every_assignment_can_be_handed_in(one):
    asked = {question.id for question in one.questions if question.kind != "written"}
    for member in members(one):
        assert set(member.expected) == asked
        assert set(member.expected.values()) <= {"full", "less", "none", "any"}
        if member.kind in ("right", "mistakes", "half done", "memory", "hostile"):
            compile(member.data.decode(), "submission", "exec")


def test_mistakes_are_combined_without_touching_each_others_questions():
    found = of("mistakes")
    assert {len(one.says) for one in found} == {1, 2, 3}
    assert all("less" in one.expected.values() for one in found)


def test_the_export_is_read_as_one_submission_for_each_student(tmp_path):
    handed_in = members(count=15)
    course_class.folder(handed_in, tmp_path)
    found = submissions.find([tmp_path], CONVOLUTION)
    assert {one.student for one in found} == {one.student for one in handed_in}
    assert all(one.source is not None for one in found)


def test_every_trick_is_in_some_class_and_costs_what_it_should():
    assert {one.costs for one in TRICKS} == {"all", "function", "nothing"}
    (member,) = of("endless loop", "in one function")
    lost = {name for name, what in member.expected.items() if what == "none"}
    assert lost == {f"convolution-{number}" for number in (5, 6, 7)}
    (member,) = of("endless loop", "imported")
    assert {*member.expected.values()} == {"none"}


# ---- texts

TEXT = '''import numpy as np


def outer(a):
    """Words."""
    return inner(a)


class Step:
    def step(self, x):
        raise NotImplementedError


def inner(a):
    raise NotImplementedError
'''


def test_bodies_are_put_into_functions_and_methods():
    text = course_texts.filled(TEXT, {"Step.step": "y = x\nreturn y", "inner": "return 2 * a"})
    names = {}
    exec(text, names)
    assert names["outer"](3) == 6 and names["Step"]().step(4) == 4
    assert course_texts.emptied(text, ["Step.step", "inner"]) == TEXT


def test_statements_come_before_a_function_or_after_the_imports():
    text = course_texts.begun(TEXT, "outer", "return 5")
    names = {}
    exec(course_texts.above(text, "\nmade = np.zeros(3)\n"), names)
    assert names["outer"](3) == 5 and len(names["made"]) == 3
    assert ast.get_docstring(ast.parse(text).body[1]) == "Words."


def test_an_edit_must_be_found_once():
    assert course_texts.edited("a b", [["a", "c"], ["b", "d"]]) == "c d"
    assert course_texts.edited("a a", [["a", "c"]]) == ""


def test_calls_are_followed():
    assert course_texts.calls(TEXT)["outer"] == {"inner", "a", "NotImplementedError"}


def test_functions_that_need_a_broken_one_are_not_judged():
    makers = course_class.Makers(POOLING, course_of("pooling"), 1)
    expected = makers._without(["pool_unpool"])
    assert expected["pooling-1"] == "full" and "none" in expected.values()
    assert set(wanted(POOLING)) == {"pool_forward", "pool_unpool"}


# ---- the verdict

def got(**scores):
    tests = [{"number": name[1:], "score": score, "max_score": 10, "output": "says so"}
             for name, score in scores.items()]
    return {"assignment": "a", "tests": tests, "notes": ["noted"]}


def member(says=(), **expected):
    return course_class.Member("Ada", "right", "a", "a.py", b"",
                               {f"a-{name[1:]}": what for name, what in expected.items()}, says)


def test_points_that_are_not_as_expected_are_told():
    one = member(q1="full", q2="less", q3="none", q4="any")
    assert not course_tables.judged(one, got(q1=10, q2=5, q3=0, q4=7))
    assert course_tables.judged(one, got(q1=5, q2=10, q3=5, q4=0)) == [
        "a-1 got 5 of 10, expected full", "a-2 got 10 of 10, expected less",
        "a-3 got 5 of 10, expected none"]
    assert course_tables.judged(one, None) == ["it was not graded"]
    assert course_tables.judged(member(q5="full"), got(q1=1)) == ["a-5 is not there"]


def test_what_the_feedback_does_not_say_is_told():
    found = got(q1=10)
    assert course_tables.unnamed(member(("says", "noted", "more")), found) == ["more"]


# ---- the programs

def run(tmp_path, *more):
    """(exit status, the record) of a run."""
    out = tmp_path / "course"
    status = course.main(["--out", str(out), *more])
    assert out.with_suffix(".md").read_text(encoding="utf-8").startswith("# A graded class")
    return status, json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))


def told(record):
    return [(one["kind"], one["what"], one["wrong"]) for one in record["members"] if one["wrong"]]


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform != "linux", reason="the wall is Linux's")
def test_a_small_class_is_graded_as_it_should_be_also_by_gradescope(tmp_path):
    status, record = run(tmp_path, "--count", "4", "--gradescope")
    assert (status, told(record), record["gradescope"]["differ"]) == (0, [], [])
    assert len(record["members"]) == 4 == record["gradescope"]["same"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the wall is Linux's")
def test_a_class_of_forty_is_graded_as_it_should_be(tmp_path):
    status, record = run(tmp_path)
    assert (status, told(record)) == (0, [])
    asked = [one for one in record["members"] if one["says"]]
    assert sum(not one["unnamed"] for one in asked) > 0.9 * len(asked) > 15
