"""An assignment as cells."""

import pytest

from minicnn.course.assignments import assignment, assignments
from minicnn.course.handout.cells import at_once, cells, markdown


def test_the_cells_follow_the_questions():
    found = cells(assignment("gram"), seed=5, visible=6)
    names = [one.name for one in found]
    assert len({*names}) == len(names) and found[0].text.startswith("# Assignment 8: ")
    assert names.index("gram_matrix") < names.index("gram-1") < names.index("gram_loss") \
        < names.index("gram-2") < names.index("gram-4")
    answers = {one.question: one for one in found if one.points}
    assert [one.kind for one in answers.values()] == [
        "test", "test", "test", "written", "test", "test", "written", "task"]
    assert sum(one.points for one in answers.values()) == assignment("gram").points
    assert answers["gram-4"].hidden == assignment("gram").question(4).rubric


def test_a_function_that_another_calls_comes_before_it():
    names = [one.name for one in cells(assignment("checking"))]
    assert names.index("kinks") < names.index("checking-4")


@pytest.mark.thorough
def test_what_needs_a_function_to_be_defined_comes_after_it():
    names = [one.name for one in cells(assignment("ascent"))]
    assert names.index("rms") < names.index("NORMALIZERS") and names.index("EPSILON") < 10


def test_what_code_reads_while_it_is_defined():
    assert at_once("A = {'f': f}\ndef g(x=h): return k\nclass B(C): d = 1") == {"f", "h", "C"}


def test_derivations_as_questions():
    found = cells(assignment("lrn"), derivation="ask")
    assert [one.kind for one in found if one.points].count("written") == 2


def test_a_docstring_as_markdown():
    text = markdown("A page.\n\n    y = x\n\nBackward\n    Its slope:\n\n        dx = dy")
    assert text == "A page.\n\n    y = x\n\n#### Backward\n\nIts slope:\n\n    dx = dy"


@pytest.mark.thorough
@pytest.mark.parametrize("derivation", ["keep", "short", "ask"])
@pytest.mark.parametrize("name", [one.name for one in assignments()])
def test_every_assignment(name, derivation):
    one = assignment(name)
    found = cells(one, derivation)
    assert {*(two.id for two in one.questions)} <= {two.question for two in found}
