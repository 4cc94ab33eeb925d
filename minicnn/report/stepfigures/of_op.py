"""The step figure of an op at somebody's input, opened at the number that an answer has wrong.

    figure = of_op(Answer("conv", {"x": x, "w": w}, {"stride": (1, 2)}, "y", None, got, expected))

The figure shows what the op itself does there, and says what the answer was. One image and one
group can be shown; of several, it is those with the largest error.
"""

from dataclasses import replace
from html import escape
from importlib import import_module
from inspect import signature
from typing import Any, NamedTuple

import numpy as np

from minicnn.gradcheck.own.script import shortened
from minicnn.report.stepfigures.conv import step_conv, step_conv_back
from minicnn.report.stepfigures.gram import step_gram
from minicnn.report.stepfigures.lrn import step_lrn
from minicnn.report.stepfigures.pool import step_pool
from minicnn.report.stepfigures.relu import step_relu

SHOWN = 100  # numbers of an answer in a sentence
ALIKE = 1e-5  # relative; a figure shows three digits


class Answer(NamedTuple):
    """One array that was computed for an op, in the layout of its page.

    Attributes
    ----------
    op : str
    inputs : dict of str to array
        The page's arrays by name, N,H,W,C and KH,KW,C/G,O.
    settings : dict
        The page's settings; what is missing has its default.
    part : str
        "y", "dx", "dw", "db" or "switches"; of a Gram matrix "G".
    dy : array or None
        The gradient at y.
    got, expected : array or None
        What was computed, and what is right; None if it is not known.
    """

    op: str
    inputs: dict
    settings: dict
    part: str
    dy: Any = None
    got: Any = None
    expected: Any = None


class View(NamedTuple):
    """What a figure shows of an Answer: the StepFigure, where it is opened, which of the array's
    numbers stand in it (an index), and which part of the input it is, in words."""

    figure: Any
    opened: dict
    seen: Any
    words: str = ""


def of_smallest(smallest, part=None):
    """The Answer of a `minicnn.gradcheck.judge.shrink.Smallest`.

    Parameters
    ----------
    smallest : Smallest or None
    part : str, optional
        By default the array that is wrong there.

    Returns
    -------
    Answer or None
        None for None.
    """
    if smallest is None:
        return None
    case = smallest.row.case
    part = part or (smallest.wrong if smallest.wrong in ("dx", "dw", "db") else "y")
    dy = case.dy() if smallest.dy is None else smallest.dy
    return Answer(case.op, case.inputs, case.options, part, dy, smallest.row.got.get(part),
                  smallest.row.expected.get(part))


def of_op(answer):
    """The StepFigure of an Answer.

    Parameters
    ----------
    answer : Answer or None

    Returns
    -------
    StepFigure or None
        None if there is no figure of the op, or none can show this input: too large, several
        images that add up to one gradient, or not finite. None as well if the numbers are right but
        for rounding or their dtype, which a figure does not show.
    """
    if answer is None or answer.op not in FIGURES:
        return None
    with np.errstate(all="ignore"):  # of numbers that are too large
        return None if _looks_right(answer) else _made(answer)


def _made(answer):
    try:
        figure, opened, seen, words = FIGURES[answer.op](answer, *_place(answer))
        figure = replace(figure, lead=f"{_told(answer, seen)}{words}{figure.lead}",
                         data=figure.data | {"opened": opened})
        figure.html()  # raises where a result is not finite
    except (ValueError, TypeError, LookupError, ArithmeticError):  # it does not fit a figure
        return None
    return figure


def _place(answer):
    """The index of the largest error; zeros if the answer has no numbers to compare."""
    if not _comparable(answer):
        return (0,) * 4
    gap = np.abs(np.asarray(answer.got, np.float64) - answer.expected)
    place = np.argmax(np.where(np.isnan(gap), np.inf, gap))
    return tuple(map(int, np.unravel_index(place, gap.shape)))


def _comparable(answer):
    """Whether there is an answer of real numbers in the right shape."""
    got, right = answer.got, answer.expected
    return (got is not None and right is not None and np.size(right) > 0
            and np.shape(got) == np.shape(right) and np.asarray(got).dtype.kind in "biuf")


def _looks_right(answer):
    if not _comparable(answer):
        return False
    got, right = (np.asarray(one, np.float64) for one in (answer.got, answer.expected))
    return np.allclose(got, right, ALIKE, ALIKE * np.abs(right).max())


def _told(answer, seen):
    """What the answer was, in a sentence of HTML; "" if it cannot be compared."""
    if answer.got is not None and np.shape(answer.got) != np.shape(answer.expected):
        return f"Your code gave <i>{answer.part}</i> in another shape. "
    if not _comparable(answer):
        return ""
    got, right = (np.asarray(one, np.float64)[seen] for one in (answer.got, answer.expected))
    if np.size(got) > SHOWN:
        return ""
    return (f"Your code gave <i>{answer.part}</i> = <code>{escape(shortened(got))}</code>, right "
            f"is <code>{escape(shortened(right))}</code>. ")


