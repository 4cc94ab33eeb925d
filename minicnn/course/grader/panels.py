"""The picture of a network question: theirs beside the page's, with titles."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def strongest_map(a):
    """The map (H, W) of the first image that holds its largest number; a row of numbers as (1, C).
    """
    return a[0, ..., np.argmax(a[0]) % a.shape[-1]] if a.ndim == 4 else a[:1]


def compared(before, theirs, right):
    """A picture of theirs beside the page's, and the difference; before them (title, picture)."""
    gap = np.abs(theirs.astype(int) - right).astype(np.uint8)
    return panels(dict([before]) | {"your code": theirs, "the page": right,
                                    "the difference": gap})


def panels(pictures, bars=None):
    """Pictures with titles side by side, and the likeliest classes as bars.

    Parameters
    ----------
    pictures : dict of str to array
    bars : dict of str to (probability by their code, by the page), optional

    Returns
    -------
    array (H, W, 3) of uint8
    """
    widths = [1.0] * len(pictures) + [1.4] * (bars is not None)
    figure = Figure((2.1 * sum(widths), 2.4), dpi=90, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = np.ravel(figure.subplots(1, len(widths), width_ratios=widths))
    for one, (title, shown) in zip(axes, pictures.items(), strict=False):
        one.imshow(shown, aspect="equal" if shown.shape[0] > 1 else "auto")
        one.set_title(title, fontsize=9)
        one.axis("off")
    if bars is not None:
        _bars(axes[-1], bars)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _bars(axes, bars):
    places = np.arange(len(bars))[::-1]
    for index, (who, colour) in enumerate((("your code", "#1f77b4"), ("the page", "#bbbbbb"))):
        axes.barh(places + 0.2 - 0.4 * index, [pair[index] for pair in bars.values()], 0.4,
                  label=who, color=colour)
    axes.set_yticks(places, bars)
    axes.set_xlabel("probability", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.legend(fontsize=7)
