"""The figure of two first layers: the same for both, side by side."""

import math

import numpy as np

from minicnn.images import display
from minicnn.report.contact_sheet import caption, contact_sheet

TILE, PHOTO = 56, 168  # sides in pixels
BLANK = 255
BRIGHT = 0.99  # of a map's values lie below what is shown brightest


def figure(comparison):
    """Filters, below them what they respond to the first photo, below that the numbers.

    Parameters
    ----------
    comparison : vis.compare.Comparison

    Returns
    -------
    (H, W, 3) uint8
        A column a network. Filters have one scale a network, with zero as grey; below each stand
        its number and its aliasing, or that it is dead. Responses lie in the same order, each over
        its own range from 0 up, the strongest hundredth alike.
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
    return contact_sheet(layer.pictures, columns, labels, tile=TILE,
                         title=f"{layer.network} {layer.layer}: filters and their aliasing")


def _responses(layer, columns):
    return contact_sheet([_response(layer.responses[..., k]) for k in range(len(layer.pictures))],
                         columns, tile=TILE, title="their responses to the photo below")


def _response(response):
    """A silent one is dark."""
    bright = float(np.quantile(response, BRIGHT)) or float(response.max()) or 1.0
    return display.coloured(display.to_uint8(response, 0, bright))


def _table(layer, width):
    photo = contact_sheet([layer.photo], tile=PHOTO)
    lines = [f"{what}: {number}" for what, number in layer.table().items()]
    return caption(_grown(photo, len(photo), width), "\n".join(lines))


def _beside(pictures, width):
    height = max(len(picture) for picture in pictures)
    return np.concatenate([_grown(picture, height, width) for picture in pictures], axis=1)


def _grown(picture, height, width):
    """White added at the bottom and on the right."""
    more = height - picture.shape[0], width - picture.shape[1]
    return np.pad(picture, ((0, more[0]), (0, more[1]), (0, 0)), constant_values=BLANK)
