"""Show pictures, records and arrays of numbers in a window or in a notebook."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Sequence
from math import ceil
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minicnn.backend import to_host
from minicnn.images import display
from minicnn.images.pictures import ImageError, check_finite, load

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE, BAR = 3.0, 0.8  # inches: a picture's height, the width of a colour bar with its numbers
SMALL = 7  # size of a text, in points
MOST, BESIDE = 24, 8  # images of a batch, and how many of them stand side by side
ROW = 16  # channels a row
WIDEST = 16  # times as wide as high; what is wider is shown lower


class Panel(NamedTuple):
    """One image of the figure: pixels, or numbers, with the bar of their colours."""

    image: np.ndarray
    title: str
    bar: display.ColourBar | None = None


def show(*pictures: Any, titles: Sequence[str] | None = None, side: float = SIDE,
         low: float | None = None, high: float | None = None) -> Figure:
    """Show pictures, records and arrays of numbers side by side, all of the same height.

    A uint8 array is a picture, and is shown as it is. Other numbers have one scale for the whole
    array, which the figure states. Three channels are a colour picture, the smallest number black
    and the largest white. One channel is a map in viridis beside its colour bar, and so are the
    maps of any other number of channels, 16 a row. A record of a map is shown in its own colours.

    Parameters
    ----------
    *pictures : arrays, records with a picture, or paths of photos
        (H, W), (H, W, C), a batch (N, H, W, C), of which the first 24 are shown, or (C,), which is
        laid out row by row, nearly square. Channels are red first. A list counts as several.
    titles : sequence of str, optional
        One for each of the pictures. By default the caption of a record, the name of a file, the
        shape and the scale of an array of numbers, the number of an image of a batch.
    side : float
        The height of each picture, in inches.
    low, high : number, optional
        The ends of the scale of numbers, beyond which they are clipped. By default each array's
        smallest and largest number.

    Returns
    -------
    matplotlib.figure.Figure
        ``figure.savefig("all.png")`` saves it. A notebook shows it once, also where the call is the
        last line of a cell.

    Raises
    ------
    ValueError
        No pictures, or an argument that is no array of real, finite numbers of such a shape.
    """
    import matplotlib.pyplot as plt
    from matplotlib.cm import ScalarMappable

    given = [one for some in pictures
             for one in (some if isinstance(some, (list, tuple)) else [some])]
    if not given:
        raise ValueError("show: give at least one picture")
    if titles is not None and len(titles) != len(given):
        raise ValueError(f"show: expected a title for each of the {len(given)} pictures, got "
                         f"{len(titles)}")
    panels = [panel for one, title in zip(given, titles or [None] * len(given), strict=True)
              for panel in _panels(one, title, low, high)]
    columns = len(panels) if len(panels) == len(given) else min(BESIDE, len(panels))
    rows = -(-len(panels) // columns)
    wide = [min(WIDEST, panel.image.shape[1] / panel.image.shape[0]) for panel in panels]
    widths = [max(wide[k::columns]) for k in range(columns)]
    beside = BAR * sum(any(panel.bar for panel in panels[k::columns]) for k in range(columns))
    figure, axes = plt.subplots(
        rows, columns, squeeze=False, width_ratios=widths, layout="constrained",
        figsize=(max(SIDE, side * sum(widths) + beside), rows * (side + 0.6)))
    for place in axes.flat:
        place.axis("off")
    for place, (image, title, bar) in zip(axes.flat, panels, strict=False):
        low, high, unit, colours = bar or display.ColourBar(0, 255, colours="gray")
        place.imshow(image, cmap=colours, vmin=low, vmax=high, interpolation="nearest")
        if bar is not None:
            scale = ScalarMappable(plt.Normalize(low, high), colours)
            beside = figure.colorbar(scale, ax=place, fraction=0.05)
            beside.set_label(unit, fontsize=SMALL)
            beside.ax.tick_params(labelsize=SMALL)
        place.set_title(fill(title, 40), fontsize=SMALL)
    with warnings.catch_warnings():  # without a screen no window can open
        warnings.filterwarnings("ignore", message=".*non-interactive.*")
        plt.show()
    _not_again(figure)
    return figure


def _panels(given, title, low, high) -> Iterator[Panel]:
    """The panels of a photo's file, a record or an array."""
    bar = None
    title = getattr(given, "caption", None) if title is None else title
    if isinstance(given, (str, Path)):
        title, given = Path(given).name if title is None else title, load(given)
    elif hasattr(given, "views"):
        _, _, given, bar, _ = given.view()
    array = np.asarray(to_host(getattr(given, "image", given)))
    if array.dtype.kind not in "fiub" or not 1 <= array.ndim <= 4 or not array.size:
        raise ImageError("show: expected real numbers (H, W), (H, W, C), (N, H, W, C) or (C,), or "
                         "a record with a picture, or a photo's path, got "
                         + (f"{array.dtype} {array.shape}" if hasattr(given, "dtype")
                            else type(given).__name__))
    check_finite(array, "show")
    is_picture = array.dtype == np.uint8 and (array.ndim == 2 or array.ndim > 2
                                              and array.shape[-1] in (1, 3, 4))
    ends = _ends(array, low, high)
    if array.ndim == 1:
        side = ceil(len(array)**0.5)
        planes = np.pad(array.astype(np.float64), (0, -len(array) % side), constant_values=np.nan)
        batch = planes.reshape(1, -1, side, 1)  # C -> 1,rows,side,1
    else:
        batch = array[None, ..., None] if array.ndim == 2 else array.reshape(-1, *array.shape[-3:])
    for k, one in enumerate(batch[:MOST]):
        words = [f"{k} of {len(batch)}"] * (len(batch) > 1)
        if is_picture:
            yield Panel(one, ", ".join(words) if title is None else title, bar)
            continue
        words += ["x".join(map(str, array.shape[-3:])), "{:.4g} to {:.4g}".format(*ends)]
        words = ", ".join(words) if title is None else title
        if one.shape[2] == 3:
            known = ends if ends[0] < ends[1] else (None, None)
            yield Panel(display.to_uint8(one, *known), words)
        else:
            planes = one.astype(np.float64).transpose(2, 0, 1)[..., None]  # H,W,C -> C,H,W,1
            yield Panel(display.tiled(planes, min(ROW, len(planes)), np.nan)[..., 0], words,
                        display.ColourBar(*ends))


def _ends(array, low, high):
    """The ends of an array's scale."""
    ends = tuple(float(own if given is None else given)
                 for own, given in ((array.min(), low), (array.max(), high)))
    if (low, high) != (None, None) and not ends[0] < ends[1]:
        raise ImageError(f"show: low must be below high, got {ends[0]:g} and {ends[1]:g}")
    return ends


def _not_again(figure):
    """Keep a notebook from showing a figure again as the value of the cell that has shown it."""
    interactive = sys.modules.get("IPython")
    shell = None if interactive is None else interactive.get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return
    cell = shell.execution_count

    def display():  # which IPython asks first; another cell shows the figure as always
        if shell.execution_count != cell:
            raise NotImplementedError

    figure._ipython_display_ = display
