"""How far two arrays differ, and at which entry most, in words.

The error of an entry is |got - expected| divided by a scale. The scale is the largest of

- |got| and |expected|: an error of 0.1 % in an ordinary entry counts as 1e-3;
- `share` times the largest |expected| of the array: an entry far smaller than its neighbours is a
  sum whose terms cancelled; it carries the rounding of those terms, so its last digits are noise;
- `floor`, in the units of the array: the uncertainty of both numbers divided by the tolerance
  (central differences set it from their rounding, the others from that of the pass itself).

If both numbers are exactly zero, the error is zero (as in cs231n's rel_error, made explicit).
"""

from typing import NamedTuple

import numpy as np

SHARE_64 = 1e-3  # float64 has 16 digits: compare entries down to 1/1000 of the largest
SHARE_32 = 1.0  # float32 has 7, and sums lose some: compare with the largest entry
SINGLE = 2.0**29  # how many times as coarse float32 is as float64


class Worst(NamedTuple):
    """The worst entry of a comparison: its error, the two numbers, and what is wrong."""

    error: float
    numbers: str
    wrong: str = ""

    @property
    def words(self):
        """The two numbers and, if they disagree, how."""
        return f"{self.numbers}: {self.wrong}" if self.wrong else self.numbers


def errors(got, expected, share=SHARE_64, floor=0.0):
    """The error of every entry, as defined above: float64, in the shape of got."""
    got, expected = np.asarray(got), np.asarray(expected)
    with np.errstate(invalid="ignore", over="ignore"):
        gap = np.abs(got - expected)
    finite = np.abs(expected[np.isfinite(expected)])
    typical = share * finite.max(initial=0.0)
    scale = np.maximum(np.maximum(np.abs(got), np.abs(expected)), np.maximum(typical, floor))
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.where(gap == 0, 0.0, gap / scale)
    error[(got == expected)] = 0.0
    return np.where(np.isnan(error), np.inf, error)


def worst(name, got, expected, source, share=SHARE_64, floor=0.0):
    """Compare two arrays; `source` introduces the expected value ("the naive twin says")."""
    got, expected = np.asarray(got), np.asarray(expected)
    if got.shape != expected.shape:
        return Worst(np.inf, f"{name} has shape {got.shape}, {source} {expected.shape}")
    if got.size == 0:
        return Worst(0.0, f"{name} is empty")
    error = errors(got, expected, share, floor)
    place = np.unravel_index(int(np.argmax(error)), got.shape)
    found = at_place(place_name(name, place), got[place], expected[place], source, error[place])
    return found._replace(wrong=found.wrong + same_factor(got, expected, error))


def place_name(name, place):
    """`dx` and (0, 2) -> `dx[0, 2]`; a scalar has no index."""
    return f"{name}[{', '.join(str(int(i)) for i in place)}]" if len(place) else name


def one(name, got, expected, source, scale):
    """Compare two numbers; the error is relative to at least `scale`."""
    error = errors(np.array([got]), np.array([expected]), 0.0, scale)
    return at_place(name, got, expected, source, error[0])


def at_place(name, got, expected, source, error):
    """The two numbers at one entry, and how they differ."""
    got, expected = float(got), float(expected)
    if got == expected:
        return Worst(float(error), f"{name} is {got:.6g}, {source} the same")
    digits = 4 if abs(got - expected) > 1e-2 * abs(expected) else 10
    numbers = f"{name} is {got:.{digits}g}, {source} {expected:.{digits}g}"
    return Worst(float(error), numbers, kind_of_wrong(got, expected))


def kind_of_wrong(got, expected):
    """How `got` is wrong: sign, missing, should be zero, or too large or small by a factor."""
    if not np.isfinite(got):
        return "not a finite number"
    if not np.isfinite(expected):
        return f"it should be {expected:g}"
    if abs(got) <= 1e-9 * abs(expected):
        return "it is missing"
    if abs(expected) <= 1e-9 * abs(got):
        return "it should be zero"
    factor = abs(got / expected)
    size, way = (factor, "large") if factor > 1 else (1 / factor, "small")
    if got * expected < 0:  # by how much it is too large then means nothing
        return "the sign is wrong" + (", and the size" if size > 1.001 else "")
    amount = f"{100 * (size - 1):.2g} %" if size < 1.1 else f"a factor {size:.4g}"
    return f"too {way} by {amount}"


def same_factor(got, expected, error):
    """Words to add if all entries are wrong by one factor: a constant was forgotten."""
    wrong = (error > 1e-3) & (expected != 0)
    if wrong.sum() < 2 or (wrong != (expected != 0)).any():
        return ""
    if not got[wrong].any():
        return ", and so is every other entry"
    factor = got[wrong] / expected[wrong]
    if np.ptp(factor) > 1e-3 * abs(factor[0]):
        return ""
    size = f" {factor[0]:.4g}" if factor[0] < 0 else ""  # else it has been told
    return f", and so is every other entry by the same factor{size}"
