"""Questions of the kind "call": a probe's calls, compared with those of the pages."""

import re
from itertools import zip_longest
from time import perf_counter

import numpy as np

from minicnn.course.assignments.probes import PROBES, draws, small_draws
from minicnn.course.grader.handed import as_array
from minicnn.course.grader.lines import Noted, of_calls
from minicnn.course.grader.local import Local
from minicnn.course.grader.outcome import Check
from minicnn.gradcheck.apart.owner import Died
from minicnn.gradcheck.gradients import compare
from minicnn.gradcheck.own.sources import OwnError
from minicnn.report.stepfigures.of_op import Answer

TOLERANCE = 1e-9  # of sums of at most some hundred terms, in another order
NAMES = {"switches": "cache.switches"}  # of what a probe returns, if it is not a call's result
SINGLE = 1e-5  # of the same in float32
OPTIONS = ("probe", "count", "tolerance", "single")  # of a contract; the others are the probe's


def checks(question, walled, asked):
    """The Checks of a question, and what explains the first that is not right.

    The same parameters and results as `minicnn.course.grader.by_op.checks`.
    """
    found, answers, first = [], [], None
    for index, (ours, theirs) in enumerate(_drawn(question, asked), 1):
        expected = probed(question, asked.right, ours)
        if answers and isinstance(answers[-1][1], Died):
            answers.append(("was not tried after the process had ended", answers[-1][1]))
        else:
            answers.append(compared(question, walled, theirs, expected, asked.end))
        words, got = answers[-1]
        found.append(Check(f"draw {index}", not words, words))
        first = first or (words and (ours, expected, got))
    if not first or isinstance(first[2], Died):
        return found, {"ended": bool(first)}
    draw, expected, got = first
    theirs, right = (None, None) if isinstance(got, Exception) else first_wrong(
        got, expected, tolerance_of(question, draw))
    right = None if isinstance(right, (tuple, list)) else right
    known = known_mistake(question, answers, asked) if asked.explain else None
    smallest, shown = _smallest(question, walled, asked) if asked.explain else ("", None)
    return found, {"theirs": theirs, "expected": right, "cause": known.words if known else "",
                   "key": known.cause if known else "", "smallest": smallest, "shown": shown}


def _drawn(question, asked):
    """The draws in pairs, one for the page and one for the submission: a draw can be used once."""
    return zip(*(draws(question, asked.seed, asked.submission) for _ in "ab"), strict=True)


def probed(question, process, draw):
    """What a probe returns."""
    contract = question.contract
    return PROBES[contract["probe"]](process, draw, **{
        name: value for name, value in contract.items() if name not in OPTIONS})


def compared(question, walled, draw, expected, end=np.inf):
    """(words on what is wrong or "", what was returned or the error)."""
    if perf_counter() > end:
        return "the time for this question was over", Died("", "the time was over")
    try:
        got = probed(question, walled, draw)
    except (OwnError, Died) as error:
        return f"{'raises ' * isinstance(error, OwnError)}{error}", error
    except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError) as error:
        return f"returns what cannot be used: {error}", OwnError(str(error))
    tolerance = tolerance_of(question, draw)
    for name, theirs, right in pairs(got, expected, named(question)):
        try:
            words = differs(name, as_array(theirs, name), np.asarray(right), tolerance)
        except OwnError as error:
            return str(error), error
        if words:
            return words, got
    return "", got


def tolerance_of(question, draw):
    """How far an answer may lie from the page's."""
    exact = question.contract.get("tolerance", TOLERANCE)
    return max(exact, SINGLE) if draw.dtype == np.float32 else exact


def named(question):
    """What a probe returns, in words."""
    return NAMES.get(question.contract["probe"], f"what {question.function} returns")


