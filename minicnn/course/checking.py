"""`minicnn course check`: a student's own look at an assignment, in the terminal.

The numbers are those of the seed that the handout names. Nothing is counted against anyone.
"""

import textwrap
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minicnn.course import attempts, which
from minicnn.course.assignments import assignment
from minicnn.course.grader import differences, names, submissions
from minicnn.course.grader.feedback import amount, number
from minicnn.course.grader.lines import how
from minicnn.course.grader.outcome import BY_HAND, MISSING, NOT_WRITTEN, RIGHT
from minicnn.course.grading import graded
from minicnn.course.handout.derivation import TITLE, with_derivations
from minicnn.course.handout.heading import cut_from, fingerprint
from minicnn.report.stepfigures.of_op import of_op

WIDTH, GAP = 96, 16  # letters of a line; pixels between pictures
UNWRITTEN = (NOT_WRITTEN, MISSING)


class Opened(NamedTuple):
    """A student's file.

    Attributes
    ----------
    submission : Submission
    assignment : Assignment
    seed : int
        Of the numbers that students see.
    remarks : list of str
    """

    submission: Any
    assignment: Any
    seed: int
    remarks: list


def opened(path, name=None):
    """The Opened of a file.

    Parameters
    ----------
    path : path
        A .py or .ipynb.
    name : str, optional
        The assignment's name or number; by default that which the file looks like.

    Raises
    ------
    ValueError
        There is no such file, or it looks like no assignment.
    """
    path = Path(path)
    if path.suffix.lower() not in submissions.SUFFIXES:
        raise ValueError(f"{path}: expected a .py or a .ipynb")
    if not path.is_file():
        raise ValueError(f"{path}: there is no such file")
    text = path.read_bytes().decode("utf-8", "replace")
    chosen = assignment(name) if name is not None else which.of_file(path.name, text)
    found = submissions.single(path, chosen)
    if found.source is None:
        raise ValueError(f"{path}: {'; '.join(found.notes) or 'there is no code in it'}")
    if names.is_for_check(found.source, chosen):
        raise ValueError(f"{path}: {names.FOR_CHECK}")
    stamp, remarks = cut_from(text), []
    if stamp and stamp[1] != fingerprint(chosen):
        remarks.append(f"This handout was cut from minicnn {stamp[0]}, from other pages than those "
                       "of the one you have; what it asks for may differ.")
    if TITLE in text:
        chosen = with_derivations(chosen)
    return Opened(found, chosen, stamp[2] if stamp else 0, remarks)


def checked(given, questions=None, **options):
    """The Result for a student's own eyes; counts an attempt.

    Parameters
    ----------
    given : Opened
    questions : collection of str, optional
        Ids; by default all but the written ones.
    **options
        As for `minicnn.course.grader.grade.grade`.
    """
    chosen = questions or [one.id for one in given.assignment.questions if one.kind != "written"]
    result = graded(given.submission, given.assignment, given.seed, questions=chosen,
                    minimum=False, **options)
    return result, attempts.attempt(given.assignment)


def is_right(result):
    """Whether something is written, and all that is written is right."""
    written = [one for one in result.outcomes if one.status not in (*UNWRITTEN, BY_HAND)]
    return bool(written) and all(one.status == RIGHT for one in written)


# ---- in words

def lines(given, result, attempt, width=WIDTH):
    """What the terminal shows, as a list of lines."""
    found = [f"{given.assignment.title}: {given.submission.name}, attempt {attempt}", ""]
    for note in [*given.remarks, *result.notes]:
        found += [*wrapped(note, "", width), ""]
    titles = max(len(one.question.title) for one in result.outcomes)
    for one in result.outcomes:
        earned = f"{amount(one.points)} of {one.question.points}"
        found.append(f"{number(one.question):>2}  {one.question.title:<{titles}}  {earned:>9}  "
                     f"{one.status}")
        found += _said(one, result.file, width)
    return found + ["", *_conclusion(given, result)]


def _said(one, file, width):
    """Why an answer is not right; or what it has made."""
    if one.status in (*UNWRITTEN, BY_HAND):
        return wrapped(one.words, width=width) if one.status == MISSING else []
    found = wrapped(one.words, width=width)
    if one.cause:
        found += wrapped(f"Probably: {one.cause}", width=width)
    if one.smallest:
        where = f"; {how(file)}" * file.endswith(".ipynb")
        found += [f"{'':6}A small input that shows it{where}:", ""]
        found += [f"{'':8}{line}".rstrip() for line in one.smallest.splitlines()] + [""]
    return found


def wrapped(text, indent=" " * 6, width=WIDTH):
    """A paragraph as lines."""
    return textwrap.wrap(" ".join(text.split()), width, initial_indent=indent,
                         subsequent_indent=indent)


def _conclusion(given, result):
    """The points, and what to do next."""
    found = [f"{amount(result.points)} of {amount(result.most)} points with these numbers."]
    by_hand = [one for one in given.assignment.questions if one.kind == "written"]
    if by_hand and len(result.outcomes) > 1:
        found[0] += f" {sum(one.points for one in by_hand)} more for answers in words."
    wrong = [one for one in result.outcomes if one.status not in (RIGHT, BY_HAND)
             and one.question.hints]
    if wrong:
        found.append(f"A hint: minicnn course check {given.submission.name} --hint "
                     f"{number(wrong[0].question)}")
    if (first := figure(result)) is not None:
        found.append(f"To step through the small input of question {number(first[0].question)}: "
                     f"minicnn course check {given.submission.name} --question "
                     f"{number(first[0].question)} --figure")
    return found


# ---- in figures

def figure(result):
    """The first question with a step figure at the smallest input where its answer is wrong.

    Returns
    -------
    (Outcome, StepFigure), or None
    """
    made = ((one, of_op(one.shown)) for one in result.outcomes)
    return next((pair for pair in made if pair[1] is not None), None)


# ---- in pictures

def picture(outcome):
    """What a question has made, or theirs, expected and the difference side by side.

    Returns
    -------
    array (H, W, 3) of uint8, or None
        None if there is nothing to be shown, as for a right answer.
    """
    if outcome.picture is not None:
        return outcome.picture
    parts = (outcome.question.contract or {}).get("parts")
    found = differences.pictures(outcome.theirs, outcome.expected, kernels=parts == ["dw"])
    if found is None:
        return None
    shown = [one for one in found[:3] if one is not None]
    height, width = (max(one.shape[axis] for one in shown) for axis in (0, 1))
    sheet = np.full((height, len(shown) * (width + GAP) - GAP, 3), 255, np.uint8)
    for index, one in enumerate(shown):
        left = index * (width + GAP)
        sheet[:one.shape[0], left:left + one.shape[1]] = one
    return sheet
