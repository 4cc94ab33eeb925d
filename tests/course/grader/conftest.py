"""Grading without walled processes: for files that are trusted, in this process, in milliseconds.

`tests/course/grader/test_grade.py` grades through the wall.
"""

import pytest

from minicnn.course.grader import by_network, grade
from minicnn.course.grader.local import Local
from minicnn.foreign.load import load


@pytest.fixture(scope="session")
def network():
    """The network of the network questions, loaded once."""
    return load(by_network.NETWORK)


@pytest.fixture
def unwritten():
    """Local, with the errors of its code as those of a walled process."""
    return Local


@pytest.fixture
def graded(monkeypatch, network):
    """graded(source, assignment, seed=5, ...) -> Result, with the file run in this process."""
    monkeypatch.setattr(grade, "_process", lambda text, asked, minimum: Local(text, asked.file))
    monkeypatch.setattr(by_network, "STEPS", by_network.AGREE)

    def made(source, assignment, seed=5, **options):
        return grade.grade(source, assignment, seed, network=network, minimum=False, **options)
    return made