def pairs(got, expected, name):
    """(name, theirs, expected) of a result, or of each part of a tuple."""
    if not isinstance(expected, (tuple, list)):
        return [(name, got, expected)]
    if not isinstance(got, (tuple, list)) or len(got) != len(expected):
        return [(name, got if not isinstance(got, (tuple, list)) else None,
                 expected)]
    return [(f"part {index} of {name}", theirs, right)
            for index, (theirs, right) in enumerate(zip_longest(got, expected))]


def differs(name, got, expected, tolerance):
    """Words if two arrays differ, in their numbers or in float32's being another dtype, else ""."""
    if got.shape == expected.shape and got.dtype.kind == "c":
        return f"{name} is complex"
    share = compare.SHARE_32 if expected.dtype == np.float32 else compare.SHARE_64
    worst = compare.worst(name, got, expected, "expected", share)
    if worst.error > tolerance:
        return worst.words
    if expected.ndim and expected.dtype == np.float32 != got.dtype:
        return f"{name} is {got.dtype}, expected float32, the dtype of what it got"
    return ""


def first_wrong(got, expected, tolerance):
    """The first pair of arrays that differ, (None, `expected`) without one."""
    for _, theirs, right in pairs(got, expected, ""):
        try:
            if differs("", as_array(theirs, ""), np.asarray(right), tolerance):
                return theirs, np.asarray(right)
        except OwnError:
            continue
    return None, expected


# ---- why

def known_mistake(question, answers, asked):
    """The planted mistake that answers as the submission does in every draw; None without one."""
    for mistake in asked.mistakes(question):
        process = Local(mistake.source)
        if all(_alike(answer, compared(question, process, theirs,
                                       probed(question, asked.right, ours)),
                      tolerance_of(question, ours))
               for answer, (ours, theirs) in zip(answers, _drawn(question, asked), strict=True)):
            return mistake
    return None


def _alike(answer, other, tolerance):
    """Whether two answers, each (words, result or error), are the same."""
    (words, got), (others, theirs) = answer, other
    if isinstance(got, Exception) or isinstance(theirs, Exception):
        return placeless(words) == placeless(others)
    try:
        return bool(words) == bool(others) and all(
            equal(as_array(one, ""), as_array(two, ""), tolerance)
            for _, one, two in pairs(got, theirs, ""))
    except OwnError:  # some part is no array
        return False


def equal(a, b, tolerance):
    """Whether two arrays are the same but for rounding; NaN is the same as NaN."""
    return a.shape == b.shape and np.allclose(a, b, tolerance, tolerance, equal_nan=True)


def placeless(words):
    """An error's words without its line numbers."""
    return re.sub(r" \(line \d+\)", "", words)


def _smallest(question, walled, asked):
    """(lines that show the mistake at small whole numbers, the same as an Answer for a step
    figure); "" and None without them."""
    shortest, answer = "", None
    for ours, theirs in zip(small_draws(question), small_draws(question), strict=True):
        noted, expected = Noted(walled), probed(question, asked.right, ours)
        words, got = compared(question, noted, theirs, expected, asked.end)
        if isinstance(got, Died):
            return shortest, answer
        shown = (None, expected) if isinstance(got, OwnError) else first_wrong(
            got, expected, tolerance_of(question, ours))
        text = "\n".join(of_calls(asked.file, noted, *shown)) if words else ""
        if text and (not shortest or len(text) < len(shortest)):
            shortest, answer = text, _answer(noted.calls, *shown)
    return shortest, answer


def _answer(calls, got, expected):
    """The Answer to a probe's calls; None where no step figure shows what they do."""
    called, (given, *_), settings = calls[0]
    if called == "pool_forward":
        return Answer("pool", {"x": given}, settings, "switches", None, got, expected)
    if called == "ReluCache" and len(calls) > 1:  # of an x of which it holds the signs
        _, (dy, _), _ = calls[1]
        return Answer("relu", {"x": np.where(given, 1.0, -1.0)}, {}, "dx", dy, got, expected)
    if called == "gram_matrix":
        return Answer("gram_matrix", {"a": given}, {}, "G", None, got, expected)
    return None
