"""Suspicions that hold for any op: factors, places in an array, settings at which it is wrong.

Each function tests an Evidence, or makes such a test.
"""

import numpy as np

from minicnn.gradcheck.cause.evidence import off, same
from minicnn.gradcheck.gradients import compare
from minicnn.gradcheck.own.known import LOSSES

# ---- factors

def constant(row, name):
    """The factor by which all entries of an array are wrong; None if there is no one factor."""
    got, expected = row.got[name], row.expected[name]
    big = np.abs(expected) > 1e-3 * np.abs(expected).max(initial=0)
    if got.shape != expected.shape or not big.any():
        return None
    factor = float(np.median(got[big] / expected[big]))
    return factor if factor and np.isfinite(factor) and same(got, factor * expected) else None


def factors(e):
    """[(row, factor)] of all wrong arrays; empty unless each has a constant factor."""
    found = [(row, constant(row, name)) for row, name in e.each()]
    return found if all(factor is not None for _, factor in found) else []


def one_factor(e):
    """Every entry is wrong by a factor; of numbers alone, by the same in all rows."""
    found = [factor for _, factor in factors(e)]
    several = any(row.got[name].size > 1 for row, name in e.each())
    return bool(found) and (several or len(found) > 1 and np.ptp(found) < 1e-9)


def by_images(e):
    """Wrong by the number of images, or its inverse, in every row."""
    found = [(len(next(iter(row.case.inputs.values()))), factor) for row, factor in factors(e)]
    return any(n > 1 for n, _ in found) and any(
        all(abs(factor / n**power - 1) < 1e-9 for n, factor in found) for power in (1, -1, 2, -2))


# ---- where in an array, and at which numbers, it is wrong

def last(axis, at):
    """A mask: only the last (or first) entry along an axis."""
    def where(array):
        mask = np.zeros(np.shape(array), bool)
        if mask.ndim <= max(axis, -axis - 1) or mask.shape[axis] < 2:
            return ~mask
        np.moveaxis(mask, axis, 0)[at] = True
        return mask
    return where


def border(array):
    """A mask: the first and last rows and columns of images."""
    mask = np.ones(array.shape, bool)
    mask[:, 1:-1, 1:-1] = array.ndim != 4
    return mask


def all_but_one_image(e):
    """y and dx are right for the first (or last) image only."""
    return e.arrays <= {"y", "dx"} and any(
        e.places(lambda array, at=at: ~last(0, at)(array)) for at in (0, -1))


def absent(e):
    """All wrong arrays are zero, or are not there."""
    pairs = [(row, name) for row in e.wrong for name in row.wrong if name in row.expected]
    return bool(pairs) and all(name not in row.got or row.got[name].size == 0
                               or not np.any(row.got[name]) for row, name in pairs)


def partly_absent(e):
    """Every wrong entry is zero."""
    return bool(e.each()) and all(not np.any(row.got[name][off(row, name)])
                                  for row, name in e.each())


def permuted(e):
    """The same numbers, at other places."""
    return bool(e.each()) and all(same(np.sort(row.got[name], None),
                                       np.sort(row.expected[name], None))
                                  for row, name in e.each())


def slightly(e):
    """Every wrong array is nearly right, as if computed in a lower precision; of a max pool, y."""
    pairs = e.each("y") if e.op == "pool" else e.each() if e.op not in LOSSES else []
    errors = [compare.errors(row.got[name], row.expected[name], 1.0).max() for row, name in pairs]
    return len(errors) > 1 and max(errors) < 5e-3


def not_finite(e):
    """Some wrong number is infinite or NaN; if ordinary inputs go wrong, one of those."""
    return any(not np.isfinite(row.got[name]).all()
               for row in e.usual or e.all_wrong for name in row.wrong if name in row.got)


def other_shape(e):
    """A gradient has another shape than its argument."""
    return any(name != "y" and row.got[name].size
               and row.got[name].shape != row.expected[name].shape
               for row in e.wrong for name in row.wrong if name in row.got)


def gathered_at_first(axis):
    """A test: dx is zero but for the first image or channel."""
    def test(e):
        rows = [row for row, _ in e.each("dx") if row.expected["dx"].shape[axis] > 1]
        return bool(rows) and e.arrays == {"dx"} and all(
            not np.moveaxis(row.got["dx"], axis, 0)[1:].any() for row in rows)
    return test


def levelled(axis):
    """A test: y is the same in all channels (or images)."""
    def test(e):
        rows = [row for row, _ in e.each("y") if row.got["y"].ndim > 1
                and row.expected["y"].shape[axis] > 1]
        return bool(rows) and all(np.ptp(row.got["y"], axis=axis).max() == 0
                                  and np.ptp(row.expected["y"], axis=axis).max() > 0
                                  for row in rows)
    return test


def one_shift_a_channel(e):
    """y is wrong by one number in each channel: the bias."""
    gaps = [row.got["y"] - row.expected["y"] for row, _ in e.each("y")
            if row.expected["y"].ndim > 1 and {"b", "beta"} & {*row.case.inputs}]
    return e.arrays <= {"y", "db", "dbeta"} and bool(gaps) and all(
        same(gap, np.broadcast_to(gap.reshape(-1, gap.shape[-1])[:1], gap.shape))
        for gap in gaps)


def only_bias(e):
    """Only the bias, or its gradient, is wrong."""
    return bool(e.arrays) and (e.arrays <= {"db", "dbeta"} or one_shift_a_channel(e))


# ---- settings

def needs(*tags, least=0.6):
    """A test: it is wrong only at settings with a tag, and at most of them."""
    return lambda e: e.every(*tags) and max(map(e.share, tags)) >= least


def mostly(tag):
    """A test: nearly all wrong rows have the tag, nearly all rows with it are wrong, few others."""
    def test(e):
        having = [row for row in e.wrong if tag in row.case.tags]
        others = sum(tag not in row.case.tags for row in e.right)
        return (len(having) >= 0.8 * len(e.wrong) > 0 and e.share(tag) >= 0.7
                and others >= max(1, 3 * (len(e.wrong) - len(having))))
    return test


def single_only(e):
    """Right in float64, wrong in float32."""
    return bool(e.all_wrong) and all(row.dtype == np.float32 for row in e.all_wrong)


def conducts(name):
    """A test: nothing but the conduct is wrong, and it says so."""
    return lambda e: not e.all_wrong and name in e.conduct
