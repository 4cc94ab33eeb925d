"""Answers in words, from the sheet and from notebooks."""

import json

import a_class
import pytest

from minicnn.course.assignments import assignment
from minicnn.course.grader.answers import answers
from minicnn.course.grader.archives import Entry
from minicnn.course.grader.submissions import find
from minicnn.course.handout import notebook, sheets
from minicnn.course.handout.cells import cells

GRAM = assignment("gram")
SHEET = sheets.questions(GRAM)
NUMBER, ASKED = next((number, one) for number, one in enumerate(GRAM.questions, 1)
                     if one.kind == "written")
BOOK = notebook.text(cells(GRAM), student=True)


def of(**files):
    """The answers in files: `_` stands for the dot."""
    return answers([Entry(name.replace("_", "."), 0, text.encode) for name, text in files.items()],
                   GRAM)


def filled(text):
    """The sheet with an answer to its written question."""
    before, mark, after = SHEET.partition("**Your answer:**")
    return before + mark + text + after


def test_the_sheet():
    assert of(questions_md=SHEET) == {}
    assert of(questions_md=filled("\n\nIt sums\nover places.\n")) == {
        ASKED.id: "It sums\nover places."}
    assert of(notes_md=filled("no")) == {}


def test_the_notebook():
    book = json.loads(BOOK)
    assert of(gram_ipynb=BOOK) == {}
    for cell in book["cells"]:
        if cell["metadata"]["nbgrader"]["grade_id"] == ASKED.id:
            cell["source"] = ["Of places,\n", "not of channels."]
    text = json.dumps(book)
    assert of(gram_ipynb=text) == {ASKED.id: "Of places,\nnot of channels."}
    assert of(questions_md=filled(" a"), gram_ipynb=text) == {ASKED.id: "a"}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": [1, {"metadata": 2}]}', "\0"])
def test_what_holds_none(text):
    assert of(questions_md=text, gram_ipynb=text) == {}


def test_they_come_with_the_submission(tmp_path):
    a_class.write(tmp_path, {"ada/gram.py": "x = 1", "ada/questions.md": filled(" a")})
    for path in (tmp_path, tmp_path / "ada", tmp_path / "ada" / "gram.py"):
        (found,) = find([path], GRAM)
        assert found.answers == {ASKED.id: "a"} and found.name == "gram.py"
