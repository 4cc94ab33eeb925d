"""LayerStatistics of layers over one photo or many: blank channels, zeros, dead channels.

Going up a network "more and more filters are blank": what they look for is not in the photo
(Chollet 2017, section 5.4.1). A channel that is blank in one photo may be strong in the next; one
that is silent in all photos of a large and mixed set is dead, and takes up room for nothing (Zeiler
& Fergus 2014, section 4.1, found such in AlexNet's first layer).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from minicnn.vis.activations import compute, pick
from minicnn.vis.arguments import settings_of
from minicnn.vis.over_photos import over_photos
from minicnn.vis.record import Record


class LayerStatistics(NamedTuple):
    """LayerStatistics of one layer over one or more photos.

    blank : share of the channels, 0..1, that have one value at all positions of a photo; over many
    photos the mean of that. A layer without positions has no maps: there the units that are zero.

    zeros : share of all values that are exactly zero, 0..1.

    dead : numbers of the channels that are nowhere above zero in any of the photos. Of a
    convolution this tells what the ReLU after it will let through.
    """

    layer: str
    shape: tuple
    blank: float
    zeros: float
    dead: tuple


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Survey(Record):
    """Statistics of layers over many photos.

    Attributes
    ----------
    statistics : list of LayerStatistics
        One a layer.
    photos : int
        How many were looked at.
    """

    statistics: list
    photos: int


def survey(network, photos, layers=None, size=None, progress=False):
    """Count blank and dead channels and zeros over many photos, one at a time.

    Memory is that of one photo's activations, however many photos there are.

    Parameters
    ----------
    network : Network
    photos : path, or sequence of paths or arrays
        Photos, folders of photos, or a data set, see `images.photos.find`. Those that cannot be
        read are skipped, and listed.
    layers : sequence of str or int, optional
        As for `activations`.
    size : int, (H, W) or "keep", optional
        As for `Network.prepare`.
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    Survey

    Raises
    ------
    ValueError
        Not one photo could be looked at; an unknown layer.
    """
    settings, layers = settings_of(locals()), pick(network, layers)

    def count(photo):
        maps = compute(network, network.prepare(photo, size), layers)
        return {name: _count(a) for name, a in maps.items()}

    def add(old, new):
        return {name: _sum(old[name], new[name]) for name in layers}

    total = over_photos("survey", photos, count, add, progress)
    found = [_statistics(*item) for item in total.counts.items()]
    return Survey(caption=f"{network.name}: {len(layers)} layers over {total.photos} photos",
                  settings=settings | {"layers": layers}, statistics=found, photos=total.photos,
                  skipped=total.skipped, interrupted=total.interrupted)


def statistics(maps):
    """Those of one photo, a list of LayerStatistics, from the maps of `vis.activations`."""
    return [_statistics(layer, _count(a)) for layer, a in maps.items()]


class _Count(NamedTuple):
    """Counts over photos of one layer, and the largest value of each channel."""

    blank: int
    channels: int
    zeros: int
    values: int
    high: Any
    shape: tuple


def _count(a):
    flat = a.reshape(-1, a.shape[-1])  # H,W,C -> H*W,C
    low, high = flat.min(axis=0), flat.max(axis=0)
    blank = low == high if len(flat) > 1 else high == 0
    return _Count(np.count_nonzero(blank), blank.size, flat.size - np.count_nonzero(flat),
                  flat.size, high, a.shape)


def _sum(old, new):
    numbers = (a + b for a, b in zip(old[:4], new[:4], strict=True))
    return _Count(*numbers, np.maximum(old.high, new.high), new.shape)


def _statistics(layer, count):
    dead = tuple(int(channel) for channel in np.flatnonzero(count.high <= 0))
    return LayerStatistics(layer, count.shape, count.blank / count.channels,
                           count.zeros / count.values, dead)
