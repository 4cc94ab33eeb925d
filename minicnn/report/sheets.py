"""Sheets for one method's record: what to lay beside the picture so that it can be understood."""

import numpy as np

from minicnn.report.contact_sheet import caption, contact_sheet
from minicnn.vis.deconvnet import region

FRAME = (255, 40, 40)
TILE = 224


def projection(photo, record, tile=TILE):
    """A deconvnet projection beside its photo, whole and enlarged.

    Parameters
    ----------
    photo : (H, W, 3) uint8
        What the network saw; a frame is drawn around what the unit could see of it.
    record : vis.Record
        Of `vis.deconvnet`, of the same size.
    tile : int
        Side of each of the four pictures, in pixels.

    Returns
    -------
    (H, W, 3) uint8
    """
    top, bottom, left, right = region(record.x)
    patch = np.s_[top:bottom, left:right]
    sheet = contact_sheet(
        [_framed(photo, top, bottom, left, right), photo[patch], record.image,
         record.image[patch]], columns=4, tile=tile,
        labels=["photo", "the unit's part of it", "projection", "its part enlarged"])
    return caption(sheet, record.caption)


def _framed(photo, top, bottom, left, right):
    framed = photo.copy()
    framed[[max(top - 1, 0), min(bottom, len(photo) - 1)], left:right] = FRAME
    framed[top:bottom, [max(left - 1, 0), min(right, photo.shape[1] - 1)]] = FRAME
    return framed
