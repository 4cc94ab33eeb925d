"""Zoom into a dream: dream, enlarge the middle of the picture a little, and dream again.

The network's own output is its next photo (Mordvintsev, Olah & Tyka 2015, "We must go deeper:
iterations"). After each dream the middle of the picture is enlarged to the whole, and the network
dreams again, of what came up there. The zoom can begin from noise: then everything that appears
comes from the network.

Many frames take a while. Given a folder, finished ones are kept there until all are, as by
`filters`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn import images
from minicnn.backend import array_module, to_device, to_host
from minicnn.files.digests import digest, of_arrays
from minicnn.files.unfinished import Unfinished
from minicnn.progress import bar
from minicnn.vis.dream import DreamOptions, Eyes, octave_by_octave, settings
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
    unfinished : files.unfinished.Unfinished or None
        What is kept in the folder, if that was asked for.
    """

    frames: Any
    unfinished: Any = None


@takes(ZoomOptions)
def zoom(network, image=None, layers=None, *, options, folder=None, keep=False, progress=False):
    """Dream of a photo or of noise, zoom into the dream, and so on.

    Parameters
    ----------
    network : Network
    image : path, uint8 array (H, W, 3), ..., optional
        Where to begin. By default, noise.
    layers : str, sequence of str, or dict of str to float, optional
        What each dream climbs, see `vis.dream`.
    **options
    folder : path, optional
        Where finished frames are kept until all are; made where it does not exist. The same call
        goes on from there and comes to the same bytes.
    keep : bool
        Keep them there at the end, too, until ``found.unfinished.remove()``.
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
    kept = None if folder is None else Unfinished(folder, _about(eyes, x, options))
    frames, trace = [], []
    for k in bar(range(options.frames), "zoom", progress):
        last = None if kept is None else kept.part(k)
        interrupted = last is None and (dream := octave_by_octave(
            eyes, x, options, frame=k)).interrupted
        if last is None:
            last = {"image": dream.image, "x": to_host(dream.x), "value": dream.trace[-1, 0],
                    "caption": dream.caption}
            if kept is not None and not interrupted:
                kept.save_part(k, **last)
        if not (interrupted and frames):
            shown = last
            frames.append(last["image"])
            trace.append(last["value"])
        if interrupted:
            break
        x = nearer(to_device(last["x"], network.device), options.scale)
    if kept is not None and not (interrupted or keep):
        kept.remove()
    caption = (f"{len(frames)} dreams, each zoomed in by {options.scale:.0%}; the last: "
               f"{shown['caption']}")
    return Zoom(image=shown["image"], caption=caption, settings=settings(eyes, options),
                x=to_device(shown["x"], network.device), trace=np.array(trace),
                interrupted=interrupted, frames=np.stack(frames), unfinished=kept)


def _about(eyes, x, options):
    """All that the frames depend on, but their number: what is kept of others is not theirs."""
    from minicnn import __version__

    about = settings(eyes, options) | {"size": list(x.shape), "minicnn": __version__,
                                       "weights": digest(eyes.network)}
    guide = None if options.guide is None else images.prepare(
        options.guide, eyes.network.needed_preprocessing(), "keep")
    pixels = {"start": to_host(x)} | ({} if guide is None else {"guide": guide})
    del about["frames"]
    return about | {"guide": None, "pixels": of_arrays(pixels)}


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
