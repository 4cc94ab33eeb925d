"""The smallest input at which an op is wrong: settings drawn by chance, and made ever smaller.

The sizes and settings of a case are a dict of whole numbers (`sizes`). The search begins at the
cases that are wrong, and at settings drawn by chance. Then each number is lowered as far as the
same array stays wrong, again and again until none can be lowered.
"""

from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from minicnn.gradcheck.judge.claims import OWN_EPSILON, READINGS, arguments, unclaimed
from minicnn.gradcheck.judge.sizes import LEAST, OF, drawn

DRAWS = 40  # settings drawn by chance if no wrong case can be built from small whole numbers
UNUSUAL = {"large", "values", "ties"}
BEGUN = 4  # wrong cases that the search begins at, the smallest


class Smallest(NamedTuple):
    """The smallest case at which an op was found wrong.

    `row` is the judge's Row there, `wrong` the array that is wrong, `code` are lines of Python that
    show it; `dy` is what came in, None if it is that of the case.
    """

    row: NamedTuple
    wrong: str
    code: str
    dy: Any = None

    @property
    def words(self):
        """What is wrong there."""
        return self.row.words


def smallest(form, verdict, run, seconds=3.0):
    """The Smallest of a verdict; None if no result is wrong.

    Parameters
    ----------
    form : Form or Remote
    verdict : Verdict
    run : function
        run(form, case, dtype, dy) -> Row, as the judge runs a case.
    seconds : float
        When this time is used up, the smallest so far is taken.
    """
    rows = sorted((row for row in verdict.rows if row.status == "wrong" and not row.case.refuse),
                  key=lambda row: (row.dtype != np.float64, len(row.case.tags & UNUSUAL),
                                   row.case.work))
    if not rows:
        return None
    search = Search(form, rows[0], run, perf_counter() + seconds)
    return search.result(rows[:BEGUN])


class Search:
    """The search for smaller cases at which the same array is wrong as in a first row."""

    def __init__(self, form, row, run, end):
        self.form, self.run, self.end, self.dtype = form, run, end, row.dtype
        self.wrong, self.sign = row.wrong[0], 1.0  # of dy
        self.best = row, None  # a Row, and its dy
        self.tags = row.case.tags & {OWN_EPSILON}
        self.fixed = {name: value for name, value in row.case.options.items()
                      if name in (*READINGS, "epsilon") and name not in form.takes
                      or name in getattr(form, "fixed", ())}

    def result(self, rows):
        """The Smallest, from some wrong rows."""
        op = self.form.op
        if op in OF:
            begun = [OF[op][1](row.case) | {"times": 3 * ("values" in row.case.tags)}
                     for row in rows]
            begun += [drawn(op, np.random.default_rng(i), begun[0]) for i in range(DRAWS)]
            for self.sign in (1.0, -1.0):
                sizes = next((one for one in begun if self.fails(one)), None)
                if sizes is not None:
                    self.lower(sizes)
                    break
        row, dy = self.best
        arrays, settings = arguments(self.form, row.case, self.dtype)
        lines = self.form.script(arrays, settings, self.wrong, row.expected.get(
            self.wrong, np.zeros(0)), None if dy is None else dy.astype(self.dtype), str(row.case))
        return Smallest(row, self.wrong, "\n".join(lines), dy)

    def fails(self, sizes):
        """Whether the same array is wrong at these sizes; the case is then the best so far."""
        if perf_counter() > self.end:
            return False
        try:
            case = OF[self.form.op][0](self.form.op, sizes)
            inputs = case.inputs | {"x": case.inputs["x"] * 10 ** sizes["times"]
                                    } if "x" in case.inputs else case.inputs
            case = case._replace(inputs=inputs, tags=self.tags, options=case.options | {
                name: value for name, value in self.fixed.items() if name in case.options})
            y = case.expected()[0]
        except (ValueError, IndexError, ZeroDivisionError):
            return False  # no such setting
        if unclaimed(self.form, case, frozenset(), self.dtype):
            return False
        dy = self.sign * (1.0 + np.arange(np.size(y)) % 5).reshape(np.shape(y))
        row = self.run(self.form, case, self.dtype, dy)
        if row.status != "wrong" or self.wrong not in row.wrong:
            return False
        self.best = row, dy
        return True

    def lower(self, sizes):
        """Lower one number after the other, first to its least, then by half, then by one."""
        again = True
        while again:
            again = False
            for name in sizes:
                for value in (LEAST.get(name, 1), (sizes[name] + LEAST.get(name, 1)) // 2,
                              sizes[name] - 1):
                    if LEAST.get(name, 1) <= value < sizes[name] and self.fails(
                            sizes | {name: value}):
                        sizes, again = sizes | {name: value}, True
                        break
