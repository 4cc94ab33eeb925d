"""What a class has found hard: per question the mean share, how it ended, and why."""

import re
from collections import Counter
from statistics import mean, median
from typing import Any, NamedTuple

from minicnn.course.grader import plain
from minicnn.course.grader.feedback import amount, number
from minicnn.course.grader.outcome import BY_HAND, NOT_WRITTEN, STATUSES

COMMON = 5  # causes and settings of a question that are listed


class Hard(NamedTuple):
    """One question in a class.

    Attributes
    ----------
    question : Question
    share : float or None
        The mean of the points earned, of those to be had; None if it is graded by hand.
    statuses : dict
        status -> how many students.
    causes : list of (str, int)
        The commonest causes of mistakes, with the number of students.
    settings : list of (str, int, int)
        "stride": at how many checks that have it the answer was wrong, and at how many there are,
        of answers that are written; the largest share first.
    """

    question: Any
    share: float | None
    statuses: dict
    causes: list
    settings: list


class Statistics(NamedTuple):
    """A class.

    Attributes
    ----------
    students : int
    mean, median, best : float
        Of the shares of all points.
    questions : list of Hard
    """

    students: int
    mean: float
    median: float
    best: float
    questions: list


def statistics(results):
    """The Statistics of the Results of one assignment.

    Raises
    ------
    ValueError
        There are no results, or of several assignments.
    """
    assignments = {one.assignment.name for one in results}
    if len(assignments) != 1:
        raise ValueError("statistics are of one assignment, got results of "
                         f"{', '.join(sorted(assignments)) or 'none'}")
    shares = [one.points / one.most if one.most else 0.0 for one in results]
    questions = {}
    for result in results:
        for one in result.outcomes:
            questions.setdefault(one.question.id, []).append(one)
    return Statistics(len(results), mean(shares), median(shares), max(shares),
                      [_hard(outcomes) for outcomes in questions.values()])


def _hard(outcomes):
    question, counts = outcomes[0].question, Counter(one.status for one in outcomes)
    graded = [one.points for one in outcomes if one.status != BY_HAND]
    share = mean(graded) / question.points if graded and question.points else None
    causes = Counter(plain.line(one.cause) for one in outcomes if one.cause)
    return Hard(question, share, {one: counts[one] for one in STATUSES if counts[one]},
                causes.most_common(COMMON), _settings(outcomes))


def _settings(outcomes):
    """Which settings written answers are wrong at."""
    every, wrong = Counter(), Counter()
    written = [one for one in outcomes if one.status != NOT_WRITTEN]
    for check in (check for one in written for check in one.checks):
        every.update(kinds(check.name))
        wrong.update(set() if check.right else kinds(check.name))
    found = [(one, wrong[one], every[one]) for one in wrong]
    return sorted(found, key=lambda one: (-one[1] / one[2], -one[2], one[0]))[:COMMON]


def kinds(name):
    """What a setting is like, apart from its numbers and sizes, which each submission has its own.

    Examples
    --------
    >>> sorted(kinds("x 1x6x5x1, w 1x1x1x1, stride (2, 3), pad 2, float64"))
    ['float64', 'pad', 'stride']
    """
    parts = re.sub(r"\([^)]*\)", "", plain.line(name)).split(",")
    words = {re.sub(r"[\s=]+[-\d.]+$", "", part.strip()) for part in parts}
    return {one for one in words if one and not re.match(r"\w{1,2} \d", one) and len(one) > 2}


def told(found):
    """Statistics as lines of text for a terminal."""
    lines = [f"{found.students} submissions; of all points on average {found.mean:.0%}, "
             f"median {found.median:.0%}, best {found.best:.0%}"]
    for one in found.questions:
        share = "by hand" if one.share is None else f"{one.share:.0%}"
        ended = ", ".join(f"{count} {status}" for status, count in one.statuses.items())
        lines.append(f"{number(one.question):>2}. {one.question.title} "
                     f"({amount(one.question.points)} points): {share}; {ended}")
        lines += [f"      {count} x {cause}" for cause, count in one.causes]
    return "\n".join(lines)
