"""Grading one submission: each question in a walled process of its own.

    result = grade(source, assignment("convolution"), seed=2026)

A question costs no other one anything: each has its own process, time and numbers. What the file
computes is compared here; the process sees neither the seed nor what is expected.
"""

import warnings
from hashlib import sha256
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from minicnn.course.assignments import planted
from minicnn.course.grader import by_call, by_checker, by_network, by_op, names
from minicnn.course.grader.feedback import number
from minicnn.course.grader.lines import own_file
from minicnn.course.grader.local import Local
from minicnn.course.grader.outcome import (
    BY_HAND,
    MISSING,
    NO_ANSWER,
    NOT_WRITTEN,
    PARTLY,
    RIGHT,
    WRONG,
    Outcome,
    Result,
)
from minicnn.course.handout.cut import solution
from minicnn.gradcheck.apart.owner import Died
from minicnn.gradcheck.apart.walled import Callback, Walled, WallError
from minicnn.gradcheck.own.sources import FormError, OwnError

SECONDS, CALL, MEMORY = 30, 5, 1024  # for a question, for one call; megabytes
PICTURE = 60  # more seconds for a question that makes a picture
WAYS = {"op": by_op.checks, "call": by_call.checks, "checker": by_checker.checks,
        "network": by_network.checks}
UNWRITTEN = "NotImplementedError"


class Asked(NamedTuple):
    """What a question is asked with.

    Attributes
    ----------
    assignment : Assignment
    seed : int
        Of the course; the student does not know it.
    submission : str
        What the numbers depend on besides.
    file : str
        The name of the student's file, for the lines that show a mistake.
    explain : bool
        Look for the cause and the smallest input.
    right : Local
        The pages' own code.
    end : float
        Of `time.perf_counter`: when the question's time is over.
    network : Network, optional
    photo : path or array, optional
        What the network questions look into and at, instead of what is shipped.
    """

    assignment: Any
    seed: int
    submission: str
    file: str
    explain: bool
    right: Local
    end: float
    network: Any = None
    photo: Any = None

    def prefix(self, question):
        """What comes before "forward" and "backward" in the names of a question's functions."""
        return question.function.rpartition("_")[0] + "_"

    def mistakes(self, question):
        """The planted mistakes of a question, those of few questions first."""
        found = [one for one in planted.mistakes(self.assignment.name)
                 if question.id in (*one.questions, *one.sometimes)]
        return sorted(found, key=lambda one: len(one.questions))


def grade(source, assignment, seed, student="", *, questions=None, explain=True, minimum=True,
          seconds=SECONDS, network=None, photo=None, notes=(), file="", each=iter):
    """Grade a submission.

    Parameters
    ----------
    source : str or bytes
        The text of a Python file.
    assignment : Assignment
    seed : int
        What inputs are drawn from, together with the text itself.
    student : str
    questions : collection of str, optional
        Ids of the questions to grade; by default all.
    explain : bool
        Look for the cause of a mistake, and for the smallest input that shows it.
    minimum : bool
        Refuse to run a submission where the system cannot keep it apart
        (`minicnn.gradcheck.apart.wall`).
    seconds : float
        For each question.
    network, photo : optional
        What the network questions look into and at, instead of what is shipped.
    notes : list of str
        On how the submission was read.
    file : str
        The student's file, from which lines that show a mistake import.
    each : function
        Wraps the list of questions, to show progress.

    Returns
    -------
    Result
    """
    text = source.decode("utf-8", "replace") if isinstance(source, bytes) else source
    asked = Asked(assignment, seed, sha256(text.encode()).hexdigest(), own_file(file, assignment),
                  explain, Local(solution(assignment)), 0.0, network, photo)
    chosen = [one for one in assignment.questions if questions is None or one.id in questions]
    read, layers, broken = names.look(text, assignment), (), ""
    try:
        if read.error:
            raise FormError(read.error)
        with _process(text, asked, minimum) as walled:
            layers = walled.layers
    except (FormError, OwnError, Died) as error:
        broken = str(error)
    outcomes = [_outcome(question, text, asked._replace(end=perf_counter() + seconds), read,
                         broken, minimum) for question in each(chosen)]
    return Result(student, assignment, _pointed(outcomes), [*notes, *read.notes], layers)


def _pointed(outcomes):
    """The outcomes; one of a network that is wrong points to the questions that explain it."""
    wrong = [number(one.question) for one in outcomes
             if one.status in (PARTLY, WRONG, NO_ANSWER) and one.question.kind != "network"]
    see = f"; see question{'s' * (len(wrong) > 1)} {', '.join(wrong)}"
    return [one._replace(words=one.words + see)
            if wrong and one.question.kind == "network" and one.status == WRONG else one
            for one in outcomes]


class Theirs(Walled):
    """A submission's process; `Local` is its counterpart for our own code.

    Attributes
    ----------
    end : float
        Of `time.perf_counter`, after which no call is made, and none lasts.
    """

    end = float("inf")

    def call(self, *args, **kwargs):
        """As of every `Walled`."""
        left = self.end - perf_counter()
        if left <= 0:
            raise Died(self.name, "the time for this question was over")
        self.seconds = min(CALL, round(left + 0.1, 1))
        return super().call(*args, **kwargs)

    def function(self, f):
        """A function of ours that the submission may call."""
        return Callback(f)


def _process(text, asked, minimum):
    return Theirs(text, f"{asked.assignment.name}.py", seconds=CALL, memory_mb=MEMORY,
                  minimum=minimum)


def _outcome(question, text, asked, read, broken, minimum):
    """The Outcome of one question."""
    began = perf_counter()
    if question.kind == "written":
        return Outcome(question, 0.0, BY_HAND, "a person reads the answer")
    if broken:
        return Outcome(question, 0.0, NO_ANSWER, broken)
    if question.function in read.missing:
        near = read.near.get(question.function)
        return Outcome(question, 0.0, MISSING, f"there is no {question.function} in it" + (
            f"; did you mean it by {near}?" if near else ""))
    try:
        with _process(text, asked, minimum) as walled:
            walled.end = asked.end + PICTURE * (question.kind == "network")
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")  # of what is computed here, with their numbers
                checks, why = WAYS[question.kind](question, walled, asked)
    except (FormError, OwnError, Died) as error:
        return Outcome(question, 0.0, NO_ANSWER, str(error), seconds=perf_counter() - began)
    except WallError:
        raise
    except Exception as error:  # what it returned has led us astray: that costs this question alone
        return Outcome(question, 0.0, NO_ANSWER, "what it returned cannot be judged "
                       f"({type(error).__name__}: {error})", seconds=perf_counter() - began)
    return _judged(question, checks, why, perf_counter() - began)


def _judged(question, checks, why, seconds):
    """The Outcome of a question from its Checks."""
    share = why.pop("share", sum(check.right for check in checks) / len(checks))
    ended = why.pop("ended", False)
    words = next((check.words for check in checks if not check.right), "")
    if share == 1 and not words:
        status = RIGHT
    elif checks and all(UNWRITTEN in check.words for check in checks):
        status, why["words"] = NOT_WRITTEN, "not written yet"
    else:
        status = PARTLY if share > 0 else NO_ANSWER if ended else WRONG
    points = round(question.points * share, 2)
    return Outcome(question, points, status, why.pop("words", words), checks, seconds=seconds,
                   **why)
