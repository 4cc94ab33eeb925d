"""Every op of a file, judged one by one: what `minicnn check` and the pytest fixture do.

    with opened("layers.py") as layers:
        for one in layers.found:
            print(judged(layers, one))

A file runs in a process of its own (`minicnn.gradcheck.apart`). What ends or blocks that process
costs the op that was being judged its verdict; the next op gets a new process.
"""

from pathlib import Path
from time import perf_counter
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from minicnn.gradcheck.apart.child import Child, Found
from minicnn.gradcheck.gradients.checker import check
from minicnn.gradcheck.gradients.conduct import FIRST
from minicnn.gradcheck.judge.cases import Case
from minicnn.gradcheck.judge.features import conduct_kinds
from minicnn.gradcheck.judge.judge import (
    NO_ANSWER,
    RIGHT,
    WRONG,
    Row,
    Verdict,
    judge,
    pair,
)
from minicnn.gradcheck.own.found import found_in
from minicnn.gradcheck.own.known import MORE, OPS, known
from minicnn.gradcheck.own.sources import FormError, Source

SECONDS, QUICK_REQUEST = 60.0, 5.0  # for an op; for one request where all shall be quick
LIVES = 3  # processes that one op may end before it is given up


class Judged(NamedTuple):
    """One op of a file, and what the judge says of it.

    Attributes
    ----------
    op, variant, told : str
        The op, which of several, and what was taken for it.
    verdict : Verdict or None
    error : str
        Why there is no verdict, or "".
    seconds : float
    curve : StepCurve or None
        See `minicnn.gradcheck.judge.step_sizes`.
    """

    op: str
    variant: str
    told: str
    verdict: Any
    error: str = ""
    seconds: float = 0.0
    curve: Any = None

    @property
    def name(self):
        return name_of(self)

    @property
    def ran(self):
        """The verdict's rows with a result."""
        return self.verdict.ran if self.verdict else []

    @property
    def wrong(self):
        """The rows that are wrong or have no answer."""
        return [row for row in self.ran if row.status != RIGHT]

    @property
    def counts(self):
        """{status: number of rows}, without those that must be refused."""
        return self.verdict.counts(refusals=False) if self.verdict else {}

    @property
    def gradient(self):
        """The verdict on y and the gradients: "right", "wrong" or "no answer"."""
        return self.verdict.gradient if self.verdict else NO_ANSWER

    @property
    def conduct(self):
        """The verdict on the conduct: "right", "wrong" or "no answer"."""
        if self.verdict is None or not self.ran or "runs" in self.verdict.conduct:
            return NO_ANSWER
        return RIGHT if self.verdict.conduct_ok else WRONG

    @property
    def ok(self):
        return self.gradient == self.conduct == RIGHT

    @property
    def points(self):
        """The share of the claimed settings that are right, 0..1."""
        return sum(row.status == RIGHT for row in self.ran) / max(1, len(self.ran))

    @property
    def conduct_points(self):
        """The share of the kinds of conduct without a complaint, 0..1; None without an answer.

        If one of the first kinds complains, the others could not be checked: no points.
        """
        if self.conduct == NO_ANSWER:
            return None
        kinds, bad = conduct_kinds(), set(self.verdict.conduct)
        return 0.0 if bad - {*kinds[len(FIRST):]} else 1 - len(bad) / len(kinds)


class Here:
    """Ops that are in this process already: the counterpart of a Child for a module, a class, a
    layer object's class, or a pair of functions."""

    lacks = ()

    def __init__(self, source, layout=None, form=None):
        there = found_in(source, layout, form)
        self.forms = {(one.op, one.variant): one.form for one in there}
        self.found = [Found(one.op, one.variant, one.form and one.form.told,
                            one.error and str(one.error)) for one in there]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def form(self, found):
        """The Form of an op in `found`; FormError if it has an error."""
        if found.error:
            raise FormError(found.error)
        return self.forms[found.op, found.variant]

    def fresh(self):
        """Nothing to do: there is only this process."""


class File(Child):
    """A Child whose file serves several ops, each with as many lives as the first."""

    def fresh(self):
        """Let the next op begin in a new process, with all its lives."""
        self.close()
        self.deaths.clear()


def name_of(one):
    """"conv (naive)": an op's name with its variant."""
    return f"{one.op} ({one.variant})" if one.variant else one.op


def opened(what, op=None, *, inputs=None, layout=None, form=None, quick=False, seconds=SECONDS):
    """A File or Here: the ops of what is given.

    Parameters
    ----------
    what : str, Path, module, class, or pair (forward, backward)
        A path ("layers.py", or "layers.py:Conv") runs in a process of its own.
    op : str, optional
        The op that a class or a pair of functions is, where its name does not say it.
    inputs : dict, optional
        Its inputs, {"x": (4, 5)}, if minicnn does not know the op.
    layout, form : str, optional
        As for `minicnn.gradcheck.own.found.found_in`.
    quick : bool
    seconds : float
        For each op; one call of its code may take a third of it, and at least 1 s.
    """
    if isinstance(what, (str, Path)):
        each = QUICK_REQUEST if quick else max(1.0, seconds / 3)
        return File(what, each, layout=layout, form=form, lives=LIVES)
    return Here(_source(what, op, inputs), layout, form)


