"""A plot of what a network takes a photo for: the probabilities of all classes, by their numbers.

One class that stands out alone, or many that share the rest, can be told apart at once; a list of
the best five shows only the first.
"""

from typing import Any, NamedTuple

import numpy as np

from minicnn import images
from minicnn.terminal import escaped

WIDE, PHOTO, HIGH = 6.4, 1.7, 2.6  # inches: the plot's width; height of a photo, of its panel
DPI = 110
MOST = 20  # photos on one plot
NAMED = 8  # most classes whose names are written
ROOM = 0.4  # share of a panel's height that their names take


class Seen(NamedTuple):
    """What a network made of a photo.

    `title` is the photo's name, `photo` the photo as the network saw it, (H, W, 3) uint8,
    `probabilities` are those of all K classes, (K,).
    """

    title: str
    photo: Any
    probabilities: Any


def likeliest(p, top):
    """The numbers of the `top` classes with the highest probabilities, the highest first."""
    return [int(k) for k in np.argsort(-p, kind="stable")[:top]]


def plot(path, seen, name, top=5):
    """Draw the probabilities and save them as a PNG or JPEG file; see `draw`."""
    images.save(path, draw(seen, name, top))


def draw(seen, name, top=5):
    """Draw each photo and below it the probability of every class as a stem.

    Parameters
    ----------
    seen : list of Seen
        At most 20.
    name : callable
        From a class's number to its name, such as `Network.label`.
    top : int
        The numbers and names of so many classes are written, at most 8.

    Returns
    -------
    (H, W, 3) uint8

    Raises
    ------
    ValueError
        No photos, or too many.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    check(len(seen))
    figure = Figure((WIDE, (PHOTO + HIGH) * len(seen)), DPI, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    panels = figure.subplots(2 * len(seen), height_ratios=[PHOTO, HIGH] * len(seen))
    for above, below, one in zip(panels[::2], panels[1::2], seen, strict=True):
        above.imshow(one.photo)
        above.set_title(escaped(one.title), fontsize="medium", parse_math=False)
        above.axis("off")
        _stems(below, np.asarray(one.probabilities), name, min(top, NAMED))
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def check(count):
    """Raise ValueError unless so many photos have room on one plot."""
    if not 1 <= count <= MOST:
        raise ValueError(f"the plot has room for 1 to {MOST} photos, got {count}; plot a few at a "
                         "time")


def _stems(axes, p, name, top):
    """Every class's stem, and above them the names of the highest, each on a line of its own."""
    from matplotlib.ticker import MaxNLocator

    count, high = len(p), max(float(p.max()), 1e-9)
    axes.vlines(np.arange(count), 0, p, linewidth=np.clip(200 / count, 1.0, 6.0))
    axes.set(xlim=(-0.02 * count - 0.5, 1.02 * count - 0.5), ylim=(0, high / (1 - ROOM)),
             xlabel="number of the class", ylabel="probability")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_yticks([tick for tick in MaxNLocator(4).tick_values(0, high) if 0 <= tick <= high])
    for rank, k in enumerate(likeliest(p, top)):
        words = f"{k} {name(k).partition(',')[0]} {p[k]:.1%}"
        axes.annotate(
            words, (k, p[k]), (k, high * (1 + ROOM / (1 - ROOM) * (1 - (rank + 1) / (top + 0.5)))),
            ha="left" if k < count / 2 else "right", va="bottom", fontsize="small",
            parse_math=False, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
            arrowprops={"arrowstyle": "-", "color": "0.6", "linewidth": 0.7, "linestyle": ":",
                        "shrinkA": 0, "shrinkB": 3,  # a gap, so that no stem looks longer
                        "relpos": (0.0 if k < count / 2 else 1.0, 0.0)})
