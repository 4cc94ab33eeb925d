"""Local response normalisation at one position: the window across channels, and the cross term."""

import numpy as np

from minicnn.ops import lrn
from minicnn.report.stepfigures import arrays
from minicnn.report.stepfigures.figure import StepFigure, about
from minicnn.report.stepfigures.tables import grid, row


def step_lrn(x, dy=None, size=5, alpha=1.0, beta=0.75, k=1.0, convention="caffe"):
    """LRN of the channels at one position, every number on the way up and down.

    Parameters
    ----------
    x : array (C,)
        The channels at one position; at most 12.
    dy : array (C,), optional
        The gradient at the output; by default 1 in the middle channel, 0 in the others.
    size : int
        Channels in the window; odd.
    alpha, beta, k, convention
        As for `ops.lrn.forward`; but alpha is 1, so that one sees its effect.

    Returns
    -------
    StepFigure

    Raises
    ------
    ValueError
        Arrays of other shapes, too large for a page, or not finite; settings out of range.

    Examples
    --------
    >>> figure = step_lrn([1., 1., 1.], [0., 1., 0.], size=3, beta=1.0, convention="paper")
    >>> figure.data["library"]["dx"]
    [-0.125, 0.125, -0.125]
    """
    x = np.atleast_1d(arrays.finite(x, "step_lrn, x").squeeze())
    if x.ndim != 1:
        raise ValueError(f"step_lrn, x: expected the channels at one position, (C,), got {x.shape};"
                         " maps[0, row, column] are those of a feature map")
    arrays.few(len(x), arrays.MOST, "step_lrn, x", "channels", "x[:12]")
    dy = np.eye(len(x))[len(x) // 2] if dy is None else np.atleast_1d(
        arrays.finite(dy, "step_lrn, dy").squeeze())
    if dy.shape != x.shape:
        raise ValueError(f"step_lrn, dy: expected the shape of x, {x.shape}, got {dy.shape}")
    y, cache = lrn.forward(x[None, None, None], size, alpha, beta, k, convention)
    seed = dy[None, None, None]
    results = {"y": y, "scale": cache.scale, "g": lrn.backward(seed, cache, "scale"),
               "dx": lrn.backward(seed, cache)}
    results = {name: one.ravel() for name, one in results.items()}
    rows = {"x": ("the input", x), "s": ("the scale", results["scale"]),
            "y": ("x · s^(−beta)", results["y"]), "dy": ("gradient at y", dy),
            "g": ("dy · s^(−beta)", results["g"]),
            "cross term": ("dx − g", results["dx"] - results["g"]),
            "dx": ("gradient at x", results["dx"])}
    return StepFigure(
        title="Local response normalisation: neighbours compete",
        lead="At each position a channel is divided by what goes on in the channels beside it. On "
             "the way back it also pays for what it did to them.",
        data={"kind": "lrn", "settings": {"n": int(size), "alpha": float(alpha),
                                          "beta": float(beta), "k": float(k),
                                          "convention": convention},
              "x": x.tolist(), "dy": dy.tolist(),
              "library": {name: one.tolist() for name, one in results.items()}},
        still=[row(grid(name, words, one[None])) for name, (words, one) in rows.items()],
        text=about(
            "minicnn.ops.lrn", 6, "Columns are channels at one position of the maps. Point at any "
            "number to see what it is made of: framed is the window of n channels, dashed what "
            "comes from the channel itself.",
            "<pre>s[c]  = k + a · sum of x[c']² over the n channels around c\n"
            "y[c]  = x[c] · s[c]^(−beta)\n"
            "g[c]  = dy[c] · s[c]^(−beta)\n"
            "dx[c] = g[c] − 2 a beta x[c] · sum of g[c'] x[c'] / s[c'] over the n channels around c"
            "</pre>",
            "Even where <i>dy</i> is 0, <i>dx</i> is not, if a neighbour has a gradient: the cross "
            "term. With alpha = 0.0001 it is so small that a mistake in it passes a careless "
            "test."))