def beside(folder, what):
    """A path that is relative to `folder`, if it leads to a file from there; else unchanged."""
    if not isinstance(what, (str, Path)):
        return what
    there = Path(folder) / what
    file = Path(str(there).partition(".py:")[0].removesuffix(".py") + ".py")
    return there if file.is_file() else what


def _source(what, op, inputs):
    """A Source of a module, a class, or a pair of functions."""
    page = isinstance(what, ModuleType) and op is not None and hasattr(what, "forward")
    if isinstance(what, ModuleType) and not page or isinstance(what, type) and op is None:
        return Source(what)
    parts = ([what.forward, what.backward] if page else
             [*what] if isinstance(what, (tuple, list)) else [what])
    if op is None or not all(callable(part) for part in parts):
        raise FormError("expected the path of a file, a module, a class, or a pair of functions "
                        f"together with its op, got {type(what).__name__}")
    name = getattr(parts[0], "__module__", None) or "these functions"
    parts += [inputs] if inputs is not None else []
    return Source(SimpleNamespace(CHECK={op: tuple(parts)}, __name__=name))


def chosen(found, ops):
    """Those ops whose name, variant or both are in `ops`.

    Without ops all of them, but for classes that are no known op and cannot be called: a file of
    layers may hold a whole network. If nothing else is there, these.

    Raises
    ------
    FormError
        One of the names is none of them.
    """
    def names(one):
        return {one.op, one.variant, name_of(one)} - {""}

    for op in ops:
        if not any(op in names(one) for one in found):
            there = ", ".join(dict.fromkeys(one.op for one in found)) or "none"
            raise FormError(f"there is no op {op!r} in it; found: {there}")
    if ops:
        return [one for one in found if names(one) & set(ops)]
    return [one for one in found if known(one.op) or not one.error
            or not one.variant[:1].isupper()] or found  # a class has its name as its variant


def judged(layers, one, *, without=(), quick=False, seconds=SECONDS, curve=None):
    """Judge one op.

    Parameters
    ----------
    layers : File or Here
    one : one of `layers.found`
    without, quick, seconds
        As for `minicnn.gradcheck.judge.judge`.
    curve : function, optional
        curve(form, verdict), for `Judged.curve` of a faulty op.

    Returns
    -------
    Judged
    """
    began, told, verdict, error, drawn = perf_counter(), one.told or "", None, one.error or "", None
    try:
        if not error:
            form = layers.form(one)
            verdict = _unknown(form, without) if form.inputs is not None else judge(
                form, without=without, quick=quick, seconds=seconds)
            drawn = curve and not verdict.ok and curve(form, verdict)
    except ValueError as raised:  # Died, OwnError, FormError
        error = str(raised)
    except Exception as raised:  # whatever it is, the other ops still get their verdicts
        error = f"minicnn itself failed, please report it: {type(raised).__name__}: {raised}"
    result = Judged(one.op, one.variant, told, verdict, error, perf_counter() - began,
                    drawn or None)
    if not result.ok:
        layers.fresh()
    return result


def _unknown(form, without):
    """The Verdict on an op that is not known: its gradient is compared with the differences of its
    own forward."""
    given = {name: value for name, value in form.inputs.items() if value.dtype.kind == "f"}
    case = Case(form.op, "the inputs given", form.inputs, {}, (*given,), frozenset(), 0)
    began = perf_counter()
    report = check(*pair(form, case), given, only=("central differences",), name=form.op)
    failed = [finding for finding in report.failed if finding.verdict == "gradient"]
    row = Row(case, np.float64, WRONG if failed else RIGHT,
              "; ".join(f"{finding.kind}: {finding.words}" for finding in failed),
              wrong=("gradient",) * bool(failed), seconds=perf_counter() - began)
    y, _ = form.forward(form.inputs, {})
    found = form.conduct(form.inputs, {}, np.random.default_rng(0).standard_normal(np.shape(y)))
    moved = any(np.array_equal(np.ravel(y), value.ravel()) for value in given.values())
    conduct = {kind: words for kind, words in found.items() if words and kind not in without
               and not (moved and kind == "no aliasing")}  # a reshaped array may be a view
    note = ("minicnn does not know this op: its backward is compared with the central differences "
            "of its own forward, and what forward computes is not judged")
    return Verdict(form.op, form.told, [row], conduct, [note])


NO_OP = """No op was found in {name}. An op is a pair of functions such as conv_forward and
conv_backward, or a class with the methods forward and backward. These ops are known by their
names:

  {known}

If yours has another name, add a table to the file:

CHECK = {{
    "conv": (my_forward, my_backward),   # these two functions are a convolution
    "pool": Downsample,                  # this class is a max pooling
    "swish": {{"x": (4, 5)}},              # an op of your own, called at an x of this shape
}}"""


def no_op(name):
    """What to say of a file in which no op was found: the names, and the table CHECK."""
    lines, line = [], ""
    for op in (*OPS, *MORE):
        if len(line) + len(op) > 74:
            lines, line = [*lines, line], ""
        line += f"{op}, "
    known = "\n  ".join(line.rstrip() for line in [*lines, line]).rstrip(",")
    return NO_OP.format(name=getattr(name, "__name__", name), known=known)
