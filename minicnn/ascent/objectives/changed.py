"""Objectives made of others: relative errors, layers without their border, guided features."""

from dataclasses import replace

import numpy as np

from minicnn.ascent.objectives.term import Gram, Objective
from minicnn.backend import array_module


def relative(objective, *seen):
    """The objective, each of whose terms is divided by its value where nothing is active.

    Such a term is a relative error, and equal weights weigh layers equally. The losses of layers
    themselves differ by powers of ten, since they grow with the fourth power of the activations.

    Parameters
    ----------
    objective : Objective
    *seen : arrays (1, H, W, C), or Gram
        What is seen of the target, for its shape and dtype; all terms look at this layer. Several
        where terms look at several layers.

    Raises
    ------
    ValueError
        The target is no different from no activation.
    """
    zeros = array_module(seen[0][0]).zeros_like
    nothing = [Gram(zeros(a.matrix)) if isinstance(a, Gram) else zeros(a) for a in seen]
    terms = []
    for term in objective.terms:
        silent = float(term.evaluate(dict(zip(term.places, nothing, strict=True)))[0][0])
        if silent == 0:
            raise ValueError(f"{' or '.join(term.places)} is silent for this photo; leave it out")
        terms.append(replace(term, weight=term.weight / silent))
    return Objective(terms)


def inside(objective, margins):
    """The objective without the border of its layers: it looks at what is further inside.

    Parameters
    ----------
    objective : Objective
    margins : dict of str to int
        Rows and columns to leave out on each side of a layer; a layer that is missing keeps its
        border.
    """
    def middle(place, a):
        m = margins.get(place, 0)
        return np.s_[:, m : a.shape[1] - m, m : a.shape[2] - m]

    def back(place, a, slope):
        if slope.shape == a.shape:
            return slope
        gradient = array_module(a).zeros_like(a)
        gradient[middle(place, a)] = slope
        return gradient
    return _through(objective, lambda place, a: a[middle(place, a)], back)


def guided(objective, guides):
    """The objective of guided features T F, where T (H, W) says what place counts how much (Gatys
    et al. 2017, "Controlling perceptual factors in neural style transfer").

    With `gram` it compares guided Gram matrices, F^T T^2 F / M: means of products over a region
    alone if T is 0 elsewhere and the mean of T^2 is 1. By the chain rule the gradient is T times
    that of the objective at T F.

    Parameters
    ----------
    objective : Objective
    guides : dict of str to array (H, W)
        Of a layer's size; a layer that is missing counts everywhere alike.
    """
    def there(place, a):
        return times(a, guides[place]) if place in guides else a
    return _through(objective, there, lambda place, a, slope: there(place, slope))


def times(a, guide):
    """Guided features: a (N, H, W, C) times a guide (H, W)."""
    return a * array_module(a).asarray(guide, dtype=a.dtype)[:, :, None]


def _through(objective, change, back):
    """The objective of changed activations: ``change(place, a)``, whose adjoint at a is
    ``back(place, a, slope)``."""
    def function(term):
        def look(*seen):
            there = list(zip(term.places, seen, strict=True))
            values, slopes = term.evaluate({place: change(place, a) for place, a in there})
            gradients = [back(place, a, slopes[place]) for place, a in there]
            return values, gradients[0] if isinstance(term.place, str) else gradients
        return look
    return Objective(replace(term, function=function(term), of_gram=None)
                     for term in objective.terms)
