"""The figure of two first layers, side by side and laid out alike."""

import math

import numpy as np

from minicnn.images import display
from minicnn.report.colour_bar import ColourBar, signed, under
from minicnn.report.contact_sheet import caption, contact_sheet

TILE, PHOTO = 56, 168  # sides in pixels
BLANK = 255
BRIGHT = 0.99  # share of a map's responses that lie below the brightest colour


def figure(comparison):
    """Filters, below them their responses to the first photo, below these the numbers.

    Parameters
    ----------
    comparison : vis.compare.Comparison

    Returns
    -------
    (H, W, 3) uint8
        A column for each network. All filters of a network share one scale, and zero is grey;
        below each filter stand its number and its aliasing, or that it is dead. Responses follow in
        the same order, each on its own scale from 0 up; their strongest hundredth is equally
        bright.
    """
    layers = comparison.first, comparison.second
    columns = math.ceil(math.sqrt(max(len(layer.pictures) for layer in layers)))
    blocks = [[make(layer, columns) for layer in layers] for make in (_filters, _responses)]
    width = max(picture.shape[1] for block in blocks for picture in block)
    blocks.append([_table(layer, width) for layer in layers])
    return np.concatenate([_beside(block, width) for block in blocks])


def _filters(layer, columns):
    labels = [f"{k} dead" if k in layer.dead else f"{k}: {share:.0%}"
              for k, share in enumerate(layer.filter_aliasing)]
    sheet = contact_sheet(layer.pictures, columns, labels, tile=TILE, blocks=True,
                          title=f"{layer.network} {layer.layer}: filters, aliasing in % of power")
    return under(sheet, signed(float(np.abs(layer.w).max()), "weight"), beside=2)


def _responses(layer, columns):
    sheet = contact_sheet([_response(layer.responses[..., k]) for k in range(len(layer.pictures))],
                          columns, tile=TILE, title="responses to the photo below", blocks=True)
    return under(sheet, ColourBar("0", "strongest", "response of each filter"), beside=2)


def _response(response):
    """The map of one filter in colour; dark if it is silent."""
    bright = float(np.quantile(response, BRIGHT)) or float(response.max()) or 1.0
    return display.coloured(display.to_uint8(response, 0, bright))


def _table(layer, width):
    photo = contact_sheet([layer.photo], tile=PHOTO)
    lines = [f"{what}: {text}" for what, text in layer.table().items()]
    return caption(_grown(photo, len(photo), width), "\n".join(lines))


def _beside(pictures, width):
    height = max(len(picture) for picture in pictures)
    return np.concatenate([_grown(picture, height, width) for picture in pictures], axis=1)


def _grown(picture, height, width):
    """The picture with white added at the bottom and on the right."""
    more = height - picture.shape[0], width - picture.shape[1]
    return np.pad(picture, ((0, more[0]), (0, more[1]), (0, 0)), constant_values=BLANK)
