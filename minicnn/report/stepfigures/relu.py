"""The three backward rules of a ReLU, side by side on one array."""

import numpy as np

from minicnn.ops import relu
from minicnn.report.stepfigures import arrays
from minicnn.report.stepfigures.figure import StepFigure, about
from minicnn.report.stepfigures.tables import grid, row


def step_relu(x, dy):
    """What a ReLU lets pass on the way down, by each of its three rules.

    Parameters
    ----------
    x : array (W,) or (H, W)
        What came on the way up; at most 12 x 12.
    dy : array of the same shape
        What arrives on the way down.

    Returns
    -------
    StepFigure

    Raises
    ------
    ValueError
        Two shapes, arrays that are too large for a page, or not finite.

    Examples
    --------
    >>> figure = step_relu([-1., 2., 3.], [5., 6., -7.])
    >>> figure.data["library"]["guided"]
    [[0.0, 6.0, 0.0]]
    """
    x, dy = (np.atleast_2d(arrays.finite(one, f"step_relu, {name}"))
             for name, one in (("x", x), ("dy", dy)))
    x = arrays.image(x, "step_relu, x", channels=False)
    if dy.shape != x.shape:
        raise ValueError(f"step_relu, dy: expected the shape of x, {x.shape}, got {dy.shape}")
    y, cache = relu.forward(x)
    results = {"y": y} | {rule: relu.backward(dy, cache, rule) for rule in relu.RULES}
    still = [row(grid("x", "on the way up", x), "→", grid("y", "max(x, 0)", y)),
             row(grid("dy", "arrives on the way down", dy)),
             row(*(grid(rule, "", results[rule]) for rule in relu.RULES))]
    return StepFigure(
        title="A ReLU and its three ways back",
        lead="One array comes up, one comes down. The three rules differ in one condition: when "
             "does <i>dy</i> pass?",
        data={"kind": "relu", "settings": {}, "x": x.tolist(), "dy": dy.tolist(),
              "library": {name: one.tolist() for name, one in results.items()}},
        still=still, text=about(
            "minicnn.ops.relu", 5,
            "<pre>gradient    dx = dy where x > 0              calculus (Simonyan et al. 2014)\n"
            "deconvnet   dx = dy where dy > 0             Zeiler &amp; Fergus 2014\n"
            "guided      dx = dy where x > 0 and dy > 0   Springenberg et al. 2015</pre>",
            "Only the first is a gradient: it asks what <i>x</i> was. The deconvnet asks only what "
            "arrives, guided backpropagation asks both. Where <i>x</i> is exactly 0, the slope is "
            "taken as 0.", "Type another number on <i>x</i> or <i>dy</i>: what must change for the "
            "three to agree?"))
