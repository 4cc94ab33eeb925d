"""Heat maps on their photo: the sheets of saliency, Grad-CAM and occlusion."""

import numpy as np

from minicnn.images import display
from minicnn.report.contact_sheet import caption, contact_sheet, stacked
from minicnn.vis.attribution import heat_levels
from minicnn.vis.occlusion import nearest, per_pixel

TILE = 224
CLASSES = 6  # that an occlusion sheet gives a colour and a name
OTHERS = 7  # the grey of tab10
BLANK = 255


def overlay(photo, heat, high=None, opacity=0.8):
    """A photo in dim grey, with a heat map that glows where it is above zero.

    Parameters
    ----------
    photo : (H, W, 3) uint8
    heat : array (H, W)
        Where it is zero or below the photo stays as it is.
    high : number above 0, optional
        The heat that is bright yellow; less heat goes through red to black. By
        default, the map's largest.
    opacity : float in 0..1
        Of bright yellow.

    Returns
    -------
    (H, W, 3) uint8
    """
    if heat.shape != photo.shape[:2]:
        raise ValueError(f"overlay: the heat map {heat.shape} and the photo {photo.shape} must "
                         "have the same height and width")
    if not 0 <= opacity <= 1:
        raise ValueError(f"overlay: opacity is within 0..1, got {opacity}")
    grey = 0.7 * photo.mean(axis=2, keepdims=True)  # H,W,3 -> H,W,1
    levels = heat_levels(heat, 0, heat.max() if high is None else high)
    cover = opacity * levels[..., None] / 255
    mixed = (1 - cover) * grey + cover * display.coloured(levels, "inferno")
    return np.rint(mixed).astype(np.uint8)


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
    labels = ["photo", f"{record.settings['method']}, magnitude", "signed, zero is grey"]
    sheet = contact_sheet([record.photo, record.image, record.signed], 3, labels, tile=tile)
    return caption(sheet, record.caption)


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
    strongest = np.abs(record.raw).max()  # for or against: what is faint shall look faint
    pictures = [record.photo, overlay(record.photo, record.map, strongest),
                display.signed_to_uint8(record.raw)]
    labels = ["photo", "evidence" if record.evidence else "no positive evidence",
              "raw map, zero is grey"]
    if record.signed is not None:
        pictures.append(record.signed)
        labels.append("guided Grad-CAM")
    return caption(contact_sheet(pictures, len(pictures), labels, tile=tile), record.caption)


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
    place = record.tops, record.lefts, record.settings["square"], record.photo.shape[:2]
    maps = [_viridis(per_pixel(values, *place))
            for values in (record.activation, record.probability)]
    classes = _by_squares(record.winner)
    winners = _class_colours(nearest(record.winner, *place), classes)
    labels = ["most damaging square", "total activation " + _range(record.activation),
              "probability " + _range(record.probability), "likeliest class"]
    sheet = contact_sheet([record.example, *maps, winners], 4, labels, tile=tile)
    return caption(stacked([sheet, _legend(record, classes)]), record.caption)


def _viridis(heat):
    """A map in colours from its least to its largest number; NaN is blank."""
    known = np.isfinite(heat)
    least = heat[known].min()
    pixels = display.coloured(heat_levels(np.where(known, heat, least), least, heat[known].max()))
    pixels[~known] = BLANK
    return pixels


def _range(values):
    return f"{np.nanmin(values):.4g} .. {np.nanmax(values):.4g}"


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
    return contact_sheet([np.full((12, 120, 3), colour) for colour in colours], len(words), words)
