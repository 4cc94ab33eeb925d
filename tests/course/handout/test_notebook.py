"""Notebooks: valid, complete, and right from top to bottom with the solutions in them."""

import json
import re
import subprocess
import sys

import pytest

from minicnn.course.assignments import assignment, assignments
from minicnn.course.handout import marks, notebook
from minicnn.course.handout.cells import cells

BLOCKED = "import sys\nsys.modules['minicnn'] = None\n"


def forms(name, seed=5, visible=6):
    """(source form, student form) of an assignment's notebook."""
    found = cells(assignment(name), seed=seed, visible=visible)
    return [json.loads(notebook.text(found, student)) for student in (False, True)]


def run(book, tmp_path):
    """Run the code of a notebook in a process without minicnn."""
    code = [text(one) for one in book["cells"] if one["cell_type"] == "code"]
    path = tmp_path / "run.py"
    path.write_text("\n\n".join([BLOCKED, *code, "print('through')"]), encoding="utf-8")
    return subprocess.run([sys.executable, "-I", str(path)], capture_output=True, text=True)


def text(cell):
    """The source of a cell."""
    return "".join(cell["source"])


def valid(book):
    """Check a notebook as Jupyter does, where nbformat is installed."""
    nbformat = pytest.importorskip("nbformat")
    nbformat.validate(nbformat.from_dict(book))


def test_from_top_to_bottom(tmp_path):
    source, student = forms("gram")
    done = run(source, tmp_path)
    assert done.stdout == "through\n", done.stderr
    done = run(student, tmp_path)
    assert "NotImplementedError" in done.stderr and done.stdout == ""


def test_wrong_code_fails(tmp_path):
    source, _ = forms("gram")
    for cell in source["cells"]:
        cell["source"] = [line.replace("/ (h * w)", "/ h") for line in cell["source"]]
    assert "AssertionError" in run(source, tmp_path).stderr


def test_the_student_s_form_is_the_source_form_without_answers():
    source, student = forms("gram")
    valid(source)
    valid(student)
    for theirs, ours in zip(student["cells"], source["cells"], strict=True):
        assert theirs["id"] == ours["id"] and theirs["metadata"] == ours["metadata"]
        if not re.search("### (BEGIN|END)", text(ours)):
            assert text(theirs) == text(ours)
        elif theirs["cell_type"] == "code":
            assert text(theirs) == marks.without_hidden(marks.stubbed(text(ours)))
    everything = json.dumps(student)
    for secret in ("BEGIN", "transpose(0, 2, 1)", assignment("gram").question(4).rubric[:30]):
        assert secret not in everything
    hidden = re.findall(r'"[0-9a-f]{16}"', "".join(map(text, source["cells"])))
    shown = re.findall(r'"[0-9a-f]{16}"', "".join(map(text, student["cells"])))
    assert shown and len(hidden) > 2 * len(shown)


def test_metadata_of_nbgrader():
    about = [one["metadata"]["nbgrader"] for one in forms("gram")[1]["cells"]]
    assert len({one["grade_id"] for one in about}) == len(about)
    for one in about:
        assert one["schema_version"] == 3 and ("points" in one) == (one["grade"] or one["task"])
        assert one["locked"] != one["solution"]
    assert sum(one.get("points", 0) for one in about) == 100


@pytest.mark.thorough
@pytest.mark.parametrize("name", [one.name for one in assignments()])
def test_every_assignment_from_top_to_bottom(name, tmp_path):
    source, student = forms(name, seed=7, visible=8)
    valid(source)
    valid(student)
    done = run(source, tmp_path)
    assert done.stdout == "through\n", done.stderr
