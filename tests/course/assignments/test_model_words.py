"""The words of the assignments: complete, about names that the handout has, and no copy of the
solution."""

import builtins
import re

import numpy as np
import pytest

from minicnn.course.assignments import assignments
from minicnn.course.handout.cut import handout, pieces
from minicnn.course.handout.source import read

QUESTIONS = [(one, question) for one in assignments() for question in one.questions]
WRITTEN = [pair for pair in QUESTIONS if pair[1].kind == "written"]
AUTOMATIC = [pair for pair in QUESTIONS if pair[1].kind != "written"]
OF_THEIR_OWN = {"window_sum"}  # what a hint suggests to write
ARGUMENTS = {"f", "forward", "backward"}  # functions that a function is given
LONG = 30  # characters of a line that would give the answer away


def words(one, question):
    return [question.text, question.rubric, *question.hints]


@pytest.mark.parametrize("one", assignments(), ids=lambda one: one.name)
def test_an_intro_of_two_to_five_sentences(one):
    assert 2 <= len(re.findall(r"[.?](?=\s|$)", one.intro)) <= 6
    assert max(map(len, one.intro.splitlines())) <= 100


@pytest.mark.parametrize("one, question", QUESTIONS, ids=lambda one: getattr(one, "id", ""))
def test_no_placeholder_is_left(one, question):
    for text in (one.intro, question.title, *words(one, question)):
        assert not re.search(r"\b(INTRO|TEXT|HINT|RUBRIC|TODO|XXX)\b", text)
    assert len(question.text) > 60 and question.title


@pytest.mark.parametrize("one, question", AUTOMATIC, ids=lambda one: getattr(one, "id", ""))
def test_three_hints_each_more_than_the_one_before(one, question):
    assert len({*question.hints}) == 3 and min(map(len, question.hints)) > 20
    assert not question.rubric
    last = question.hints[-1]
    assert question.kind == "network" or re.search("[`=]|axis|axes", last)


@pytest.mark.parametrize("one, question", WRITTEN, ids=lambda one: getattr(one, "id", ""))
def test_a_rubric_gives_all_points_and_a_model_answer(one, question):
    points = re.findall(r"^- (\d+) points?:", question.rubric, re.MULTILINE)
    assert sum(map(int, points)) == question.points
    head, answer = question.rubric.split("Model answer:")
    listed = head.split("Usual misconceptions:")[1].split("\n- ")[1:]
    assert len(listed) >= 3 and len(answer) > 200
    assert all(re.search(r"[Ll]eaves|[Cc]osts|points are lost", one) for one in listed)


@pytest.mark.parametrize("one, question", QUESTIONS, ids=lambda one: getattr(one, "id", ""))
def test_minutes_lines_and_points_are_plausible(one, question):
    assert 5 <= question.minutes <= 60 and 5 <= question.points <= 30
    assert 0 <= question.lines <= 12
    if question.kind in ("written", "network"):
        assert question.lines == 0


# ---- the names

def defined(one):
    """Every name of the handout's top level, and of its parameters and attributes."""
    return {*re.findall(r"\w+", handout(one))}


@pytest.mark.parametrize("one", assignments(), ids=lambda one: one.name)
def test_every_function_that_is_named_exists(one):
    there = {*re.findall(r"^(?:def|class) (\w+)", handout(one), re.MULTILINE)}
    known = there | OF_THEIR_OWN | ARGUMENTS | {*dir(builtins)}
    for question in one.questions:
        for text in (one.intro, *words(one, question)):
            for code in re.findall(r"`([^`]+)`", text):
                for name in re.findall(r"(?<![\w.])([A-Za-z_]\w*)\(", code):
                    assert name in known, f"{question.id}: {name}"
                for name in re.findall(r"\bnp\.(\w+)", code):
                    assert hasattr(np, name), f"{question.id}: np.{name}"


@pytest.mark.parametrize("one", assignments(), ids=lambda one: one.name)
def test_every_name_alone_in_backticks_is_in_the_handout(one):
    there = defined(one) | OF_THEIR_OWN | {*dir(builtins), "better"}
    for question in one.questions:
        for text in (one.intro, *words(one, question)):
            for name in re.findall(r"`([A-Za-z]\w*_\w+|[A-Z]\w+)`", text):
                assert name in there, f"{question.id}: {name}"


@pytest.mark.parametrize("one", assignments(), ids=lambda one: one.name)
def test_what_a_question_judges_is_named_or_its_title_says_it(one):
    for question in one.questions:
        if question.function and question.kind != "network":
            about = " ".join(other.text for other in one.questions
                             if other.function == question.function)
            assert question.function in about


# ---- the solution

def secret(one):
    """The lines of the solution that the handout has not."""
    known = handout(one)
    for piece in pieces(one, solved=True):
        for line in piece.text.splitlines() if piece.kind == "solution" else ():
            code = line.partition("  #")[0].strip()
            if code not in known:
                yield code


@pytest.mark.parametrize("one", assignments(), ids=lambda one: one.name)
def test_no_hint_gives_a_line_of_the_solution(one):
    lines = [line for line in secret(one) if len(line) > LONG]
    assert lines
    for question in one.questions:
        for text in (question.text, *question.hints):
            for line in lines:
                assert line not in text, f"{question.id}: {line}"


def test_a_page_without_a_lesson_is_read_itself():
    (gram,) = [one for one in assignments() if not one.lessons]
    assert gram.name == "gram" and "docstring of `gram_loss`" in gram.intro
    assert "gram_loss" in read(gram.pages[0].module).things
