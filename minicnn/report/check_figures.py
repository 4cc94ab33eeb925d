"""The pictures on the page of `minicnn check`: the error over the positions of an array, and the
error of the central difference against its step."""

from html import escape

import numpy as np

from minicnn.gradcheck.gradients import compare
from minicnn.gradcheck.judge.judge import WRONG
from minicnn.gradcheck.judge.step_sizes import STEPS
from minicnn.images import display

SIDE, CELL, MOST = 320, 40, 32  # most pixels of a map and of a place; places along a side
RIGHT_COLOUR, NONE_COLOUR, COLOURS = "#e4e8ee", "#000000", "YlOrRd"
ROUNDING = {np.float64: 1e-9, np.float32: 1e-4}  # errors below, relative to the largest entry
SPECIAL = {"values", "ties", "large"}
WIDE, HIGH, DPI = 6.4, 3.8, 110
FITS = 1e-6  # the least error of a gradient that central differences confirm
ENOUGH = 60  # positions: with more, a map shows no better where an error is


def error_map(one):
    """An op's error over the positions of its worst wrong array, as a figure of HTML; "" if no
    wrong array has the right shape."""
    row, name = _worst(one.wrong)
    if row is None:
        return ""
    gap = np.abs(np.asarray(row.got[name], np.float64) - row.expected[name])
    places, axes = _places(name, gap)
    largest = np.nanmax(np.where(np.isfinite(places), places, 0.0), initial=0.0)
    least = ROUNDING[row.dtype] * max(np.abs(row.expected[name]).max(initial=0.0), 1e-300)
    wrong = int((~(places <= least)).sum())
    words = (f"Where {name} is wrong, at the setting {row.case.name!r}: {wrong} of {places.size} "
             f"places. {axes} Grey is right; the darker, the larger the error, up to "
             f"{largest:.3g}. Point at a place to read its error.")
    return (f"<figure>{_svg(places, least, largest)}<figcaption>{escape(words)}</figcaption>"
            "</figure>")


def _worst(rows):
    """(row, array's name): ordinary numbers and enough positions first, then the largest error."""
    there = [(row, name) for row in rows if row.status == WRONG for name in row.wrong
             if name in row.expected and np.shape(row.got.get(name)) == row.expected[name].shape
             and 0 < max(_places(name, row.expected[name])[0].shape) <= MOST]

    def rank(pair):
        row, name = pair
        size = _places(name, row.expected[name])[0].size
        error = compare.errors(row.got[name], row.expected[name], 1.0).mean()
        return (not row.case.tags & SPECIAL, row.dtype == np.float64, min(size, ENOUGH),
                row.expected[name].ndim == 4, min(error, 1e300), -row.case.work)

    return max(there, key=rank, default=(None, None))


def _places(name, gap):
    """(the largest error at each position (rows, columns), what rows and columns are)."""
    if gap.ndim == 4:
        what, others = ("kernel", (2, 3)) if name == "dw" else ("image", (0, 3))
        return gap.max(axis=others), f"Rows and columns are those of the {what}."  # -> H,W
    if gap.ndim == 2:
        return gap, "Rows and columns are those of the array."
    return gap.reshape(1, -1), "It is one row of numbers."


def _svg(places, least, largest):
    """A map as inline SVG: a square for each place, which tells its error."""
    high, wide = places.shape
    cell = min(CELL, SIDE // max(high, wide))
    levels = display.to_uint8(np.where(np.isfinite(places), places, 0), 0, largest or 1.0)
    colours = display.coloured(levels, COLOURS)
    squares = []
    for i, j in np.ndindex(high, wide):
        error = places[i, j]
        fill = (NONE_COLOUR if not np.isfinite(error) else RIGHT_COLOUR if error <= least else
                "#" + "".join(f"{level:02x}" for level in colours[i, j]))
        said = f"row {i}, column {j}: " + ("right" if error <= least else f"{error:.3g}")
        squares.append(f'<rect x="{j * cell}" y="{i * cell}" width="{cell - 1}" '
                       f'height="{cell - 1}" fill="{fill}"><title>{said}</title></rect>')
    size = f"{wide * cell} {high * cell}"
    return (f'<svg width="{wide * cell}" height="{high * cell}" viewBox="0 0 {size}" role="img" '
            'aria-label="Error by position">\n' + "\n".join(squares) + "\n</svg>")


# ---- the error against the step

def curve(steps):
    """A StepCurve drawn; returns a picture (H, W, 3) uint8."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure((WIDE, HIGH), DPI, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.loglog(STEPS, _shown(steps.yours), "o-", color="#b3261e", label="your gradient")
    if steps.right is not None:
        axes.loglog(STEPS, _shown(steps.right), ".-", color="#1a7f37", label="the right gradient")
    axes.loglog(STEPS, _theory(steps.rounding), ":", color="#555", label="rounding, eps |F| / h")
    if steps.truncation is not None:
        axes.loglog(STEPS, _theory(steps.truncation), "--", color="#555",
                    label="truncation, h² |F'''| / 6")
    axes.set_xlabel("step h of the central difference")
    axes.set_ylabel(f"error of the slope along {steps.array}, relative")
    axes.set_ylim(1e-17, 1e2)
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _shown(errors):
    """Errors as a logarithmic axis can show them."""
    return np.clip(errors, 1e-17, 1e3)


def _theory(errors):
    """A line of theory, which ends where the axis does."""
    return np.where(errors < 1e-17, np.nan, errors)


def caption(steps):
    """What the curve shows, in words."""
    curved = ("The right gradient follows theory: truncation falls as h^2, rounding grows as 1/h, "
              "and both are smallest where they cross." if steps.truncation is not None else
              "Along this direction forward is linear, so there is no truncation, only rounding, "
              "which grows as 1/h.")
    yours = ("Yours follows it, too: backward is the gradient of your forward, at least here."
             if steps.yours.min() < FITS else
             "A wrong gradient, such as yours, keeps its error however small h is.")
    return (f"Central differences of forward against backward, along a random direction of "
            f"{steps.array}, at the setting {steps.setting!r}. {curved} {yours}")
