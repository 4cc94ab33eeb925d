"""Run a network over a large image tile by tile, and get exactly the same gradient.

The memory of a pass grows with the image. But what a layer computes at one position depends only on
a part of the image, its receptive field (`network.receptive`). So the units of the layers that an
objective looks at are divided among tiles. Each tile has its own units and all pixels that these
see, and

1. forward: every tile computes its own units, and all of them are joined to whole layers;
2. the objective is evaluated on the whole layers, whatever it compares in them;
3. backward: every tile goes back down from its own units. A gradient is the sum of what each unit
   contributes, so the gradients of the tiles are added up.

Nothing is left out and nothing is counted twice: objective and gradient are those of the whole
image, up to rounding, at its borders too. For that a tile must begin at a multiple of the strides
of all layers together. The price is a second forward pass, and the pixels that several tiles see.

Where an objective knows a layer by its Gram matrix alone, the whole layer is never there. With F
the (M, C) matrix of M positions and C channels, the Gram matrix is a sum over places, so over
tiles, and its gradient at a place needs only the sum and that place:

    G = 1/M sum over tiles t of F_t^T F_t           dE/dF_t = 2/M F_t dE/dG

So a texture or a style (`vis.texture`, `vis.style`) of any size takes the memory of one tile.

With less than the full `overlap` tiles see fewer pixels twice, but the gradient is no longer exact:
to units at the border of a tile, pixels outside it are padding. The tiles are then shifted at
random in each pass, so that no seam stays in one place.
"""

from functools import cached_property
from itertools import pairwise, product
from math import lcm, prod
from typing import NamedTuple

import numpy as np

from minicnn.ascent.objectives.term import Gram
from minicnn.backend import array_module
from minicnn.fast.threads import product as matrix_product
from minicnn.network import receptive


class Reach(NamedTuple):
    """What a tile needs along one axis, in pixels.

    before, after: what it sees on either side of its own part. least: what it sees in all. step:
    tiles begin at multiples of it, which are multiples of every layer's stride. strides: by layer.
    """

    before: int
    after: int
    least: int
    step: int
    strides: dict


