"""Make an image at several sizes, the smallest first: what `texture` and `style` have in common.

A unit sees only so many pixels, so a network sets only details in order. In a small image these
are the large forms; the next size starts from them, enlarged, and sets finer ones.

Zero padding around an image lets its border differ from its middle. `Border` puts more of the
image around it instead, its mirror image or (for a tile without seams) its opposite side, and
leaves the units there out of the losses.
"""

import warnings
from dataclasses import dataclass
from math import lcm

import numpy as np

from minicnn import images
from minicnn.ascent import loop
from minicnn.ascent.lbfgs import LBFGS
from minicnn.ascent.objectives.changed import inside
from minicnn.ascent.optimizers import Adam
from minicnn.ascent.transforms import EXTENSIONS, apply, extend
from minicnn.backend import array_module, to_device, to_host
from minicnn.network import receptive
from minicnn.network.layers import MaxPool, ReLU
from minicnn.ops import resize
from minicnn.vis.options import Options, option
from minicnn.vis.tiles import InTiles

SMALLEST = 32  # pixels of a side: no smaller sizes are made
LEAST_BORDER = 16  # pixels
EVERY = 20  # steps between two states that are kept


@dataclass(frozen=True, kw_only=True)
class SynthesisOptions(Options):
    """Options that `texture` and `style` share."""

    steps: int = option(100, "steps of the optimiser at each size", least=1)
    sizes: int = option(3, "number of sizes, each twice the one before and the last one as wanted; "
                        f"none is smaller than {SMALLEST} pixels", least=1)
    optimizer: str = option("lbfgs", "how to step: L-BFGS with a line search, as published, or "
                            "Adam", choices=("lbfgs", "adam"))
    memory: int = option(20, "number of steps that L-BFGS remembers; each takes the memory of two "
                         "images", least=1)
    rate: float = option(6.0, "step size of Adam, and of the first step of L-BFGS: about the "
                         "change of a pixel, in grey levels (0..255)", above=0)
    pooling: str = option("average", "kind of pooling that replaces max pooling; max keeps it",
                          choices=("average", "max"))
    padding: str = option("reflect", "what is around the image: zeros, as the network has it; its "
                          "mirror image; or its opposite side, for a tile without seams",
                          choices=("zeros", *EXTENSIONS))
    tile: int = option(None, "an image with a longer side than this, in pixels, is processed in "
                       "tiles of this size: less memory, half as much time again, the same image "
                       "but for rounding", least=1, kind="int", otherwise="the whole image at once")
    seed: int = option(0, "seed of the noise, which has a standard deviation of 10 grey levels "
                       "around the mean colour", least=0)

    @property
    def known_by_grams(self):
        """Whether the `statistic` of a layer is a Gram matrix of all of it, a sum over tiles."""
        return self.statistic == "gram"


def pooled(network, options):
    """The network with the pooling that the options name."""
    return network.with_average_pooling() if options.pooling == "average" else network


def ladder(size, count):
    """The sizes (H, W) to work at, the smallest first."""
    sizes = [tuple(max(1, round(side / 2**k)) for side in size) for k in range(count)]
    return [each for k, each in enumerate(sizes) if k == 0 or min(each) >= SMALLEST][::-1]


def noise(network, size, seed):
    """An image (1, H, W, C) around the mean colour."""
    channels = len(images.CHANNELS[network.needed_preprocessing().order])
    x = np.random.default_rng(seed).normal(0, 10 * network.grey_level, (1, *size, channels))
    return x.astype(np.float32)


def relu_blocks(network):
    """Names of the rectified feature maps of the trunk, in blocks that end at max poolings."""
    blocks = [[]]
    for name in network.trunk:
        if isinstance(network[name], MaxPool):
            blocks.append([])
        elif isinstance(network[name], ReLU) and len(network.shapes[name]) == 3:
            blocks[-1].append(name)
    blocks = [block for block in blocks if block]
    if not blocks:
        raise ValueError(f"style: network {network.name} has no rectified feature maps in its "
                         "trunk; name content_layers and style_layers")
    return blocks


