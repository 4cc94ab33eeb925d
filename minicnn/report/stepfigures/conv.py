"""A convolution to step through: its windows, its way back, and its matrix of columns."""

import numpy as np

from minicnn.ops import conv
from minicnn.report.stepfigures import arrays
from minicnn.report.stepfigures.figure import StepFigure, about
from minicnn.report.stepfigures.tables import grid, row, size

ROWS, COLUMNS = 36, 32  # of im2col's matrix
WINDOWS = (
    "minicnn.ops.conv", 2,
    "Lay the kernel on a window of <i>x</i>, multiply each pixel by the weight that lies on it, "
    "and add; last comes the bias. With stride S the window moves S pixels at a time; with "
    "padding P there are P zeros on every side; with dilation D the samples of a window lie D "
    "apart.",
    "<pre>y[p, q] = b + sum over i, j, c of  x[S p + D i − P, S q + D j − P, c] · w[i, j, c]</pre>",
    "Now the other way round. A pixel is read by several windows, each time with another weight. "
    "Those weights say by how much the outputs change when the pixel does: they are what the "
    "gradient at the pixel is made of.")
WAY_BACK = (
    "minicnn.ops.conv", 3,
    "Let a number, the loss, depend on <i>y</i>, and let <i>dy</i> say how much it grows with each "
    "output. By the chain rule the gradient at a factor is the sum, over all outputs that contain "
    "it, of <i>dy</i> times the other factor:",
    "<pre>dx[h, k]    = sum over the windows that read the pixel of  dy[p, q] · w[i, j]\n"
    "dw[i, j]    = sum over all windows of  dy[p, q] · x[S p + D i − P, S q + D j − P]\n"
    "db          = sum over all windows of  dy[p, q]</pre>",
    "Point at a number of <i>dx</i> to see all that arrive there. Of the windows that read a "
    "pixel, a later one reads it with an earlier weight. So, at stride 1, <i>dx</i> is itself a "
    "convolution: of <i>dy</i> with the kernel turned by half a turn. "
    "Point at a number of <i>dw</i> to see every pixel that met the weight. At other settings the "
    "page cuts <i>dy</i> to the size of the output, or repeats it where it is too small.")
MATRIX = (
    "minicnn.ops.conv", 2,
    "Point at a row of <i>cols</i> to see the window it was copied from, and at a pixel to see all "
    "its copies.",
    "<pre>y     = cols · W + b        im2col: copy windows into rows\n"
    "dcols = dy · Wᵀ\n"
    "dx    = col2im(dcols)       add each entry to the pixel that it was copied from</pre>",
    "The count says into how many windows a pixel was copied: few at the border, many in the "
    "middle, and with a large stride some into none.")


def step_conv(x, w, b=None, stride=1, pad=0, dilation=1):
    """A convolution window by window: patch times kernel, the products, their sum and the bias.

    On the page an output shows its window, and an input all outputs that use it.

    Parameters
    ----------
    x : array (H, W), (H, W, C) or (1, H, W, C)
        At most 12 x 12 x 8.
    w : array (KH, KW), (KH, KW, C) or (KH, KW, C, O)
        At most 7 x 7, and 8 kernels.
    b : array (O,), optional
    stride, pad, dilation : int or (vertical, horizontal)
        As the page opens; the reader can change them there.

    Returns
    -------
    StepFigure

    Raises
    ------
    ValueError
        Arrays that are too large for a page, do not fit together, or are not finite.

    Examples
    --------
    >>> figure = step_conv(np.arange(9.).reshape(3, 3), np.ones((2, 2)))
    >>> np.array(figure.data["library"]["y"])[..., 0]
    array([[ 8., 12.],
           [20., 24.]])
    """
    given = _given("step_conv", x, w, b, stride, pad, dilation)
    y = conv.forward(*_arguments(given))[0][0]
    x, w, (kh, kw) = given["x"], given["w"], given["w"].shape[:2]
    (ph, pw), (dh, dw) = given["pad"], given["dilation"]
    window = [(dh * i, dw * j) for i, j in np.ndindex(kh, kw)]
    padded = np.pad(x[..., 0], ((ph, ph), (pw, pw)))
    patch = np.array([padded[place] for place in window]).reshape(kh, kw)
    still = [row(grid("x", f"the input, {size(x)}; framed: the first window", padded, window,
                      (-ph, -pw)), "→", grid("y", "the output", y[..., 0], [(0, 0)])),
             row(grid("window", "(0, 0) of x", patch), "×", grid("w", "the kernel", w[..., 0, 0]),
                 "=", grid("products", "their sum and the bias are y[0, 0]",
                           patch * w[..., 0, 0]))]
    return StepFigure(
        title="One window of a convolution",
        lead="Each output is a sum of products over one window. Point at an output to see its "
             "window, at an input to see every output that uses it.",
        data=_data("conv", given, {"y": y.tolist()}), still=still, text=about(*WINDOWS))


