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

With less than the full `overlap` tiles see fewer pixels twice, but the gradient is no longer exact:
to units at the border of a tile, pixels outside it are padding. The tiles are then shifted at
random in each pass, so that no seam stays in one place.
"""

from functools import cached_property
from itertools import pairwise, product
from math import lcm
from typing import NamedTuple

import numpy as np

from minicnn.backend import array_module
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

    Raises
    ------
    ValueError
        `tile` or `overlap` is not a valid number of pixels.
    """

    def __init__(self, network, layers, tile, overlap=None, seed=0):
        for name, value, least in (("tile", tile, 1), ("overlap", overlap, 0)):
            if value is not None and (int(value) != value or value < least):
                raise ValueError(f"tiles: {name} must be a whole number of at least {least} "
                                 f"pixels, got {value}")
        self.network, self.layers, self.tile, self.overlap = network, layers, tile, overlap
        self.device = network.device
        self.rng = np.random.default_rng(seed)

    def forward(self, x, to, keep=(), caches=True):
        """Compute some of the layers for a batch x (N, H, W, C): a run that can go back down.

        Raises
        ------
        ValueError
            A layer without positions, which sees the whole image, if that is larger than a tile.
        """
        if max(x.shape[1:3]) <= self.tile:
            return self.network.forward(x, to=to, keep=keep, caches=caches)
        edges = [self._edges(side, axis.step)
                 for side, axis in zip(x.shape[1:3], self.axes, strict=True)]
        return TiledRun(self, x, to, edges)

    @cached_property
    def axes(self):
        """What a tile needs along the rows and along the columns, as two `Reach` tuples."""
        whole = reaches(self.network, self.layers)
        return whole if self.overlap is None else cut(self.network, whole, self.overlap)

    @cached_property
    def exact(self):
        """Whether tiles overlap fully, so that no shift can show."""
        return all(axis.before >= full.before and axis.after >= full.after for axis, full in zip(
            self.axes, reaches(self.network, self.layers), strict=True))

    def _edges(self, side, step):
        """Where tiles begin and end along one side: multiples of `step`, and the image's end."""
        count = -(-side // self.tile)
        length = -(-side // (count * step)) * step
        first = length if self.exact else step * int(self.rng.integers(1, length // step + 1))
        return [0, *range(first, side, length), side]


class TiledRun:
    """What `InTiles.forward` returns: whole layers by name, and the way back from them."""

    def __init__(self, tiles, x, layers, edges):
        self.tiles, self.x, self.layers = tiles, x, layers
        self.rows, self.columns = (
            [_span(begin, end, side, axis) for begin, end in pairwise(along)]
            for along, side, axis in zip(edges, x.shape[1:3], tiles.axes, strict=True))
        join, strips = array_module(x).concatenate, []
        for rows in self.rows:  # tiles joined from left to right to strips, then from top to bottom
            runs = [self._run(rows, columns, caches=False) for columns in self.columns]
            strips.append({name: join([run[name][:, rows.inner[name], columns.inner[name]]
                                       for run, columns in zip(runs, self.columns, strict=True)], 2)
                           for name in layers})
        self.activations = {name: join([strip[name] for strip in strips], 1)
                            for name in layers}

    def __getitem__(self, name):
        return self.activations[name]

    def backward(self, seeds, relu="gradient"):
        """The gradient with respect to the image, (N, H, W, C), see `Run.backward`."""
        dx = array_module(self.x).zeros_like(self.x)
        for rows, columns in product(self.rows, self.columns):
            own = {name: seed[:, rows.units[name], columns.units[name]]
                   for name, seed in seeds.items()}
            if not any(seed.any() for seed in own.values()):
                continue
            run, planted = self._run(rows, columns, caches=True), {}
            for name, seed in own.items():  # placed among all units that the tile computes
                planted[name] = array_module(seed).zeros(run.shapes[name], dtype=seed.dtype)
                planted[name][:, rows.inner[name], columns.inner[name]] = seed
            part = dx[:, rows.pixels, columns.pixels]
            part += run.backward(planted, relu=relu)
        return dx

    def _run(self, rows, columns, caches):
        crop = self.x[:, rows.pixels, columns.pixels]
        return self.tiles.network.forward(crop, to=self.layers, keep=(), caches=caches)


class TileSpan(NamedTuple):
    """One tile along one axis: the pixels that it sees, and its own units of each layer, as slices
    of the whole layer (`units`) and of what the tile computes (`inner`)."""

    pixels: slice
    units: dict
    inner: dict


def reaches(network, layers):
    """What tiles need to compute some layers exactly: the Reach of rows and that of columns."""
    fields = {name: receptive.field(network, name) for name in layers}
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


def _span(begin, end, side, axis):
    """The TileSpan that answers for the pixels from `begin` to `end`, which may be the border."""
    last = end == side
    first = max(0, min(begin - axis.before, (side - axis.least) // axis.step * axis.step))
    units = {name: slice(begin // stride, None if last else end // stride)
             for name, stride in axis.strides.items()}
    inner = {name: slice((begin - first) // stride, None if last else (end - first) // stride)
             for name, stride in axis.strides.items()}
    stop = side if last else min(side, max(end + axis.after, first + axis.least))
    return TileSpan(slice(first, stop), units, inner)
