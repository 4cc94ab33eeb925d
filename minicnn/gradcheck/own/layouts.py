"""Arrays between the page's layout, N,H,W,C, and that of own code.

A Form's `how` says, for some arrays, how they differ: by an order of axes, as (3, 2, 0, 1) for a
kernel (KH, KW, C, O) -> (O, C, KH, KW), or by a shape with one -1, as (1, -1, 1, 1) for gamma.
Labels may be rows with a one each.
"""

import numpy as np

from minicnn.gradcheck.gradients import conduct

LAYOUTS = {"NHWC": False, "NCHW": True}  # whether channels come first
ONE_HOT = ("one-hot",)  # the `how` of labels
KERNEL, IMAGE = (3, 2, 0, 1), (0, 3, 1, 2)


def _order(name, array, form):
    """The order of axes, or the shape with a -1, of an array in the own layout; None for same."""
    how = form.how.get(name)
    if how is not None and how != ONE_HOT and (-1 in how or len(how) == array.ndim):
        return how
    if array.ndim == 4 and form.channels_first:
        return KERNEL if name == "w" else IMAGE
    return None


def to_own(name, array, form):
    """A copy of a page's array, in the own layout."""
    if isinstance(array, list):
        return [to_own(name, part, form) for part in array]
    if not isinstance(array, np.ndarray):
        return array
    order = _order(name, array, form)
    if order is None:
        return array.copy(order="C")
    if -1 in order:
        return array.reshape(order).copy()
    return array.transpose(order).copy(order="C")


def to_page(name, array, form):
    """A view of an own array in the page's layout."""
    if isinstance(array, (tuple, list)):
        return [to_page(name, part, form) for part in array]
    if not hasattr(array, "ndim") or not hasattr(array, "transpose"):
        return array
    how = form.how.get(name)
    if how is not None and -1 in how:
        alike = array.ndim == len(how) and all(
            h in (-1, size) for h, size in zip(how, array.shape, strict=True))
        return array.reshape(-1) if alike else array
    order = _order(name, array, form)
    return array if order is None else array.transpose(np.argsort(order))


def one_hot(labels, x):
    """Labels (N,) as rows (N, K) for scores x (N, K), with a one in the place of the label."""
    rows = labels[:, None] == np.arange(x.shape[-1])
    if not rows.any(axis=1).all():
        raise ValueError(f"labels must be in 0 .. {x.shape[-1] - 1}; no other has a one-hot row")
    return rows.astype(x.dtype)


def as_given(name, gradient, shape):
    """(the gradient, in the shape of its array if it differs by axes of size 1; notes on that)."""
    has = getattr(gradient, "shape", None)
    if shape is None or has is None or has == shape or _dense(has) != _dense(shape):
        return gradient, []
    return gradient.reshape(shape), [f"d{name} has shape {tuple(has)}, {name} has {tuple(shape)}"]


def _dense(shape):
    """A shape without its axes of size 1."""
    return [size for size in shape if size != 1]


def in_memory(array, memory):
    """A copy of an array, or of a list's, that lies in memory as asked."""
    if memory == "C" or array is None:
        return array
    if isinstance(array, list):
        return [in_memory(part, memory) for part in array]
    return conduct.LAYOUTS[memory](np.asarray(array))
