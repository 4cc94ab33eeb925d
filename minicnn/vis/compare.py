"""Two networks' first layers compared: dead filters, aliasing, and what a unit sees.

Zeiler & Fergus (2014, section 4.1) looked at AlexNet, whose first layer has 11x11 kernels at stride
4, and saw dead filters there and aliasing in the layer above; 7x7 kernels at stride 2 cured both.
Here the two are numbers, taken the same way of any two networks.

Dead
    A filter is faint if its norm is far below the layer's mean norm, and silent if its response is
    nowhere above zero in any photo, so that the ReLU never lets anything through.

Aliasing
    The share of power above the Nyquist frequency of the layer's output grid, which folds to lower
    frequencies (`minicnn.vis.aliasing` has the formula). Of the filters it says what the layer
    would fold of photos that have all frequencies alike. Of the responses to photos, taken at
    stride 1, it says what the layer does fold; their mean is taken away, so that the bias plays no
    part, and they are faded out towards the border. Photos have little power at high frequencies:
    the second number is usually the smaller.
"""

from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import Any, NamedTuple

import numpy as np

from minicnn.backend import to_host
from minicnn.network import receptive
from minicnn.network.layers import AveragePool, BatchNorm, Conv, MaxPool, ReLU
from minicnn.ops import conv
from minicnn.ops.window import pair
from minicnn.vis.aliasing import aliasing, faded, power, share
from minicnn.vis.arguments import settings_of
from minicnn.vis.kernels import kernels
from minicnn.vis.over_photos import over_photos
from minicnn.vis.record import Record

FEW = 4  # so many layers' receptive fields are told


@dataclass(frozen=True)
class FirstLayer:
    """What there is to know about the first layer of one network; O filters.

    Attributes
    ----------
    network, layer : str
    w : array (KH, KW, C/groups, O)
    pictures : (O, KH, KW, 3) uint8
        The filters in colour, zero as grey, one scale for all: a faint one looks it.
    stride : (vertical, horizontal)
    sees : dict of str to receptive.Field
        Of the layer and the next few that change it, by name.
    norms : array (O,)
    strongest : array (O,)
        Each filter's largest response, rectified, over all photos.
    faint, silent : tuple of int
        The numbers of these filters.
    filter_aliasing, response_aliasing : arrays (O,)
        0..1; NaN for a filter of zeros, or one whose responses are constant.
    photo : (H, W, 3) uint8
        The first photo as the network gets it.
    responses : array (OH, OW, O)
        To it, rectified.
    photos : int
        How many were looked at.
    """

    network: str
    layer: str
    w: Any = field(repr=False)
    pictures: Any = field(repr=False)
    stride: tuple
    sees: dict = field(repr=False)
    norms: Any = field(repr=False)
    strongest: Any = field(repr=False)
    faint: tuple
    silent: tuple
    filter_aliasing: Any = field(repr=False)
    response_aliasing: Any = field(repr=False)
    photo: Any = field(repr=False)
    responses: Any = field(repr=False)
    photos: int

    @property
    def dead(self):
        """The filters that are faint, silent or both."""
        return tuple(sorted({*self.faint, *self.silent}))

    def table(self):
        """The numbers in words, as {what: number}; means are over the filters that live."""
        kh, kw, _, count = self.w.shape
        living = [k for k in range(count) if k not in self.dead]
        return {
            "network": f"{self.network} {self.layer}",
            "filters": f"{count} of {kh}x{kw} at stride {_times(self.stride)}",
            "dead": f"{len(self.dead)}: {len(self.faint)} faint, {len(self.silent)} silent in "
                    f"{self.photos} photo{'s' * (self.photos > 1)}",
            "aliasing of the filters": _mean(self.filter_aliasing[living]),
            "aliasing of the responses": _mean(self.response_aliasing[living]),
            "a unit sees": ", ".join(
                f"{name} {_times(seen.size)} every {_times(seen.stride)}"
                for name, seen in self.sees.items()),
        }


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Comparison(Record):
    """Two first layers; the caption has the numbers of both.

    Attributes
    ----------
    first, second : FirstLayer
    """

    first: FirstLayer
    second: FirstLayer


