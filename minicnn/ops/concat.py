"""Concatenation: the outputs of several branches laid side by side along the channels.

    y = [x_1 | x_2 | ...]

Backward: each branch gets back the piece of dy that it supplied.
"""

from itertools import accumulate
from typing import NamedTuple

from minicnn.backend import array_module


class ConcatCache(NamedTuple):
    """How many channels each part supplied, and along which axis."""

    sizes: tuple
    axis: int


def forward(parts, axis=-1):
    """Join arrays that agree in all other axes: y, and the cache."""
    shapes = [part.shape for part in parts]
    rests = {shape[: axis % len(shape)] + shape[axis % len(shape) + 1 :] for shape in shapes}
    if len(rests) != 1:
        raise ValueError(f"concat.forward: the parts must agree in every axis but {axis}, and "
                         f"there must be at least one; got shapes {shapes}")
    y = array_module(parts[0]).concatenate(parts, axis=axis)
    return y, ConcatCache(tuple(shape[axis] for shape in shapes), axis)


def backward(dy, cache):
    """Cut dy into a list, one piece for each part."""
    cuts = list(accumulate(cache.sizes))[:-1]
    return [piece.copy() for piece in array_module(dy).split(dy, cuts, axis=cache.axis)]
