"""MATLAB's deepDreamImage: pictures that activate the channels of a layer strongly.

What MATLAB documents of the function, in NumPy. For every channel on its own:

1. Begin with noise, or with a given image.
2. Climb the mean of the channel over its positions. Before each step, take the gradient apart into
   a Laplacian pyramid, bring each band to the same size, and put them together again, so that
   broad shapes count as much as fine detail (`optimizers.laplacian`).
3. Enlarge the picture by `pyramid_scale` and climb again, on `pyramid_levels` levels in all.

Nothing keeps the image between black and white; in the end its own range is spread over 0..1. So
the length of a step hardly matters, as long as it soon leaves the noise behind.

For a convolution of the image the mean activation is linear in the image: the gradient is the same
for every image, so each step is the same and adds the same. Its ReLU is not linear. The layers to
choose are those before a ReLU, and for a class its score, not its probability.

Dense layers become convolutions (`vis.convolutional`), so that they, too, see larger pictures than
the network's own: their value is the mean over all places where their kernel fits in.
"""

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from minicnn import images
from minicnn.ascent import loop, objectives
from minicnn.ascent.optimizers import SGD
from minicnn.backend import to_device
from minicnn.images import display, markup
from minicnn.network import receptive
from minicnn.ops import resize
from minicnn.vis.arguments import channel_number
from minicnn.vis.convolutional import convolutional
from minicnn.vis.dream import named
from minicnn.vis.options import Options, option, takes
from minicnn.vis.record import Record
from minicnn.vis.tiles import InTiles

RATE = 1.0  # grey levels: the root mean square of each band of a step
PLACES = 9  # units a side, in the first picture, that see nothing but picture
RULE = f"|{46 * '='}|"
HEAD = (RULE, "|  Iteration  |  Activation  |  Pyramid Level  |",
        "|             |   Strength   |                 |", RULE)


@dataclass(frozen=True, kw_only=True)
class DeepDreamImageOptions(Options):
    """Options of `deepdream_image`."""

    initial_image: Any = option(
        None, "photo from which all pictures start (a path, or a uint8 array)", kind="photo",
        otherwise="noise of mean 0 and standard deviation 1 grey level")
    size: Any = option(
        None, "side in pixels of the first pyramid level; 'keep' for the initial image's own size",
        kind='int, (H, W) or "keep"',
        otherwise="the initial image's own; for noise, the region that 9 x 9 units see")
    pyramid_levels: int = option(3, "number of image sizes at which the ascent runs, including the "
                                 "first", least=1)
    pyramid_scale: float = option(1.4, "ratio of each level's sides to those of the level before",
                                  above=1)
    iterations: int = option(10, "steps of gradient ascent at each level", least=1)
    output_scaling: str = option(
        "linear", "values of the pictures; linear: 0 to 1, black to white for each picture on its "
        "own; none: the network's input values, around its mean colour",
        choices=("linear", "none"))
    tile: int = option(
        None, "side in pixels of the tiles in which the image is processed, to save memory; the "
        "gradients are the same up to rounding", least=1, kind="int", otherwise="no tiles")
    verbose_frequency: int = option(1, "iterations from one line of the table to the next", least=1)
    seed: int = option(0, "seed of the noise", least=0)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DeepDreamImage(Record):
    """The pictures, and how they were made.

    `image` has all of them side by side, (H, N W, 3), each from black to white on its own. Ctrl-C
    may have ended them at a lower level.

    Attributes
    ----------
    images : (N, H, W, 3) float32
        Red first, one a channel. Scaled "linear" in 0..1; "none": what was added to the mean
        colour, in the network's input values.
    channels : list of N int
        Counted from 0.
    names : list of N str
        The classes', their first where they have several, at the class scores where these are
        known; else the channels' numbers.
    levels : array
        The pyramid level, from 1, of each line of `trace`, which has one more than steps in each
        level.
    """

    images: Any
    channels: list
    names: list
    levels: Any

    def views(self):
        """Some of the pictures, with their channels."""
        pictures = list(zip(self.names, np.split(self.image, len(self.names), axis=1), strict=True))
        return [markup.View(name, name, picture) for name, picture in markup.some(pictures, 6)]


