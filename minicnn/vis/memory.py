"""The memory that making an image takes, counted before it is made, and whether there is as much.

A look at an image goes up and down the network (`network.memory`). Besides that there are in memory

    the objective       a layer's gradient, and what is computed on the way to it
    the images          of the step and of L-BFGS, which keeps two for each step that it remembers
    the targets         layers of the photos; a Gram matrix is small

and in tiles (`vis.tiles`) a pass over the largest tile instead of one over the image.
"""

from dataclasses import replace
from functools import partial
from itertools import pairwise
from math import prod

from minicnn.backend import control_groups
from minicnn.network.memory import Dry, Ledger
from minicnn.vis import coarse_to_fine, strotss

WORK = 6  # images that a step has while the network looks at one; a search has as many again
PYRAMIDS = 30  # images that a step of STROTSS has meanwhile: numbers, squares, both photos' colours
VECTORS, PAIRS = 8, 9  # numbers in an energy of hypercolumns: so many of each, and of each pair
TILES = (1024, 512, 256, 128)  # pixels: what is proposed, the largest that fits


class Looks:
    """Looks at images of one size, as `loop.look` has them, in a Ledger.

    Parameters
    ----------
    network : Network
    size : (H, W)
        Of the image that the network sees, with its border.
    terms : dict of str to callable
        By layer, what an objective has in memory there: ``term(ledger, shape)`` returns a Ghost of
        the gradient.
    tiles : InTiles, optional
    """

    def __init__(self, network, size, terms, tiles=None):
        self.ledger = Ledger()
        self.dry, self.size, self.terms = Dry(network, self.ledger), tuple(size), terms
        self.tiles = None if tiles is None or tiles.hold(size) else tiles
        self.image = 1, *self.size, network.input_shape[2]
        if self.tiles is not None:
            (largest, *_), self.sides = tiles.tiles_of(self.size, list(terms))
            self.tile = tuple(span.pixels.stop - span.pixels.start for span in largest)

    def look(self):
        """One look, and its gradient; twice, the second in the memory of the first."""
        for _ in range(2):
            with self.ledger:
                (self._whole if self.tiles is None else self._in_tiles)()

    def targets(self):
        """A photo of this size seen; returns the layers, which stay."""
        return self._joined() if self.tiles else self._pass(self.size, caches=False)

    def _pass(self, size, caches):
        x = self.ledger.array(1, *size, self.image[3])
        return self.dry.forward(x, list(self.terms), caches=caches)

    def _whole(self):
        run, seeds = self._pass(self.size, caches=True), {}
        for name, term in self.terms.items():
            seeds[name] = term(self.ledger, run[name].shape)
        self.dry.backward(run, seeds)

    def _joined(self):
        """The layers that are whole, of all tiles."""
        whole = {name: self.ledger.array(1, *self.sides[name]) for name in self.terms
                 if name not in self.tiles.grams}
        run = self._pass(self.tile, caches=False)
        for name in self.tiles.grams:
            self.ledger.array(*run[name].shape)  # the tile's own units, as a matrix
        return whole

    def _in_tiles(self):
        seen = self._joined()
        own = {name: self.terms[name](self.ledger, a.shape) for name, a in seen.items()}
        run = self._pass(self.tile, caches=True)
        seeds = {}
        for name in self.terms:
            seeds[name] = self.ledger.array(*run[name].shape)
            if name in self.tiles.grams:  # the tile's own units as a matrix, and its product
                matrix = self.ledger.array(*run[name].shape)
                self.ledger.array(*run[name].shape, reused=True)
                del matrix
        del own
        self.dry.backward(run, seeds)


# ---- what objectives have in memory at a layer, the gradient apart

def energy(ledger, shape):
    """`objectives.energy`, and any objective with one array besides its gradient."""
    return _weighted(ledger, ledger.array(*shape))


def distance(ledger, shape):
    """`objectives.distance`."""
    off, twice, slope = (ledger.array(*shape) for _ in range(3))
    del twice
    gradient = _weighted(ledger, slope)
    del off
    return gradient


def gram(ledger, shape, border=True):
    """`objectives.gram`; a layer without its border is copied to become a matrix."""
    matrix = ledger.array(*shape) if border else None
    product = ledger.array(*shape, reused=True)
    slope = ledger.array(*shape)
    del matrix, product
    return _weighted(ledger, ledger.array(*shape) if border else slope)  # zeros at the border


