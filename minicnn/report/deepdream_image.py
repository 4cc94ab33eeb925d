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
    if found.settings["output_scaling"] == "linear":
        pictures = np.rint(255 * found.images).astype(np.uint8)
    else:
        pictures = display.signed_to_uint8(found.images)
    tiles = contact_sheet(pictures, labels=found.names, tile=thumbnail,
                          title=f"Layer {found.settings['layer']} features")
    return caption(tiles, found.caption)
