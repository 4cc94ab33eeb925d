"""The judge: is a hand-written layer right, and if not, where and why?

    verdict = judge(form)          # of an op of one's own, a Form of `minicnn.gradcheck.own`
    verdict.gradient, verdict.conduct, verdict.cause, verdict.smallest

Each op is run at all settings of `cases`, in float64 and float32, and compared with its page. There
are two verdicts, which are never mixed:

- gradient: are y, dx, dw, ... right? At a kink (equal maxima, an exact zero) any gradient between
  the two one-sided slopes is right.
- conduct: does it leave its arguments alone, keep the dtype, work with any memory layout, forget
  earlier calls, refuse what it must refuse (`minicnn.gradcheck.gradients.conduct`)?

A setting that the op has no parameter for, or that the caller leaves out (`without`), is "not
claimed"; one that it refuses by an error of its own is "cannot do". Neither is wrong.
"""

import warnings
from html import escape
from itertools import compress
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from minicnn.gradcheck.cause.cause import cause
from minicnn.gradcheck.gradients import compare
from minicnn.gradcheck.gradients.checker import check
from minicnn.gradcheck.gradients.report import html_table
from minicnn.gradcheck.judge.cases import Case, cases, few
from minicnn.gradcheck.judge.claims import READINGS, arguments, as_taken, unclaimed
from minicnn.gradcheck.judge.conduct_of import conduct
from minicnn.gradcheck.judge.expected import KINKED, SMOOTH_ENOUGH, right, typed_inputs
from minicnn.gradcheck.judge.shrink import smallest
from minicnn.gradcheck.own.known import PARTS
from minicnn.gradcheck.own.layouts import IMAGE, KERNEL
from minicnn.gradcheck.own.sources import is_deliberate, told

RIGHT, WRONG, CANNOT = "right", "wrong", "cannot do"
NOT_CLAIMED, SKIPPED, DIED = "not claimed", "skipped", "ended"
STATUSES = (RIGHT, WRONG, CANNOT, NOT_CLAIMED, SKIPPED, DIED)
NO_ANSWER = "no answer"
DTYPES = (np.float64, np.float32)
NEAR = {np.float64: 1e-12, np.float32: 1e-5}  # a kink is as near as sums are rounded, or nearer
SEARCH = 3.0  # seconds for the smallest input
NOTHING = "backward returns nothing"
TINY = 1e-30  # less than this is zero: e**-100, where float32 has no digits left


class Row(NamedTuple):
    """The result of one case in one dtype: what the op returned, and what is right."""

    case: Case
    dtype: Any
    status: str
    words: str = ""
    got: dict = {}
    expected: dict = {}
    wrong: tuple = ()  # names of the arrays that are wrong: "y", "dx", "dw", ...
    seconds: float = 0.0


class Verdict(NamedTuple):
    """What the judge found out about one op.

    Attributes
    ----------
    op, told : str
        The op, and what was taken for it.
    rows : list of Row
    conduct : dict of str to list of str
        Complaints by kind of check; empty if there are none.
    notes : list of str
    cause : Cause or None
    smallest : Smallest or None
    """

    op: str
    told: str
    rows: list
    conduct: dict
    notes: list
    cause: Any = None
    smallest: Any = None

    @property
    def ran(self):
        """The rows with a result: right, wrong, or ended without an answer. What must be refused
        is a matter of conduct."""
        return [row for row in self.rows
                if row.status in (RIGHT, WRONG, DIED) and not row.case.refuse]

    @property
    def gradient(self):
        """The verdict on y and the gradients: "right", "wrong" or "no answer".

        There is no answer if nothing ran, if the process ended at any case, or if the time did not
        suffice for all small inputs in float64.
        """
        statuses = {row.status for row in self.ran}
        if WRONG in statuses:
            return WRONG
        lost = any(row.status == DIED or row.status == SKIPPED and row.dtype == np.float64
                   and "large" not in row.case.tags for row in self.rows)
        return RIGHT if statuses == {RIGHT} and not lost else NO_ANSWER

    @property
    def gradient_ok(self):
        return self.gradient == RIGHT

    @property
    def conduct_ok(self):
        return not self.conduct

    @property
    def ok(self):
        return self.gradient_ok and self.conduct_ok

    def _repr_html_(self):  # what a notebook asks for
        counts = ", ".join(f"{count} {status}" for status, count in self.counts().items() if count)
        conduct = "right" if self.conduct_ok else "wrong"
        text = [f"{self.op}: gradient {self.gradient}, conduct {conduct}; {counts}", *self.notes]
        text += [f"{kind}: {'; '.join(words)}" for kind, words in self.conduct.items()]
        if self.cause is not None:
            text.append(f"Cause: {self.cause.name}: {self.cause.seen}")
        if self.smallest is not None:
            text.append(f"Smallest: {self.smallest.words}")
        bad = [row for row in self.ran if row.status != RIGHT]
        return "".join(f"<p>{escape(line[:2000])}</p>" for line in text) + (html_table(
            ("setting", "dtype", "result", "arrays", "what was found"),
            [(row.case.name, np.dtype(row.dtype).name, row.status, ", ".join(row.wrong), row.words)
             for row in bad]) if bad else "")

    def counts(self, refusals=True):
        """{status: number of rows}, with or without those that must be refused."""
        rows = [row for row in self.rows if refusals or not row.case.refuse]
        return {status: sum(row.status == status for row in rows) for status in STATUSES}