def guided(ledger, shape, border=True):
    """`changed.guided` with `objectives.gram`, of one region and then of another."""
    def region():
        features, product = ledger.array(*shape), ledger.array(*shape, reused=True)
        slope = ledger.array(*shape)
        del product
        times = ledger.array(*shape)
        del features, slope
        return _weighted(ledger, ledger.array(*shape) if border else times)
    gradient = region()
    region()
    return gradient


def cross(ledger, shape, channels, border=True):
    """`objectives.gram` at a layer, and `textures.cross_gram` with the next one's channels."""
    own = gram(ledger, shape, border)
    enlarged, slope = ledger.array(*shape[:3], channels), ledger.array(*shape[:3], channels)
    other = gram(ledger, shape, border)
    del enlarged, slope, other
    return own


def sampled(ledger, shape):
    """The hypercolumns of `vis.strotss`: a layer's gradient is divided by the layer's mean."""
    return _weighted(ledger, ledger.array(*shape))


def _weighted(ledger, gradient):
    """The gradient times its term's weight."""
    return ledger.array(*gradient.shape)


# ---- methods

def synthesis(network, size, layers, contents, options):
    """The bytes that `vis.texture` and `vis.style` take at their last size.

    Parameters
    ----------
    network : Network
        With the pooling that the options name.
    size : (H, W)
    layers, contents : sequence of str
        Layers whose statistic is matched, and layers compared place by place.
    options : SynthesisOptions
    """
    border = coarse_to_fine.border(network, layers, contents, options)
    statistic = guided if getattr(options, "mask", None) is not None else gram
    terms = {name: distance if name in contents else partial(statistic, border=border.width > 0)
             for name in border.layers}
    if options.statistic == "cross":
        order = sorted(layers, key=lambda name: -network.shapes[name][0])  # as `texture_loss`
        terms |= {a: partial(cross, channels=network.shapes[b][2], border=border.width > 0)
                  for a, b in pairwise(order)}
    looks = Looks(network, [side + 2 * border.width for side in size], terms, border.tiles)
    seen = looks.targets()
    kept = {name: seen[name] for name in contents}
    del seen
    count = images_of(options.optimizer, options.memory, options.steps)
    images = looks.ledger.array(count, *size, network.input_shape[2])
    looks.look()
    del images, kept
    return looks.ledger.peak


def transport(network, size, layers, contents, options):
    """The bytes that `vis.style` takes with method strotss at its last size; as `synthesis`, but
    for `contents`, which there are none."""
    border = coarse_to_fine.border(network, layers, [], options)
    count = min(strotss.SAMPLES, prod(size))
    channels = sum(network.shapes[name][2] for name in layers)

    def energy(ledger, shape):  # before the first layer's gradient
        drawn = ledger.array(VECTORS, count, channels), ledger.array(PAIRS, count, count)
        del drawn
        return sampled(ledger, shape)
    first, *others = layers
    looks = Looks(network, [side + 2 * border.width for side in size],
                  {first: energy} | dict.fromkeys(others, sampled))
    photo = looks.targets()
    images = looks.ledger.array(PYRAMIDS, *size, network.input_shape[2])
    looks.look()
    del images, photo
    return looks.ledger.peak


def images_of(optimizer, memory, steps):
    """How many images an optimiser has while the network looks at one."""
    return WORK if optimizer != "lbfgs" else 2 * WORK + 2 * min(memory, steps)


def check(name, network, size, layers, contents, options, count=synthesis):
    """Raise ValueError if a method of this name, whose bytes are those of `synthesis` or
    `transport`, needs more memory than there is; for a GPU do nothing."""
    there = control_groups.memory_available()
    if there is None or network.device != "cpu":
        return

    def needed(tile):
        return count(network, size, layers, contents, replace(options, tile=tile))
    wanted = needed(options.tile)
    if wanted <= there:
        return
    by_tiles = count is synthesis
    fitting = [tile for tile in TILES if by_tiles and tile < (options.tile or max(size))
               and needed(tile) <= there]
    remedy = (f"take tiles: tile={fitting[0]} (--tile {fitting[0]}) needs "
              f"{gigabytes(needed(fitting[0]))}" if fitting else
              "make a smaller image (size)" + by_tiles * (
                  ", or let L-BFGS remember fewer steps (memory)"))
    raise ValueError(f"{name}: an image of {size[0]}x{size[1]} pixels needs about "
                     f"{gigabytes(wanted)} of memory, but only {gigabytes(there)} are free; "
                     f"{remedy}")


def gigabytes(count):
    """A number of bytes in words: 1.2 GB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.0f} MB"
