"""Compare two networks' first layers: dead filters, aliasing, and what a unit sees.

AlexNet's first layer has 11x11 kernels at stride 4. Zeiler & Fergus (2014, section 4.1) saw dead
filters in it and aliasing in the layer above; 7x7 kernels at stride 2 cured both. Here both are
numbers, measured in the same way for any two networks.

Dead
    A filter is faint if its norm is far below the mean norm of the layer's filters. It is silent if
    its response is nowhere above zero in any photo, so that the ReLU never lets anything through.

Aliasing
    The share of power above the Nyquist frequency of the layer's output grid, which folds to lower
    frequencies (`minicnn.vis.aliasing` has the formula). Measured on a filter's weights, it is what
    the layer would fold of photos that have all frequencies in equal parts. Measured on the
    responses to photos, taken at stride 1, it is what the layer does fold. There the mean response
    is subtracted, so that the bias plays no part, and the responses are faded out towards the
    border. Photos have little power at high frequencies, so the second number is usually smaller.
"""

from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import Any, NamedTuple

import numpy as np

from minicnn.backend import to_host
from minicnn.images import markup
from minicnn.network import receptive
from minicnn.network.layers import AveragePool, BatchNorm, Conv, MaxPool, ReLU
from minicnn.ops import conv
from minicnn.ops.window import pair
from minicnn.vis.aliasing import aliasing, faded, power, share
from minicnn.vis.kernels import kernels
from minicnn.vis.options import Options, option, takes
from minicnn.vis.over_photos import over_photos
from minicnn.vis.record import Record

FEW = 4  # layers whose receptive fields are listed


@dataclass(frozen=True, kw_only=True)
class CompareOptions(Options):
    """Options of `compare`."""

    size: Any = option(None, "side of each photo in pixels, or keep for its own size",
                       kind='int, (H, W) or "keep"', otherwise="each network's own")
    faint: float = option(0.1, "a filter is faint, and so counts as dead, if its norm is at most "
                          "this share of the mean norm of the layer's filters", least=0, most=1)