def judge(form, *, without=(), quick=False, seconds=60.0):
    """Judge one op of somebody's own.

    Parameters
    ----------
    form : Form or Remote
        The op, to be called like a page.
    without : sequence of str
        Features that the op does not claim: tags of the cases ("pairs", "padding", ...), "float32",
        "float64", or kinds of conduct.
    quick : bool
        A quarter of the cases, without large inputs.
    seconds : float
        When this time is used up, further cases are skipped, and the verdict says so.

    Returns
    -------
    Verdict
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # exp may overflow on the way to a right 0
        return _judged(form, frozenset(without), quick, seconds)


def _judged(form, without, quick, seconds):
    end = perf_counter() + seconds
    found, own = as_taken(form, cases(form.op))
    if quick:
        claimed = [not unclaimed(form, case, without, np.float64) for case in found]
        found = few([*compress(found, claimed)]) + [
            case for case, claims in zip(found, claimed, strict=True) if not claims]
    tried, notes = _read_alike(form, list(_rows(form, found, without, end)))
    rows = [_at_kinks(form, row) for row in _unjudged(tried)]
    ran = [row for row in rows if row.status in (RIGHT, WRONG)]
    complaints = {kind: found for kind, found in conduct(form, ran).items() if kind not in without}
    verdict = Verdict(form.op, form.told, rows, complaints, own + notes)
    crashes = not verdict.ran and any(row.words.startswith("raises") for row in tried)
    shown = tried if crashes else rows
    return verdict._replace(cause=cause(form, verdict), smallest=smallest(
        form, verdict._replace(rows=shown), fairly, min(seconds / 4, SEARCH)))


# ---- the cases

def _rows(form, found, without, end):
    """Run every case in each dtype; the plainest come first, so that a time limit costs little."""
    pace = []  # seconds for each unit of work, of the cases so far
    for dtype in DTYPES:
        for case in found:
            words = unclaimed(form, case, without, dtype)
            if words is not None:
                yield Row(case, dtype, NOT_CLAIMED, words)
                continue
            left, likely = end - perf_counter(), case.work * (np.median(pace) if pace else 0)
            if left < 0 or likely > left:
                yield Row(case, dtype, SKIPPED, f"would take about {likely:.0f} s")
                continue
            row = refused(form, case, dtype) if case.refuse else run(form, case, dtype)
            if case.work > 1000:
                pace.append(row.seconds / case.work)
            yield row


def run(form, case, dtype, dy=None):
    """Both passes at one case, compared with what is right."""
    began = perf_counter()
    try:
        got, dy = passed(form, case, dtype, dy)
    except Exception as error:
        if type(error).__name__ == "Died":
            return Row(case, dtype, DIED, str(error), seconds=perf_counter() - began)
        status = CANNOT if _by_intention(form, error, case) else WRONG
        return Row(case, dtype, status, _raised(form, error), wrong=("raises",),
                   seconds=perf_counter() - began)
    seconds = perf_counter() - began
    expected, allowed = right(form, case, dtype, dy, got)
    found = {name: compare.worst(name, *in_own_order(form, name, got.get(name, np.zeros(0)), value),
                                 "expected", SMOOTH_ENOUGH[dtype][1], TINY)
             for name, value in expected.items()}
    wrong = tuple(name for name, worst in found.items() if not worst.error <= allowed[name])
    words = "; ".join(found[name].words for name in wrong)
    return Row(case, dtype, WRONG if wrong else RIGHT, words, got, expected, wrong, seconds)


def _raised(form, error):
    """An error of own code in words."""
    words = told(error, form.source.file)
    kind = getattr(error, "kind", type(error).__name__)
    return words if kind in ("OwnError", "FormError", "CannotDo") else f"raises {words}"


def in_own_order(form, name, *arrays):
    """Arrays with their axes as the op has them, so that an index names the same number there."""
    order = KERNEL if name == "dw" else IMAGE
    return [array.transpose(order) if form.channels_first and array.ndim == 4 else array
            for array in map(np.asarray, arrays)]


def passed(form, case, dtype, dy=None):
    """({"y": ..., "dx": ...}, dy) of the op at one case."""
    arrays, settings = arguments(form, case, dtype)
    y, kept = form.forward(arrays, settings)
    dy = (case.dy() if dy is None else dy).astype(dtype)
    if np.shape(y) != dy.shape:
        return {"y": np.asarray(y)}, dy
    found = form.backward(dy, kept, {})
    if form.op in PARTS:
        found = dict(zip(case.inputs, found["parts"], strict=False))
    return {"y": np.asarray(y)} | {f"d{name}": np.asarray(value) for name, value in found.items()
                                   if name in case.wrt}, dy


def refused(form, case, dtype):
    """A case that forward has to refuse."""
    arrays, settings = arguments(form, case, dtype)
    try:
        form.forward(arrays, settings)
    except Exception as error:
        if type(error).__name__ != "Died":
            return Row(case, dtype, RIGHT, f"refused: {error}")
        return Row(case, dtype, DIED, str(error))
    return Row(case, dtype, WRONG, f"{case.name}: it computes on", wrong=("refuses",))


def _by_intention(form, error, case):
    """Whether an error says "I cannot do this" rather than that something went wrong."""
    name = getattr(error, "kind", type(error).__name__)
    return (getattr(error, "deliberate", False) or is_deliberate(error, form.source.file)
            or name in ("NotImplementedError", "AssertionError", "CannotDo")
            or name == "TypeError" and "pairs" in case.tags)


# ---- what a row alone cannot tell

def _read_alike(form, rows):
    """Settings with two usual meanings, which the op has no parameter for: take the meaning under
    which most of its outputs are right; cases of the other one are not claimed."""
    notes = []
    for name, readings in READINGS.items():
        if name in form.takes or not any(name in row.case.options for row in rows):
            continue
        score = {one: sum("y" not in row.wrong and row.status == RIGHT for row in rows
                          if row.case.options.get(name) == one) for one in readings}
        best = max(readings, key=score.get)
        if best != readings[0]:
            notes.append(f"it has no {name}, and computes {name} {best!r}")
        rows = [row._replace(status=NOT_CLAIMED, wrong=(), words=f"computes {name} {best!r}")
                if row.case.options.get(name, best) != best and row.status in (WRONG, CANNOT)
                else row for row in rows]
    return rows, notes


def _unjudged(rows):
    """The rows of an op that crashes, or returns no gradient, at every setting: it is not wrong
    there, but has not been judged. Where it returns a y, that alone is."""
    def ran(row):
        return row.status in (RIGHT, WRONG) and not row.case.refuse

    if any(ran(row) and (row.status == RIGHT or row.got.keys() - {"y"}) for row in rows):
        return rows
    return [row._replace(status=CANNOT, wrong=(), words=NOTHING if row.got else row.words)
            if ran(row) and "y" not in row.wrong else row for row in rows]


def fairly(form, case, dtype, dy=None):
    """`run`, but at a kink any of the right gradients is right."""
    return _at_kinks(form, run(form, case, dtype, dy), dy)


def _at_kinks(form, row, dy=None):
    """Equal maxima and exact zeros: any gradient between the one-sided slopes is right.

    A float32 gradient has to be that of the op in float64, but for entries where a kink is near.
    """
    gradients = {f"d{name}" for name in row.case.wrt}
    if form.op not in KINKED or not row.wrong or not gradients >= {*row.wrong} or (
            "large" in row.case.tags):
        return row
    case = row.case._replace(inputs=typed_inputs(row.case, row.dtype))
    dy = (case.dy() if dy is None else dy).astype(row.dtype).astype(np.float64)
    above, below = (_beside(case, sign * NEAR[row.dtype], dy) for sign in (1, -1))
    if all(compare.errors(above[name], below[name], 1.0).max(initial=0) <= 10 * NEAR[row.dtype]
           for name in above):  # they differ no more than smooth ones
        return row
    report = check(*pair(form, case), {name: case.inputs[name] for name in case.wrt},
                   only=("central differences",))
    if report.ok and (row.dtype == np.float64 or _between(form, row, dy, [
            above, below, passed(form, case, np.float64, dy)[0]])):
        return row._replace(status=RIGHT, wrong=(), words="another of the gradients at a kink")
    return row


def _beside(case, share, dy):
    """The right gradients where each input is changed at random by about this share of the
    largest."""
    rng = np.random.default_rng(0)
    moved = {name: value + share * (np.abs(value).max(initial=0) or 1) * rng.standard_normal(
        value.shape) for name, value in case.inputs.items() if value.dtype.kind == "f"}
    found = case._replace(inputs=case.inputs | moved).expected(dy)[1]
    return {f"d{name}": gradient for name, gradient in found.items()}


def _between(form, row, dy, right_ones):
    """Whether all entries are between some that are right, but for rounding."""
    allowed = right(form, row.case, row.dtype, dy, row.got)[1]
    for name in row.wrong:
        known = [one[name] for one in right_ones]
        nearest = np.clip(row.got[name], np.min(known, 0), np.max(known, 0))
        error = compare.errors(row.got[name], nearest, SMOOTH_ENOUGH[row.dtype][1]).max(initial=0)
        if not error <= allowed[name]:
            return False
    return True


def pair(form, case):
    """The op's passes at a case, as `check` takes them: functions of the inputs with a gradient."""
    def forward(*arrays):
        own = case._replace(inputs=case.inputs | dict(zip(case.wrt, arrays, strict=True)))
        return form.forward(*arguments(form, own, arrays[0].dtype))

    def backward(dy, kept):
        found = form.backward(dy, kept, {})
        if form.op in PARTS:
            return found["parts"]
        return [found.get(name) for name in case.wrt]

    return forward, backward
