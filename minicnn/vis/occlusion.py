"""Occlusion: what a class's probability owes to each part of a photo (Zeiler & Fergus 2014).

Section 4.2 and figure 7. A grey square is laid over the photo at one place after another, and the
network is asked again each time. Three maps, over where the square lies:

(b) one feature map's total activation, of the map that responds most to the photo as it is: where
    that drops is what excites the map
(d) the probability of the class: where that drops is the object
(e) the likeliest class: what the network takes the photo for instead

(a) is the photo with one square, (c) the deconvnet's projection of the map: `vis.deconvnet`.

Nothing is differentiated: this is what the network does, not what it would do for small changes,
and so a check of all the maps that gradients make.

The squares lie inside the photo, `stride` apart, the last of a row or column flush with the far
edge, so that every pixel is covered. A map has one number a square. For display each pixel gets the
mean over the squares that cover it, which puts every number where its square was.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn.backend import array_module, to_host
from minicnn.progress import bar
from minicnn.vis import attribution
from minicnn.vis.arguments import channel_number, check_counts, settings_of
from minicnn.vis.record import Record


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Occlusion(Record):
    """What a network says of a photo with a square in it, by where the square is.

    The maps are (P, Q) for P rows and Q columns of squares. What Ctrl-C left undone is NaN, in
    `winner` -1. `image` has the probability for each pixel in grey, 0 black and 1 white: dark is
    what the class needs.

    Attributes
    ----------
    probability : array (P, Q)
        Of the class.
    activation : array (P, Q)
        The feature map's total.
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


def occlusion(network, image, target=None, layer=None, channel=None, square=None, stride=None,
              value=None, batch=16, size=None, progress=False):
    """Sweep a grey square over a photo, and ask the network each time.

    Parameters
    ----------
    network : Network
        With class probabilities.
    image : path, uint8 array (H, W, 3), or anything `Network.prepare` takes
    target : int or str, optional
        The class, by its number or its name (`Network.find_class`); the likeliest where not given.
    layer : str, optional
        Of the feature map; where not given the last that computes any, see
        `attribution.feature_layer`.
    channel : int, optional
        The feature map, counted from 0; the one with the largest total where not given.
    square : int, optional
        Side in pixels; a quarter of the photo's shorter side where not given.
    stride : int, optional
        Pixels from one square to the next, at most `square`; a quarter of it where not given.
    value : number or (R, G, B) in 0..255, optional
        The square's colour; where not given the network's mean colour, which its preprocessing
        makes zero (mid-grey where it subtracts no mean).
    batch : int
        How many squares the network looks at in one pass. More takes more memory.
    size : int, (H, W) or "keep", optional
        As for `Network.prepare`.
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
    settings = settings_of(locals())
    check_counts("occlusion", batch=batch)
    if not network.classifies:
        raise ValueError(f"occlusion: network {network.name} ends at {network.names[-1]}, not in "
                         "class probabilities; use one with its classifier")
    attribution.score_layer(network)
    x, layer = network.prepare(image, size), attribution.feature_maps(network, layer)
    square = max(1, min(x.shape[1:3]) // 4) if square is None else square
    stride = max(1, square // 4) if stride is None else stride
    _, h, w, _ = x.shape
    if not 1 <= square <= min(h, w):
        raise ValueError(f"occlusion: a square of {square} does not fit the photo, {h}x{w} pixels; "
                         f"give a side of 1 to {min(h, w)}")
    if not 1 <= stride <= square:
        raise ValueError(f"occlusion: a stride of {stride} would leave pixels uncovered by squares "
                         f"of {square}; give 1 to {square}")
    patch = attribution.plain(network, value, x.shape)
    p, totals = look(network, x, layer)
    index = attribution.find_target(network, target, p)
    channel = (int(totals[0].argmax()) if channel is None
               else channel_number("occlusion", network, layer, channel))
    whole = float(p[0, index]), float(totals[0, channel]), int(p[0].argmax())
    settings |= {"target": index, "layer": layer, "channel": channel, "square": square,
                 "stride": stride}

    tops, lefts = (starts(side, square, stride) for side in x.shape[1:3])
    places = [(int(top), int(left)) for top in tops for left in lefts]
    looks = (look(network, covered(x, patch, places[first:first + batch], square), layer)
             for first in range(0, len(places), batch))
    looks = bar(looks, "occlusion", progress, -(-len(places) // batch))
    found = _gather(looks, len(places), index, channel)
    probability, activation, winner = found.reshape(3, len(tops), len(lefts))  # 3,P*Q -> 3,P,Q
    worst = places[int(np.nanargmin(probability))]
    return Occlusion(
        image=attribution.grey(per_pixel(probability, tops, lefts, square, x.shape[1:3]), 1),
        caption=_caption(network, settings, whole, probability, activation, worst),
        settings=settings, probability=probability, activation=activation,
        winner=np.nan_to_num(winner, nan=-1).astype(int),
        names={int(k): attribution.short_name(network, int(k))
               for k in np.unique(winner) if k >= 0},
        whole=whole, tops=tops, lefts=lefts, photo=network.restore(x)[0],
        example=network.restore(covered(x, patch, [worst], square))[0],
        interrupted=bool(np.isnan(probability).any()))


def _gather(looks, count, index, channel):
    """(3, count): the class's probability, the map's total, the likeliest class; NaN if undone."""
    found, done = np.full((3, count), np.nan), 0
    try:
        for p, totals in looks:
            found[:, done:done + len(p)] = p[:, index], totals[:, channel], p.argmax(axis=1)
            done += len(p)
    except KeyboardInterrupt:
        if done == 0:
            raise
    return found


def look(network, x, layer):
    """What a network says of a batch: probabilities (N, K), and feature maps' totals (N, C)."""
    run = network.forward(x, keep=[layer], caches=False)
    p = run.output.reshape(len(x), -1, run.output.shape[-1]).mean(axis=1)  # N,K or N,H,W,K -> N,K
    return to_host(p), to_host(run[layer].sum(axis=(1, 2)))  # N,H,W,C -> N,C


def starts(side, square, stride):
    """Where squares begin along a side: `stride` apart, the last flush with the far end."""
    last = side - square
    return np.unique(np.append(np.arange(0, last, stride), last))


def covered(x, patch, places, square):
    """Copies of an image, each with a square of another one in it.

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


def _caption(network, settings, whole, probability, activation, worst):
    square, value = settings["square"], settings["value"]
    colour = "the mean colour" if value is None else f"colour {value}"
    target = attribution.unit(network, settings["target"])
    return (f"{network.name} {target}: probability {whole[0]:.4g}; with a "
            f"{square}x{square} square of {colour} every {settings['stride']} pixels "
            f"{_range(probability)}, least with its top left at {worst}. "
            f"{settings['layer']} channel {settings['channel']}: total {whole[1]:.4g}; with the "
            f"square {_range(activation)}")


def _range(values):
    return f"{np.nanmin(values):.4g} to {np.nanmax(values):.4g}"
