"""Many submissions at once."""

import os

import pytest

from minicnn.course import grading
from minicnn.course.assignments import assignment
from minicnn.course.grader.outcome import NO_ANSWER
from minicnn.course.grader.submissions import Submission
from minicnn.course.handout import handout, solution
from minicnn.gradcheck.apart.walled import WallError

GRAM = assignment("gram")
SMALL = GRAM._replace(questions=(GRAM.questions[0], GRAM.questions[3]))


def of(student, source):
    """A Submission."""
    return Submission(student, "gram.py", source, [])


CLASS = [of("ada", solution(GRAM)), of("ben", handout(GRAM)), of("cas", None), of("dan", "def (")]


def points(**options):
    """Of the class."""
    found = grading.grade_all(CLASS, SMALL, 5, explain=False, **options)
    return {one.student: one.points for one in found}


def test_one_after_the_other():
    assert points(jobs=1) == {"ada": 25, "ben": 0, "cas": 0, "dan": 0}


@pytest.mark.thorough
def test_two_at_once_give_the_same():
    assert points(jobs=2) == points(jobs=1)


def test_no_file_is_no_answer():
    result = grading.graded(of("cas", None), SMALL, 5)
    assert result.outcomes[0].status == NO_ANSWER and "no file" in result.notes[0]
    assert result.most == 25


def test_a_mistake_of_the_grader_costs_one_submission(monkeypatch):
    def graded(submission, *given, **options):
        if submission.student == "ben":
            raise KeyError("a bug")
        return grading.nothing(submission, SMALL, "tried")

    monkeypatch.setattr(grading, "graded", graded)
    found = {one.student: one for one in grading.grade_all(CLASS, SMALL, 5, jobs=1)}
    assert len(found) == 4 and found["dan"].notes == ["tried"]
    assert "its own mistake: KeyError in test_grading.py" in found["ben"].notes[0]


def test_a_missing_wall_stops_all(monkeypatch):
    def refused(*given, **options):
        raise WallError("no")

    monkeypatch.setattr(grading, "graded", refused)
    with pytest.raises(WallError):
        list(grading.grade_all(CLASS, SMALL, 5, jobs=1))


def end(given):
    """In place of `safely`: the process of one submission ends, as if for lack of memory."""
    if given[0].student == "ben":
        os._exit(3)
    return grading.nothing(*given[:2], "graded")


@pytest.mark.thorough
def test_a_lost_process_costs_what_was_in_it(monkeypatch):
    monkeypatch.setattr(grading, "safely", end)
    found = {one.student: one.notes for one in grading.grade_all(CLASS, SMALL, 5, jobs=2)}
    assert {*found} == {"ada", "ben", "cas", "dan"}
    assert found["ben"] == [grading.LOST] and ["graded"] in found.values()
