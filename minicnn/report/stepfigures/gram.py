"""One entry of a Gram matrix: two maps, their products, and the mean of those."""

from minicnn.ascent.objectives.gram_matrices import gram_matrix
from minicnn.report.stepfigures import arrays
from minicnn.report.stepfigures.figure import StepFigure, about
from minicnn.report.stepfigures.tables import grid, row


def step_gram(a):
    """The Gram matrix of an activation, entry by entry.

    Parameters
    ----------
    a : array (H, W, C) or (1, H, W, C)
        At least two channels; at most 12 x 12 x 8.

    Returns
    -------
    StepFigure

    Raises
    ------
    ValueError
        An array of another shape, too large for a page, or not finite.

    Examples
    --------
    >>> step_gram([[[1., 1.], [0., 1.]], [[0., 0.], [2., 0.]]]).data["library"]["g"]
    [[1.25, 0.25], [0.25, 0.5]]
    """
    a = arrays.image(a, "step_gram, a")
    if a.shape[2] < 2:
        raise ValueError(f"step_gram, a: expected at least two channels, got shape {a.shape}")
    g = gram_matrix(a[None])[0]
    return StepFigure(
        title="One entry of a Gram matrix",
        lead="Multiply two maps place by place and take the mean: how strongly they are active "
             "together, wherever that is.",
        data={"kind": "gram", "settings": {"i": 0, "j": 1}, "a": a.tolist(),
              "library": {"g": g.tolist()}},
        still=[row(grid("map 0", "", a[..., 0]), "×", grid("map 1", "", a[..., 1]), "=",
                   grid("products", "", a[..., 0] * a[..., 1])),
               row(grid("G", "the Gram matrix", g))],
        text=about(
            "minicnn.ascent.objectives.gram_matrices", 17,
            "<pre>G[i, j] = mean over all places of  map i · map j</pre>",
            "Point at an entry of <i>G</i> to see the two maps it is made of. The matrix is "
            "symmetric, and its diagonal holds each map with itself. Positions do not enter: a "
            "texture may lie anywhere."))
