"""The sheet of a zoom's frames."""

import numpy as np

from minicnn.report.contact_sheet import caption, contact_sheet

TILE = 160  # pixels


def sheet(found, most=25):
    """The frames of a zoom in order, at most so many, evenly chosen, the first and last among them.

    Parameters
    ----------
    found : vis.zoom.Zoom
    most : int

    Returns
    -------
    (H, W, 3) uint8
    """
    count = len(found.frames)
    chosen = np.linspace(0, count - 1, min(most, count)).round().astype(int)
    tiles = contact_sheet(found.frames[chosen], labels=[f"{k + 1}" for k in chosen], tile=TILE)
    return caption(tiles, found.caption)
