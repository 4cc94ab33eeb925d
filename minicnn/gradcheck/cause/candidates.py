"""What a layer with a usual mistake would return: candidates for its wrong arrays.

A candidate is a function of a Row that gives {"y": array, "dx": array, ...}, or some of these.
"""

import numpy as np

from minicnn.gradcheck.judge.reference import results


def redone(row, inputs=None, dy=None, **options):
    """{"y", "dx", ...} of the op itself, with some inputs, settings or dy exchanged."""
    case = row.case
    y, gradients = results(case.op, case.inputs | (inputs or {}), case.options | options,
                           case.dy() if dy is None else dy)
    return {"y": np.asarray(y)} | {f"d{name}": value for name, value in gradients.items()}


def of_dy(change):
    """A candidate: the gradients for another dy."""
    def candidate(row):
        found = redone(row, dy=change(row.case.dy()))
        return {name: value for name, value in found.items() if name != "y"}
    return candidate


def of_right(change):
    """A candidate: every array is `change` of what is right."""
    return lambda row: {name: change(value) for name, value in row.expected.items()}


def of_input(name, change):
    """A candidate: the op with one input exchanged; the gradient at that input is turned back."""
    def candidate(row):
        found = redone(row, {name: change(row.case.inputs[name])})
        return found | {f"d{name}": change(found[f"d{name}"])}
    return candidate


# ---- another dy

def cleared(axis, at, others=False):
    """dy with zeros at one index of an axis; with `others`, everywhere else."""
    def change(dy):
        if dy.ndim <= max(axis, -axis - 1) or dy.shape[axis] < 2:
            raise ValueError("nothing to leave out")
        changed = np.zeros_like(dy) if others else dy.copy()
        np.moveaxis(changed, axis, 0)[at] = np.moveaxis(dy, axis, 0)[at] if others else 0
        return changed
    return change


def only_at(*index):
    """dy with zeros everywhere else."""
    def change(dy):
        changed = np.zeros_like(dy)
        changed[index] = dy[index]
        return changed
    return change


def first_row(dy):
    """dy with zeros but in the first row of channels."""
    return only_at(*(0,) * (dy.ndim - 1))(dy)


def spread(axis, by):
    """The sum or mean along an axis, in place of each entry."""
    return lambda a: np.broadcast_to(by(a, axis=axis, keepdims=True), a.shape)


ALL = slice(None)
UPSTREAM = [of_dy(np.ones_like), of_dy(np.square), of_dy(np.abs), of_dy(np.sign),
            of_dy(lambda dy: np.full_like(dy, np.mean(dy))),
            of_dy(lambda dy: np.full_like(dy, np.sum(dy)))]
FIRST_ONLY = [of_dy(only_at(*index)) for index in (
    (ALL, 0), (ALL, ALL, 0), (..., 0), (ALL, 0, 0), (0, 0), (0, 0, 0), (0, 0, 0, 0))]
LAST_ONLY = [of_dy(only_at(*index)) for index in (
    (ALL, -1, -1), (-1, -1, -1), (ALL, -1), (ALL, ALL, -1))]
ONE_IMAGE = [make(cleared(0, at, others=True)) for at in (0, -1) for make in (of_dy, of_right)] + [
    of_dy(first_row)]
NOT_ALL_IMAGES = [make(cleared(0, at)) for at in (0, -1) for make in (of_dy, of_right)]
OVER_IMAGES = [make(spread(0, by)) for by in (np.mean, np.sum) for make in (of_dy, of_right)]
OVER_CHANNELS = [make(spread(-1, by)) for by in (np.mean, np.sum) for make in (of_dy, of_right)]
LEFT_OUT = [of_dy(cleared(axis, at)) for axis in (1, 2, -1) for at in (-1, 0)]
FLIPS = [of_input("w", lambda w, axes=axes: np.flip(w, axes)) for axes in ((0, 1), 0, 1)]
EXCHANGED = [of_input(name, change) for name in ("w", "x") for change in (
    lambda a: np.flip(a, -1), lambda a: np.flip(a, -2), lambda a: np.roll(a, 1, -1),
    lambda a: np.roll(a, -1, -1), lambda a: a.swapaxes(-1, -2))]


def in_turn(row):
    """Channels dealt out to the groups in turn (c % G) instead of in runs."""
    groups = row.case.options["groups"]
    x = row.case.inputs["x"]
    order = np.arange(x.shape[3]).reshape(-1, groups).T.ravel()
    found = redone(row, {"x": x[..., order]})
    return found | {"dx": found["dx"][..., np.argsort(order)]}