def compare(network, against, photos, size=None, faint=0.1, progress=False):
    """Compare the first layers of two networks over the same photos.

    Parameters
    ----------
    network, against : Network
        Whose first layer is a convolution.
    photos : path, or sequence of paths or arrays
        Photos, folders of photos, or a data set, see `images.photos.find`. Each network gets them
        in its own preprocessing. Those that cannot be read are skipped, and listed.
    size : int, (H, W) or "keep", optional
        As for `Network.prepare`; each network's own where not given.
    faint : float in 0..1
        A filter is faint if its norm is at most this share of the layer's mean norm.
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    Comparison
        `minicnn.report.comparison` makes a figure of it.

    Raises
    ------
    ValueError
        A network that does not begin with a convolution, or has no weights; no photo, or none that
        can be read.
    """
    settings = settings_of(locals())
    layers, total = _over([network, against], photos, size, faint, progress)
    caption = "\n".join("; ".join(f"{what} {number}" for what, number in layer.table().items())
                        for layer in layers)
    return Comparison(first=layers[0], second=layers[1], caption=caption, settings=settings,
                      skipped=total.skipped, interrupted=total.interrupted)


def first_layer(network, photos, size=None, faint=0.1, progress=False):
    """The numbers of one network's first layer.

    Parameters
    ----------
    network, photos, size, faint, progress
        As for `compare`.

    Returns
    -------
    FirstLayer
    """
    (layer,), _ = _over([network], photos, size, faint, progress)
    return layer


class _Count(NamedTuple):
    """What a first layer did with the photos so far; the last two are of the first of them."""

    photos: int
    strongest: Any
    total: Any
    folding: Any
    photo: Any
    responses: Any


def _over(networks, photos, size, faint, progress):
    """The FirstLayer of each network, and the Total over the photos."""
    for network in networks:
        _first(network)

    def count(photo):
        return [_count(network, network.prepare(photo, size)) for network in networks]

    total = over_photos("compare", photos, count, lambda old, new: list(map(_sum, old, new)),
                        progress)
    return [_first_layer(network, count, faint)
            for network, count in zip(networks, total.counts, strict=True)], total


def _count(network, x):
    """The _Count of one prepared photo."""
    name, layer = _first(network)
    run = network.forward(x, to=_rectified(network, name), keep=(), caches=False)
    response = to_host(run.output)[0]
    powers = power(faded(_unsampled(network, name, x)), pair(layer.stride, "stride"))
    return _Count(1, response.max(axis=(0, 1)), *powers, network.restore(x)[0], response)


def _sum(old, new):
    return _Count(old.photos + 1, np.maximum(old.strongest, new.strongest),
                  old.total + new.total, old.folding + new.folding, old.photo, old.responses)


def _first_layer(network, count, faint):
    name, layer = _first(network)
    shown, stride = kernels(network, name, scale="layer"), pair(layer.stride, "stride")
    norms = np.sqrt((shown.w**2).sum(axis=(0, 1, 2)))  # KH,KW,C,O -> O
    return FirstLayer(
        network.name, name, shown.w, shown.pictures, stride, _sees(network), norms,
        count.strongest, _where(norms <= faint * norms.mean()), _where(count.strongest <= 0),
        aliasing(shown.w, stride), share(count.total, count.folding), count.photo,
        count.responses, count.photos)


def _unsampled(network, name, x):
    """The convolution at stride 1, without its bias: (H, W, O)."""
    layer, w = network[name], network.params[name]["w"]
    y, _ = conv.forward(x, w, None, 1, layer.pad, layer.groups, layer.dilation)
    return to_host(y)[0]


def _first(network):
    name, layer = network.names[0], network[network.names[0]]
    if not isinstance(layer, Conv):
        raise ValueError(f"compare: network {network.name} begins with {name} "
                         f"({type(layer).__name__}); only a convolution has filters to compare")
    return name, layer


def _rectified(network, name):
    """The ReLU that reads a layer, or its batch normalisation; else the layer itself."""
    last = name
    for after, layer, inputs in network.rows:
        if inputs == (last,) and isinstance(layer, ReLU):
            return after
        if inputs == (last,) and isinstance(layer, BatchNorm):
            last = after
    return name


def _sees(network):
    """The receptive fields of the first windowed layers, as far as there is one way up."""
    fields, windowed = receptive.fields(network), {}
    trunk = network.trunk
    for name in takewhile(lambda name: name in trunk, network.names):
        if isinstance(network[name], Conv | MaxPool | AveragePool) and fields[name].size not in [
                seen.size for seen in windowed.values()]:
            windowed[name] = fields[name]
    return dict(islice(windowed.items(), FEW))


def _where(condition):
    return tuple(int(k) for k in np.flatnonzero(condition))


def _times(sides):
    return f"{sides[0]}x{sides[1]}"


def _mean(shares):
    known = shares[~np.isnan(shares)]
    return f"{known.mean():.1%}" if known.size else "none lives"
