"""Arrays that are no photos, made visible: any range of numbers spread over 0..255."""

import numpy as np

from minicnn.images import ImageError, check_finite

MID_GREY = 128


def to_uint8(a, low=None, high=None):
    """Spread any real array over 0..255 for display, with one scale for the whole array.

    Parameters
    ----------
    a : array of any shape
        Pass pictures one by one where each shall use the full range.
    low, high : number or None
        What becomes 0 and 255; None takes the smallest and the largest value. Beyond is clipped.

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


def signed_to_uint8(a, limit=None):
    """Show signed values (gradients, projections): zero is mid-grey, 128; signs are comparable.

    Parameters
    ----------
    a : array of any shape
    limit : number above 0, or None
        +limit becomes 255 and -limit 1; None takes the largest magnitude. Beyond is clipped.

    Returns
    -------
    pixels : uint8, the shape of a

    Examples
    --------
    >>> signed_to_uint8(np.array([-2.0, 0.0, 1.0])).tolist()
    [1, 128, 192]
    """
    a = _displayable(a, "display.signed_to_uint8")
    if limit is not None and not limit > 0:
        raise ImageError(f"display.signed_to_uint8: limit must be above 0, got {limit}")
    limit = np.abs(a).max() if limit is None else limit
    if limit == 0:
        return np.full(a.shape, MID_GREY, np.uint8)
    return np.rint(MID_GREY + 127 * np.clip(a / limit, -1, 1)).astype(np.uint8)


def coloured(levels, colours="viridis"):
    """Give grey levels the colours of one of matplotlib's maps, which is imported here.

    Parameters
    ----------
    levels : uint8 array of any shape
        From `to_uint8` or the like: 0 takes the map's first colour, 255 its last.
    colours : str
        A name that matplotlib knows; viridis is read alike by all eyes, and on grey paper.

    Returns
    -------
    pixels : uint8, the shape of levels and three colours after it

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


def _displayable(a, who):
    a = np.asarray(a)
    if a.dtype.kind not in "fiub" or a.size == 0:
        raise ImageError(f"{who}: expected real numbers, got {a.dtype} of shape {a.shape}")
    check_finite(a, who)
    return a.astype(np.float64)
