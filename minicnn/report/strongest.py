"""The figure of Zeiler & Fergus (2014, figure 2): what drives each channel of a layer."""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minicnn import images
from minicnn.images.display import MID_GREY
from minicnn.report.contact_sheet import caption, contact_sheet
from minicnn.vis.deconvnet import region, shown

COLUMNS, PAGE = 3, 24
TILES = 72, 112  # sides of a patch in pixels: at least, at most
EMPTY = 225  # grey level of a place that no photo won


def figure(found, layer, channels=None, zoom=False, columns=COLUMNS, tile=None):
    """For each channel its strongest projections beside the patches they are of.

    Parameters
    ----------
    found : files.patches.Patches
        Of `vis.strongest`.
    layer : str
    channels : sequence of int, optional
        Those of the layer that are in `found` where not given.
    zoom : bool
        Show, for each channel, only as much as its projections reach to without being faint
        (`vis.deconvnet.region`). Deep units see far more of a photo than they respond to.
    columns : int
        Channels side by side.
    tile : int, optional
        Side of one patch, in pixels; as large as what is shown, within 72..112, where not given.

    Returns
    -------
    (H, W, 3) uint8
        3 x 3 of each where nine places were kept. What a unit sees is in the middle of its place,
        with grey beyond the photo's border; where it sees further than the photo is large, the
        photo itself is the place. A channel that no photo made active is left empty.
    """
    chosen = list(found.channels(layer, channels))
    sides = np.max([[axis.side for axis in _window(channel, found.about["size"], zoom)]
                    for channel in chosen], axis=0)  # of what is shown of each place
    tile = int(np.clip(sides.max(), *TILES)) if tile is None else tile
    blocks = [_block(channel, found.about, zoom, tile) for channel in chosen]
    sheet = contact_sheet(blocks, min(columns, len(blocks)), [_label(c) for c in chosen])
    return caption(sheet, _words(found.about, layer, chosen, zoom, sides))


def save(found, folder, layers=None, channels=None, zoom=False):
    """Draw layers into PNG files; yields the path of each as soon as it is there.

    Parameters
    ----------
    found : files.patches.Patches
    folder : str or path
        Made where it does not exist.
    layers : sequence of str, optional
        All where not given.
    channels : sequence of int, optional
        All where not given; a picture for every 24.
    zoom : bool
        As for `figure`.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for layer in found.layers if layers is None else layers:
        chosen = found.layers.get(layer) if channels is None else channels
        pages = [chosen[i : i + PAGE] for i in range(0, len(chosen or ()), PAGE)] or [None]
        for page in pages:
            part = f"_{page[0]}-{page[-1]}" if len(pages) > 1 else ""
            path = folder / f"{layer.replace('/', '_')}{part}.png"
            images.save(path, figure(found, layer, page, zoom))
            yield path


def _block(channel, about, zoom, tile):
    """Two squares of pictures: projections, patches."""
    count, window = about["count"], _window(channel, about["size"], zoom)
    empty = np.full((tile, tile, 3), EMPTY, np.uint8)
    halves = []
    for pictures in (map(_projection, channel.projections), channel.patches):
        places = [_placed(picture, *_place(channel, k, window)) for k, picture
                  in enumerate(pictures)]
        halves.append(contact_sheet(places + [empty] * (count - len(places)),
                                    math.isqrt(count - 1) + 1, tile=tile))
    return contact_sheet(halves, 2, gap=0)


def _projection(rgb):
    return shown(rgb) if rgb.size else rgb.astype(np.uint8)


class _Window(NamedTuple):
    """What is shown of each place along one axis: from `first` of the frame on, `side` pixels;
    first None: all of the photo."""

    first: int | None
    side: int


def _window(channel, size, zoom):
    """(vertical, horizontal _Window) of a channel."""
    regions = [np.array(region(p[None])).reshape(2, 2) + np.array(corner)[:, None]  # 4 -> axis,2
               for p, corner in zip(channel.projections, channel.corners, strict=True) if p.size]
    if zoom and regions:
        first, last = np.min(regions, axis=0)[:, 0], np.max(regions, axis=0)[:, 1]
        return [_Window(int(a), int(b - a)) for a, b in zip(first, last, strict=True)]
    return [_Window(0, max(1, side)) if side <= most else _Window(None, most)
            for side, most in zip(channel.frame, size, strict=True)]


def _place(channel, k, window):
    """(top, left), (height, width): where patch k begins in what is shown, and the size of that."""
    starts = channel.boxes[k][::2]  # top, left
    at = [start if one.first is None else corner - one.first
          for one, start, corner in zip(window, starts, channel.corners[k], strict=True)]
    return at, [one.side for one in window]


def _placed(picture, at, sides):
    """A picture on grey, cut off where it is larger."""
    ground = np.full((*sides, 3), MID_GREY, np.uint8)
    seen = picture[max(-at[0], 0) :, max(-at[1], 0) :]
    target = ground[max(at[0], 0) :, max(at[1], 0) :]
    h, w = np.minimum(seen.shape, target.shape)[:2]
    target[:h, :w] = seen[:h, :w]
    return ground


def _label(channel):
    if not channel.values:
        return f"channel {channel.channel}: silent"
    return f"channel {channel.channel}: {channel.values[0]:.3g} to {channel.values[-1]:.3g}"


def _words(about, layer, chosen, zoom, sides):
    silent = sum(not channel.values for channel in chosen)
    what = "where the projections are not faint" if zoom else "all that the unit sees"
    rule = about["relu"] + (f", LRN {about['lrn']}" if about["lrn"] else "")
    return (f"{about['network']} {layer}: for each channel the {about['count']} photos of "
            f"{about['photos']:,} that make it most active, strongest first, row by row; below "
            f"the largest and the smallest of these activations. Right: {what}, up to "
            f"{sides[0]}x{sides[1]} pixels. Left: the unit projected down to these pixels, rule "
            f"{rule}; zero is grey, each at its own scale."
            + (f" {silent} silent: no photo makes them active." if silent else ""))