class InTiles:
    """A network for `loop.steps` that computes no more than a tile of an image at a time.

    Parameters
    ----------
    network : Network
    layers : sequence of str
        Where the objective looks; feature maps.
    tile : int
        Maximum side, in pixels, of the region that each tile is responsible for. An image that is
        no larger is computed whole.
    overlap : int, optional
        Maximum number of pixels that a tile sees beyond that region, on each side. By default, the
        full receptive field of its units, which gives the exact gradient.
    seed : int
        For the random shifts of tiles that do not overlap fully.
    grams : sequence of str
        Those of the layers that are known by their Gram matrices alone: a run has a Gram there.
    margins : dict of str to int, optional
        Rows and columns of a layer to leave out on each side, as if it ended there.

    Raises
    ------
    ValueError
        `tile` or `overlap` is not a valid number of pixels.
    """

    def __init__(self, network, layers, tile, overlap=None, seed=0, grams=(), margins=None):
        for name, value, least in (("tile", tile, 1), ("overlap", overlap, 0)):
            if value is not None and (int(value) != value or value < least):
                raise ValueError(f"tiles: {name} must be a whole number of at least {least} "
                                 f"pixels, got {value}")
        self.network, self.layers, self.tile, self.overlap = network, layers, tile, overlap
        self.grams, self.margins = frozenset(grams), margins or {}
        self.device = network.device
        self.rng = np.random.default_rng(seed)

    def hold(self, size):
        """Whether an image (H, W) is no larger than a tile."""
        return max(size) <= self.tile

    def forward(self, x, to, keep=(), caches=True):
        """Compute some of the layers for a batch x (N, H, W, C): a run that can go back down.

        Raises
        ------
        ValueError
            A layer without positions, which sees the whole image, if that is larger than a tile.
        """
        if self.hold(x.shape[1:3]) and not self.grams and not self.margins:
            return self.network.forward(x, to=to, keep=keep, caches=caches)
        return TiledRun(self, x, to)

    def tiles_of(self, size, layers):
        """The tiles of an image (H, W), each two TileSpans, of its rows and its columns; and the
        shape of each layer within its margins, (h, w, C).

        The largest tile comes first: its memory then serves the others (`fast.workspace`).
        """
        axes, shapes, margin = self.axes, self.network.shapes_at(size, layers), self.margins.get
        ends = [{name: (margin(name, 0), shapes[name][a] - margin(name, 0)) for name in layers}
                for a in (0, 1)]  # by axis and layer, the first unit and the one after the last
        spans = [[_span(begin, end, side, axis, within)
                  for begin, end in pairwise(self._edges(side, axis.step))]
                 for side, axis, within in zip(size, axes, ends, strict=True)]

        def pixels(tile):
            return prod(span.pixels.stop - span.pixels.start for span in tile)
        return sorted(product(*spans), key=pixels, reverse=True), {
            name: (*(axis[name][1] - axis[name][0] for axis in ends), shapes[name][2])
            for name in layers}

    @cached_property
    def axes(self):
        """What a tile needs along the rows and along the columns, as two `Reach` tuples."""
        whole = reaches(self.network, self.layers)
        return whole if self.overlap is None else cut(self.network, whole, self.overlap)

    @cached_property
    def exact(self):
        """Whether tiles overlap fully, so that no shift can show."""
        return self.overlap is None or all(
            axis.before >= full.before and axis.after >= full.after for axis, full in zip(
                self.axes, reaches(self.network, self.layers), strict=True))

    def _edges(self, side, step):
        """Where tiles begin and end along one side: multiples of `step`, and the image's end."""
        count = -(-side // self.tile)
        length = -(-side // (count * step)) * step
        first = length if self.exact else step * int(self.rng.integers(1, length // step + 1))
        return [0, *range(first, side, length), side]


class TiledRun:
    """What `InTiles.forward` returns: layers by name, each whole or a Gram, and the way back."""

    def __init__(self, tiles, x, layers):
        self.tiles, self.x, self.layers = tiles, x, layers
        self.parts, sides = tiles.tiles_of(x.shape[1:3], layers)
        self.shapes = {name: (len(x), *sides[name]) for name in layers}
        self.seen = self._seen()

    def __getitem__(self, name):
        return self.seen[name]

    def _seen(self):
        """Every layer, of all tiles: the sum of their products, or they side by side."""
        seen = {name: 0 if name in self.tiles.grams else
                array_module(self.x).zeros(self.shapes[name], dtype=self.x.dtype)
                for name in self.layers}
        for tile in self.parts:
            self._add(tile, seen)
        return seen | {name: Gram(seen[name] / self._positions(name)) for name in self.tiles.grams}

    def _add(self, tile, seen):
        """Add what a tile computes to the layers."""
        run, (down, across) = self._run(tile, caches=False), tile
        for name in self.layers:
            own = run[name][:, down.inner[name], across.inner[name]]
            if name in self.tiles.grams:
                seen[name] = seen[name] + _products(own)
            else:
                seen[name][:, down.units[name], across.units[name]] = own

    def _positions(self, name):
        """M, the number of places of the whole layer."""
        return prod(self.shapes[name][1:3])

    def backward(self, seeds, relu="gradient"):
        """The gradient with respect to the image, (N, H, W, C), see `Run.backward`.

        At a layer known by its Gram matrix the seed is the gradient there, (N, C, C).
        """
        dx = array_module(self.x).zeros_like(self.x)
        for down, across in self.parts:
            own = {name: seed[:, down.units[name], across.units[name]]
                   for name, seed in seeds.items() if name not in self.tiles.grams}
            if len(own) < len(seeds) or any(seed.any() for seed in own.values()):
                there = dx[:, down.pixels, across.pixels]
                there += self._gradient((down, across), seeds, own, relu)
        return dx

    def _gradient(self, tile, seeds, own, relu):
        """The gradient at the pixels that a tile sees, from its own units' part of the seeds."""
        run, (down, across), planted = self._run(tile, caches=True), tile, {}
        for name, seed in seeds.items():  # placed among all units that the tile computes
            at = np.s_[:, down.inner[name], across.inner[name]]
            planted[name] = array_module(seed).zeros(run.shapes[name], dtype=seed.dtype)
            planted[name][at] = own[name] if name in own else _through(
                run[name][at], 2 / self._positions(name) * seed)
        return run.backward(planted, relu=relu)

    def _run(self, tile, caches):
        crop = self.x[:, tile[0].pixels, tile[1].pixels]
        return self.tiles.network.forward(crop, to=self.layers, keep=(), caches=caches)


def _products(a):
    """F^T F of the places of a tile: (N, H, W, C) -> N,C,C."""
    f = a.reshape(len(a), -1, a.shape[3])  # N,H,W,C -> N,M,C
    return matrix_product(f.transpose(0, 2, 1), f)  # (N, C, M) @ (N, M, C) -> N,C,C


def _through(a, slope):
    """F slope at the places of a tile, for a symmetric slope (N, C, C)."""
    f = a.reshape(len(a), -1, a.shape[3])  # N,H,W,C -> N,M,C
    return matrix_product(f, slope).reshape(a.shape)  # (N, M, C) @ (N, C, C) -> N,H,W,C


class TileSpan(NamedTuple):
    """One tile along one axis: the pixels that it sees, and its own units of each layer, as slices
    of the whole layer (`units`) and of what the tile computes (`inner`)."""

    pixels: slice
    units: dict
    inner: dict


def reaches(network, layers):
    """What tiles need to compute some layers exactly: the Reach of rows and that of columns."""
    fields = receptive.fields(network, layers=layers)
    for name, field in fields.items():
        if 0 in field.stride:
            raise ValueError(f"tiles: {name} has no positions and sees the whole image; choose a "
                             "layer of feature maps, or no tiles")
    axes = []
    for a in (0, 1):
        step = lcm(*(field.stride[a] for field in fields.values()))
        before = max(0, *(-field.offset[a] for field in fields.values()))
        after = max(0, *(field.offset[a] + field.size[a] - field.stride[a]
                         for field in fields.values()))
        least = max(field.size[a] for field in fields.values())
        axes.append(Reach(_up_to(before, step), after, least, step,
                          {name: field.stride[a] for name, field in fields.items()}))
    return axes


def cut(network, axes, overlap):
    """The same with at most `overlap` pixels of overlap. Where layers have no padding it can be
    more: as much as it takes for every unit to be computed by some tile."""
    axes = [axis._replace(before=min(axis.before, _up_to(overlap, axis.step)),
                          after=min(axis.after, overlap)) for axis in axes]
    ends = [axis.before + _up_to(axis.least, axis.step) for axis in axes]  # of some tile's own part
    crop = tuple(end + axis.after for end, axis in zip(ends, axes, strict=True))
    for name in axes[0].strides:
        field = receptive.field(network, name, image=crop)
        for a, computed in enumerate((len(field.rows), len(field.columns))):
            stride = axes[a].strides[name]
            missing = max(0, ends[a] // stride - computed)
            more = crop[a] - ends[a] + missing * stride
            axes[a] = axes[a]._replace(after=max(axes[a].after, more))
    return axes


def _up_to(pixels, step):
    return -(-pixels // step) * step


def _span(begin, end, side, axis, ends):
    """The TileSpan that answers for the pixels from `begin` to `end`, which may be the border, and
    for the units of each layer within its `ends`: the first and the one after the last."""
    last = end == side
    first = max(0, min(begin - axis.before, (side - axis.least) // axis.step * axis.step))
    units, inner = {}, {}
    for name, stride in axis.strides.items():
        low, high = ends[name]
        own = [min(max(low, at), high) for at in (begin // stride, high if last else end // stride)]
        base = first // stride
        units[name] = slice(own[0] - low, own[1] - low)
        inner[name] = slice(own[0] - base, own[1] - base)
    stop = side if last else min(side, max(end + axis.after, first + axis.least))
    return TileSpan(slice(first, stop), units, inner)
