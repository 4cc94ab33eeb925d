"""Pictures of a wrong answer: theirs, the expected one, and the difference, from one place.

Of arrays with more than two axes one plane is shown, that with the largest difference. Small planes
are drawn large; of large ones the part around the largest difference is shown.
"""

from typing import NamedTuple

import numpy as np

from minicnn.images import display

SIDE = 192  # pixels of a picture
MOST = 96  # samples of a plane along each axis
BIG = 1e100  # numbers beyond are drawn as this
NOT_FINITE = (255, 0, 200)


class Difference(NamedTuple):
    """Pictures (H, W, 3) uint8, and what they show.

    Attributes
    ----------
    theirs, expected : array
        Grey; the expected values' range is black to white.
    difference : array or None
        Grey where they agree, red where theirs is too large, blue where it is too small; None if
        the shapes differ.
    words : str
        "sample 0, channel 2"
    """

    theirs: np.ndarray
    expected: np.ndarray
    difference: np.ndarray | None
    words: str


def pictures(theirs, expected, kernels=False):
    """The Difference of two answers; None if there is nothing to draw.

    Parameters
    ----------
    theirs, expected : array or None
        Real or complex numbers, of any shape.
    kernels : bool
        They are laid out as kernels, (KH, KW, C, O), and not as images, (N, H, W, C).
    """
    theirs, expected = _numbers(theirs), _numbers(expected)
    if theirs is None or expected is None:
        return None
    same = theirs.shape == expected.shape
    wrong = _wrong(theirs, expected) if same else None
    place = np.unravel_index(np.argmax(wrong), wrong.shape) if same else None
    planes, words = [], ""
    for one in (theirs, expected):
        plane, words, at = _plane(one, place, kernels)
        planes.append(_around(plane, at))
    finite = planes[1][np.isfinite(planes[1])]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
    if not low < high:
        low, high = low - max(1.0, abs(low)), high + max(1.0, abs(high))
    drawn = [_grown(_painted(one, np.stack([display.to_uint8(_clean(one), low, high)] * 3, -1)))
             for one in planes]
    return Difference(*drawn, _difference(*planes) if same else None, words)


def _numbers(a):
    """The array as float64 within bounds; None if there are no numbers."""
    a = np.asarray(a)
    if a.dtype.kind not in "fciub" or not a.size:
        return None
    real = np.asarray(a.real, np.float64)
    bounded = np.clip(real, -BIG, BIG)
    return np.where(np.isinf(real), real, bounded)


def _wrong(theirs, expected):
    """How far apart, also where one of them is not finite."""
    apart = np.abs(_clean(theirs) - _clean(expected))
    return np.where(np.isfinite(theirs) == np.isfinite(expected), apart, 4 * BIG)


def _plane(a, place, kernels):
    """A plane of an array, where it is, and the place in it that matters."""
    place = place or tuple(side // 2 if axis in _axes(a.ndim, kernels) else 0
                           for axis, side in enumerate(a.shape))
    axes = _axes(a.ndim, kernels)
    index = tuple(slice(None) if axis in axes else place[axis] for axis in range(a.ndim))
    plane = a[index].reshape((1, 1) if not axes else (1, -1) if len(axes) == 1
                             else [a.shape[axis] for axis in axes])
    at = ([0, 0] + [int(place[axis]) for axis in axes])[-2:]
    others = [(name, place[axis]) for axis, name in enumerate(_letters(a.ndim, kernels))
              if axis not in axes]
    return plane, ", ".join(f"{name} {int(where)}" for name, where in others), at


def _axes(dims, kernels):
    """The axes of the plane that is shown."""
    if dims < 3:
        return tuple(range(dims))
    first = 0 if dims == 3 or kernels else dims - 3
    return first, first + 1


def _letters(dims, kernels):
    """What the other axes are called."""
    if dims == 4:
        return ("", "", "channel", "kernel") if kernels else ("sample", "", "", "channel")
    return ("", "", "channel") if dims == 3 else tuple(f"axis {axis}:" for axis in range(dims))


def _around(plane, at):
    """At most MOST x MOST samples of a plane, around a place."""
    cut = []
    for side, here in zip(plane.shape, at, strict=True):
        start = min(max(here - MOST // 2, 0), max(side - MOST, 0))
        cut.append(slice(start, start + MOST))
    return plane[tuple(cut)]


def _clean(a):
    return np.nan_to_num(a, nan=0.0, posinf=BIG, neginf=-BIG)


def _painted(plane, picture):
    """Colour what is no finite number."""
    picture = picture.copy()
    picture[~np.isfinite(plane)] = NOT_FINITE
    return picture


def _difference(theirs, expected):
    both = np.isfinite(theirs) & np.isfinite(expected)
    difference = np.where(both, _clean(theirs) - _clean(expected), 0.0)
    picture = display.coloured(display.signed_to_uint8(difference), "coolwarm")
    return _grown(_painted(np.where(both, 0.0, np.nan), picture))


def _grown(picture):
    """A picture of about SIDE pixels: every sample a square."""
    factor = max(1, SIDE // max(picture.shape[:2]))
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)
