"""Zoom into a dream: dream, enlarge the middle of the picture a little, and dream again.

The network's own output is its next photo (Mordvintsev, Olah & Tyka 2015, "We must go deeper:
iterations"). After each dream the middle of the picture is enlarged to the whole, and the network
dreams again, of what came up there. The zoom can begin from noise: then everything that appears
comes from the network.

Fed with itself, a network drifts: its favourite colours and its contrast grow from frame to frame,
and in small frames long stripes, which look the same at every scale, win over everything else.
google/deepdream, of a large network and frames of a thousand pixels, does without a remedy. Three
are here:

1. `ascent.colours.limited` keeps the colours of each new start: their mean is the first photo's,
   and their covariance no larger than its. So every dream begins with a photo's contrast and
   saturation. From noise, the colours are those of ImageNet's photos.
2. `nearer` turns each frame by a degree, so that stripes do not keep one angle; and it enlarges
   with Catmull and Rom's cubic, because a bilinear mean would blur each frame again.
3. Frames have at least 192 pixels a side. Frames as small as the 64 pixels of `minivgg` hold one or
   two of the things that its units see, and soon nothing but a piece of one, which is stripes.

``contrast="free", turn=0, size="keep", colours="rgb"`` are google/deepdream's.

Many frames take a while. Given a folder, finished ones are kept there until all are, as by
`filters`.
"""

from dataclasses import dataclass, replace
from math import radians
from typing import Any

import numpy as np

from minicnn import images
from minicnn.ascent.colours import colours_of, limited, of_photos
from minicnn.ascent.transforms import turned
from minicnn.backend import array_module, to_device, to_host
from minicnn.files.digests import digest, of_arrays
from minicnn.files.unfinished import Unfinished
from minicnn.images import markup
from minicnn.progress import bar
from minicnn.vis.dream import DreamOptions, Eyes, chosen, octave_by_octave, settings
from minicnn.vis.options import option, takes
from minicnn.vis.record import Record

NOISE = (100, 200)  # grey levels that google/deepdream's noise lies between
LEAST = 192  # pixels of the frames' shorter side, if no size is given
FAINT = 10.0  # grey levels: a deviation that every colour may have, even if the photo is grey


@dataclass(frozen=True, kw_only=True)
class ZoomOptions(DreamOptions):
    """Options of `zoom`, which makes each frame as `dream` does."""

    frames: int = option(100, "number of frames, each a dream", least=1)
    scale: float = option(0.05, "share of each side that is cropped away from frame to frame",
                          above=0, most=0.99)
    turn: float = option(1.0, "degrees by which each frame is turned, clockwise below 0; where a "
                         "corner turns further than `scale` crops, pixels of the border repeat",
                         least=-180, most=180)
    contrast: str = option("held", "held: each dream begins with the mean colour of the first "
                           "photo and at most the contrast and saturation of it, from noise those "
                           "of ImageNet's photos; free: with whatever the last dream has",
                           choices=("held", "free"))
    size: Any = option(None, "side of the frames in pixels; 'keep' for the photo's own size",
                       kind='int, (H, W) or "keep"',
                       otherwise=f"the network's own, enlarged to {LEAST} if smaller")
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

    def views(self):
        """Some of the frames."""
        return [markup.View(str(k), str(k), self.frames[k])
                for k in markup.some(range(len(self.frames)), 6)]


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
    size = side(network) if options.size is None else options.size
    eyes = Eyes(network, layers, options)
    x = network.prepare(noise(network, size, options.seed) if image is None else image,
                        "keep" if image is None else size)
    options = chosen(replace(options, size=size), network, x)
    held = of_photos(network) if image is None else colours_of(x)
    kept = None if folder is None else Unfinished(folder, _about(eyes, x, options))
    frames, trace, interrupted = [], [], False
    try:
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
            x = nearer(to_device(last["x"], network.device), options.scale, options.turn)
            if options.contrast == "held":
                x = limited(x, *held, FAINT * network.grey_level)
    except KeyboardInterrupt:  # between two dreams, or before the first step of one
        if not frames:
            raise
        interrupted = True
    if kept is not None and not (interrupted or keep):
        kept.remove()
    caption = (f"{len(frames)} dreams, each zoomed in by {options.scale:.0%}; the last: "
               f"{shown['caption']}")
    return Zoom(image=shown["image"], caption=caption, settings=settings(eyes, options),
                x=shown["x"], trace=np.array(trace),
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


def nearer(x, scale, degrees=0.0):
    """The middle of images (N, H, W, C), without a share `scale` of each side, enlarged.

    The centre stays where it is; the picture is turned about it, anticlockwise if `degrees` is
    above 0. Each new pixel is the sum of the 4 x 4 old ones around its place, each weighed by
    `cubic` of its distances, down and to the right.
    """
    xp, (h, w) = array_module(x), x.shape[1:3]
    away = [xp.arange(h)[:, None] - (h - 1) / 2, xp.arange(w)[None] - (w - 1) / 2]
    rows, columns = ((1 - scale) * off + (length - 1) / 2 for off, length
                     in zip(turned(*away, radians(degrees)), (h, w), strict=True))  # H,W
    above, left = (xp.floor(place).astype(int) for place in (rows, columns))
    y = 0
    for i in range(-1, 3):
        for j in range(-1, 3):
            share = cubic(rows - above - i) * cubic(columns - left - j)
            near = x[:, (above + i).clip(0, h - 1), (left + j).clip(0, w - 1)]  # -> N,H,W,C
            y = y + share[..., None].astype(x.dtype) * near
    return y


def cubic(distance):
    """The weight of a sample at a distance of up to 2 (Catmull & Rom 1974)."""
    t = abs(distance)
    return (t < 1) * (1.5 * t**3 - 2.5 * t**2 + 1) + (t >= 1) * (2 - t) ** 2 * (1 - t) / 2


def side(network):
    """The size (H, W) of the frames if none is given."""
    own = network.input_shape[:2]
    return tuple(round(length * max(1, LEAST / min(own))) for length in own)


def noise(network, size=None, seed=0):
    """A picture to begin from, (H, W, 3) uint8: every pixel and colour drawn on its own."""
    h, w = network.input_shape[:2] if size in (None, "keep") else images.height_width(size)
    return np.random.default_rng(seed).integers(*NOISE, (h, w, 3)).astype(np.uint8)
