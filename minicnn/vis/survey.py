"""LayerStatistics of layers over one photo or many: blank channels, zeros, dead channels.

Going up a network "more and more filters are blank": what they look for is not in the photo
(Chollet 2017, section 5.4.1). A channel that is blank in one photo may be strong in the next; one
that is silent in all photos of a large and mixed set is dead, and takes up room for nothing (Zeiler
& Fergus 2014, section 4.1, found such in AlexNet's first layer).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from minicnn.images import ImageError
from minicnn.images.photos import find
from minicnn.progress import bar
from minicnn.vis.activations import compute, pick


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


@dataclass(frozen=True)
class Survey:
    """LayerStatistics of layers over many photos.

    Attributes
    ----------
    figures : list of LayerStatistics
        One a layer.
    photos : int
        How many were looked at.
    skipped : list of str
        One line for each photo that could not be read, saying why.
    interrupted : bool
        Whether Ctrl-C ended it early; the figures are of the photos until then.
    """

    statistics: list
    photos: int
    skipped: list
    interrupted: bool = False


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
    source, layers = find(photos), pick(network, layers)
    counts, seen, skipped, interrupted = {}, 0, [], False
    try:
        for k in bar(range(len(source)), "photos", progress):
            try:
                x = network.prepare(source.read(k), size)
            except ImageError as error:
                skipped.append(str(error))
                continue
            new = {name: _count(a) for name, a in compute(network, x, layers).items()}
            old, seen = counts, seen + 1
            counts = {name: _sum(count, old.get(name)) for name, count in new.items()}
    except KeyboardInterrupt:
        if not seen:
            raise
        interrupted = True
    if not seen:
        why = f": {skipped[0]}" if skipped else ""
        raise ValueError(f"survey: of {len(source)} photos not one could be looked at{why}")
    return Survey([_figures(*item) for item in counts.items()], seen, skipped, interrupted)


def statistics(maps):
    """The figures of one photo, a list of LayerStatistics, from the maps of `vis.activations`."""
    return [_figures(layer, _count(a)) for layer, a in maps.items()]


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


def _sum(new, old):
    if old is None:
        return new
    numbers = (a + b for a, b in zip(new[:4], old[:4], strict=True))
    return _Count(*numbers, np.maximum(new.high, old.high), new.shape)


def _figures(layer, count):
    dead = tuple(int(channel) for channel in np.flatnonzero(count.high <= 0))
    return LayerStatistics(layer, count.shape, count.blank / count.channels,
                           count.zeros / count.values, dead)
