"""An assignment as a notebook with nbgrader's metadata (schema 3), in its source or student form.

The source form is what `nbgrader generate_assignment` takes; the student form is what it makes of
it. The notebook needs NumPy only.
"""

import json

from minicnn.course.handout import marks

METADATA = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"}}
WRITE_HERE = "YOUR ANSWER HERE"
ROLES = {  # kind: grade, solution, locked, task
    "text": (False, False, True, False), "given": (False, False, True, False),
    "solution": (False, True, False, False), "test": (True, False, True, False),
    "written": (True, True, False, False), "task": (False, False, True, True)}


def notebook(cells, student):
    """A notebook as a dict, nbformat 4.5.

    Parameters
    ----------
    cells : list of Cell
    student : bool
        Without solutions, hidden tests and rubrics.
    """
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": METADATA,
            "cells": [_cell(one, student) for one in cells]}


def text(cells, student):
    """The notebook as the text of a file."""
    return json.dumps(notebook(cells, student), indent=1, ensure_ascii=False) + "\n"


def _cell(one, student):
    code = one.kind in ("given", "solution", "test")
    cell = {"cell_type": "code" if code else "markdown", "id": _identity(one.name),
            "metadata": {"nbgrader": _about(one)},
            "source": _source(one, student).splitlines(keepends=True)}
    return cell | ({"execution_count": None, "outputs": []} if code else {})


def _identity(name):
    """A name as the id of a cell: letters, digits, - and _, at most 64."""
    return "".join(one if one.isalnum() and one.isascii() else "-" for one in name)[:64]


def _about(one):
    """nbgrader's metadata of a cell."""
    grade, solution, locked, task = ROLES[one.kind]
    about = {"schema_version": 3, "grade_id": _identity(one.name), "grade": grade,
             "solution": solution, "locked": locked, "task": task}
    return about | ({"points": one.points} if grade or task else {})


def _source(one, student):
    """The text of a cell."""
    if one.kind == "solution":
        return marks.stubbed(one.text) if student else one.text
    if one.kind == "test":
        return one.text if student else marks.hidden(one.text, one.hidden)
    if one.kind == "written":
        return WRITE_HERE if student else (
            f"{marks.BEGIN}\n{one.hidden}\n{marks.END}")
    if one.kind == "task" and not student:
        return f"{one.text}\n\n{marks.BEGIN_SCHEME}\n{one.hidden}\n{marks.END_SCHEME}"
    return one.text
