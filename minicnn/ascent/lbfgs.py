"""L-BFGS: a descent that learns the curvature from its own steps (Nocedal & Wright 2006).

Newton's step multiplies the gradient g by the inverse of the matrix of second derivatives. L-BFGS
(section 7.2) estimates that product from the last few steps alone. Each leaves a pair

    s = x' - x        y = g' - g        rho = 1 / (y . s)

and the estimate H is the one that the pairs make of gamma times the identity, the oldest first:

    H <- (1 - rho s y') H (1 - rho y s') + rho s s'        (7.16)        gamma = s . y / y . y

(gamma of the newest pair). H itself is never formed: `two_loop` computes H g. How far the step -H g
goes is searched for, until the value and its slope along the step meet the strong Wolfe conditions
(3.7). So the value never rises, and y . s is above zero, as H needs it.

Bounds are kept by projection: the step bends where it meets one, and a number that its gradient
pushes against its bound is left out of H (Bertsekas 1982). A value or gradient that is not finite
counts as infinitely high: the search steps back from it.
"""

from collections import deque
from math import inf, isfinite, sqrt
from typing import Any, NamedTuple

import numpy as np

from minicnn.ascent.optimizers import Optimizer
from minicnn.backend import array_module

C1, C2 = 1e-4, 0.9  # of the Wolfe conditions: how much lower, how much less steep (section 3.1)
TRIALS = 10  # in each part of a search


class Point(NamedTuple):
    """Where the descent is: x, the value and gradient there, what else the function returned."""

    x: Any
    value: float
    gradient: Any
    more: tuple


class Trial(NamedTuple):
    """A point at so many times the step, and the slope of the value along the step."""

    step: float
    value: float
    slope: float
    point: Any


class LBFGS(Optimizer):
    """L-BFGS with a line search (algorithm 7.5), within bounds if there are any.

    Parameters
    ----------
    memory : int, at least 1
        Number of pairs kept.
    first : float above 0
        Length tried for the first step, before any curvature is known: the root mean square of
        the change.
    """

    def __init__(self, memory=10, first=1.0):
        if memory != int(memory) or memory < 1 or not 0 < first < inf:
            raise ValueError(f"LBFGS: memory must be a whole number of at least 1 and first a "
                             f"number above 0, got {memory} and {first}")
        self.memory, self.first = int(memory), first

    def points(self, function, start, bounds=None):
        """Minimise a function.

        Parameters
        ----------
        function : callable
            ``function(x)`` returns (value, gradient, ...), the gradient of x's shape. The same x
            must always give the same value.
        start : array
            Moved to the nearest x within the bounds first.
        bounds : (low, high), optional
            Numbers, or arrays that broadcast to the shape of x.

        Yields
        ------
        Point
            The start, then the point after each step, none higher than the one before. It ends
            where no step leads further down.
        """
        def at(x):
            value, gradient, *more = function(x)
            return Point(x, float(value), gradient, more)

        pairs, point = deque(maxlen=self.memory), at(within(start, bounds))
        yield point
        while True:
            x, g = point.x, point.gradient
            xp, held = array_module(x), leaves(x, -g, bounds)
            way = two_loop(xp.where(held, 0, -g), pairs)
            way = xp.where(held | leaves(x, way, bounds), 0, way)
            first = self.first / (sqrt(dot(way, way) / x.size) or 1.0)
            found = search(along(at, x, way, bounds), Trial(0.0, point.value, dot(g, way), point),
                           1.0 if pairs else first)
            if found is None and not pairs:
                return
            if found is None:
                pairs.clear()  # once more, down the gradient itself
                continue
            s, y = found.point.x - x, found.point.gradient - g
            if dot(s, y) > np.finfo(x.dtype).eps * dot(y, y):
                pairs.append((s, y, 1 / dot(s, y)))
            point = found.point
            yield point


def two_loop(vector, pairs):
    """H times a vector (algorithm 7.4).

    Parameters
    ----------
    vector : array
    pairs : sequence of (s, y, rho)
        The oldest first. Without any, H is the identity.
    """
    alphas = []
    for s, y, rho in reversed(pairs):
        alphas.append(rho * dot(s, vector))
        vector = vector - alphas[-1] * y
    if pairs:
        s, y, rho = pairs[-1]
        vector = 1 / (rho * dot(y, y)) * vector  # gamma, (7.20)
    for (s, y, rho), alpha in zip(pairs, reversed(alphas), strict=True):
        vector = vector + (alpha - rho * dot(y, vector)) * s
    return vector


def search(trial, start, step):
    """A step that meets the strong Wolfe conditions (algorithm 3.5).

    Parameters
    ----------
    trial : callable
        ``trial(step)`` is the Trial there.
    start : Trial
        Of step 0.
    step : float
        Tried first.

    Returns
    -------
    Trial or None
        If none is found that meets both conditions, the lowest that meets the first; None if there
        is none, or if the start does not slope down.
    """
    if not start.slope < 0:
        return None
    before = start
    for _ in range(TRIALS):
        now = trial(step)
        if too_high(now, start) or before is not start and now.value >= before.value:
            return zoom(trial, start, before, now)
        if abs(now.slope) <= -C2 * start.slope:
            return now
        if now.slope >= 0:
            return zoom(trial, start, now, before)
        step, before = min(max(lowest(before, now), 2 * step), 10 * step), now
    return before


def zoom(trial, start, low, high):
    """The search between two trials of which `low` is the lower one (algorithm 3.6)."""
    for _ in range(TRIALS):
        width = high.step - low.step
        share = (lowest(low, high) - low.step) / width if isfinite(high.value) else 0.1
        now = trial(low.step + min(max(share, 0.1), 0.9) * width)
        if too_high(now, start) or now.value >= low.value:
            high = now
            continue
        if abs(now.slope) <= -C2 * start.slope:
            return now
        if now.slope * width >= 0:
            high = low
        low = now
    return None if low is start else low


def too_high(now, start):
    """Whether a trial misses the first Wolfe condition (3.7a)."""
    return now.value > start.value + C1 * now.step * start.slope


def lowest(a, b):
    """The step where the cubic through two trials is lowest (3.59); the middle if nowhere."""
    d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.step - b.step)
    square = d1 * d1 - a.slope * b.slope
    d2 = sqrt(max(square, 0)) * (1 if b.step > a.step else -1)
    below = b.slope - a.slope + 2 * d2
    if square < 0 or below == 0:
        return (a.step + b.step) / 2
    return b.step - (b.step - a.step) * (b.slope + d2 - d1) / below


def along(at, x, way, bounds):
    """The function from a step's length to the Trial there."""
    def trial(step):
        straight = x + step * way
        point = at(within(straight, bounds))
        with np.errstate(invalid="ignore", over="ignore"):
            slope = dot(point.gradient, way * (point.x == straight))  # what is at a bound stays
        finite = isfinite(point.value) and isfinite(slope)
        return Trial(step, point.value if finite else inf, slope, point)
    return trial


def within(x, bounds):
    """The nearest x within the bounds."""
    return x if bounds is None else array_module(x).clip(x, *bounds)


def leaves(x, way, bounds):
    """Which numbers are at a bound that the way would cross at once."""
    if bounds is None:
        return False
    low, high = bounds
    return (x <= low) & (way < 0) | (x >= high) & (way > 0)


def dot(a, b):
    """The dot product of two arrays of one shape, as a number."""
    return float((a * b).sum(dtype=np.float64))
