"""Bugs of the total-variation regulariser."""

from dataclasses import replace

import numpy as np

from minicnn.ascent import objectives
from mutants.mutant import Mutant


def total_variation_with(change):
    """objectives.total_variation with (values, gradient) changed by a function of them and x."""

    def make(beta=2.0):
        term = objectives.total_variation(beta).terms[0]
        return objectives.Objective([replace(
            term, function=lambda x: change(*term.function(x), x))])

    return make


def divided_by_batch(values, gradient, x):
    """The mean taken over the batch too: N images, each N times too smooth."""
    return values / x.dtype.type(len(x)), gradient / x.dtype.type(len(x))


def one_value_for_all(values, gradient, x):
    return np.full_like(values, values.mean()), gradient / x.dtype.type(len(x))


def gradient_of_batch_mean(values, gradient, x):
    return values, gradient / x.dtype.type(len(x))


def first_image_only(values, gradient, x):
    only = np.zeros_like(gradient)
    only[0] = gradient[0]
    return values, only


def last_row_forgotten(values, gradient, x):
    gradient = gradient.copy()
    gradient[:, -1] = 0
    return values, gradient


MUTANTS = [
    Mutant(name, "total_variation", total_variation_with(change), None, origin)
    for name, change, origin in [
        ("norm divided by the batch", divided_by_batch, "tf_keras_vis utils/regularizers.py"),
        ("one value for the batch", one_value_for_all, "tf_keras_vis utils/regularizers.py"),
        ("gradient divided by the batch", gradient_of_batch_mean, ""),
        ("gradient of the first image only", first_image_only, ""),
        ("last row forgotten", last_row_forgotten, ""),
    ]
]
