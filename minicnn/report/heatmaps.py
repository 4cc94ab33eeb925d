"""Heat maps on their photo: the sheets of saliency, Grad-CAM and occlusion."""

import numpy as np

from minicnn.images import display
from minicnn.report.colour_bar import ColourBar, signed
from minicnn.report.contact_sheet import caption, contact_sheet, stacked
from minicnn.vis.attribution import heat_levels
from minicnn.vis.deconvnet import limit
from minicnn.vis.occlusion import nearest, per_pixel
from minicnn.vis.saliency import WHITE

TILE, COLUMNS, GAP = 224, 2, 12  # two beside each other can still be read on a phone
CLASSES = 6  # that an occlusion sheet gives a colour and a name
OTHERS = 7  # the grey of tab10
LEGEND, SWATCH = 3, 148  # classes beside each other, width of a colour in pixels
BLANK = 255
ARBITRARY = "arbitrary unit"
UNITS = {"gradient": "score per input value", "smooth": "score per input value",
         "times_input": "share of the score", "integrated": "share of the score",
         "guided": ARBITRARY, "guided_gradcam": ARBITRARY}  # of saliency's methods


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


def saliency_pictures(record):
    """The pictures of `saliency`, (H, W, 3) uint8 each, by name."""
    return {"photo": record.photo, "magnitude": record.image, "signed": record.signed}


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
    method = record.settings["method"]
    labels = ["photo", f"{method}, magnitude", "signed, zero is grey"]
    high, unit = np.quantile(np.abs(record.map), WHITE), UNITS[method]
    bars = [None, ColourBar(0, high, unit, "gray"), signed(limit(record.x[0]), unit)]
    return caption(_sheet(saliency_pictures(record), labels, bars, tile), record.caption)


def gradcam_pictures(record):
    """The pictures of `gradcam`, (H, W, 3) uint8 each, by name; the raw map has a pixel a cell."""
    pictures = {"photo": record.photo,
                "evidence": overlay(record.photo, record.map, _strongest(record)),
                "raw": np.stack([display.signed_to_uint8(record.raw)] * 3, axis=2)}
    return pictures if record.signed is None else pictures | {"guided": record.signed}


def _strongest(record):
    """For or against: what is faint shall look faint."""
    return float(np.abs(record.raw).max())


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
    high = _strongest(record)
    unit = "share of the score" if record.settings["method"] == "gradcam" else ARBITRARY
    labels = ["photo", "evidence" if record.evidence else "no positive evidence",
              "raw map, zero is grey"]
    bars = [None, ColourBar(0, high, unit, "inferno"), signed(high, unit)]
    if record.signed is not None:
        labels.append("guided Grad-CAM")
        bars.append(signed(limit(record.x[0]), ARBITRARY))
    return caption(_sheet(gradcam_pictures(record), labels, bars, tile, {"raw"}), record.caption)


def occlusion_pictures(record):
    """The pictures of `occlusion`, (H, W, 3) uint8 each, by name."""
    activation, probability = map(_viridis, _heats(record))
    winner = _class_colours(nearest(record.winner, *_place(record)), _by_squares(record.winner))
    return {"square": record.example, "activation": activation, "probability": probability,
            "class": winner}


def _heats(record):
    """Activation and probability of each pixel, (H, W) each."""
    return [per_pixel(values, *_place(record)) for values in (record.activation,
                                                              record.probability)]


def _place(record):
    return record.tops, record.lefts, record.settings["square"], record.photo.shape[:2]


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
    labels = ["most damaging square", "total activation", "probability", "likeliest class"]
    bars = [ColourBar(*_range(heat), unit)
            for heat, unit in zip(_heats(record), ("sum over the map", ""), strict=True)]
    sheet = _sheet(occlusion_pictures(record), labels, [None, *bars, None], tile,
                   {"activation", "probability", "class"})
    classes = _by_squares(record.winner)
    return caption(stacked([sheet, _legend(record, classes)]), record.caption)


def _sheet(pictures, labels, bars, tile, blocks=()):
    """Pictures with their bars and labels; those named in `blocks` are enlarged by blocks."""
    return contact_sheet(list(pictures.values()), COLUMNS, labels, tile=tile, gap=GAP, bars=bars,
                         blocks=[name in blocks for name in pictures])


def _viridis(heat):
    """A map in colours from its least to its largest number; NaN is blank."""
    known, (least, most) = np.isfinite(heat), _range(heat)
    pixels = display.coloured(heat_levels(np.where(known, heat, least), least, most))
    pixels[~known] = BLANK
    return pixels


def _range(values):
    """The least and the largest number that is not NaN."""
    return float(np.nanmin(values)), float(np.nanmax(values))


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
