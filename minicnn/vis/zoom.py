"""Zoom into a dream: dream, enlarge the middle of the picture a little, and dream again.

The network's own output is its next photo (Mordvintsev, Olah & Tyka 2015, "We must go deeper:
iterations"). After each dream the middle of the picture is enlarged to the whole, and the network
dreams again, of what came up there. The zoom can begin from noise: then everything that appears
comes from the network.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn import images
from minicnn.backend import array_module, to_device
from minicnn.progress import bar
from minicnn.vis.dream import DreamOptions, Eyes, octave_by_octave
from minicnn.vis.options import option, takes
from minicnn.vis.record import Record

NOISE = (100, 200)  # grey levels that google/deepdream's noise lies between


@dataclass(frozen=True, kw_only=True)
class ZoomOptions(DreamOptions):
    """Options of `zoom`, which makes each frame as `dream` does."""

    frames: int = option(100, "number of frames, each a dream", least=1)
    scale: float = option(0.05, "share of each side that is cropped away from frame to frame",
                          above=0, most=0.99)
    size: Any = option(None, "side of the frames in pixels; 'keep' for the photo's own size",
                       kind='int, (H, W) or "keep"', otherwise="the network's own")
    seed: int = option(0, "seed of the noise and the jitter", least=0)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Zoom(Record):
    """The frames of a zoom, and how they were made.

    `image` and `x` are the last frame: from it a zoom can go on. `trace` (F,) has the objective at
    the end of each dream. A dream that Ctrl-C broke off is left out, but for the first.

    Attributes
    ----------
    frames : (F, H, W, 3) uint8
        The dreams, in order.
    """

    frames: Any


@takes(ZoomOptions)
def zoom(network, image=None, layers=None, *, options, progress=False):
    """Dream of a photo or of noise, zoom into the dream, and so on.

    Parameters
    ----------
    network : Network
    image : path, uint8 array (H, W, 3), ..., optional
        Where to begin. By default, noise.
    layers : str, sequence of str, or dict of str to float, optional
        What each dream climbs, see `vis.dream`.
    **options
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    Zoom

    Raises
    ------
    ValueError
        As for `vis.dream`.
    """
    eyes = Eyes(network, layers, options)
    x = (network.prepare(noise(network, options.size, options.seed), "keep") if image is None
         else network.prepare(image, options.size))
    frames, trace = [], []
    interrupted = False
    try:
        for k in bar(range(options.frames), "zoom", progress):
            dream = octave_by_octave(eyes, x, options, frame=k)
            interrupted = dream.interrupted
            if not (interrupted and frames):
                last = dream
                frames.append(last.image)
                trace.append(last.trace[-1, 0])
            if interrupted:
                break
            x = nearer(to_device(last.x, network.device), options.scale)
    except KeyboardInterrupt:  # between two dreams, or before the first step of one
        if not frames:
            raise
        interrupted = True
    caption = (f"{len(frames)} dreams, each zoomed in by {options.scale:.0%}; the last: "
               f"{last.caption}")
    return Zoom(image=last.image, caption=caption, settings=last.settings, x=last.x,
                trace=np.array(trace), interrupted=interrupted, frames=np.stack(frames))


def nearer(x, scale):
    """The middle of images (N, H, W, C), without a share `scale` of each side, enlarged.

    Bilinear; the centre stays where it is.
    """
    xp = array_module(x)
    for axis in (1, 2):
        last = x.shape[axis] - 1
        at = last * scale / 2 + (1 - scale) * xp.arange(last + 1)  # where each new sample lies
        below = xp.minimum(at.astype(int), max(last - 1, 0))
        above = xp.minimum(below + 1, last)
        share = (at - below).astype(x.dtype).reshape([-1 if a == axis else 1 for a in range(4)])
        x = (1 - share) * x.take(below, axis) + share * x.take(above, axis)
    return x


def noise(network, size=None, seed=0):
    """A picture to begin from, (H, W, 3) uint8: every pixel and colour drawn on its own."""
    h, w = network.input_shape[:2] if size in (None, "keep") else images.height_width(size)
    return np.random.default_rng(seed).integers(*NOISE, (h, w, 3)).astype(np.uint8)
