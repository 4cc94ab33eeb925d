"""An assignment as the source notebook of ``otter assign``: raw cells tell what each cell is.

`otter assign NAME.ipynb dist` makes the students' notebook, the tests and the autograder of
otter-grader 7. Code is stripped between `# BEGIN SOLUTION` and `# END SOLUTION`, hidden tests stay
hidden, written answers are graded by hand. Pictures by a network are graded by hand, too.
"""

import json

from minicnn.course.handout import marks
from minicnn.course.handout.notebook import METADATA

CONFIG = """\
# ASSIGNMENT CONFIG
name: {name}
generate: true
export_cell: false"""

HIDDEN = '""" # BEGIN TEST CONFIG\nhidden: true\n""" # END TEST CONFIG\n'


def text(assignment, cells):
    """The notebook as the text of a file.

    Parameters
    ----------
    assignment : Assignment
    cells : list of Cell
    """
    made, open_question = [_raw(CONFIG.format(name=assignment.name))], None
    waiting = {one.question: one for one in cells if one.kind in ("test", "written", "task")}
    for one in cells:
        end = one if waiting.get(one.question) is one else None
        if one.question and open_question != one.question:
            made.append(_raw(_begin(waiting[one.question])))
            open_question = one.question
        made += _cells(one)
        if end:
            made.append(_raw("# END QUESTION"))
    for number, one in enumerate(made):
        one["id"] = f"cell-{number}"
    about = {"nbformat": 4, "nbformat_minor": 5, "metadata": METADATA, "cells": made}
    return json.dumps(about, indent=1, ensure_ascii=False) + "\n"


def _begin(answer):
    """The raw cell that begins a question."""
    manual = answer.kind != "test"
    return "\n".join(["# BEGIN QUESTION", f"name: {answer.question.replace('-', '_')}",
                      f"points: {answer.points}", *(["manual: true"] if manual else [])])


def _cells(one):
    """The cells that one Cell becomes."""
    if one.kind == "solution":
        code = one.text.replace(marks.BEGIN, "# BEGIN SOLUTION").replace(
            marks.END, "# END SOLUTION")
        return [_raw("# BEGIN SOLUTION"), _code(code), _raw("# END SOLUTION")]
    if one.kind == "test":
        return [_raw("# BEGIN TESTS"), _code(one.text), _code(HIDDEN + one.hidden),
                _raw("# END TESTS")]
    if one.kind == "written":
        return [_raw("# BEGIN SOLUTION"), _markdown(one.hidden), _raw("# END SOLUTION")]
    if one.kind == "task":
        return [_markdown(one.text), _raw("# BEGIN SOLUTION"), _markdown(one.hidden),
                _raw("# END SOLUTION")]
    return [_code(one.text) if one.kind == "given" else _markdown(one.text)]


def _raw(source):
    return {"cell_type": "raw", "metadata": {}, "source": source}


def _markdown(source):
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def _code(source):
    return {"cell_type": "code", "metadata": {}, "source": source, "execution_count": None,
            "outputs": []}
