"""The slope at t = 0 of  g(t) = <dy, f(t)>, where f(t) is an output array and t a number.

Central differences in float64 that reach 1e-7
----------------------------------------------
The error of D(h) = (g(h) - g(-h)) / 2h has two parts: truncation, h^2 g'''/6, and rounding,
about eps |y| / h.  At the h that balances them the plain formula keeps about ten digits, but
loses two or three of them where one entry of the gradient is small compared with the output.
Two cheap steps recover them:

- Richardson's extrapolation R(h) = (4 D(h/2) - D(h)) / 3 cancels the h^2 term.  The remaining
  error is h^4 g'''''/480, so h may be as large as 1e-3 of the input's size (truncation 2e-15,
  rounding 1e-12) instead of 1e-5.
- f(h) - f(-h) is computed for each output before it is multiplied by dy and summed.  Outputs that
  do not depend on the input cancel exactly and add no rounding error.

Kinks
-----
Where the left and the right slope differ (ReLU at 0, a tie in a max pool) there is no single
number to compare with.  Let J(h) = (g(h) - 2 g(0) + g(-h)) / h, the right slope minus the left.

- smooth:  J(h) = h g'' + O(h^3), so  2 J(h/2) - J(h)  vanishes like h^3;
           and  R(h) - R(h/2)  vanishes like h^4.
- a kink of height a at t = 0:  2 J(h/2) - J(h) = a, whatever h.
- a kink at distance d < h:  2 J(h/2) - J(h) = a (1 - 3 d/h) for d < h/2, -a (1 - d/h) beyond;
  where this is zero, at d = h/3, R(h) - R(h/2) = a/6.  So one of the two always shows the kink.

Both must therefore be small.  If they are not, h becomes a thousand times smaller, so that a kink
which is only near falls outside the step; the steps between then give the slope more digits.  A
kink that remains at h = 1e-6 is at the point itself, and the gradient is judged by the two
one-sided slopes: it must not lie outside them.  They are taken of each output by itself, because
backward may choose another side for each.  No tolerance is loosened.

Where D(h) = D(h/2) already, as of a function that is linear nearby, h/4 could add nothing and is
not evaluated.
"""

from typing import NamedTuple

import numpy as np

EPS = np.finfo(np.float64).eps
STEPS = (2.0**-10, 2.0**-20, 2.0**-13, 2.0**-17)  # times the size of the input, in this order
COMPLEX_STEP = 1e-20


class Slope(NamedTuple):
    """A slope, its possible rounding error, the two one-sided slopes, and whether they differ.

    At a kink the gradient may lie from `low` to `high`; `slack` is how well these are known.
    """

    value: float
    rounding: float
    left: float
    right: float
    kink: bool
    low: float = np.nan
    high: float = np.nan
    slack: float = 0.0

    @property
    def known(self):
        """False at the edge of the domain, where one side is not a number."""
        return bool(np.isfinite(self.low + self.high))

    def nearest(self, got):
        """The number nearest to `got` that the slope may have."""
        if not self.kink:
            return self.value
        return got if self.low - self.slack <= got <= self.high + self.slack else float(
            np.clip(got, self.low, self.high))


def size_of(array):
    """The typical size of the numbers in an array, about their mean: 1000 + noise has that of the
    noise.  A power of two, so that a step of 1/1024 of it adds to most numbers exactly."""
    size = spread = float(np.sqrt(np.mean(np.square(array)))) if array.size else 0.0
    if array.size > 1:
        spread = float(np.std(array))
    size = spread if spread > 1e-5 * size else size
    return 2.0 ** np.round(np.log2(size)) if 0 < size < np.inf else 1.0


def central(function, y, dy, size, tolerance, typical, shake=0.0):
    """Slope of <dy, function(t)> at 0 by extrapolated central differences.

    Parameters
    ----------
    function : callable
        t -> output array in float64, function(0) = y.
    y, dy : array of the same shape
        Output at 0, and the upstream gradient.
    size : float
        Typical size of the numbers that t is added to; the steps are fractions of it.
    tolerance, typical : float
        A kink counts if it could change a slope of size `typical` by half of `tolerance`.
    shake : float
        How much <dy, y> may change because the moved input was rounded.
    """
    about = (function, y, dy), tolerance, typical, shake
    first = at_step(size * STEPS[0], *about)
    if not first.kink:
        return first
    last = at_step(size * STEPS[1], *about)
    if last.kink:
        return last
    between = (at_step(size * step, *about) for step in STEPS[2:])
    return next((slope for slope in between if not slope.kink), last)


def at_step(h, run, tolerance, typical, shake):
    """The slope from +-h and +-h/2, with +-h/4 if these do not settle it; see the docstring."""
    function, y, dy = run
    points = [(function(t), function(-t), t) for t in (h, h / 2)]
    if not all(np.isfinite(y).all() for ahead, behind, _ in points for y in (ahead, behind)):
        return Slope(np.nan, 0.0, np.nan, np.nan, kink=True)  # too near the edge of the domain
    (d, d2), (j, j2) = differences(points, dy), bends(points, y, dy)
    value, rounding = (4 * d2 - d) / 3, rounding_of(points[0], y, dy) + 8 * shake / h
    allowed = tolerance / 2 * max(abs(value), typical) + rounding
    if max(abs(2 * j2 - j), abs(d2 - d)) <= allowed:
        return smooth(value, rounding)
    points.append((function(h / 4), function(-h / 4), h / 4))
    coarse, value = value, (4 * differences(points[2:], dy)[0] - d2) / 3
    allowed = tolerance / 2 * max(abs(value), typical) + rounding
    if max(abs(2 * j2 - j), abs(coarse - value)) <= allowed:
        return smooth(value, rounding)
    return one_sided(points[1:], y, dy, value, rounding)


def smooth(value, rounding):
    """The slope where there is no kink."""
    return Slope(value, rounding, value, value, False, value, value)


def differences(points, dy):
    """D at each of the points (ahead, behind, h)."""
    return [float(np.sum(dy * (ahead - behind))) / (2 * t) for ahead, behind, t in points]


def bends(points, y, dy):
    """J at each of the points (ahead, behind, h)."""
    return [float(np.sum(dy * ((ahead - y) - (y - behind)))) / t for ahead, behind, t in points]


def one_sided(points, y, dy, value, rounding):
    """The slope at a kink, of two points (ahead, behind, h): the sum over the outputs of what the
    slope of each may be at least and at most.  How much the slopes change from h to h/2 is their
    uncertainty."""
    (left2, right2), (left, right) = [
        (dy * ((y - behind) / t), dy * ((ahead - y) / t)) for ahead, behind, t in points]
    slack = 4 * rounding + np.abs(left2 - left).sum() + np.abs(right2 - right).sum()
    return Slope(value, rounding, float(left.sum()), float(right.sum()), True,
                 float(np.minimum(left, right).sum()), float(np.maximum(left, right).sum()),
                 float(slack))


def rounding_of(point, y, dy):
    """The possible rounding error of a slope: a few eps of every output that moved, over h."""
    ahead, behind, h = point
    moved = ahead != behind
    if not moved.any():
        return 0.0
    largest = max(np.abs(ahead[moved]).max(), np.abs(y[moved]).max())
    return 8 * EPS * largest * np.abs(dy[moved]).sum() / h


def by_complex_step(function, dy):
    """Slope of <dy, function(t)> at 0 as Im f(i h) / h: without subtraction nothing cancels.

    Squire & Trapp, Using complex variables to estimate derivatives of real functions (1998).
    """
    return float(np.sum(dy * (function(1j * COMPLEX_STEP).imag / COMPLEX_STEP)))
