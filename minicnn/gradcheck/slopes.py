"""The slope at t = 0 of  g(t) = <dy, f(t)>  where f(t) is an output array and t one number.

Central differences in float64 that honestly reach 1e-7
-------------------------------------------------------
With D(h) = (g(h) - g(-h)) / 2h the error has two parts: truncation, h^2 g'''/6, and rounding,
about eps |y| / h.  At the h that balances them the plain formula keeps ten digits or so of g
itself, but loses two or three where one entry of the gradient is small beside the output.  Two
cheap steps buy them back:

- Richardson's extrapolation R(h) = (4 D(h/2) - D(h)) / 3 cancels the h^2 term.  The error left
  is h^4 g'''''/480, so h may be as large as 1e-3 of the input's size (truncation 2e-15,
  rounding 1e-12) instead of 1e-5.
- f(h) - f(-h) is formed for each output before it is multiplied by dy and summed: outputs that
  the input does not reach cancel exactly and bring no rounding.

Kinks
-----
Where left and right slope differ (ReLU at 0, a tie in a max pool) there is no gradient to compare
with.  Let J(h) = (g(h) - 2 g(0) + g(-h)) / h be right slope minus left slope.

- smooth:  J(h) = h g'' + O(h^3), so  2 J(h/2) - J(h)  vanishes like h^3;
           and  R(h) - R(h/2)  vanishes like h^4.
- a kink of height a at t = 0:  2 J(h/2) - J(h) = a, whatever h.
- a kink at distance d < h:  2 J(h/2) - J(h) = a (1 - 3 d/h) for d < h/2, -a (1 - d/h) beyond;
  its zero at d = h/3 is where R(h) - R(h/2) = a/6.  One of the two always shows.

So both must be small.  If they are not, h is divided by ten, which leaves a kink that was only
near behind; a kink that stays down to h = 1e-6 is at the point itself, and the slope is reported
as a kink and not compared.  No tolerance is loosened.
"""

from typing import NamedTuple

import numpy as np

EPS = np.finfo(np.float64).eps
STEPS = (1e-3, 1e-4, 1e-5, 1e-6)  # times the root mean square of the input
COMPLEX_STEP = 1e-20


class Slope(NamedTuple):
    """A slope, how much of it may be rounding, and the two one-sided slopes."""

    value: float
    rounding: float
    left: float
    right: float
    kink: bool


def central(function, y, dy, size, tolerance, typical):
    """Slope of <dy, function(t)> at 0 by extrapolated central differences.

    Parameters
    ----------
    function : callable
        t -> output array in float64, function(0) = y.
    y, dy : array of the same shape
        Output at 0, and the upstream gradient.
    size : float
        Typical size of what t is added to; steps are fractions of it.
    tolerance, typical : float
        A kink counts when it could disturb a slope of size `typical` by half of `tolerance`.
    """
    for step in STEPS:
        slope = at_step(function, y, dy, size * step, tolerance, typical)
        if not slope.kink:
            return slope
    return slope


def at_step(function, y, dy, h, tolerance, typical):
    """The slope from the six points +-h, +-h/2, +-h/4; see the module's text."""
    points = [(function(t), function(-t), t) for t in (h, h / 2, h / 4)]
    if not all(np.isfinite(y).all() for ahead, behind, _ in points for y in (ahead, behind)):
        return Slope(np.nan, 0.0, np.nan, np.nan, kink=True)  # too near the edge of the domain
    d, d2, d4 = (float(np.sum(dy * (ahead - behind))) / (2 * t) for ahead, behind, t in points)
    j, j2, _ = (float(np.sum(dy * ((ahead - y) - (y - behind)))) / t for ahead, behind, t in points)
    coarse, fine = (4 * d2 - d) / 3, (4 * d4 - d2) / 3
    rounding = rounding_of(points[0], y, dy)
    unsteady = max(abs(2 * j2 - j), abs(coarse - fine))
    kink = unsteady > tolerance / 2 * max(abs(fine), typical) + rounding
    ahead, behind, t = points[2]
    left, right = np.sum(dy * (y - behind)) / t, np.sum(dy * (ahead - y)) / t
    return Slope(fine, rounding, float(left), float(right), kink)


def rounding_of(point, y, dy):
    """How much of a slope can be rounding: a few eps of every output that moved, over h."""
    ahead, behind, h = point
    moved = ahead != behind
    if not moved.any():
        return 0.0
    largest = max(np.abs(ahead[moved]).max(), np.abs(y[moved]).max())
    return 8 * EPS * largest * np.abs(dy[moved]).sum() / h


def by_complex_step(function, dy):
    """Slope of <dy, function(t)> at 0 as Im f(i h) / h: no difference, so no cancellation.

    Squire & Trapp, Using complex variables to estimate derivatives of real functions (1998).
    """
    return float(np.sum(dy * (function(1j * COMPLEX_STEP).imag / COMPLEX_STEP)))
