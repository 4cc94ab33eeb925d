"""What a verdict's wrong results show: which arrays, at which settings, at which places.

A suspicion (`cause`) is tested on this Evidence: whether an array equals what a
layer with a certain mistake would return, is wrong exactly at certain places, or only at certain
settings.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np

from minicnn.gradcheck.gradients import compare

SAME = 1e-9  # relative to the largest entry: far above rounding, far below any mistake
ENOUGH = 12  # rows that a suspicion is tried on, the smallest
OF_CONDUCT = {  # kind of conduct: cause
    "gradient shapes": "shape", "running statistics": "statistics", "refusals": "refuse",
    "training and use": "statistics", "one seed twice": "random", "one mask for all": "batch",
    "arguments untouched": "arguments", "no aliasing": "memory", "results kept": "memory",
    "another forward between": "state", "a second batch": "state", "same object twice": "state",
    "same bytes twice": "state", "backward twice": "state", "dtype kept": "dtype",
    "float32 as float64": "dtype", "any memory layout": "layout", "finite numbers": "overflow",
    "linear in dy": "upstream", "images apart": "batch",
    "some gradients only": "missing",
}


class Cause(NamedTuple):
    """What is wrong: one of `mistakes.CAUSES`, what was seen, and the nearest known mistake."""

    name: str
    seen: str
    nearest: str = ""


class Evidence:
    """The rows of a verdict, and what can be read from them.

    Attributes
    ----------
    wrong, right : lists of Row, in float64 if something is wrong there
    all_wrong, all_right : lists of Row, in both dtypes
    arrays : set of str
        Names of the arrays that are wrong in some row; without dx, if the dgamma or dbeta is wrong
        that goes into it.
    conduct : set of str
        The causes of complaints about conduct.
    """

    def __init__(self, form, verdict):
        self.op, self.form = form.op, form
        self.conduct = {OF_CONDUCT.get(kind, kind) for kind in verdict.conduct}
        rows = [row for row in verdict.rows if not row.case.refuse]
        self.all_wrong = [row for row in rows if row.wrong and row.status == "wrong"]
        self.all_right = [row for row in rows if row.status == "right"]
        self.wrong = [row for row in self.all_wrong if row.dtype == np.float64] or self.all_wrong
        self.right = [row for row in self.all_right if row.dtype == self.wrong[0].dtype
                      ] if self.wrong else self.all_right
        arrays = {name for row in self.wrong for name in row.wrong}
        follows = arrays & {"dgamma", "dbeta"} and "y" not in arrays and {"dx"}
        self.arrays = arrays - (follows or set())

    @cached_property
    def usual(self):
        """Wrong rows with ordinary numbers and arrays of the right shapes, the smallest first."""
        rows = [row for row in self.wrong if row.got and "large" not in row.case.tags
                and all(row.got[name].shape == row.expected[name].shape
                        for name in row.wrong if name in row.got)]
        plain = [row for row in rows if row.case.tags.isdisjoint({"values", "ties"})] or rows
        return sorted(plain, key=lambda row: row.case.work)[:ENOUGH]

    def each(self, *names):
        """(row, name) of every wrong array of the usual rows, or of those with these names."""
        return [(row, name) for row in self.usual for name in row.wrong
                if name in row.got and name in (names or self.arrays)]

    def every(self, *tags):
        """Whether all wrong rows have one of the tags, and some right row has none of them."""
        return (bool(self.all_wrong) and all(row.case.tags & {*tags} for row in self.all_wrong)
                and any(not row.case.tags & {*tags} for row in self.all_right))

    def share(self, tag):
        """Of the rows with a tag, the share that is wrong."""
        wrong = sum(tag in row.case.tags for row in self.wrong)
        return wrong / max(1, wrong + sum(tag in row.case.tags for row in self.right))

    def explained(self, name, candidate):
        """Whether candidate(row) = {name: array} equals the array wherever it is wrong."""
        pairs = self.each(name)
        return bool(pairs) and all(
            same(row.got[name], tried(candidate, row).get(name), row.expected[name])
            for row, _ in pairs)

    def all_explained(self, *candidates):
        """Whether each wrong array is explained by one of the candidates; if y is wrong, y alone,
        since the gradients may be those of the wrong y."""
        names = {"y"} & self.arrays or self.arrays - {"raises"}
        return bool(names) and all(any(self.explained(name, candidate) for candidate in candidates)
                                   for name in names)

    def places(self, where):
        """Whether in every wrong array exactly the places of where(array), a mask, are wrong, but
        for a few that are right by chance; somewhere the mask must leave something out."""
        pairs = [(off(row, name), where(row.expected[name])) for row, name in self.each()]
        return bool(pairs) and all(not (wrong & ~mask).any() and 3 * wrong.sum() >= mask.sum()
                                   for wrong, mask in pairs) and any(
                                       (~mask).any() for _, mask in pairs)


def same(got, candidate, expected=None):
    """Whether two arrays are equal but for rounding, and not that near to `expected`."""
    if candidate is None or np.shape(got) != np.shape(candidate):
        return False
    if expected is None:
        return compare.errors(got, candidate, 1.0).max(initial=0) <= SAME
    floor = np.abs(expected).max(initial=0.0) * 1e-3
    apart, away = (compare.errors(got, other, 1.0, floor).max(initial=0)
                   for other in (candidate, expected))
    return apart <= min(SAME, away / 100)


def tried(candidate, row):
    """The candidate's arrays; none if it cannot be computed at this row's setting."""
    try:
        return candidate(row)
    except (ValueError, IndexError, KeyError, ZeroDivisionError, TypeError):
        return {}


def off(row, name):
    """A mask of the entries of an array that are wrong."""
    return compare.errors(row.got[name], row.expected[name], 1e-3) > SAME


def suspect(name, seen, test):
    """A suspicion that names `name` where test(evidence) holds."""
    return lambda e: Cause(name, seen) if test(e) else None
