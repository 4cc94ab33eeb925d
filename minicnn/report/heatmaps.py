"""Heat maps on their photo: the sheets of saliency, Grad-CAM and occlusion."""

import numpy as np

from minicnn.images import display
from minicnn.images.markup import View
from minicnn.report.colour_bar import legible
from minicnn.report.contact_sheet import caption, contact_sheet, stacked
from minicnn.vis.attribution import BLANK, overlay
from minicnn.vis.occlusion import nearest

__all__ = ["gradcam", "gradcam_pictures", "occlusion", "occlusion_pictures", "overlay", "saliency",
           "saliency_pictures"]
TILE, GAP = 224, 12
CLASSES = 6  # that an occlusion sheet gives a colour and a name
OTHERS = 7  # the grey of tab10
LEGEND, SWATCH = 3, 148  # classes beside each other, width of a colour in pixels


def saliency_pictures(record):
    """The pictures of `saliency`, (H, W, 3) uint8 each, by name."""
    return _pictures(record.views())


def saliency(record, tile=TILE):
    """The photo, the map of magnitudes, and the signed slope or shares in colour.

    Parameters
    ----------
    record : vis.saliency.Saliency
    tile : int
        Side of each picture, in pixels.

    Returns
    -------
    (H, W, 3) uint8
    """
    return _captioned(_sheet(record.views(), tile), record)


def gradcam_pictures(record):
    """The pictures of `gradcam`, (H, W, 3) uint8 each, by name; the raw map has a pixel a cell."""
    return _pictures(record.views())


def gradcam(record, tile=TILE):
    """The photo, the map on it, the raw map at the layer's resolution, and guided Grad-CAM.

    Parameters
    ----------
    record : vis.gradcam.GradCAM
        The last picture is there only if the record has guided Grad-CAM.
    tile : int
        Side of each picture, in pixels.

    Returns
    -------
    (H, W, 3) uint8
        Without positive evidence the second picture is the photo in plain grey.
    """
    return _captioned(_sheet(record.views(), tile), record)


def occlusion_pictures(record):
    """The pictures of `occlusion`, (H, W, 3) uint8 each, by name."""
    return _pictures(_answers(record))


def _answers(record):
    """The record's views, and the likeliest class at each place."""
    winner = _class_colours(nearest(record.winner, *record.place), _by_squares(record.winner))
    return [*record.views(), View("class", "likeliest class", winner, blocks=True)]


def _only(classes, record):
    """What the caption says if one class wins wherever the square is: no picture shows that."""
    return f" Wherever the square is, the likeliest class stays {record.names[classes[0]]}."


def occlusion(record, tile=TILE):
    """Zeiler & Fergus' figure 7: the network's answers as functions of a square's position.

    An example square, a feature map's total activation, the class's probability, and the likeliest
    class.

    Parameters
    ----------
    record : vis.occlusion.Occlusion
    tile : int
        Side of each picture, in pixels.

    Returns
    -------
    (H, W, 3) uint8
        A pixel shows the mean over the squares that cover it, and the class of the nearest square.
        Dark is low, yellow is high, white was not computed.
    """
    classes = _by_squares(record.winner)
    if len(classes) == 1:
        return _captioned(_sheet(record.views(), tile), record, _only(classes, record))
    return _captioned(stacked([_sheet(_answers(record), tile), _legend(record, classes)]), record)


def _pictures(views):
    return {one.name: one.picture for one in views}


def _sheet(views, tile):
    """Views with their labels and colour bars: three in a row, four in two."""
    return contact_sheet([one.picture for one in views], 3 if len(views) == 3 else 2,
                         [one.label for one in views], tile=tile, gap=GAP,
                         bars=[one.bar for one in views], blocks=[one.blocks for one in views])


def _captioned(sheet, record, more=""):
    """A sheet with its record's caption, which can be read on a phone, too."""
    return caption(sheet, record.caption + more, legible(sheet.shape[1]))


# ---- which class where

def _by_squares(winner):
    """The classes that win anywhere, those with the most squares first."""
    classes, counts = np.unique(winner[winner >= 0], return_counts=True)
    return classes[np.argsort(-counts, kind="stable")]


def _class_colours(numbers, classes):
    """A colour for each of the first classes, grey for all others, blank for -1."""
    ranks = np.full(numbers.shape, OTHERS, np.uint8)
    for rank, number in enumerate(classes[:CLASSES]):
        ranks[numbers == number] = rank
    pixels = display.coloured(ranks, "tab10")
    pixels[numbers < 0] = BLANK
    return pixels


def _legend(record, classes):
    """A swatch with the name of each of the first classes, and its share of the squares."""
    done = record.winner[record.winner >= 0]
    words = [f"{record.names[k]} {(done == k).mean():.0%}" for k in classes[:CLASSES]]
    if len(classes) > CLASSES:
        words.append(f"{len(classes) - CLASSES} others")
    colours = _class_colours(classes[:len(words)], classes)
    return contact_sheet([np.full((12, SWATCH, 3), colour) for colour in colours], LEGEND, words)