@dataclass(frozen=True)
class FirstLayer:
    """Measurements of the first layer of one network, which has O filters.

    Attributes
    ----------
    network, layer : str
    w : array (KH, KW, C/groups, O)
        The weights.
    pictures : (O, KH, KW, 3) uint8
        The filters in colour; zero is grey, and all share one scale, so that faint ones look faint.
    stride : (vertical, horizontal)
    sees : dict of str to receptive.Field
        Receptive fields of the layer and of the next few that change them, by name.
    norms : array (O,)
        The root of the sum of each filter's squared weights.
    strongest : array (O,)
        The largest response of each filter over all photos, after the ReLU.
    faint, silent : tuple of int
        Indices of the faint and of the silent filters.
    filter_aliasing, response_aliasing : arrays (O,)
        Shares of power, 0..1; NaN for a filter of zeros, and for constant responses.
    photo : (H, W, 3) uint8
        The first photo as the network sees it.
    responses : array (OH, OW, O)
        The responses to that photo, after the ReLU.
    photos : int
        Number of photos that were measured.
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
        """Indices of the filters that are faint, silent or both."""
        return tuple(sorted({*self.faint, *self.silent}))

    def table(self):
        """The measurements as a dict from name to text. Means leave out the dead filters."""
        kh, kw, _, count = self.w.shape
        alive = [k for k in range(count) if k not in self.dead]
        return {
            "network": f"{self.network} {self.layer}",
            "filters": f"{count} of {kh}x{kw} pixels at stride {_times(self.stride)}",
            "dead filters": f"{len(self.dead)}: {len(self.faint)} faint, {len(self.silent)} silent "
                            f"in {self.photos} photo{'s' * (self.photos > 1)}",
            "mean aliasing of the filters": _mean(self.filter_aliasing[alive]),
            "mean aliasing of the responses": _mean(self.response_aliasing[alive]),
            "a unit sees": ", ".join(
                f"{name} {_times(seen.size)} pixels every {_times(seen.stride)}"
                for name, seen in self.sees.items()),
        }


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Comparison(Record):
    """The first layers of two networks; the caption has the numbers of both.

    Attributes
    ----------
    first, second : FirstLayer
    """

    first: FirstLayer
    second: FirstLayer

    def views(self):
        """The filters of both."""
        return [markup.sheet(name, one.pictures, round(len(one.pictures)**0.5),
                             f"{one.network} {one.layer}")
                for name, one in (("first", self.first), ("second", self.second))]


@takes(CompareOptions)
def compare(network, against, photos, *, options, progress=False):
    """Compare the first layers of two networks over the same photos.

    Parameters
    ----------
    network, against : Network
        Networks whose first layer is a convolution.
    photos : path, or sequence of paths or arrays
        Photos, folders of photos, or a data set, see `files.photos.find`. Each network gets them
        in its own preprocessing. Photos that cannot be read are skipped and listed.
    **options
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
        can be used; an option out of range.
    """
    networks = list(dict.fromkeys([network, against]))  # one, if they are the same
    convolutions = [_first_convolution(each) for each in networks]

    def look(photo):
        return [_look(each, layer, each.prepare(photo, options.size))
                for each, layer in zip(networks, convolutions, strict=True)]

    def add(old, new):
        return [_sum(before, one) for before, one in zip(old, new, strict=True)]

    total = over_photos("compare", photos, look, add, progress)
    layers = [_measured(each, layer, seen, options.faint)
              for each, layer, seen in zip(networks, convolutions, total.counts, strict=True)]
    caption = "\n".join("; ".join(f"{what} {text}" for what, text in each.table().items())
                        for each in (layers[0], layers[-1]))
    return Comparison(first=layers[0], second=layers[-1], caption=caption,
                      settings=options.settings(), skipped=total.skipped,
                      interrupted=total.interrupted)


def first_layer(network, photos, **options):
    """Measure the first layer of one network.

    Parameters
    ----------
    network, photos, **options
        As for `compare`, `progress` too.

    Returns
    -------
    FirstLayer
    """
    return compare(network, network, photos, **options).first


def _measured(network, layer, seen, faint):
    """The FirstLayer of a network, from what it did with the photos."""
    shown, stride = kernels(network, layer, scale="layer"), pair(network[layer].stride, "stride")
    norms = np.sqrt((shown.w**2).sum(axis=(0, 1, 2)))  # KH,KW,C,O -> O
    return FirstLayer(
        network=network.name, layer=layer, w=shown.w, pictures=shown.pictures, stride=stride,
        sees=_sees(network), norms=norms, strongest=seen.strongest,
        faint=_where(norms <= faint * norms.mean()), silent=_where(seen.strongest <= 0),
        filter_aliasing=aliasing(shown.w, stride), photo=seen.photo, photos=seen.photos,
        response_aliasing=share(seen.total, seen.folding), responses=seen.responses)


class _Seen(NamedTuple):
    """What a first layer did with the photos so far.

    strongest (O,): largest responses. total, folding (O,): power of the responses at stride 1, and
    its part that folds. photo, responses: those of the first photo.
    """

    photos: int
    strongest: Any
    total: Any
    folding: Any
    photo: Any
    responses: Any


def _look(network, layer, x):
    """The _Seen of one prepared photo."""
    run = network.forward(x, to=_rectified(network, layer), keep=(), caches=False)
    responses = to_host(run.output)[0]
    stride = pair(network[layer].stride, "stride")
    total, folding = power(faded(_unsampled(network, layer, x)), stride)
    return _Seen(1, responses.max(axis=(0, 1)), total, folding, network.restore(x)[0], responses)


def _sum(old, new):
    """The _Seen of the photos so far and of one more."""
    return _Seen(old.photos + 1, np.maximum(old.strongest, new.strongest), old.total + new.total,
                 old.folding + new.folding, old.photo, old.responses)


def _unsampled(network, name, x):
    """The convolution at stride 1 and without its bias: (H, W, O)."""
    layer, w = network[name], network.params[name]["w"]
    y, _ = conv.forward(x, w, None, 1, layer.pad, layer.groups, layer.dilation)
    return to_host(y)[0]


def _first_convolution(network):
    """The name of the first layer; ValueError unless it is a convolution."""
    name = network.names[0]
    if not isinstance(network[name], Conv):
        raise ValueError(f"compare: network {network.name} begins with {name} "
                         f"({type(network[name]).__name__}); only a convolution has filters to "
                         "compare")
    return name


def _rectified(network, name):
    """The ReLU that reads a layer, or its batch normalisation; otherwise the layer itself."""
    last = name
    for after, layer, inputs in network.rows:
        if inputs == (last,) and isinstance(layer, ReLU):
            return after
        if inputs == (last,) and isinstance(layer, BatchNorm):
            last = after
    return name


def _sees(network):
    """Receptive fields of the first convolutions and poolings, up to where the paths part."""
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
    return f"{known.mean():.1%} of the power" if known.size else "no filter is alive"
