"""Questions: what is typed is read, and wrong answers are told what they would mean."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from minicnn.course import ask
from minicnn.course.questions import ASKED, Question, shown

HINTS = ("look", "formula", "_")
SHAPE = Question("Shape?", (1, 3, 3, 2), {(1, 5, 5, 2): "Without the stride."}, HINTS, ())
NUMBER = Question("How many?", 12.5, {25.0: "Twice."}, HINTS, ())
ROW = Question("All three?", (4, 0, 8), {}, HINTS, ())
CHOICE = Question("Which?", "it grows", {"it falls": "The sign."}, HINTS, ("it falls", "it grows"))


@pytest.mark.parametrize(("question", "said", "value"), [
    (SHAPE, "(1, 3, 3, 2)", (1, 3, 3, 2)), (SHAPE, "1 x 3 x 3 x 2", (1, 3, 3, 2)),
    (NUMBER, " 12.5 ", 12.5), (NUMBER, "about 1.25e1", 12.5), (NUMBER, "-3", -3.0),
    (NUMBER, "19,200", 19200), (NUMBER, "2*(3 - .5)", 5), (NUMBER, "224*224*64*3*3*64", 1849688064),
    (NUMBER, "- 2 * -3 + 1,000", 1006), (NUMBER, "3 × 4", 12), (NUMBER, "−.5", -0.5),
    (NUMBER, "12 pixels", 12), (NUMBER, "1.5e+3", 1500), (ROW, "4, 0,0", (4, 0, 0)),
    (CHOICE, "b", "it grows"), (CHOICE, "(A)", "it falls"), (CHOICE, "it grows", "it grows")])
def test_what_is_typed_is_read(question, said, value):
    assert question.read(said) == value


@pytest.mark.parametrize(("question", "said", "words"), [
    (SHAPE, "four", "expected a shape"), (NUMBER, "many", "expected a number"),
    (NUMBER, "1 2", "expected a number"), (NUMBER, "2**3", "a product such as"),
    (NUMBER, "3*...", "expected a number"), (NUMBER, "3(4)", "expected a number"),
    (NUMBER, "8//4", "expected a number"), (NUMBER, "1.85 billion", "expected a number"),
    (NUMBER, "3*" * 60 + "3", "expected a number"), (NUMBER, "5%", "expected a number"),
    (ROW, "four", "^expected numbers in a row such as"), (CHOICE, "c", "one of the letters a, b")])
def test_what_is_no_answer_is_said(question, said, words):
    with pytest.raises(ValueError, match=words):
        question.read(said)


def test_right_wrong_and_foreseen():
    assert SHAPE.judge((1, 3, 3, 2)) == (True, "Right: (1, 3, 3, 2).")
    assert SHAPE.judge((1, 5, 5, 2)) == (False, "Without the stride.")
    assert SHAPE.judge((3, 3)) == (False, "Not (3, 3).")
    assert NUMBER.judge(12.6)[0] and not NUMBER.judge(13)[0]  # one in a hundred is close enough
    assert Question("?", 1110, {}, HINTS, ()).judge(1110.5) == (False, "Not 1110.5.")
    count = Question("Count?", 843, {}, HINTS, ())
    assert count.judge(843.0)[0] and not count.judge(844)[0]  # a count has to be exact
    count = Question("Count?", 1110, {1110.5: "Half.", 1111: "All."}, HINTS, ())
    assert [count.judge(n)[1] for n in (1110.5, 1111, 1100)] == ["Half.", "All.", "Not 1,100."]
    assert CHOICE.judge("it falls") == (False, "The sign.")


@pytest.mark.parametrize(("answer", "words"), [
    (1849688064, "1,849,688,064"), (np.int64(1234), "1,234"), (5000.0, "5,000"), (-6.0, "-6"),
    (1234.5, "1234"), (0.12345, "0.1235"), ((1, 5000), "(1, 5000)"), ("it grows", "it grows")])
def test_how_answers_are_shown(answer, words):
    assert shown(answer) == words


def test_a_question_is_printed_with_its_answer(capsys):
    ask("Which?", "it grows", choices=("it falls", "it grows"), hints=HINTS)
    assert capsys.readouterr().out == "Predict: Which?\n  (a) it falls\n  (b) it grows\n" + (
        "Answer: it grows\n")


def test_in_a_notebook_hints_and_answer_are_folded_away(monkeypatch, capsys):
    displayed = []
    module = SimpleNamespace(
        get_ipython=lambda: SimpleNamespace(kernel=1),
        display=SimpleNamespace(display=lambda data, raw: displayed.append(data)))
    monkeypatch.setitem(sys.modules, "IPython", module)
    ask("Is x < 0?", "it falls", choices=("it falls", "it grows"), hints=HINTS,
        wrong={"it grows": "The sign."})
    html = displayed[0]["text/html"]
    assert "Is x &lt; 0?" in html and html.count("<details>") == 4
    assert html.index("<details>") < html.index("it grows: The sign.")
    module.get_ipython = lambda: SimpleNamespace()  # IPython in a terminal shows no HTML
    ask("?", 1, hints=HINTS)
    assert len(displayed) == 1 and capsys.readouterr().out == "Predict: ?\nAnswer: 1\n"


def test_wrong_answers_that_happen_to_be_right_are_left_out(monkeypatch):
    asked = []
    monkeypatch.setattr("minicnn.course.questions.ASKED", [asked.append])
    ask("?", 100, wrong={100.0: "a", 99: "b"}, hints=HINTS)
    ask("?", (1, 2), wrong={(1, 2): "a", (2, 1): "b"}, hints=HINTS)
    assert [list(one.wrong) for one in asked] == [[99], [(2, 1)]]


def test_faults_of_a_lesson_are_refused(monkeypatch):
    monkeypatch.setattr("minicnn.course.questions.ASKED", [*ASKED])
    with pytest.raises(ValueError, match="among the wrong ones"):
        ask("?", 2, wrong={2: "no"}, hints=HINTS)
    with pytest.raises(ValueError, match="among the wrong ones"):
        ask("?", "b", wrong={"a": "no", "b": "no"}, choices=("a", "b"), hints=HINTS)
    with pytest.raises(ValueError, match="must be among the choices"):
        ask("?", "c", choices=("a", "b"), hints=HINTS)
    with pytest.raises(ValueError, match="three hints"):
        ask("?", 2, hints=HINTS[:2])
