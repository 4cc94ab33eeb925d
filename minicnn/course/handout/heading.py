"""The head of a handout: what to do, the questions and points, the version it was cut from."""

import hashlib
import re
import textwrap

from minicnn import __version__
from minicnn.course.handout.source import read

WIDTH = 100
TASK = """\
Write the bodies that raise NotImplementedError. Names and parameters stay as they are; add
functions of your own where you like. No function changes an array that it is given: work on a copy.
Everything else is given and works. Check with"""
STAMP = re.compile(r"Cut from minicnn (\S+), pages ([0-9a-f]{10}), seed (\d{1,30})(?!\d)")


def heading(assignment, seed=0, version=None, helpers=()):
    """The text at the top of a handout.

    Parameters
    ----------
    assignment : Assignment
    seed : int
        Of the numbers at which it is tested.
    version : str, optional
        Of minicnn, by default this one's.
    helpers : sequence of str
        Names of given functions that are worth knowing.

    Returns
    -------
    str
    """
    parts = [f"Assignment {assignment.number}: {assignment.title}", _wrapped(assignment.intro),
             _before(assignment), _task(assignment), _wrapped(_help(helpers)), _table(assignment),
             f"Cut from minicnn {version or __version__}, pages {fingerprint(assignment)}, "
             f"seed {seed}."]
    return "\n\n".join(part for part in parts if part)


def fingerprint(assignment):
    """Ten hexadecimal digits that tell one text of an assignment's pages from another."""
    text = "".join(read(page.module).text for page in assignment.pages)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def cut_from(text):
    """(version, fingerprint, seed) that a handout names; None if it names none."""
    found = STAMP.search(text)
    return found and (found[1], found[2], int(found[3]))


def _wrapped(text):
    """Lines of up to WIDTH; a paragraph that fits stays as it was written."""
    parts = [part if max(map(len, part.splitlines()), default=0) <= WIDTH
             else textwrap.fill(part, WIDTH) for part in text.split("\n\n")]
    return "\n\n".join(parts)


def _before(assignment):
    """Which lessons to go through first."""
    numbers = [str(one) for one in assignment.lessons]
    if not numbers:
        return ""
    said = " and ".join(filter(None, [", ".join(numbers[:-1]), numbers[-1]]))
    return (f"Before: lesson{'s' * (len(numbers) > 1)} {said}, "
            f"as in `minicnn lesson {numbers[0]}`.")


def _task(assignment):
    return f"{TASK}\n\n    minicnn course check {assignment.name}.py"


def _help(helpers):
    return f"Below is also what may help: {', '.join(helpers)}." if helpers else ""


def _table(assignment):
    """The questions with their points and minutes."""
    rows = [("", "question", "function", "points", "minutes")]
    rows += [(str(number), one.title, one.function or "in words", str(one.points),
              str(one.minutes)) for number, one in enumerate(assignment.questions, 1)]
    rows.append(("", "", "all", str(assignment.points), str(assignment.minutes)))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = []
    for number, title, function, points, minutes in rows:
        lines.append(f"    {number:>{widths[0]}}  {title:<{widths[1]}}  {function:<{widths[2]}}  "
                     f"{points:>{widths[3]}}  {minutes:>{widths[4]}}")
    return "\n".join(line.rstrip() for line in lines)
