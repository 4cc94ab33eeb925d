"""Numbers that are not finite: the place in a network's pass where they first appear.

One NaN spreads to everything computed from it, so a pass whose end is finite was finite. Only if it
is not, the pass is gone through again to find the layer. On a GPU nothing is looked at, for the
pass would have to wait for the answer; there an ascent and training look at the values they copy.
"""

import numpy as np

from minicnn import backend
from minicnn.backend.blas import one_blas_thread
from minicnn.network.rows import INPUT


class NotFiniteError(ValueError):
    """A pass met numbers that are not finite (NaN or infinite); the message names the layer."""


def check_input(network, x):
    """Raise NotFiniteError unless all numbers of a network's input are finite."""
    if not all_finite(x):
        raise NotFiniteError(f"network {network.name}: the {INPUT} has {_count(x)}")


def check_forward(network, run, goals):
    """Raise NotFiniteError unless all numbers at the layers `goals` of a run are finite."""
    for goal in goals:
        if not all_finite(run[goal]):
            raise NotFiniteError(f"network {network.name}: {_above(network, run[INPUT], goal)}")


def check_backward(network, dx, rows):
    """Raise NotFiniteError unless all numbers of a gradient are finite.

    `rows` is the same backward pass once more, an iterator of Descent.
    """
    if all_finite(dx):
        return
    for row in rows:
        if not all(all_finite(one) for one in row.dx if one is not None):
            raise NotFiniteError(f"network {network.name}: backward from layer {row.name}, the "
                                 f"gradient at its input has {_count(row.dx[0])}")
    raise NotFiniteError(f"network {network.name}: the gradient has {_count(dx)}")


def all_finite(x):
    """Whether all numbers of an array are finite; for an array on a GPU always True."""
    return backend.array_module(x) is not np or bool(np.isfinite(x).all())


def _above(network, x, goal):
    """What is wrong with the first layer whose output is not finite."""
    with one_blas_thread():
        for name, y, _ in network.rows_computed(x, [goal]):
            if not all_finite(y):
                wrong = [f"its array {key} has {_count(array)}" for key, array
                         in network.params.get(name, {}).items() if not all_finite(array)]
                why = "; ".join(wrong) or "its input is finite, so it became too large"
                return f"the output of layer {name} has {_count(y)}; {why}"
    return f"the output of layer {goal} is not finite"  # with this batch's statistics only


def _count(x):
    """How many numbers are not finite, and the first of them."""
    bad = ~backend.array_module(x).isfinite(x)
    return f"{int(bad.sum())} of {x.size} numbers not finite, the first {float(x[bad][0].real)}"
