"""How often a student has checked an assignment, and which hints were shown: assignments.json in
the cache folder. It is for the student's eyes; no point depends on it.

    {"convolution": {"attempts": 4, "hints": {"convolution-2": 1}}}
"""

from minicnn.course.kept import read, write
from minicnn.files import cache


def path():
    """The file."""
    return cache.folder() / "assignments.json"


def attempt(assignment):
    """Count one more attempt; returns how many there were."""
    kept = read(path())
    about = _of(kept, assignment.name)
    about["attempts"] += 1
    write(path(), kept)
    return about["attempts"]


def next_hint(assignment, question):
    """(number from 1, text) of the next hint for a question; after the last one, the last again.

    Raises
    ------
    ValueError
        The question has no hints.
    """
    if not question.hints:
        raise ValueError(f"{question.id}, {question.title}, has no hints")
    kept = read(path())
    shown = _of(kept, assignment.name)["hints"]
    number = min(shown.get(question.id, 0) + 1, len(question.hints))
    shown[question.id] = number
    write(path(), kept)
    return number, question.hints[number - 1]


def _of(kept, name):
    """What is kept of an assignment, which may be damaged."""
    about = kept.get(name)
    about = about if isinstance(about, dict) else {}
    hints = about.get("hints")
    kept[name] = {"attempts": _count(about.get("attempts")), "hints": {
        one: _count(n) for one, n in (hints if isinstance(hints, dict) else {}).items()}}
    return kept[name]


def _count(value):
    return value if isinstance(value, int) and value > 0 else 0
