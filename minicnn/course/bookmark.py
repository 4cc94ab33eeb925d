"""Where one stopped in each lesson, and what one has answered: lessons.json in the cache folder.

    {"04_pooling": {"cell": 7, "cells": 17, "done": false, "answers": {"What is ...?": [1, 0, 0]}}}

`answers` has, for each question, the number of answers until the right one, the number of hints,
and 1 if the answer was shown. The first time counts: that was the prediction.
"""

from dataclasses import asdict, dataclass, field

from minicnn.course import lessons
from minicnn.course.kept import read, write
from minicnn.files import cache


@dataclass
class Bookmark:
    """Where one is in a lesson.

    Attributes
    ----------
    cell : int
        The cell that was shown last, from 0; `cells` at the end.
    cells : int
        How many the lesson has.
    done : bool
        It was gone through to its end, now or earlier.
    answers : dict
    """

    cell: int = 0
    cells: int = 0
    done: bool = False
    answers: dict = field(default_factory=dict)

    @property
    def at_once(self):
        """How many questions were answered by the first prediction, without a hint."""
        return sum(tally == [1, 0, 0] for tally in self.answers.values())


def path():
    """The file."""
    return cache.folder() / "lessons.json"


def of(lesson):
    """The Bookmark of a lesson: at its beginning if there is none, or none that can be read."""
    cells = len(lesson.cells)
    try:
        kept = Bookmark(**read(path()).get(key(lesson), {}))
        if not 0 <= kept.cell <= kept.cells:
            raise ValueError
        tallies = [[int(n) for n in tally] for tally in kept.answers.values()]
        kept.answers = dict(zip(kept.answers, tallies, strict=True))
    except (AttributeError, TypeError, ValueError):
        kept = Bookmark()
    if kept.cells != cells:  # the lesson was written anew
        kept.cell = 0 if kept.cell == kept.cells else min(kept.cell, cells - 1)
        kept.cells = cells
    return kept


def keep(lesson, bookmark):
    """Write the Bookmark of a lesson.

    Raises
    ------
    ValueError, OSError
        The file cannot be written.
    """
    write(path(), read(path()) | {key(lesson): asdict(bookmark)})


def key(lesson):
    """The lesson's name in the file; for a lesson of one's own, its path."""
    return lesson.path.stem if lessons.is_shipped(lesson) else str(lesson.path)
