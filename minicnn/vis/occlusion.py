"""Occlusion: how much a class's probability depends on each part of a photo (Zeiler & Fergus 2014).

Section 4.2 and figure 7. A grey square covers one part of the photo after another, and each time
the network is asked again. Three maps show the network's answer as a function of
the square's position:

(b) the total activation of one feature map, the one that responds most to the whole photo: where
    this drops is what excites the map
(d) the probability of the class: where this drops is the object
(e) the likeliest class: what the network takes the photo for instead

In the figure (a) is the photo with one square, (c) the deconvnet's projection of the feature map:
`vis.deconvnet`.

No gradient is taken: this is what the network does, not what it would do for small changes. It can
therefore be used to check all gradient-based maps.

The squares lie inside the photo, `stride` apart, the last of a row or column at the far edge, so
that every pixel is covered. A map has one number for each square. For display each pixel gets the
mean over the squares that cover it.
"""

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from minicnn.backend import array_module, to_host
from minicnn.images.display import ColourBar
from minicnn.images.markup import View
from minicnn.progress import bar
from minicnn.vis import attribution
from minicnn.vis.arguments import channel_number
from minicnn.vis.options import Options, option, photo_size, takes
from minicnn.vis.record import Record


@dataclass(frozen=True, kw_only=True)
class OcclusionOptions(Options):
    """Options of `occlusion`."""

    square: int = option(None, "side of the square, in pixels", least=1, kind="int",
                         otherwise="a quarter of the photo's shorter side")
    stride: int = option(None, "pixels from one square to the next, at most the side of one",
                         least=1, kind="int", otherwise="a quarter of the square's side")
    value: Any = option(None, "colour of the square: one grey level, or red, green and blue, "
                        "each in 0..255", kind="number or (R, G, B)",
                        otherwise="the network's mean colour; mid-grey where its preprocessing "
                        "subtracts no mean")
    batch: int = option(16, "number of squares that the network processes in one pass; more need "
                            "more memory", least=1)
    size: Any = photo_size()

    def fitted(self, height, width):
        """The options with a square and a stride that fit a photo of that size."""
        square = max(1, min(height, width) // 4) if self.square is None else self.square
        stride = max(1, square // 4) if self.stride is None else self.stride
        if square > min(height, width):
            raise ValueError(f"occlusion: a square of {square} does not fit the photo, "
                             f"{height}x{width} pixels; give a side of 1 to {min(height, width)}")
        if stride > square:
            raise ValueError(f"occlusion: a stride of {stride} would leave pixels uncovered by "
                             f"squares of {square}; give 1 to {square}")
        return replace(self, square=square, stride=stride)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Occlusion(Record):
    """A network's answers for a photo with a square in it, as functions of the square's position.

    The maps are (P, Q) for P rows and Q columns of squares. What Ctrl-C left undone is NaN, in
    `winner` -1. `image` shows the probability at each pixel in grey, 0 black and 1 white: dark is
    what the class needs.

    Attributes
    ----------
    probability : array (P, Q)
        Of the class.
    activation : array (P, Q)
        The feature map's total activation.
    winner : array (P, Q) of int
        The likeliest class.
    names : dict of int to str
        Of the classes in `winner`.
    whole : (float, float, int)
        The same three of the photo without a square.
    tops, lefts : array (P,), (Q,) of int
        Where the squares begin, in pixels.
    example : (H, W, 3) uint8
        What the network saw with the square that hurts the class most.
    """

    probability: Any
    activation: Any
    winner: Any
    names: dict
    whole: tuple
    tops: Any
    lefts: Any
    example: Any
    main = "probability"

    @property
    def place(self):
        """Where the squares are, for `per_pixel` and `nearest`."""
        return self.tops, self.lefts, self.settings["square"], self.photo.shape[:2]

    def views(self):
        """The most damaging square, and two maps: at each pixel the mean over its squares."""
        heats = [per_pixel(values, *self.place) for values in (self.activation, self.probability)]
        bars = [ColourBar(*attribution.ends(heat), unit)
                for heat, unit in zip(heats, ("sum over the map", ""), strict=True)]
        return [View("square", "most damaging square", self.example)] + [
            View(name, label, attribution.viridis(heat), bar, blocks=True)
            for (name, label), heat, bar in zip(
                [("activation", "total activation"), ("probability", "probability")], heats, bars,
                strict=True)]


@takes(OcclusionOptions)
def occlusion(network, image, target=None, layer=None, channel=None, *, options, progress=False):
    """Move a grey square over a photo, and run the network each time.

    Parameters
    ----------
    network : Network
        With class probabilities.
    image : path, uint8 array (H, W, 3), or anything `Network.prepare` takes
    target : int or str, optional
        The class, by its number or its name (`Network.find_class`). By default, the most probable.
    layer : str, optional
        The layer of the feature map. By default, the last that computes feature maps, see
        `attribution.feature_layer`.
    channel : int, optional
        The index of the feature map, from 0. By default, the map with the largest total activation.
    **options
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    Occlusion
        On Ctrl-C with what was done so far.

    Raises
    ------
    ValueError
        Unknown class, layer or channel; a square or a stride that does not fit.
    """
    if not network.classifies:
        raise ValueError(f"occlusion: network {network.name} ends at layer {network.names[-1]} and "
                         "does not output class probabilities; use a network that includes its "
                         "classification layers")
    attribution.score_layer(network)  # the classes have one position, or ValueError
    x, layer = network.prepare(image, options.size), attribution.feature_maps(network, layer)
    options = options.fitted(*x.shape[1:3])
    patch = attribution.plain(network, options.value, x.shape)

    p, totals = look(network, x, layer)  # the photo without a square
    c = attribution.find_target(network, target, p)
    channel = (int(totals[0].argmax()) if channel is None
               else channel_number("occlusion", network, layer, channel))
    whole = float(p[0, c]), float(totals[0, channel]), int(p[0].argmax())

    tops, lefts = (starts(side, options.square, options.stride) for side in x.shape[1:3])
    places = list(product(tops.tolist(), lefts.tolist()))
    settings = {"target": c, "layer": layer, "channel": channel, **options.settings()}
    some = range(0, len(places), options.batch)
    found = _moved(network, x, patch, places, settings, bar(some, "occlusion", progress))
    probability, activation, winner = found.reshape(3, len(tops), len(lefts))  # 3,P*Q -> 3,P,Q

    worst = places[int(np.nanargmin(probability))]
    heats = [per_pixel(values, tops, lefts, options.square, x.shape[1:3])
             for values in (probability, activation)]
    return Occlusion(
        image=attribution.grey(heats[0], 1), settings=settings,
        caption=_caption(network, settings, whole, (probability, activation), worst, heats),
        probability=probability, activation=activation,
        winner=np.nan_to_num(winner, nan=-1).astype(int),
        names={int(k): attribution.short_name(network, int(k))
               for k in np.unique(winner) if k >= 0},
        whole=whole, tops=tops, lefts=lefts, photo=network.restore(x)[0],
        example=network.restore(covered(x, patch, [worst], options.square))[0],
        interrupted=bool(np.isnan(probability).any()))


def _moved(network, x, patch, places, settings, batches):
    """Maps (d), (b) and (e) with the square at each place: (3, P*Q), NaN from Ctrl-C on."""
    found = np.full((3, len(places)), np.nan)
    try:
        for first in batches:
            some = slice(first, first + settings["batch"])
            images = covered(x, patch, places[some], settings["square"])
            p, totals = look(network, images, settings["layer"])
            found[:, some] = (p[:, settings["target"]], totals[:, settings["channel"]],
                              p.argmax(axis=1))
    except KeyboardInterrupt:
        if np.isnan(found).all():
            raise
    return found


def look(network, x, layer):
    """A network's answers for a batch: probabilities (N, K), total activation of maps (N, C)."""
    run = network.forward(x, keep=[layer], caches=False)
    p = run.output.reshape(len(x), -1, run.output.shape[-1]).mean(axis=1)  # N,K or N,H,W,K -> N,K
    return to_host(p), to_host(run[layer].sum(axis=(1, 2)))  # N,H,W,C -> N,C


def starts(side, square, stride):
    """Where squares begin along a side: `stride` apart, the last flush with the far end."""
    last = side - square
    return np.unique(np.append(np.arange(0, last, stride), last))


def covered(x, patch, places, square):
    """Copies of an image, each with one square from another image.

    Parameters
    ----------
    x, patch : array (1, H, W, C)
    places : list of N (top, left)
    square : int

    Returns
    -------
    array (N, H, W, C)
    """
    copies = array_module(x).repeat(x, len(places), axis=0)  # 1,H,W,C -> N,H,W,C
    for copy, (top, left) in zip(copies, places, strict=True):
        inside = np.s_[top:top + square, left:left + square]
        copy[inside] = patch[0][inside]
    return copies


def per_pixel(values, tops, lefts, square, shape):
    """A map (P, Q) at the photo's resolution: each pixel's mean over the squares that cover it.

    Parameters
    ----------
    values : array (P, Q)
        NaN is left out.
    tops, lefts : array (P,), (Q,)
        Where the squares begin.
    square : int
    shape : (H, W)

    Returns
    -------
    array (H, W)
        NaN where no square with a value covers a pixel.
    """
    rows, columns = (_covers(begin, square, side)
                     for begin, side in zip((tops, lefts), shape, strict=True))
    known = np.isfinite(values)
    count = rows.T @ known @ columns  # (H, P) @ (P, Q) @ (Q, W) -> H,W
    total = rows.T @ np.where(known, values, 0) @ columns
    return np.divide(total, count, out=np.full(shape, np.nan), where=count > 0)


def nearest(values, tops, lefts, square, shape):
    """A map (P, Q) at the photo's resolution: each pixel's square whose middle is nearest."""
    row, column = (np.abs(begin[:, None] + square / 2 - np.arange(side) - 0.5).argmin(axis=0)
                   for begin, side in zip((tops, lefts), shape, strict=True))
    return values[row[:, None], column]  # P,Q -> H,W


def _covers(begin, square, side):
    """(P, side): 1 where a square covers a pixel, else 0."""
    inside = np.arange(side) - begin[:, None]
    return ((inside >= 0) & (inside < square)).astype(float)


def _caption(network, settings, whole, found, worst, heats):
    (probability, activation), maps = map(_range, found), map(_range, heats)
    square, value = settings["square"], settings["value"]
    colour = "the mean colour" if value is None else f"colour {value}"
    target = attribution.unit(network, settings["target"])
    return (f"{network.name} {target}: probability {whole[0]:.4g}; with a "
            f"{square}x{square} square of {colour}, moved in steps of {settings['stride']} "
            f"pixels: {probability}, lowest with the square's top left at {worst}. "
            f"{settings['layer']} channel {settings['channel']}: total activation {whole[1]:.4g}; "
            f"with the square {activation}. Each pixel: mean over the squares on it, "
            f"{'; '.join(maps)}")


def _range(values):
    return "{:.4g} to {:.4g}".format(*attribution.ends(values))
