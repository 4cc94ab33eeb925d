"""The sheet of deepDreamImage's pictures, as MATLAB's imtile lays them out."""

import numpy as np

from minicnn.images import display
from minicnn.report.contact_sheet import caption, contact_sheet


def sheet(found, thumbnail=128):
    """All pictures with the names of their channels or classes below.

    Parameters
    ----------
    found : vis.deepdream_image.DeepDreamImage
    thumbnail : int
        Side of each in pixels.

    Returns
    -------
    (H, W, 3) uint8
        Pictures in the network's input values (output scaling "none") are shown with its mean
        colour as grey, all on one scale.
    """
    tiles = contact_sheet(shown(found), labels=found.names, tile=thumbnail,
                          title=f"Layer {found.settings['layer']} features")
    return caption(tiles, found.caption)


def shown(found):
    """The pictures as the sheet shows them, at their own size: (N, H, W, 3) uint8."""
    if found.settings["output_scaling"] == "linear":
        return np.rint(255 * found.images).astype(np.uint8)
    return display.signed_to_uint8(found.images)
