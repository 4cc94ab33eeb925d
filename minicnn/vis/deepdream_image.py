"""MATLAB's deepDreamImage: pictures that activate the channels of a layer strongly.

What MATLAB documents of the function, in NumPy. For every channel on its own:

1. Begin with noise (or with an image of yours).
2. Climb the mean of the channel over its positions. Before each step the gradient is taken apart
   into a Laplacian pyramid, each band is brought to the same size, and put together again, so that
   broad shapes count as much as fine detail (`optimizers.laplacian`).
3. Enlarge the picture by `pyramid_scale` and climb again, `pyramid_levels` times in all.

Nothing keeps the image between black and white; in the end its own range is spread over 0..1. So
the step's length hardly matters, as long as it soon leaves the noise behind.

For a convolution of the image the mean activation is linear in the image: its gradient is the same
everywhere, so is the step made from it, and each step adds the same. Its ReLU is not linear; the
layers before a ReLU are the ones to choose, and for a class its score, not its probability.

Dense layers become convolutions (`vis.convolutional`), so that they, too, see larger pictures than
the network's own: their value is the mean over all places where that fits in.
"""

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from minicnn import images
from minicnn.ascent import loop, objectives
from minicnn.ascent.optimizers import SGD
from minicnn.backend import to_device, to_host
from minicnn.images import display
from minicnn.network import receptive
from minicnn.ops import resize
from minicnn.vis.arguments import channel_number, check_choice, check_counts, settings_of
from minicnn.vis.convolutional import convolutional
from minicnn.vis.dream import named
from minicnn.vis.record import Record
from minicnn.vis.tiles import InTiles