class Border:
    """What is around an image, for a network and the layers looked at.

    The border has at least 16 pixels, and as many more as make it a multiple of the distance of
    the units of each layer.

    Parameters
    ----------
    network : Network
    layers : sequence of str
    mode : {"zeros", "reflect", "circular"}
    tile : int, optional
        Larger images, with their border, are looked at in tiles of so many pixels.
    grams : sequence of str
        The layers of which such an image shows no more than their Gram matrices.
    """

    def __init__(self, network, layers, mode, tile=None, grams=()):
        flat = [name for name in layers if len(network.shapes[name]) != 3]
        if flat:
            raise ValueError(f"{', '.join(flat)}: no feature maps there, so no positions to take "
                             "means over; choose convolutional layers")
        strides = {name: field.stride[0]
                   for name, field in receptive.fields(network, layers=layers).items()}
        width = 0 if mode == "zeros" else -(-LEAST_BORDER // lcm(*strides.values())) * lcm(
            *strides.values())
        self.layers, self.width, self.mode = layers, width, mode
        self.margins = {name: width // stride for name, stride in strides.items()}
        self.tiles = None if tile is None else InTiles(network, layers, tile, grams=grams,
                                                       margins=self.margins)

    def seen(self, network, x):
        """{layer: activation} of a photo, which goes on as its mirror image if anything does; in
        tiles, a Gram where no more is wanted."""
        x, _ = apply(self.around("reflect"), to_device(x, network.device), None)
        if self._in_tiles(x.shape[1:3]):
            run = self.tiles.forward(x, to=self.layers)
            return {name: run[name] for name in self.layers}
        run = network.forward(x, to=self.layers, keep=(), caches=False)
        return {name: _middle(run[name], margin) for name, margin in self.margins.items()}

    def look(self, network, objective, image, transforms, rng, backward, redirect):
        """`loop.look` at the image with its border, of which the objective sees nothing."""
        around = [*self.around(), *transforms]
        if self._in_tiles([side + 2 * self.width for side in image.shape[1:3]]):
            network = self.tiles  # which leave the border out
        else:
            objective = inside(objective, self.margins)
        return loop.look(network, objective, image, around, rng, backward, redirect)

    def _in_tiles(self, size):
        return self.tiles is not None and not self.tiles.hold(size)

    def resized(self, x, size):
        """An image (1, H, W, C) at another size; a tile's borders stay neighbours."""
        if self.mode != "circular" or x.shape[1:3] == size:
            return resize.forward(x, size)[0]
        h, w = size
        nine = array_module(x).tile(x, (1, 3, 3, 1))
        return resize.forward(nine, (3 * h, 3 * w))[0][:, h : 2 * h, w : 2 * w]

    def around(self, mode=None):
        """The transforms, one or none, that put the border around an image."""
        return [extend(self.width, mode or self.mode)] if self.width else []


def border(network, layers, contents, options):
    """The Border for the layers whose statistic is matched and those compared place by place."""
    grams = [name for name in layers if name not in contents]
    return Border(network, [*dict.fromkeys([*contents, *layers])], options.padding, options.tile,
                  grams if options.known_by_grams else ())


def search(network, sizes, objective_at, border, options):
    """The ascent with the optimiser of the options, for `steps`.

    Parameters
    ----------
    network : Network
    sizes : list of (H, W)
    objective_at : callable
        From the number of a size, what is maximised there.
    border : Border
    options : SynthesisOptions
    """
    def ascent(k, x, count):
        x = border.resized(x, sizes[k])
        return loop.steps(network, objective_at(k), x, _optimizer(network, options), count,
                          bounds=images.bounds(network.preprocessing, x.shape), look=border.look)
    return ascent


def steps(network, sizes, ascent, start, options, kept=None):
    """The steps of an ascent at each size in turn, as one iterator.

    Parameters
    ----------
    network : Network
    sizes : list of (H, W)
        As `ladder` gives them.
    ascent : callable
        ``ascent(k, x, count)`` takes the number of a size, the image that was made at the size
        before, and the number of steps; it returns an iterator of loop.Step. If x has the k-th size
        already, it goes on from there.
    start : array (1, H, W, C)
        The first image, of any size.
    options : SynthesisOptions
    kept : files.unfinished.Unfinished, optional
        Where the image is kept every so many steps, and from which work that was killed goes on.
        L-BFGS then has to learn the curvature anew, so the last bits differ.

    Yields
    ------
    loop.Step
        Of the images' own sizes. An ascent that meets a value which is not finite ends with a
        warning, and the last good image stands.
    """
    state = None if kept is None else kept.state()
    first, done, x = (0, 0, start) if state is None else (
        int(state["size"]), int(state["done"]), state["x"])
    index = first * options.steps + done
    begun = False
    for k in range(first, len(sizes)):
        x = to_device(x, network.device)
        try:
            for step in ascent(k, x, options.steps - done):
                if step.index > 0 or not begun:  # a later start is the end of the size before
                    begun = True
                    yield step._replace(index=index + step.index)
                x = step.image
                if kept is not None and step.index and step.index % EVERY == 0:
                    kept.save(size=k, done=done + step.index, x=to_host(x))
        except loop.DivergedError as error:
            if not begun:
                raise
            warnings.warn(f"{error}; the image before it is kept", stacklevel=2)
            return
        index, done = (k + 1) * options.steps, 0
        if kept is not None:
            kept.save(size=min(k + 1, len(sizes) - 1), x=to_host(x),
                      done=0 if k + 1 < len(sizes) else options.steps)


def follow(ascent, count, size, progress, name, watch=None):
    """`loop.follow`, with every image that is watched, and the last one, enlarged to `size`."""
    def enlarged(step):
        watch(step._replace(image=resize.forward(step.image, size)[0]))
    end = loop.follow(ascent, count, progress, name, None if watch is None else enlarged)
    return end._replace(image=resize.forward(end.image, size)[0])  # smaller only after Ctrl-C


def told(end, sizes, options):
    """How many steps an Ascent took: "20 steps at each of 2 sizes"."""
    taken, each = len(end.trace) - 1, f"at each of {sizes} sizes" * (sizes > 1)
    if taken == sizes * options.steps:
        return f"{options.steps} steps {each}".rstrip()
    return f"{taken} steps" + f", of {options.steps} {each}" * (sizes > 1)


def _optimizer(network, options):
    rate = options.rate * network.grey_level
    return LBFGS(options.memory, rate) if options.optimizer == "lbfgs" else Adam(rate)


def _middle(a, margin):
    return a[:, margin : a.shape[1] - margin, margin : a.shape[2] - margin]
