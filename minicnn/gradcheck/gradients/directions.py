"""Slopes along one coordinate of an input, or along a direction through all of its coordinates.

The input is moved along the direction. The measured slope of <dy, output> is compared with the
backward pass's value for it: the sum of gradient times direction.
"""

from typing import NamedTuple

import numpy as np

from minicnn.gradcheck.gradients import compare, slopes
from minicnn.gradcheck.gradients.compare import SHARE_64

EVERY = 300  # of an input with at most this many entries every entry is checked
DIRECTIONS = 3  # random directions for each input that has more entries; for others one
CENTRAL = 1e-7  # tolerance of central differences; slopes.py derives that they reach it


class Base(NamedTuple):
    """The float64 run that all checks compare with: output, upstream gradient, gradients."""

    y: np.ndarray
    dy: np.ndarray
    gradients: list


class Result(NamedTuple):
    """A measured slope, and the backward pass's value for it."""

    got: float
    slope: slopes.Slope
    typical: float

    @property
    def gap(self):
        """How far the backward pass's value is from what the slope may be."""
        return abs(self.got - self.slope.nearest(self.got)) if self.slope.known else 0.0

    def worst(self, name):
        """The backward pass's value compared with the measured slope, or the nearest of those
        between the two one-sided slopes of a kink."""
        floor = max(self.typical, self.slope.rounding / CENTRAL)
        source = "central differences say"
        if self.slope.kink:
            source += (f" from {self.slope.low:.6g} to {self.slope.high:.6g} at this kink, "
                       "of which the nearest is")
        return compare.one(name, self.got, self.slope.nearest(self.got), source, floor)


class Differences:
    """Central differences of one input, along a coordinate or a direction."""

    def __init__(self, subject, base, index):
        self.subject, self.base, self.index = subject, base, index
        self.gradient, self.array = base.gradients[index], subject.arrays[index]
        self.name, self.size = subject.names[index], slopes.size_of(self.array)
        self.typical = max(SHARE_64 * np.abs(self.gradient).max(initial=0.0),
                           subject.noise(base)[1 + index] / CENTRAL)

    def at(self, place):
        """The slope along one coordinate."""
        return self.along(one_hot(self.gradient.shape, place), self.typical)

    def along(self, direction, typical=None):
        """The slope along a direction.  It is a random sum of the gradient's entries, so by default
        its typical size is the norm of the gradient."""
        if typical is None:
            typical = max(np.linalg.norm(self.gradient), self.typical)
        function = self.subject.along(self.index, direction)
        moved = self.array[direction != 0]
        shake = slopes.EPS * np.abs(moved).max(initial=0.0) * np.linalg.norm(
            self.gradient[direction != 0])
        slope = slopes.central(function, self.base.y, self.base.dy, self.size, CENTRAL, typical,
                               float(shake))
        return Result(float(np.sum(self.gradient * direction)), slope, float(typical))

    def tied(self, place):
        """The direction in which all entries move that are as large as the one at `place`."""
        near = np.abs(self.array - self.array[place]) <= self.size * slopes.STEPS[1]
        return near.astype(np.float64)

    def together(self, place, direction):
        """The comparison of the sum over tied entries, which move together."""
        label = compare.place_name(self.name, place)
        sum_ = f"d{self.name} summed over the {int(direction.sum())} entries tied with {label}"
        return self.along(direction, self.typical).worst(sum_)

    def place(self, place):
        """The comparison along one coordinate."""
        return self.at(place).worst(compare.place_name(f"d{self.name}", place))

    def locate(self, direction):
        """The worst coordinate of a wrong direction, found by bisection: log2(size) steps."""
        places = np.flatnonzero(direction)
        while len(places) > 1:
            halves = np.array_split(places, 2)
            gaps = [self.part(direction, half).gap for half in halves]
            places = halves[int(np.argmax(gaps))]
        return np.unravel_index(places[0], direction.shape)

    def part(self, direction, places):
        """The slope along some coordinates of a direction."""
        part = np.zeros_like(direction)
        part.flat[places] = direction.flat[places]
        return self.along(part)


def one_hot(shape, place):
    """Zeros of `shape` with a 1 at `place`."""
    direction = np.zeros(shape)
    direction[place] = 1
    return direction


def random_directions(gradient, rng, without=()):
    """Normally distributed directions in the gradient's shape, zero at the places `without`: of an
    array of which every coordinate is checked one, to be sure."""
    count = DIRECTIONS if gradient.size > EVERY else 1
    directions = rng.standard_normal((count, *gradient.shape))
    for place in without:
        directions[(slice(None), *place)] = 0
    return [direction for direction in directions if direction.any()]


def chosen_places(gradient, rng):
    """All coordinates of a small array; of one larger than EVERY, EVERY / 10 random ones."""
    flat = np.arange(gradient.size)
    if gradient.size > EVERY:
        flat = np.sort(rng.choice(flat, EVERY // 10, replace=False))
    return [np.unravel_index(int(i), gradient.shape) for i in flat]
