"""The source notebook of otter assign."""

import json

import pytest

from minicnn.course.assignments import assignment
from minicnn.course.handout import otter
from minicnn.course.handout.cells import cells

PAIRS = {"# BEGIN QUESTION": "# END QUESTION", "# BEGIN SOLUTION": "# END SOLUTION",
         "# BEGIN TESTS": "# END TESTS"}


@pytest.fixture(scope="module")
def book():
    """The notebook."""
    found = cells(assignment("gram"), seed=5, visible=6)
    return json.loads(otter.text(assignment("gram"), found))


def test_raw_cells_are_in_pairs(book):
    raw = [one["source"] for one in book["cells"] if one["cell_type"] == "raw"]
    assert raw[0].startswith("# ASSIGNMENT CONFIG\nname: gram\n")
    open_ones = []
    for source in raw[1:]:
        first = source.partition("\n")[0]
        if first in PAIRS:
            open_ones.append(PAIRS[first])
        else:
            assert open_ones.pop() == first
    assert open_ones == []


def test_questions_with_points(book):
    asked = [one["source"].splitlines()[1:] for one in book["cells"]
             if one["source"].startswith("# BEGIN QUESTION")]
    assert asked[0] == ["name: gram_1", "points: 25"]
    assert asked[3] == ["name: gram_4", "points: 10", "manual: true"]


def test_hidden_tests_say_so(book):
    hidden = [one["source"] for one in book["cells"] if "hidden: true" in one["source"]]
    assert len(hidden) == 5 and all(one.startswith('""" # BEGIN TEST CONFIG') for one in hidden)


def test_no_line_of_a_test_shows_a_value(book):
    """otter runs them as doctests, in which the value of a bare expression would be a failure."""
    import ast

    code = [one["source"] for one in book["cells"] if one["cell_type"] == "code"
            and "digest(" in one["source"] and "def digest" not in one["source"]]
    assert code and not any(isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
                            for one in code for node in ast.parse(one).body)


def test_it_is_a_notebook(book):
    nbformat = pytest.importorskip("nbformat")
    nbformat.validate(nbformat.from_dict(book))
