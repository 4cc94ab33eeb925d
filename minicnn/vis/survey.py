"""Survey: blank channels, zeros and dead channels of each layer, over one photo or many.

The deeper the layer, the "more and more filters are blank": the pattern that they look for is not
in the photo (Chollet 2017, section 5.4.1). A channel that is blank in one photo may be strong in
the next. One that is silent in all photos of a large and varied set is dead: it takes up room and
does nothing. Zeiler & Fergus (2014, section 4.1) found such channels in AlexNet's first layer.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from minicnn.images import markup
from minicnn.vis.activations import compute, pick
from minicnn.vis.options import Options, photo_size, takes
from minicnn.vis.over_photos import over_photos
from minicnn.vis.record import Record


@dataclass(frozen=True, kw_only=True)
class SurveyOptions(Options):
    """Options of `survey`."""

    size: Any = photo_size()


class LayerStatistics(NamedTuple):
    """What was counted in one layer, over one or more photos.

    blank : share of the channels, 0..1, that have the same value at all positions of a photo; over
    several photos the mean of their shares. In a layer without positions: share of the units that
    are zero.

    zeros : share of all activations that are exactly zero, 0..1.

    dead : indices of the channels that are nowhere above zero in any photo. In a convolution these
    are the channels that the ReLU after it never lets through.
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
        One for each layer.
    photos : int
        Number of photos that were counted.
    """

    statistics: list
    photos: int

    def _numbers(self):
        return markup.table(
            ("layer", "shape", "blank channels", "zero activations", "silent channels"),
            [(one.layer, "x".join(map(str, one.shape)), f"{one.blank:.1%}", f"{one.zeros:.1%}",
              len(one.dead)) for one in self.statistics], right=(2, 3, 4))


@takes(SurveyOptions)
def survey(network, photos, layers=None, *, options, progress=False):
    """Count blank channels, dead channels and zeros over many photos, one at a time.

    Memory is that of one photo's activations, however many photos there are.

    Parameters
    ----------
    network : Network
    photos : path, or sequence of paths or arrays
        Photos, folders of photos, or a data set, see `files.photos.find`. Photos that cannot be
        read are skipped and listed.
    layers : sequence of str or int, optional
        Names or numbers, see `activations.pick`. By default, every layer.
    **options
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    Survey

    Raises
    ------
    ValueError
        No photo could be read; a layer that does not exist.
    """
    layers = pick(network, layers)

    def count(photo):
        maps = compute(network, network.prepare(photo, options.size), layers)
        return {layer: _count(a) for layer, a in maps.items()}

    def add(old, new):
        return {layer: _sum(old[layer], new[layer]) for layer in layers}

    total = over_photos("survey", photos, count, add, progress)
    return Survey(
        caption=f"{network.name}: {len(layers)} layers over {total.photos} photos",
        statistics=[_statistics(layer, count) for layer, count in total.counts.items()],
        photos=total.photos, settings={"layers": layers, **options.settings()},
        skipped=total.skipped, interrupted=total.interrupted)


def statistics(maps):
    """The LayerStatistics of one photo, a list, from the maps that `vis.activations` computed."""
    return [_statistics(layer, _count(a)) for layer, a in maps.items()]


class _Count(NamedTuple):
    """What is counted in one layer. `high` is the largest activation of each channel so far; the
    numbers before it add up over photos."""

    blank: int
    channels: int
    zeros: int
    activations: int
    high: Any
    shape: tuple


def _count(a):
    """The _Count of one photo."""
    flat = a.reshape(-1, a.shape[-1])  # H,W,C -> H*W,C
    low, high = flat.min(axis=0), flat.max(axis=0)
    blank = low == high if len(flat) > 1 else high == 0
    return _Count(np.count_nonzero(blank), blank.size, flat.size - np.count_nonzero(flat),
                  flat.size, high, a.shape)


def _sum(old, new):
    """The _Count of the photos so far and of one more."""
    numbers = (a + b for a, b in zip(old[:4], new[:4], strict=True))
    return _Count(*numbers, np.maximum(old.high, new.high), new.shape)


def _statistics(layer, count):
    dead = tuple(int(channel) for channel in np.flatnonzero(count.high <= 0))
    return LayerStatistics(layer, count.shape, count.blank / count.channels,
                           count.zeros / count.activations, dead)