def step_conv_back(x, w, b=None, dy=None, stride=1, pad=0, dilation=1):
    """The way back through a convolution: dy spreads the kernel onto dx, and overlaps add up.

    Parameters
    ----------
    x, w, b, stride, pad, dilation
        As for `step_conv`.
    dy : array (OH, OW) or (OH, OW, O), optional
        The gradient at the output; ones by default. For other settings the page cuts it, or
        repeats it in both directions.

    Returns
    -------
    StepFigure

    Raises
    ------
    ValueError
        As for `step_conv`; a dy of another shape.
    """
    given, results = _both("step_conv_back", x, w, b, dy, stride, pad, dilation)
    x, w, dy = given["x"], given["w"], given["dy"]
    still = [row(grid("dy", "gradient at y", dy[..., 0]), "→",
                 grid("dx", f"gradient at x, {size(x)}", results["dx"][..., 0])),
             row(grid("w", "the kernel", w[..., 0, 0]),
                 grid("dw", "gradient at w", results["dw"][..., 0, 0]),
                 grid("db", "gradient at b", results["db"][None, :1]))]
    return StepFigure(
        title="The way back through a convolution",
        lead="Each output sends its <i>dy</i>, times the kernel, to the pixels that it read. Where "
             "windows overlap, the numbers add up.",
        data=_data("back", given, {name: one.tolist() for name, one in results.items()
                                   if name in ("dx", "dw", "db")}),
        still=still, text=about(*WAY_BACK))


def step_columns(x, w, b=None, dy=None, stride=1, pad=0, dilation=1):
    """im2col and col2im: window i is row i of a matrix; the copies of a pixel add up.

    Parameters
    ----------
    x, w, b, dy, stride, pad, dilation
        As for `step_conv_back`; at most 36 windows and 32 weights in a kernel, for the matrix must
        be readable.

    Returns
    -------
    StepFigure

    Raises
    ------
    ValueError
        As for `step_conv_back`; too many windows or weights.
    """
    given, results = _both("step_columns", x, w, b, dy, stride, pad, dilation)
    x, w, y = given["x"], given["w"], results["y"]
    arrays.few(y[..., 0].size, ROWS, "step_columns", "windows", "x[:8, :8], or a larger stride")
    arrays.few(w[..., 0].size, COLUMNS, "step_columns", "weights in a kernel", "x[..., :1]")
    still = [row(grid("x", f"the input, {size(x)}", x[..., 0]),
                 grid("copies", "windows that read each pixel", results["count"])),
             row(grid("W", "w as a column", w[..., 0].reshape(-1, 1)),
                 grid("y", "a row for each window", y[..., 0].reshape(-1, 1)))]
    return StepFigure(
        title="A convolution as one matrix product",
        lead="Copy each window into a row of a matrix, and all sums of products are one product of "
             "matrices. On the way back the copies of a pixel add up.",
        data=_data("columns", given, {name: results[name].tolist()
                                      for name in ("y", "dx", "count")}),
        still=still, text=about(*MATRIX))


# ---- the arrays

def _given(what, x, w, b, stride, pad, dilation):
    x = arrays.image(x, f"{what}, x")
    w = arrays.kernels(w, x.shape[2], f"{what}, w")
    b = np.zeros(w.shape[3]) if b is None else np.atleast_1d(arrays.finite(b, f"{what}, b"))
    settings = {name: arrays.pair(value, f"{what}, {name}") for name, value in
                {"stride": stride, "pad": pad, "dilation": dilation}.items()}
    padded = max(2 * p + n for p, n in zip(settings["pad"], x.shape, strict=False))
    arrays.few(padded, arrays.MOST + 4, f"{what}, x with its padding", "rows or columns",
               "x[:8, :8]")
    return {"x": x, "w": w, "b": b, **settings}


def _arguments(given):
    return (given["x"][None], given["w"], given["b"], given["stride"], given["pad"], 1,
            given["dilation"])


def _both(what, x, w, b, dy, stride, pad, dilation):
    """What is given, and y, dx, dw, db and how many windows read each pixel."""
    given = _given(what, x, w, b, stride, pad, dilation)
    y, cache = conv.forward(*_arguments(given))
    given["dy"] = arrays.gradient(dy, y.shape[1:], f"{what}, dy")
    dx, dw, db = conv.backward(given["dy"][None], cache)
    ones = cache._replace(w=np.ones_like(cache.w[..., :1]))  # then each window sends a 1
    count = conv.backward(np.ones_like(y[..., :1]), ones, need=("x",)).dx[0, ..., 0]
    return given, {"y": y[0], "dx": dx[0], "dw": dw, "db": db, "count": count}


def _data(kind, given, library):
    settings = {"size": max(given["w"].shape[:2]), "c": 0, "o": 0}
    settings |= {name: arrays.named(given[name]) for name in ("stride", "pad", "dilation")}
    return {"kind": kind, "settings": settings, "library": library,
            **{name: given[name].tolist() for name in ("x", "w", "b", "dy") if name in given}}
