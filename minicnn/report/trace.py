"""How an ascent went: its value, and each term's share of it, step by step, as a plot."""

import numpy as np

from minicnn import images
from minicnn.backend import to_host

WIDE, HIGH = 7.0, 1.8  # inches: the plot, and each of its panels
DPI = 100


class Shares:
    """Gathers what `plot` shows; give it to a method as `watch`.

    Attributes
    ----------
    values : list of arrays (N,)
        The objective at each step.
    by_term : dict of str to list of arrays (N,)
        Each term's share of it.
    """

    def __init__(self):
        self.values, self.by_term = [], {}

    def __call__(self, step):
        self.values.append(to_host(step.value))
        for name, share in step.by_term.items():
            self.by_term.setdefault(name, []).append(to_host(share))


def plot(path, trace, by_term=None, title=""):
    """Draw a trace and save it as a PNG or JPEG file.

    Parameters
    ----------
    path : str or path
    trace : array (steps + 1, N)
        The objective before each step and after the last; a line an image.
    by_term : dict of str to array (steps + 1, N), optional
        Each term's share: a panel of its own below, with its own scale, where there are several.
    title : str

    Raises
    ------
    ImageError
        Another suffix.
    ValueError
        A trace of another shape, or without a step; a folder that does not exist.
    """
    images.save(path, draw(trace, by_term, title))


def draw(trace, by_term=None, title=""):
    """What `plot` saves, as a picture (H, W, 3) uint8."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = {"value": _checked("trace", trace)}
    if by_term is not None and len(by_term) > 1:
        panels |= {name: _checked(name, share) for name, share in by_term.items()}
    figure = Figure((WIDE, HIGH * len(panels) + 0.6), DPI, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    columns = figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0]
    for axes, (name, values) in zip(columns, panels.items(), strict=True):
        axes.plot(values, marker="." if len(values) < 3 else None)
        axes.set_ylabel(name)
        axes.grid(alpha=0.3)
    columns[-1].set_xlabel("step")
    columns[-1].xaxis.get_major_locator().set_params(integer=True)
    figure.suptitle(title, fontsize="medium", wrap=True)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _checked(name, values):
    values = np.asarray(values, np.float64)
    if values.ndim != 2 or not values.size:
        raise ValueError(f"plot: {name}: expected (steps + 1, N), a number a step and image, got "
                         f"{values.shape}")
    return values
