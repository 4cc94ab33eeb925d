"""The sheet of deepDreamImage's pictures, as MATLAB's imtile lays them out."""

import numpy as np

from minicnn.images import display
from minicnn.report.contact_sheet import caption, contact_sheet, roomy


def sheet(found, thumbnail=None):
    """All pictures with the names of their channels or classes below.

    Parameters
    ----------
    found : vis.deepdream_image.DeepDreamImage
    thumbnail : int, optional
        Side of each in pixels. By default, such that the sheet is about 1000 pixels wide; 96 to
        256.

    Returns
    -------
    (H, W, 3) uint8
        Pictures in the network's input values (output scaling "none") are shown with its mean
        colour as grey, all on one scale.
    """
    tile = roomy(len(found.names)) if thumbnail is None else thumbnail
    tiles = contact_sheet(shown(found), labels=found.names, tile=tile,
                          title=f"Layer {found.settings['layer']} features")
    return caption(tiles, found.caption)


def pictures(found):
    """The pictures of the sheet, (H, W, 3) uint8 each, by layer and channel; with the class's name
    if there is one."""
    layer = found.settings["layer"]
    return {f"{layer}_{channel}" + f"_{name}" * (name != str(channel)): picture
            for channel, name, picture in zip(found.channels, found.names, shown(found),
                                              strict=True)}


def shown(found):
    """The pictures as the sheet shows them, at their own size: (N, H, W, 3) uint8."""
    if found.settings["output_scaling"] == "linear":
        return np.rint(255 * found.images).astype(np.uint8)
    return display.signed_to_uint8(found.images)