def _settings(answer):
    """The settings of an op, with its defaults."""
    usual = signature(import_module(f"minicnn.ops.{answer.op}").forward).parameters
    return {name: one.default for name, one in usual.items()
            if name not in answer.inputs and one.default is not one.empty} | answer.settings


def _image(n, of):
    return f"It is image {n} of {of}, counted from 0. " * (of > 1)


# ---- the ops

def _conv(answer, *place):
    x, w, b = (answer.inputs.get(name) for name in "xwb")
    settings, part = _settings(answer), answer.part
    groups = settings.pop("groups")
    settings.pop("b", None)
    if part in ("dw", "db") and len(x) > 1:
        raise ValueError("it is a sum over several images")
    n = place[0] if part in ("y", "dx") else 0
    c, o = w.shape[2], w.shape[3] // groups  # of one group
    group = place[-1] // (c if part == "dx" else o)
    inputs, outputs = slice(group * c, group * c + c), slice(group * o, group * o + o)
    given = [x[n, ..., inputs], w[..., outputs], None if b is None else b[outputs]]
    words = _image(n, len(x)) + (f"It is group {group} of {groups}: channels {group * c} to "
                                 f"{group * c + c - 1} of x, kernels {group * o} to "
                                 f"{group * o + o - 1}. ") * (groups > 1)
    make = step_conv if part == "y" else step_conv_back
    figure = make(*given, *[] if part == "y" else [answer.dy[n, ..., outputs]], **settings)
    channel, kernel, opened, seen = _place_of_conv(part, place, c, o, figure.data)
    settings = figure.data["settings"] | {"c": channel, "o": kernel}
    return View(replace(figure, data=figure.data | {"settings": settings}), opened, seen, words)


def _place_of_conv(part, place, c, o, data):
    """(channel, kernel, where the figure is opened, what of the array stands in it)."""
    all_of = slice(None)
    if part == "y":
        step = place[1] * len(data["library"]["y"][0]) + place[2]
        return 0, place[3] % o, {"step": step}, (place[0], all_of, all_of, place[3])
    if part == "dx":
        return place[3] % c, 0, {"view": part, "at": ["x", *place[1:3]]}, (
            place[0], all_of, all_of, place[3])
    if part == "dw":
        return place[2], place[3] % o, {"view": part, "at": ["dw", *place[:2]]}, (
            all_of, all_of, *place[2:])
    last = len(data["dy"]) * len(data["dy"][0])
    return 0, place[-1] % o, {"view": part, "step": last}, place


def _pool(answer, *place):
    x, (n, i, j, c) = answer.inputs["x"], place
    dy = None if answer.dy is None else answer.dy[n, ..., c]
    figure = step_pool(x[n, ..., c], **_settings(answer), dy=dy)
    opened = {"view": "down", "at": ["x", i, j]} if answer.part == "dx" else {
        "step": i * len(figure.data["library"]["y"][0]) + j}
    words = _image(n, len(x)) + f"It is channel {c} of {x.shape[-1]}. " * (x.shape[-1] > 1)
    return View(figure, opened, (n, slice(None), slice(None), c), words)


def _relu(answer, *place):
    x, dy = answer.inputs["x"], answer.dy
    x, dy = (one.reshape(-1, x.shape[-1]) for one in (x, np.ones_like(x) if dy is None else dy))
    step = np.ravel_multi_index(place[-answer.inputs["x"].ndim:], answer.inputs["x"].shape)
    return View(step_relu(x, dy), {"step": int(step)}, ...)


def _lrn(answer, *place):
    x, (n, h, w, c), dy = answer.inputs["x"], place, answer.dy
    figure = step_lrn(x[n, h, w], None if dy is None else dy[n, h, w],
                      **_settings(answer))
    opened = {"step": c, "at": [answer.part, 0, c], "view": "up" if answer.part == "y" else "down"}
    words = _image(n, len(x)) + f"It is position ({h}, {w}). " * (x[0, ..., 0].size > 1)
    return View(figure, opened, (n, h, w), words)


def _gram(answer, *place):
    a, (n, i, j) = answer.inputs["a"], place[:3]
    figure = step_gram(a[n])
    settings = figure.data["settings"] | {"i": i, "j": j}
    return View(replace(figure, data=figure.data | {"settings": settings}), {}, n,
                _image(n, len(a)))


FIGURES = {"conv": _conv, "pool": _pool, "relu": _relu, "lrn": _lrn, "gram_matrix": _gram}
