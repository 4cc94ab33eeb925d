"""Objectives as weighted sums of terms, each with a place, a value and a gradient there."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from minicnn.backend import array_module
from minicnn.images import markup
from minicnn.network import INPUT


class Value(NamedTuple):
    """An objective for one batch: totals (N,), each term's share by name, gradients by place."""

    total: Any
    by_term: dict
    gradients: dict


class Gram(NamedTuple):
    """All that is known of a layer seen in tiles: its Gram matrix, `matrix` (N, C, C)."""

    matrix: Any


@dataclass(frozen=True)
class Term:
    """One term of an objective: `function(activation)` returns (values (N,), gradient).

    A term that compares layers has a tuple of them as its place: its function takes as many
    activations and returns as many gradients.

    The gradient is that of the sum of the values. In all terms but `diversity` an image's value
    depends on that image alone, so this is, at each image, the gradient of its own value. If each
    image has its own target, ``part(slice)`` is the same term for some images of the batch. A term
    that depends on the Gram matrix G alone can be had without the activation: ``of_gram(G)``
    returns the values and the gradient at G.
    """

    name: str
    place: str | tuple
    function: Callable
    weight: float = 1.0
    part: Callable | None = None
    of_gram: Callable | None = None

    @property
    def places(self):
        """The places looked at, as a tuple."""
        return (self.place,) if isinstance(self.place, str) else self.place

    def evaluate(self, at):
        """The values, and the gradients by place at what is seen there: ``at[place]`` is the
        activation, or a Gram."""
        first, *others = (at[place] for place in self.places)
        values, gradients = (self.of_gram(first.matrix) if isinstance(first, Gram) else
                             self.function(first, *others))
        if isinstance(self.place, str):
            gradients = (gradients,)
        return values, dict(zip(self.places, gradients, strict=True))


class Objective:
    """A weighted sum of terms."""

    def __init__(self, terms):
        self.terms = tuple(terms)

    def __add__(self, other):
        return Objective(self.terms + other.terms)

    def __sub__(self, other):
        return self + -other

    def __neg__(self):
        return -1 * self

    def __mul__(self, factor):
        return Objective(replace(term, weight=factor * term.weight) for term in self.terms)

    __rmul__ = __mul__

    def __repr__(self):
        return " + ".join(f"{term.weight:g} {term.name}" for term in self.terms)

    def _repr_html_(self):  # what a notebook asks for
        return markup.table(("weight", "term", "place"), [
            (f"{term.weight:g}", term.name, ", ".join(term.places)) for term in self.terms],
            right=(0,))

    @property
    def on_image(self):
        """The terms that look at the image itself."""
        return Objective(term for term in self.terms if term.place == INPUT)

    @property
    def on_layers(self):
        """The terms that look at layers."""
        return Objective(term for term in self.terms if term.place != INPUT)

    def of_images(self, part):
        """The objective for some images of the batch, given by a slice."""
        return Objective(term if term.part is None else
                         replace(term.part(part), name=term.name, weight=term.weight)
                         for term in self.terms)

    @property
    def places(self):
        """The layers looked at, each once."""
        return [place for place in dict.fromkeys(place for term in self.terms
                                                 for place in term.places) if place != INPUT]

    def evaluate(self, at):
        """The objective's Value; ``at[place]`` is the activation there, as in a Run, or a Gram."""
        total, by_term, gradients = 0, {}, {}
        for term in self.terms:
            values, slopes = term.evaluate(at)
            total = total + term.weight * values
            by_term[term.name] = by_term.get(term.name, 0) + term.weight * values
            for place in term.places:
                _add(gradients, place, term.weight * slopes.pop(place))
        return Value(total, by_term, gradients)


def _add(sums, place, slope):
    """Add a new array to the sum at a place, in which the memory of the first one stays in use."""
    if place in sums:
        sums[place] += slope
    else:
        sums[place] = slope


# ---- channels and positions: shared by the terms that look at layers

def words(index):
    """A channel in a term's name: "7", or "7,9,12" where each image of the batch has its own."""
    return ",".join(str(i) for i in np.atleast_1d(index))


def each(index, objective):
    """`Term.part` for a term whose `index` may hold one channel for each image.

    ``objective(some)`` makes the term for a part of these channels.
    """
    if np.ndim(index) == 0:
        return None
    return lambda part: objective(np.asarray(index)[part]).terms[0]


def each_image(a, layer, index):
    """The channel to maximise for each image.

    Parameters
    ----------
    a : array (N, ..., C)
    layer : str
        The layer's name, for error messages.
    index : int or sequence of N ints

    Returns
    -------
    images, channels : two arrays (N,)
        ``a[images, ..., channels]`` is each image's channel, (N, ...).
    """
    wanted = np.asarray(index)
    if wanted.dtype.kind not in "iu" or wanted.shape not in ((), (len(a),)):
        raise ValueError(f"{layer}: expected a channel's number, or one for each of the {len(a)} "
                         f"images of the batch, got {index!r}")
    absent = wanted[(wanted < 0) | (wanted >= a.shape[-1])]
    if absent.size:
        raise ValueError(f"{layer} has {a.shape[-1]} channels, counted from 0; there is no "
                         f"{absent.flat[0]}")
    xp = array_module(a)
    return xp.arange(len(a)), xp.asarray(np.zeros(len(a), int) + wanted)


def position(a, layer, row, column):
    """Check a (row, column) of `a` (N, H, W, C); by default the centre, H // 2 and W // 2."""
    if a.ndim == 4:
        row = a.shape[1] // 2 if row is None else row
        column = a.shape[2] // 2 if column is None else column
        if 0 <= row < a.shape[1] and 0 <= column < a.shape[2]:
            return row, column
    raise ValueError(f"{layer} has no position ({row}, {column}); its output is {a.shape}")