@takes(DeepDreamImageOptions)
def deepdream_image(network, layer=None, channels=0, *, options, verbose=None, progress=False):
    """Pictures that activate channels of a layer strongly.

    Parameters
    ----------
    network : Network
    layer : str or int, optional
        Its name, or its number in ``network.summary("matlab")``, where 1 is the image. By
        default, the class scores.
    channels : int or str, or sequence of these
        Counted from 0 (MATLAB's 9 is 8 here); at the class scores also class names. All climb at
        once, each on its own.
    **options
    verbose : callable, optional
        Takes each line of the table of iterations, as it comes: `print`, for one.
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    DeepDreamImage

    Raises
    ------
    ValueError
        No such layer or channel, an option out of range, an initial image too small for the layer.
    """
    layer = find_layer(network, layer)
    channels = [channels] if isinstance(channels, (str, Integral)) else channels
    indices = [channel_number("deepdream_image", network, layer, k) for k in channels]
    if not indices:
        raise ValueError("deepdream_image: channels is empty; give at least one")
    size = (first_size(network, layer) if options.size is None and options.initial_image is None
            else options.size)
    wide = convolutional(network, layer)
    eyes = wide if options.tile is None else InTiles(wide, [layer], options.tile)
    start = _start(network, options, size, len(indices))
    objective = objectives.channel(layer, indices)  # the mean of each over its positions
    optimizer = SGD(RATE * network.grey_level, normalize="laplacian")
    levels = []  # of the steps so far

    def ascent():
        x = start
        for level, side in enumerate(sizes(x, options.pyramid_levels, options.pyramid_scale), 1):
            if level > 1:
                x = resize.forward(x, side)[0]
            for step in loop.steps(eyes, objective, x, optimizer, options.iterations):
                levels.append(level)
                yield step
            x = step.image

    table = None if verbose is None else _table(verbose, options, levels)
    end = loop.follow(ascent(), options.pyramid_levels * options.iterations, progress, layer, table)
    if verbose is not None and not end.interrupted:
        verbose(RULE)

    has_names = layer == network.logits and network.labels
    settings = {"layer": layer, "channels": indices, **options.settings(), "size": size,
                "initial_image": named(options.initial_image)}
    pictures = _scaled(network, end.image, options.output_scaling)
    return DeepDreamImage(
        image=np.concatenate([display.to_uint8(picture) for picture in pictures], axis=1),
        caption=_caption(network, layer, end, levels), settings=settings, x=end.image,
        trace=end.trace, interrupted=end.interrupted, images=pictures, channels=indices,
        names=[network.label(k).split(",")[0] if has_names else str(k) for k in indices],
        levels=np.array(levels))


def find_layer(network, layer=None):
    """A layer's name, from its name, or from its number in ``network.summary("matlab")``."""
    if layer is None:
        return network.logits
    if isinstance(layer, str):
        return network.find(layer)
    names = network.names
    if int(layer) != layer or not 2 <= layer <= len(names) + 1:
        raise ValueError(f"deepdream_image: network {network.name} has layers 2 to "
                         f"{len(names) + 1}, 1 being the image; there is no layer {layer!r}")
    return names[int(layer) - 2]


def first_size(network, layer):
    """The size of the noise to begin with: enough for 9 x 9 units that see nothing but picture,
    and no more than the network's own; that one for layers above dense ones."""
    field = receptive.field(network, layer)
    own = network.input_shape[:2]
    if 0 in field.stride:
        return own
    return tuple(min(side, size + (PLACES - 1) * step)
                 for side, size, step in zip(own, field.size, field.stride, strict=True))


def sizes(x, levels, scale):
    """The (H, W) of each pyramid level, the first that of x."""
    return [tuple(round(side * scale**k) for side in x.shape[1:3]) for k in range(levels)]


def _start(network, options, size, count):
    """What each channel's ascent starts from: (count, H, W, C) in the network's input values."""
    if options.initial_image is None:
        shape = (count, *images.height_width(size), network.input_shape[2])
        x = np.random.default_rng(options.seed).normal(0, network.grey_level, shape)
        return to_device(x.astype(np.float32), network.device)
    x = network.prepare(options.initial_image, "keep" if size is None else size)
    return x.repeat(count, axis=0)


def _table(say, options, levels):
    """A `watch` that tells of the iterations line by line, as MATLAB does.

    A line gives the activation before its iteration's step, a mean over the channels.
    """
    for line in HEAD:
        say(line)

    def watch(step):
        if step.index < options.iterations and step.index % options.verbose_frequency == 0:
            say(f"| {step.index + 1:11d} | {float(step.value.mean()):12.2f} | {levels[-1]:15d} |")
    return watch


def _scaled(network, x, output_scaling):
    pictures = images.to_rgb(x, network.needed_preprocessing())
    if output_scaling == "none":
        return pictures
    low, high = (limit(axis=(1, 2, 3), keepdims=True) for limit in (pictures.min, pictures.max))
    return (pictures - low) / np.maximum(high - low, np.finfo(pictures.dtype).tiny)


def _caption(network, layer, end, levels):
    first, last = (float(row.mean()) for row in (end.trace[0], end.trace[-1]))
    return (f"{network.name} {layer}, each channel's mean activation maximised on its own: on "
            f"average {first:.4g} -> {last:.4g} in {len(levels) - levels[-1]} iterations on "
            f"{levels[-1]} pyramid level{'s' * (levels[-1] > 1)}, gradient normalised by its "
            "Laplacian pyramid")
