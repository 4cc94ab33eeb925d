"""A student's own check, in words and pictures."""

import json

import numpy as np
import pytest

from minicnn.course import checking
from minicnn.course.assignments import assignment
from minicnn.course.grader.outcome import (
    BY_HAND,
    MISSING,
    NOT_WRITTEN,
    RIGHT,
    WRONG,
    Outcome,
    Result,
)
from minicnn.course.handout import handout, notebook, solution
from minicnn.course.handout.cells import cells
from minicnn.course.handout.heading import fingerprint

GRAM = assignment("gram")


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    """The cache folder of the test."""
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def written(tmp_path):
    """Write a file and open it."""
    def opened(text, file="gram.py", assignment=None):
        (tmp_path / file).write_text(text, encoding="utf-8")
        return checking.opened(tmp_path / file, assignment)
    return opened


def result(*statuses):
    """A Result of which only the ends are known."""
    return Result("a", GRAM, [Outcome(question, 0.0, status) for question, status in zip(
        GRAM.questions, statuses, strict=False)])


# ---- opening

def test_a_file_names_its_seed_and_its_pages(written):
    given = written(handout(GRAM, seed=17))
    assert given.seed == 17 and given.remarks == [] and given.assignment == GRAM
    assert written("def gram_loss(a, target): pass").seed == 0
    given = written(handout(GRAM).replace(fingerprint(GRAM), "0123456789"))
    assert "cut from minicnn" in given.remarks[0]


def test_a_notebook_too(written):
    text = notebook.text(cells(GRAM, seed=5, visible=18), student=True)
    given = written(text, "gram.ipynb")
    assert given.seed == 18 and "def gram_matrix" in given.submission.source


@pytest.mark.parametrize("name, text, words", [
    ("gram.txt", "", "expected a .py or a .ipynb"), ("gram.ipynb", "{", "."),
    ("other.py", "", "which assignment is other.py of")])
def test_files_that_are_none(written, name, text, words):
    with pytest.raises(ValueError, match=words):
        written(text, name)


def test_the_assignment_can_be_said(written, tmp_path):
    assert written("x = 1", "other.py", "lrn").assignment.name == "lrn"
    with pytest.raises(ValueError, match="no assignment 'nine'"):
        written("x = 1", "other.py", "nine")
    with pytest.raises(ValueError, match="there is no such file"):
        checking.opened(tmp_path / "gone.py")


# ---- checking

def test_right_and_wrong(written):
    wrong = solution(GRAM).replace(", f) / (h * w)", ", f)")
    given = written(wrong)
    found, attempt = checking.checked(given, ["gram-1"])
    assert attempt == 1 and not checking.is_right(found)
    text = "\n".join(checking.lines(given, found, attempt))
    assert text.startswith("Gram matrices, texture and style: gram.py, attempt 1\n")
    for words in ("0 of 25  wrong", "Probably: ", "A small input that shows it:",
                  "from gram import gram_matrix", "gram.py --hint 1"):
        assert words in text
    assert max(map(len, text.splitlines())) <= 100 or "np.array" in text
    assert checking.picture(found.outcomes[0]).shape[2] == 3
    assert text.endswith("minicnn course check gram.py --question 1 --figure")
    asked, figure = checking.figure(found)
    assert asked.question.id == "gram-1" and figure.data["kind"] == "gram"
    given = written(solution(GRAM))
    found, attempt = checking.checked(given, ["gram-1"])
    assert attempt == 2 and checking.is_right(found)
    assert "25 of 25  right" in "\n".join(checking.lines(given, found, attempt))
    assert checking.picture(found.outcomes[0]) is None and checking.figure(found) is None


@pytest.mark.parametrize("statuses, is_right", [
    ([RIGHT, NOT_WRITTEN, MISSING, BY_HAND], True), ([RIGHT, WRONG], False),
    ([NOT_WRITTEN, BY_HAND], False), ([RIGHT, RIGHT], True)])
def test_what_is_not_written_yet_is_not_wrong(statuses, is_right):
    assert checking.is_right(result(*statuses)) == is_right


def test_the_end_of_the_lines(written):
    given = written(handout(GRAM))
    text = "\n".join(checking.lines(given, result(NOT_WRITTEN, RIGHT, RIGHT), 3))
    assert "20 more for answers in words" in text and text.endswith("--hint 1")


def test_a_handout_that_asks_for_derivations_has_more_points(written):
    given = written(handout(assignment("lrn"), "ask"), "lrn.py")
    text = "\n".join(checking.lines(given, result(NOT_WRITTEN, RIGHT, RIGHT), 3))
    assert "15 more for answers in words" in text


def test_what_a_network_made_is_the_picture():
    made = np.zeros((4, 5, 3), np.uint8)
    assert checking.picture(Outcome(GRAM.question(5), 1.0, RIGHT, picture=made)) is made


def test_a_damaged_notebook(written):
    with pytest.raises(ValueError):
        written(json.dumps({"cells": 3}), "gram.ipynb")
