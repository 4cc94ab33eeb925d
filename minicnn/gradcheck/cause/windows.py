"""Suspicions about ops with windows: their geometry, and what a pooling makes of a window.

Each function tests an Evidence and returns a Cause, a truth value, or None.
"""

import numpy as np

from minicnn.gradcheck.cause import altered
from minicnn.gradcheck.cause.evidence import Cause
from minicnn.gradcheck.judge.reference import results

WINDOWED = ("conv", "conv_transpose", "pool", "average_pool")


def geometry(e):
    """One of the changes of `altered` explains each wrong array."""
    if e.op not in WINDOWED or not e.usual:
        return None
    first = None
    for name in [name for name in ("dx", "dw", "y") if name in e.arrays]:
        number = _geometry_of(e, name)
        if number is None and name != "y" and "y" in e.arrays:
            continue  # dx and dw of a wrong y may follow another rule
        if number is None:
            return None
        change = altered.changes(altered.right_rule(e.usual[0].case))[number]
        first = first or Cause(change.cause, change.words)
    return first


def _geometry_of(e, name):
    """The number of the change that explains an array; None if none does."""
    for number in range(len(altered.changes(altered.right_rule(e.usual[0].case)))):
        for everywhere in (False, True)[:1 + (e.op == "pool" and name == "dx")]:
            def candidate(row, number=number, everywhere=everywhere):
                rule = altered.changes(altered.right_rule(row.case))[number].rule
                return altered.returned(row.case, rule, row.case.dy(), everywhere)
            if e.explained(name, candidate):
                return number
    return None


def sized(e):
    """One mistake in the number of windows explains every wrong shape of y."""
    rows = [row for row in e.wrong if "y" in row.got
            and row.got["y"].shape != row.expected["y"].shape]
    if not rows or any(row.got["y"].ndim != 4 or row.expected["y"].ndim != 4 for row in rows):
        return None
    if all(row.got["y"].shape[1:3] == row.expected["y"].shape[1:3][::-1] for row in rows):
        return Cause("swap", "height and width of y are exchanged")
    if e.op == "conv_transpose":
        return Cause("rounding", "y has another size than was asked for")
    for key in altered.sizes(rows[0].case) if e.op in WINDOWED else ():
        if all(altered.sizes(row.case)[key] == row.got["y"].shape[1:3] for row in rows):
            return Cause(*key)
    return None


def lost_without_padding(e):
    """Right only with padding on all sides: without it the slice [0:-0] is empty."""
    return (e.op in WINDOWED and bool(e.right) and bool(e.wrong) and all(map(_unpadded, e.wrong))
            and not any(map(_unpadded, e.right)))


def emptied(rows):
    """{number of a row: the array that the slice [0:-0] has emptied}: without padding it has no
    entries."""
    found = {}
    for number, row in enumerate(rows):
        for name in row.wrong if row.case.op in WINDOWED and _unpadded(row) else ():
            if np.ndim(row.got.get(name)) == 4 and not np.size(row.got[name]):
                found[number] = name
    return found


def _unpadded(row):
    return np.min(row.case.options.get("pad", 0)) == 0


# ---- poolings

def divided(e):
    """An average pooling that divides by another area."""
    if e.op != "average_pool" or not e.usual:
        return None
    for number, (name, words, _) in enumerate(altered.areas(e.usual[0].case, e.usual[0].case.dy())):
        def candidate(row, number=number):
            dy = row.case.dy()
            return altered.averaged(row.case, altered.right_rule(row.case), dy,
                                    altered.areas(row.case, dy)[number][2])
        if e.all_explained(candidate):
            return Cause(name, words)
    return None


def padded_with_zeros(e):
    """A max pooling whose padding holds zeros."""
    def candidate(row):
        out = row.expected["y"].shape[1:3]
        windows = altered.gather(row.case.inputs["x"], altered.right_rule(row.case), out, 0.0)
        return {"y": windows.max(3)}
    return e.op == "pool" and e.explained("y", candidate)


def shared_winner(axis):
    """A test: a max pool's dx has the same places in all channels (or images)."""
    def test(e):
        rows = [row for row in e.usual
                if row.case.op == "pool" and row.expected["y"].shape[axis] > 1]
        return bool(rows) and e.arrays == {"dx"} and all(
            _alike(row.got["dx"], axis) and not _alike(row.expected["dx"], axis)
            and not row.got["dx"].all() for row in rows)
    return test


def _alike(dx, axis):
    here = np.moveaxis(dx != 0, axis, 0)
    return bool((here == here[:1]).all())


def as_average(e):
    """A max pool's dx spread over the window."""
    def averaged(border):
        def candidate(row):
            options = {key: row.case.options[key] for key in ("window", "stride", "pad", "rounding")
                       if key in row.case.options}
            found = results("average_pool", row.case.inputs, options | {"border": border},
                            row.case.dy())
            return {"dx": found[1]["x"]}
        return candidate

    def whole(row):
        rule = altered.right_rule(row.case)
        return altered.averaged(row.case, rule, row.case.dy(), np.prod(rule.window))

    def undivided(row):
        return altered.averaged(row.case, altered.right_rule(row.case), row.case.dy(), 1)

    return e.op == "pool" and any(e.explained("dx", one) for one in (
        averaged("padding"), averaged("image"), whole, undivided))
