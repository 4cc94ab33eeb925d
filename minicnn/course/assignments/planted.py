"""Planted mistakes: the pages' own code with one edit, as a student might have written it.

`mistakes/<assignment>.toml` lists them: the questions that lose points, what the mistake is in
words, its cause (a key of `minicnn.gradcheck.mistakes.CAUSES`), and the edits of the solution's
text. They prove that every question notices its mistakes, and name the cause of a student's.
"""

import tomllib
from functools import cache
from typing import NamedTuple

from minicnn.course.assignments.model import HERE, assignment


class Planted(NamedTuple):
    """A planted mistake.

    Attributes
    ----------
    questions : tuple of str
        Ids of the questions that lose points.
    cause, words : str
        A key of `minicnn.gradcheck.mistakes.CAUSES`, and the mistake in words.
    source : str
        The solution with the mistake.
    also : tuple of str
        Further keys that are true: what is seen from outside, where the code is not known.
    sometimes : tuple of str
        Ids of further questions that lose points with some numbers.
    """

    questions: tuple
    cause: str
    words: str
    source: str
    also: tuple = ()
    sometimes: tuple = ()


@cache
def mistakes(name):
    """The planted mistakes of an assignment, a tuple of Planted.

    Raises
    ------
    ValueError
        The text of an edit is not found exactly once in the solution.
    """
    from minicnn.course.handout.cut import solution

    path = HERE / "mistakes" / f"{name}.toml"
    if not path.is_file():
        return ()
    listed, text = tomllib.loads(path.read_text(encoding="utf-8")), solution(assignment(name))
    return tuple(Planted(_ids(name, one["questions"]), one["cause"], one["words"],
                         _edited(text, one), tuple(one.get("also", ())),
                         _ids(name, one.get("sometimes", ()))) for one in listed["mistake"])


def _ids(name, numbers):
    return tuple(f"{name}-{number}" for number in numbers)


def _edited(text, one):
    """The text after the edits."""
    for old, new in one["edits"]:
        if text.count(old) != 1:
            raise ValueError(f"planted mistake {one['words']!r}: an edit must be found once, but "
                             f"is found {text.count(old)} times: {old!r}")
        text = text.replace(old, new)
    return text
