"""Stepping: the state belongs to the place, and errors name the lesson's line."""

import matplotlib.pyplot as plt
import pytest

from minicnn.course import lessons
from minicnn.course.questions import ASKED
from minicnn.course.stage import SHOWN
from minicnn.course.stepping import Stepper

CODE = [1, 3, 4, 5, 6]  # the cells of code of the small lesson


@pytest.fixture
def stepper(lesson):
    return Stepper(lesson)


def quiet(question):
    pass


def test_the_state_belongs_to_the_place(stepper, capsys):
    assert stepper.missing(5) == CODE[:3]
    stepper.restore(5)
    assert stepper.names["x"].sum() == 21 and stepper.missing(5) == []
    stepper.restore(4)  # x was changed in place after it
    assert stepper.names["x"].sum() == 15 and "figure" not in stepper.names
    assert stepper.missing(6) == CODE[2:4] and stepper.missing(2) == CODE[:1]
    assert capsys.readouterr() == ("", "") and plt.get_fignums() == []


def test_a_cell_runs_in_the_state_before_it(stepper, capsys):
    (figure,) = stepper.run(4, quiet)
    assert stepper.names["x"].sum() == 21 and stepper.ran == 5
    stepper.run(4, quiet)  # again: one is not added twice
    assert stepper.names["x"].sum() == 21 and stepper.names["figure"] is not figure
    assert plt.get_fignums() == []
    assert stepper.run(6, quiet) == [] and capsys.readouterr().out == "x sums to 21.0\n"
    assert set(stepper.seconds) == set(CODE)


def test_questions_and_sources_are_handed_over(stepper):
    asked, shown = [], []
    stepper.run(1, asked.append, shown.append)
    stepper.run(5, asked.append)
    assert [question.answer for question in asked] == [21.0, "it doubles"]
    assert len(shown) == 1 and shown[0].startswith("def backward(")
    assert len(ASKED) == len(SHOWN) == 1


class Left(BaseException):
    pass


def test_a_cell_left_in_the_middle_runs_again_from_the_start(stepper):
    def leave(question):
        raise Left

    with pytest.raises(Left):
        stepper.run(5, leave)
    assert stepper.missing(4) == CODE[:2] and len(ASKED) == 1
    stepper.restore(4)
    assert stepper.names["x"].sum() == 15


@pytest.mark.parametrize(("line", "words"), [
    ("x += y", "NameError: name 'y' is not defined"), ("x +", "SyntaxError: invalid syntax"),
    ("relu.backward(x, None)", "AttributeError"), ("assert x is None, 'no'", "AssertionError: no")])
def test_an_error_says_where(lesson, line, words):
    text = lesson.path.read_text(encoding="utf-8")
    number = text.splitlines().index("x += 1  # in place") + 1
    lesson.path.write_text(text.replace("x += 1  # in place", line), encoding="utf-8")
    stepper = Stepper(lessons.read(lesson.path))
    with pytest.raises(lessons.LessonError,
                       match=f"^lesson 7, 07_sums.py, line {number}: {words}"):
        stepper.run(4, quiet)
    stepper.restore(4)
    assert stepper.names["x"].sum() == 15 and plt.get_fignums() == []


def test_a_reader_that_has_ended_is_no_fault_of_the_lesson(stepper):
    def gone(code):
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        stepper.run(1, quiet, gone)
