"""Dream, go a little nearer, and dream again: an endless stream of new impressions.

The network's own output is its next photo (Mordvintsev, Olah & Tyka 2015, "We must go deeper:
iterations"). After each dream the middle of the picture is enlarged to the whole, and what came
up in it is dreamt on. It can begin from noise: then all there is to see comes from the network.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn import images
from minicnn.backend import array_module
from minicnn.progress import bar
from minicnn.vis.arguments import check_counts, settings_of
from minicnn.vis.dream import Dreaming, named, places
from minicnn.vis.record import Record

NOISE = (100, 200)  # grey levels that google/deepdream's noise lies between


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Zoom(Record):
    """The frames of a zoom and how they came about.

    `image` and `x` are the last frame: from it a zoom can go on. `trace` (F,) has the objective at
    the end of each dream. The dream that Ctrl-C broke off is left out, but for the first.

    Attributes
    ----------
    frames : (F, H, W, 3) uint8
        The dreams, in order.
    """

    frames: Any


def zoom(network, image=None, frames=100, scale=0.05, layers=None, octaves=4, octave_scale=1.4,
         steps=10, rate=1.5, jitter=32, guide=None, size=None, tile=1024, overlap=None, seed=0,
         progress=False):
    """Dream of a photo or of noise, zoom into the dream, and so on.

    Parameters
    ----------
    network : Network
    image : path, uint8 array (H, W, 3), ..., optional
        Where to begin; noise where not given.
    frames : int
        Dreams.
    scale : float in (0, 1)
        The share of each side that a zoom leaves out.
    layers, octaves, octave_scale, steps, rate, jitter, guide, tile, overlap
        As for `vis.dream`, of each dream.
    size : int, (H, W) or "keep", optional
        Of the frames; the network's own where not given.
    seed : int
        For the noise and the jitter.
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    Zoom
    """
    settings = settings_of(locals())
    check_counts("zoom", frames=frames)
    weights = places(network, layers)
    dreaming = Dreaming(network, weights, octaves, octave_scale, steps, rate, jitter, guide, tile,
                        overlap)
    x = network.prepare(noise(network, size, seed), "keep") if image is None else network.prepare(
        image, size)
    check_scale(scale)
    pictures, trace, interrupted = [], [], False
    for k in bar(range(frames), "zoom", progress):
        end = dreaming.follow(x, seed, k)
        interrupted = end.interrupted
        if not interrupted or not pictures:
            pictures.append(network.restore(end.image)[0])
            trace.append(end.trace[-1, 0])
            last = end.image
        if interrupted:
            break
        x = nearer(array_module(x).asarray(end.image), scale)
    settings |= {"layers": weights, "guide": named(guide)}
    caption = f"{len(pictures)} dreams, each {scale:.0%} nearer; the last: {dreaming.caption(end)}"
    return Zoom(image=pictures[-1], caption=caption, settings=settings, x=last,
                trace=np.array(trace), interrupted=interrupted, frames=np.stack(pictures))


def nearer(x, scale):
    """The middle of images (N, H, W, C), without a share `scale` of each side, as large as all.

    Bilinear; the centre stays where it is.
    """
    check_scale(scale)
    for axis in (1, 2):
        x = _stretched(x, axis, scale)
    return x


def check_scale(scale):
    """Raise ValueError unless 0 < scale < 1."""
    if not 0 < scale < 1:
        raise ValueError(f"zoom: scale, the share of each side left out, must lie between 0 and 1, "
                         f"got {scale}")


def noise(network, size=None, seed=0):
    """A picture to begin from, (H, W, 3) uint8: every pixel and colour drawn on its own."""
    h, w = network.input_shape[:2] if size in (None, "keep") else images.height_width(size)
    return np.random.default_rng(seed).integers(*NOISE, (h, w, 3)).astype(np.uint8)


def _stretched(x, axis, scale):
    """One axis: sample i is taken from where i lies after shrinking towards the middle."""
    xp, last = array_module(x), x.shape[axis] - 1
    at = last * scale / 2 + (1 - scale) * xp.arange(last + 1)
    below = xp.minimum(at.astype(int), max(last - 1, 0))
    shape = [1] * x.ndim
    shape[axis] = -1
    share = (at - below).astype(x.dtype).reshape(shape)
    above = xp.minimum(below + 1, last)
    return (1 - share) * x.take(below, axis) + share * x.take(above, axis)
