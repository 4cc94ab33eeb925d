"""Where to look: one coordinate, or one direction through many, of one input.

The input moves along the direction, the slope of <dy, output> is measured and compared with the
backward pass's value for it, the sum of gradient times direction.
"""

from typing import NamedTuple

import numpy as np

from minicnn.gradcheck import compare, slopes
from minicnn.gradcheck.compare import SHARE_64

EVERY = 300  # inputs up to this many entries are checked at every one
DIRECTIONS = 3  # random directions for each input
CENTRAL = 1e-7  # what central differences are allowed; slopes.py says why they reach it


class Base(NamedTuple):
    """One run in float64 that all kinds compare with: output, upstream gradient, gradients."""

    y: np.ndarray
    dy: np.ndarray
    gradients: list


class Result(NamedTuple):
    """A slope beside the backward pass's value for it."""

    got: float
    slope: slopes.Slope
    typical: float

    def worst(self, name):
        """The difference from central differences, as a Comparison."""
        floor = max(self.typical, self.slope.rounding / CENTRAL)
        return compare.one(name, self.got, self.slope.value, "central differences say", floor)


class Differences(NamedTuple):
    """Central differences of one input, at a coordinate or along a direction."""

    subject: object
    base: Base
    index: int
    gradient: np.ndarray

    def at(self, place):
        """The slope along one coordinate."""
        return self.along(one_hot(self.gradient.shape, place),
                          SHARE_64 * np.abs(self.gradient).max(initial=0.0))

    def along(self, direction, typical=None):
        """A direction's slope is a random sum of the gradient's entries: about its norm."""
        typical = np.linalg.norm(self.gradient) if typical is None else typical
        array = self.subject.arrays[self.index]
        size = float(np.sqrt(np.mean(array**2))) or 1.0
        function = self.subject.along(self.index, direction)
        slope = slopes.central(function, self.base.y, self.base.dy, size, CENTRAL, typical)
        return Result(float(np.sum(self.gradient * direction)), slope, float(typical))

    def locate(self, direction):
        """The worst coordinate of a wrong direction, by halving: log2(size) slopes."""
        places = np.flatnonzero(direction)
        while len(places) > 1:
            halves = np.array_split(places, 2)
            gaps = [self.gap(direction, half) for half in halves]
            places = halves[int(np.argmax(gaps))]
        return np.unravel_index(places[0], direction.shape)

    def gap(self, direction, places):
        """How far off the slope is along a part of a direction; 0 at a kink."""
        part = np.zeros_like(direction)
        part.flat[places] = direction.flat[places]
        result = self.along(part)
        return 0.0 if result.slope.kink else abs(result.got - result.slope.value)


def one_hot(shape, place):
    """Zeros of `shape` with a 1 at `place`."""
    direction = np.zeros(shape)
    direction[place] = 1
    return direction


def random_directions(gradient, rng, without=()):
    """Normal directions of the gradient's shape, zero at the places known to be kinks."""
    directions = rng.standard_normal((DIRECTIONS, *gradient.shape))
    for place in without:
        directions[(slice(None), *place)] = 0
    return directions


def chosen_places(gradient, rng):
    """All coordinates of a tiny array, a tenth of EVERY drawn at random from a larger one."""
    flat = np.arange(gradient.size)
    if gradient.size > EVERY:
        flat = np.sort(rng.choice(flat, EVERY // 10, replace=False))
    return [np.unravel_index(int(i), gradient.shape) for i in flat]
