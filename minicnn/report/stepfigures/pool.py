"""Max pooling to step through: windows, switches, and the way back, which unpools."""

import numpy as np

from minicnn.ops import pool
from minicnn.report.stepfigures import arrays
from minicnn.report.stepfigures.figure import StepFigure, about
from minicnn.report.stepfigures.tables import grid, row, size


def step_pool(x, window=2, stride=None, pad=0, rounding="floor", dy=None):
    """Max pooling window by window, its switches, and unpooling with overlap.

    Parameters
    ----------
    x : array (H, W)
        At most 12 x 12.
    window : int or (vertical, horizontal)
        At most 5.
    stride : int or pair, optional
        By default the window's size.
    pad : int or pair
    rounding : {"floor", "ceil"}
    dy : array (OH, OW), optional
        The gradient at the output; ones by default. For other settings the page cuts it, or
        repeats it in both directions.

    Returns
    -------
    StepFigure

    Raises
    ------
    ValueError
        Arrays that are too large for a page, are not finite, or do not fit the settings.

    Examples
    --------
    >>> figure = step_pool([[3., 1., 2.], [0., 3., 5.], [5., 4., 5.]], window=2, stride=1)
    >>> figure.data["library"]["switches"]
    [[0, 3], [2, 1]]
    """
    x = arrays.image(x, "step_pool, x", channels=False)
    stride = window if stride is None else stride
    window, stride, pad = (arrays.pair(value, f"step_pool, {name}") for name, value in (
        ("window", window), ("stride", stride), ("pad", pad)))
    arrays.few(max(window), 5, "step_pool, window", "rows", "window=5")
    y, cache = pool.forward(x[None, ..., None], window, stride, pad, rounding)
    dy = arrays.gradient(dy, y.shape[1:3], "step_pool, dy")
    dx = pool.backward(dy[None, ..., None], cache)[0, ..., 0]
    unpooled = pool.unpool(y, *cache)[0, ..., 0]
    y, switches = y[0, ..., 0], cache.switches[0, ..., 0]
    first = [*np.ndindex(window[0] - pad[0], window[1] - pad[1])]
    still = [row(grid("x", f"the input, {size(x)}; framed: the first window", x, first), "→",
                 grid("y", "the output", y, [(0, 0)]),
                 grid("switches", "place of the maximum", switches)),
             row(grid("dy", "gradient at y", dy), "→", grid("dx", "gradient at x", dx)),
             row(grid("y", "the output", y), "→",
                 grid("unpooled", "each maximum at its place", unpooled))]
    settings = {"window": arrays.named(window), "stride": arrays.named(stride),
                "pad": arrays.named(pad), "rounding": rounding}
    return StepFigure(
        title="Max pooling, its switches, and unpooling",
        lead="Pooling keeps the largest number of each window and forgets where it was. The switch "
             "remembers, and leads back.",
        data={"kind": "pool", "settings": settings, "x": x.tolist(), "dy": dy.tolist(),
              "library": {"y": y.tolist(), "switches": switches.tolist(), "dx": dx.tolist(),
                          "unpooled": unpooled.tolist()}},
        still=still, text=about(
            "minicnn.ops.pool", 4,
            "The places in a window are numbered row by row. The switch of a window is the number "
            "of the place that won; of equal numbers the first wins. Padding is minus infinity, so "
            "that it never wins.",
            "<pre>y[p, q]  = max over i, j of  x[S p + i − P, S q + j − P]\n"
            "dx[h, k] = sum of dy[p, q] over the windows whose switch says (h, k)</pre>",
            "Choose a stride smaller than the window: the windows overlap, one pixel can be the "
            "maximum of several, and what comes back through them adds up. A gradient sends "
            "<i>dy</i> back; the unpooling of a deconvnet sends back the values, here <i>y</i>, by "
            "the same switches. Where the maximum of a single window was, the value of <i>x</i> "
            "stands again; where windows overlap, it is a multiple. At other settings the page "
            "cuts <i>dy</i> to the size of the output, or repeats it where it is too small."))