SCALINGS = ("linear", "none")
RATE = 1.0  # grey levels: the root mean square of each band of a step
PLACES = 9  # units a side, in the first picture, that see nothing but picture
RULE = f"|{46 * '='}|"
HEAD = (RULE, "|  Iteration  |  Activation  |  Pyramid Level  |",
        "|             |   Strength   |                 |", RULE)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DeepDreamImage(Record):
    """The pictures and how they came about.

    `image` has all of them side by side, (H, N W, 3), each from black to white on its own. Ctrl-C
    may have ended them at a lower level.

    Attributes
    ----------
    images : (N, H, W, 3) float32
        Red first, one a channel. Scaled "linear" in 0..1; "none": what was added to the mean
        colour, in the network's own numbers.
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


def deepdream_image(network, layer=None, channels=0, initial_image=None, size=None,
                    pyramid_levels=3, pyramid_scale=1.4, iterations=10, output_scaling="linear",
                    tile=None, verbose=None, verbose_frequency=1, seed=0, progress=False):
    """Pictures that activate channels of a layer strongly.

    Parameters
    ----------
    network : Network
    layer : str or int, optional
        Its name, or its number in ``network.summary("matlab")``, where 1 is the image. The class
        scores where not given.
    channels : int or str, or sequence of these
        Counted from 0 (MATLAB's 9 is 8 here); at the class scores also class names. All climb at
        once, each on its own.
    initial_image : path, uint8 array (H, W, 3), ..., optional
        Where all begin; noise of mean 0 and standard deviation 1 grey level where not given.
    size : int or (H, W), optional
        Of the noise, or of the initial image, which else keeps its own. Where not given,
        `first_size`.
    pyramid_levels : int
        1 gives pictures of the initial size, each more are larger by `pyramid_scale`.
    pyramid_scale : float above 1
    iterations : int
        At each level.
    output_scaling : {"linear", "none"}
    tile : int, optional
        Look at no more than so many pixels along a side, and their surroundings, at a time
        (`vis.tiles`): the same gradients, up to rounding, in less memory.
    verbose : callable, optional
        Takes each line of the table of iterations, as it comes: `print`, for one.
    verbose_frequency : int
        Iterations from line to line.
    seed : int
        For the noise.
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
    settings = settings_of(locals())
    check_counts("deepdream_image", pyramid_levels=pyramid_levels, iterations=iterations,
                 verbose_frequency=verbose_frequency)
    check_choice("deepdream_image", "output_scaling", output_scaling, SCALINGS)
    if not 1 < pyramid_scale < float("inf"):
        raise ValueError(f"deepdream_image: pyramid_scale must be above 1, got {pyramid_scale}")
    layer = find_layer(network, layer)
    channels = [channels] if isinstance(channels, (str, Integral)) else channels
    indices = [channel_number("deepdream_image", network, layer, k) for k in channels]
    if not indices:
        raise ValueError("deepdream_image: channels is empty; give the numbers of some")
    wide = convolutional(network, layer)
    size = first_size(network, layer) if size is None and initial_image is None else size
    x = _start(network, initial_image, size, len(indices), seed)
    eyes = wide if tile is None else InTiles(wide, [layer], tile)
    steps = climb(eyes, layer, indices, x, sizes(x, pyramid_levels, pyramid_scale), iterations,
                  network.grey_level)
    levels = []
    told = tell(steps, iterations, levels, verbose, verbose_frequency)
    end = loop.follow(told, pyramid_levels * iterations, progress, f"{layer}")
    named_classes = layer == network.logits and network.labels
    names = [network.label(k).split(",")[0] if named_classes else str(k) for k in indices]
    settings |= {"layer": layer, "channels": indices, "size": size,
                 "initial_image": named(initial_image)}
    pictures = _scaled(network, end.image, output_scaling)
    return DeepDreamImage(
        image=np.concatenate([display.to_uint8(picture) for picture in pictures], axis=1),
        caption=_caption(network, layer, end, levels), settings=settings, x=end.image,
        trace=end.trace, interrupted=end.interrupted, images=pictures, channels=indices,
        names=names, levels=np.array(levels))


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


def climb(network, layer, channels, x, sizes, iterations, grey_level):
    """The ascent, level by level: yields (level, Step), each level's first step its start."""
    objective = objectives.channel(layer, channels)
    for level, size in enumerate(sizes, start=1):
        if tuple(x.shape[1:3]) != size:
            x = resize.forward(x, size)[0]
        optimizer = SGD(RATE * grey_level, normalize="laplacian")
        for step in loop.steps(network, objective, x, optimizer, iterations):
            yield level, step
        x = step.image


def tell(steps, iterations, levels, verbose=None, frequency=1):
    """Pass the steps on, notice each one's level, and tell of the iterations line by line.

    A line gives the activation before its iteration's step, a mean over the channels, as MATLAB's.
    """
    say = verbose or (lambda line: None)
    for line in HEAD:
        say(line)
    for level, step in steps:
        levels.append(level)
        if step.index < iterations and step.index % frequency == 0:
            say(f"| {step.index + 1:11d} | {float(to_host(step.value).mean()):12.2f} | "
                f"{level:15d} |")
        yield step
    say(RULE)


def _start(network, image, size, count, seed):
    if image is None:
        h, w = images.height_width(size)
        shape = (count, h, w, network.input_shape[2])
        x = np.random.default_rng(seed).normal(0, network.grey_level, shape).astype(np.float32)
        return to_device(x, network.device)
    return network.prepare(image, "keep" if size is None else size).repeat(count, axis=0)


def _scaled(network, x, output_scaling):
    pictures = images.to_rgb(x, network.needed_preprocessing())
    if output_scaling == "none":
        return pictures
    low, high = (limit(axis=(1, 2, 3), keepdims=True) for limit in (pictures.min, pictures.max))
    return (pictures - low) / np.maximum(high - low, np.finfo(pictures.dtype).tiny)


def _caption(network, layer, end, levels):
    first, last = (float(row.mean()) for row in (end.trace[0], end.trace[-1]))
    return (f"{network.name} {layer}, each channel's mean activation climbed on its own: on "
            f"average {first:.4g} -> {last:.4g} in {len(levels) - levels[-1]} iterations on "
            f"{levels[-1]} pyramid level{'s' * (levels[-1] > 1)}, gradient normalised by its "
            "Laplacian pyramid")
