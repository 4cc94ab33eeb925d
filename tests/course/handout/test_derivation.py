"""A derivation is kept, shortened, or asked for."""

import pytest

from minicnn.course.assignments import Page, assignment
from minicnn.course.handout import handout, with_derivations
from minicnn.course.handout.derivation import derivation, sections
from minicnn.course.handout.source import read

CONV = Page("minicnn.ops.conv", "conv_", ("forward", "backward"))


def test_sections():
    names = [name for name, _ in sections(read("minicnn.ops.pool").docstring)]
    assert [name for name in names if name] == ["Backward", "Decisions"]


def test_kept():
    kept, whole = derivation(CONV, "keep"), read("minicnn.ops.conv").docstring
    (left_out,) = {*whole.splitlines()} - {*kept.splitlines()}
    assert "minicnn.naive" in left_out and kept.replace("\n", "") in whole.replace(
        left_out, "").replace("\n", "")


def test_short():
    text = derivation(CONV, "short")
    whole = read("minicnn.ops.conv").docstring
    before = whole.partition("\n\nForward")[0]
    assert text.startswith(before[:before.index("\n`minicnn.naive")]) and "naive" not in text
    assert "dW[k, o]    = sum over r" in text and "y = cols @ W + b" in text
    assert "By the chain rule" not in text and "(im2col): K =" in text
    assert [name for name, _ in sections(text)] == [name for name, _ in sections(whole)]


def test_asked():
    text = derivation(CONV, "ask", 9)
    assert text.endswith("Backward\n    Yours to derive, from the formulas above: question 9.")
    assert "dW" not in text and "Forward\n    Copy the window" in text


def test_the_questions_that_ask():
    one = assignment("dense")
    more = with_derivations(one, points=7)
    added = more.questions[len(one.questions):]
    assert [question.title for question in added] == [
        "Derive it: dense", "Derive it: softmax", "Derive it: cross entropy"]
    assert {question.kind for question in added} == {"written"} and added[0].points == 7
    assert "dW = x^T @ dy" in added[0].rubric and len(added[0].hints) == 3
    assert "minicnn" not in added[0].text and "Above `dense_forward`" in added[0].text
    assert added[0].rubric.startswith("- 2 points: ") and "\n- 3 points: " in added[0].rubric
    assert added[0].id == f"dense-{len(one.questions) + 1}"
    assert with_derivations(more) == more


def test_a_handout_that_asks_names_the_question():
    one = assignment("lrn")
    text = handout(one, "ask")
    assert f"question {len(one.questions) + 1}." in text and "Derive it: lrn" in text
    assert "product rule" not in text and "product rule" in handout(one)


def test_no_other_choice():
    with pytest.raises(ValueError, match="keep, short, ask"):
        derivation(CONV, "hide")
