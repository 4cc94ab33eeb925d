"""Arrays of numbers as pixels 0..255, to make them visible; the channels of a layer as pictures."""

from typing import NamedTuple

import numpy as np

from minicnn.images.pictures import ImageError, check_choice, check_finite

MID_GREY = 128
SCALES = ("deviation", "range", "layer")  # of `levels`


class ColourBar(NamedTuple):
    """The numbers at the ends of a colour map, and their unit.

    `colours` is the name of one of matplotlib's colour maps, whose first colour stands for `low`
    and below, whose last for `high` and above.
    """

    low: float | str
    high: float | str
    unit: str = ""
    colours: str = "viridis"


def signed(limit: float, unit: str = "") -> ColourBar:
    """The bar of `signed_to_uint8`: zero is grey."""
    return ColourBar(-limit, limit, unit, "gray")


def to_uint8(a: np.ndarray, low: float | None = None, high: float | None = None) -> np.ndarray:
    """Scale any real array to 0..255 for display, with one scale for the whole array.

    Parameters
    ----------
    a : array of any shape
        To give each of several pictures the full range, pass them one by one.
    low, high : number or None
        The values that become 0 and 255; None means the smallest and the largest value. Values
        outside are clipped.

    Returns
    -------
    pixels : uint8, the shape of a
        All mid-grey (128) if every value is the same.

    Examples
    --------
    >>> to_uint8(np.array([-1.0, 0.0, 3.0])).tolist()
    [0, 64, 255]
    """
    a = _displayable(a, "display.to_uint8")
    if low is not None and high is not None and not low < high:
        raise ImageError(f"display.to_uint8: low must be below high, got {low} and {high}")
    low = a.min() if low is None else low
    high = a.max() if high is None else high
    if not low < high:
        return np.full(a.shape, MID_GREY, np.uint8)
    return np.rint((np.clip(a, low, high) - low) * (255 / (high - low))).astype(np.uint8)


def signed_to_uint8(a: np.ndarray, limit: float | None = None, gamma: float = 1.0) -> np.ndarray:
    """Show signed values (gradients, projections) with zero as mid-grey, 128, and one scale.

    Parameters
    ----------
    a : array of any shape
    limit : number above 0, or None
        +limit becomes 255 and -limit 1; None means the largest magnitude. Values beyond the limit
        are clipped.
    gamma : number above 0
        The power of the magnitude, as a share of the limit, that is shown; below 1 it makes what is
        faint stronger.

    Returns
    -------
    pixels : uint8, the shape of a

    Examples
    --------
    >>> signed_to_uint8(np.array([-2.0, 0.0, 1.0])).tolist()
    [1, 128, 192]
    >>> signed_to_uint8(np.array([-2.0, 0.0, 1.0]), gamma=0.5).tolist()  # sqrt(1/2): 0.71
    [1, 128, 218]
    """
    a = _displayable(a, "display.signed_to_uint8")
    if limit is not None and not limit > 0:
        raise ImageError(f"display.signed_to_uint8: limit must be above 0, got {limit}")
    limit = np.abs(a).max() if limit is None else limit
    if limit == 0:
        return np.full(a.shape, MID_GREY, np.uint8)
    share = np.clip(a / limit, -1, 1)
    return np.rint(MID_GREY + 127 * np.sign(share) * np.abs(share)**gamma).astype(np.uint8)


def coloured(levels: np.ndarray, colours: str = "viridis") -> np.ndarray:
    """Map grey levels to the colours of one of matplotlib's colour maps.

    Parameters
    ----------
    levels : uint8 array of any shape
        For example from `to_uint8`: 0 becomes the map's first colour, 255 its last.
    colours : str
        The name of a colour map; viridis also suits colour-blind readers and grey prints.

    Returns
    -------
    pixels : uint8, the shape of levels with an axis of three colours added

    Examples
    --------
    >>> coloured(np.array([0, 255], np.uint8)).tolist()
    [[68, 1, 84], [253, 231, 36]]
    """
    import matplotlib

    if levels.dtype != np.uint8:
        raise ImageError(f"display.coloured: expected uint8 levels 0..255, got {levels.dtype}; "
                         "use display.to_uint8 first")
    return matplotlib.colormaps[colours](levels, bytes=True)[..., :3]


def levels(a: np.ndarray, scale: str = "deviation") -> np.ndarray:
    """Turn the activations of one layer into grey levels.

    Parameters
    ----------
    a : array (H, W, C) or (C,)
        A layer without positions is one picture and is scaled as a whole.
    scale : {"deviation", "range", "layer"}
        deviation: 128 + 64 (a - mean) / std of each channel, clipped to 0..255 and cut to a whole
        number. range: the smallest activation of a channel becomes 0 and its largest 255, as
        matplotlib does by default. layer: one range for all channels, so that strong and weak ones
        can be told apart; 0 stands for zero, or for the smallest activation if that is negative,
        and 255 for the largest.

    Returns
    -------
    uint8, the shape of a
        With deviation and range a blank channel, which has one value throughout, is 0.
    """
    check_choice("scale", scale, SCALES)
    check_finite(a, "activations")
    a = np.asarray(a, np.float64)
    axes = (0, 1) if a.ndim == 3 else None
    low, high = a.min(axis=axes), a.max(axis=axes)  # H,W,C -> C
    if scale == "layer":
        low, high = min(0, a.min()), a.max()
    blank = low == high
    if scale == "deviation":
        shown = 128 + 64 * (a - a.mean(axis=axes)) / np.where(blank, 1, a.std(axis=axes))
    else:
        shown = 255 * (a - low) / np.where(blank, 1, high - low)
    return np.where(blank, 0, shown.clip(0, 255)).astype(np.uint8)


def channels(levels: np.ndarray) -> np.ndarray:
    """Grey levels (H, W, C) as pictures (C, H, W, 3) in colour; units (C,) as single pixels."""
    planes = levels if levels.ndim == 3 else levels[None, None]  # C -> 1,1,C
    return coloured(planes.transpose(2, 0, 1))  # H,W,C -> C,H,W -> C,H,W,3


def tiled(pictures: np.ndarray, columns: int, blank: float = 255) -> np.ndarray:
    """Pictures (N, H, W, C) in rows of `columns`, one pixel of `blank` apart, as one picture.

    Examples
    --------
    >>> tiled(np.zeros((3, 1, 1, 3), np.uint8), 2)[..., 0].tolist()
    [[0, 255, 0], [255, 255, 255], [0, 255, 255]]
    """
    empty = -len(pictures) % columns
    tiles = np.pad(pictures, ((0, empty), (0, 1), (0, 1), (0, 0)), constant_values=blank)
    _, h, w, c = tiles.shape
    rows = tiles.reshape(-1, columns, h, w, c).swapaxes(1, 2)  # N,H,W,C -> rows,H,columns,W,C
    return rows.reshape(-1, columns * w, c)[:-1, :-1]


def _displayable(a, who):
    a = np.asarray(a)
    if a.dtype.kind not in "fiub" or a.size == 0:
        raise ImageError(f"{who}: expected real numbers, got {a.dtype} of shape {a.shape}")
    check_finite(a, who)
    return a.astype(np.float64)
