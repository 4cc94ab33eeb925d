"""The figure of Zeiler & Fergus (2014, figure 2): what activates each channel of a layer most."""

import math
from pathlib import Path

import numpy as np

from minicnn import images
from minicnn.report.contact_sheet import caption, contact_sheet
from minicnn.vis.arguments import check_choice
from minicnn.vis.deconvnet import core, region, shown

COLUMNS, PAGE = 3, 24
TILES = 72, 112  # side of a patch in pixels: at least, at most
EMPTY = 225  # grey level of a place without a patch
MARGIN = 2  # pixels around the core
GAMMA = 0.8  # of the projections: below 1 it shows faint contours
VIEWS = {"core": "a square around what the unit responds to, of one size a channel: the median of "
                 "those that hold 90 % of a projection's energy",
         "zoom": "the part where the projections are not faint",
         "whole": "all that the unit sees"}


def figure(found, layer, channels=None, view="core", columns=COLUMNS, tile=None):
    """For each channel its strongest projections, beside the patches that they belong to.

    Parameters
    ----------
    found : files.patches.Patches
        From `vis.strongest`.
    layer : str
    channels : sequence of int, optional
        By default, all channels of the layer that are in `found`.
    view : {"core", "zoom", "whole"}
        What is shown of each patch. Deep units see far more of a photo than they respond to.
        core: around the projection's centre a square that holds 90 % of its energy; for all
        patches of a channel one size, the median. zoom: all of each projection that is not faint,
        `vis.deconvnet.region`. whole: as much as the unit sees.
    columns : int
        Number of channels side by side.
    tile : int, optional
        Side of one patch, in pixels. By default, as large as what is shown, within 72..112.

    Returns
    -------
    (H, W, 3) uint8
        3 x 3 of each if nine units were kept, enlarged smoothly. At the photo's border what is
        shown is moved into the photo. A channel that no photo activates is left empty.
    """
    check_choice("strongest", "view", view, VIEWS)
    chosen = list(found.channels(layer, channels))
    sides = [_sides(channel, view) for channel in chosen]
    largest = np.max(sides, axis=0)
    tile = int(np.clip(largest.max(), *TILES)) if tile is None else tile
    blocks = [_block(channel, found.about["count"], view, side, tile)
              for channel, side in zip(chosen, sides, strict=True)]
    sheet = contact_sheet(blocks, min(columns, len(blocks)), [_label(c) for c in chosen])
    return caption(sheet, _words(found, layer, chosen, view, largest))


def save(found, folder, layers=None, channels=None, view="core"):
    """Draw layers into PNG files; yields the path of each as soon as it is there.

    Parameters
    ----------
    found : files.patches.Patches
    folder : str or path
        Where they go; made where it does not exist.
    layers : sequence of str, optional
        By default, all.
    channels : sequence of int, optional
        By default, all; there is a picture for every 24 channels.
    view : str
        As for `figure`.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for layer, page, name in pages(found.layers, layers, channels):
        images.save(folder / name, figure(found, layer, page, view))
        yield folder / name


def pages(there, layers=None, channels=None):
    """Yield (layer, channels, file name) of each picture that `save` draws.

    Parameters
    ----------
    there : dict of str to sequence of int
        The channels of each layer.
    layers, channels : optional
        As for `save`.
    """
    for layer in there if layers is None else layers:
        chosen = there.get(layer) if channels is None else channels
        parts = [chosen[i : i + PAGE] for i in range(0, len(chosen or ()), PAGE)] or [None]
        for page in parts:
            part = f"_{page[0]}-{page[-1]}" if len(parts) > 1 else ""
            yield layer, page, f"{layer.replace('/', '_')}{part}.png"


def _block(channel, count, view, sides, tile):
    """Two squares of pictures, projections and patches."""
    empty, drawn = np.full((tile, tile, 3), EMPTY, np.uint8), []
    for projection, patch in zip(channel.projections, channel.patches, strict=True):
        if patch.size == 0:  # the unit sees only padding
            drawn.append((empty, empty))
            continue
        part = _part(projection, view, sides)
        drawn.append((shown(projection[part], GAMMA), patch[part]))
    halves = [contact_sheet([*pictures, *[empty] * (count - len(pictures))],
                            math.isqrt(count - 1) + 1, tile=tile)
              for pictures in (zip(*drawn, strict=True) if drawn else ((), ()))]
    return contact_sheet(halves, 2, gap=0)


def _sides(channel, view):
    """(height, width) of what is shown of each of a channel's patches, in pixels."""
    some = [p for p in channel.projections if p.size]
    if not some:
        return channel.frame
    most = np.max([p.shape[:2] for p in some], axis=0)
    if view == "whole":
        return tuple(most)
    if view == "core":
        half = np.median([core(p[None])[2] for p in some]) + MARGIN
        return tuple(np.minimum(2 * math.ceil(half) + 1, most))
    regions = np.array([region(p[None]) for p in some])  # top, bottom, left, right
    return tuple((regions[:, 1::2] - regions[:, ::2]).max(axis=0))


def _part(projection, view, sides):
    """The slices of a patch that are shown: `sides` around a centre, moved into the patch."""
    if view == "core":
        centre = core(projection[None])[:2]
    else:
        top, bottom, left, right = region(projection[None])
        centre = (top + bottom) // 2, (left + right) // 2
    slices = []
    for middle, side, most in zip(centre, sides, projection.shape, strict=False):
        first = max(0, min(middle - side // 2, most - side))
        slices.append(slice(first, first + side))
    return tuple(slices)


def _label(channel):
    if not channel.values:
        return f"channel {channel.channel}: silent"
    return (f"channel {channel.channel}: activations {channel.values[0]:.3g} to "
            f"{channel.values[-1]:.3g}")


def _words(found, layer, chosen, view, sides):
    silent, about = sum(not channel.values for channel in chosen), found.about
    fading = [str(one.channel) for one in chosen
              if one.values and 2 * one.values[-1] < one.values[0]]
    relu, lrn = found.rules(layer)
    rule = relu + (f", LRN {lrn}" if lrn else "")
    mean = ", mean of 9 shifts" if about.get("shifts", 1) > 1 else ""
    return (f"{about['network']} {layer}: for each channel the {about['count']} of "
            f"{about['photos']:,} images that activate it most, strongest first, row by row, and "
            f"below them their largest and smallest activation. Right: {VIEWS[view]}, up to "
            f"{sides[0]}x{sides[1]} pixels. Left: the unit projected down to these pixels, rule "
            f"{rule}{mean}; zero is grey, and each projection has its own scale. What the channel "
            "is for is what its patches share; a projection tells where in its patch the unit "
            "looks, and in deep layers is much the same for any channel active there."
            + (f" The last activation is below half of the first in {', '.join(fading)}: the last "
               "patches may be chance; more photos or fewer places help." if fading else "")
            + (f" Silent channels: {silent}, which no photo activates." if silent else ""))
