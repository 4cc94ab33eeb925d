"""A network that looks at large images tile by tile, and finds the very same gradient.

The memory of a pass grows with the image. What a layer computes at one place, however, depends on
a part of the image only, its receptive field (`network.receptive`). So the units of the layers
looked at are dealt out to tiles, each with all the pixels around it that its units see, and

1. forward: every tile computes its own units, and they are put together to whole layers;
2. an objective is evaluated on these, whatever it compares with what;
3. backward: every tile goes back down from its own units, and since a gradient is the sum of what
   each unit contributes, the tiles' gradients are added up.

Nothing is left out and nothing counted twice: value and gradient are those of the whole image, up
to rounding, at the borders too. A tile has to begin where the strides of all layers below begin
anew. The price is a second forward pass, and what the tiles see twice. With less than the full
`overlap` that is less; then units at a tile's border take what they cannot see for padding, and
the tiles are shifted at random each time, so that no seam stays in one place.
"""

from functools import cached_property
from itertools import pairwise
from math import lcm
from typing import NamedTuple

import numpy as np

from minicnn.backend import array_module
from minicnn.network import receptive


class Reach(NamedTuple):
    """Along one axis: the pixels that a tile needs `before` and `after` it and at `least` in all,
    the `step` that all layers share, of which tiles begin at multiples, and each layer's stride."""

    before: int
    after: int
    least: int
    step: int
    strides: dict


class InTiles:
    """A network for `loop.steps` that holds no more than a tile of an image at a time.

    Parameters
    ----------
    network : Network
    layers : sequence of str
        Where the objective looks; feature maps.
    tile : int
        Most pixels along a side of the part that each tile answers for. Images that are no larger
        are looked at whole.
    overlap : int, optional
        Most pixels that a tile sees beyond that on each side; what its units see, and so the exact
        gradient, where not given.
    seed : int
        For the shifts of tiles that do not overlap fully.

    Raises
    ------
    ValueError
        A tile or overlap that is no number of pixels.
    """

    def __init__(self, network, layers, tile, overlap=None, seed=0):
        for name, value, least in (("tile", tile, 1), ("overlap", overlap, 0)):
            if value is not None and (int(value) != value or value < least):
                raise ValueError(f"tiles: {name} must be at least {least} pixels, got {value}")
        self.network, self.layers, self.tile, self.overlap = network, layers, tile, overlap
        self.device = network.device
        self.rng = np.random.default_rng(seed)

    def forward(self, x, to, keep=(), caches=True):
        """The layers `to`, of those given, for a batch x (N, H, W, C): a run to be sent back down.

        Raises
        ------
        ValueError
            A layer without positions, which sees all of an image that is larger than a tile.
        """
        if max(x.shape[1:3]) <= self.tile:
            return self.network.forward(x, to=to, keep=keep, caches=caches)
        edges = [self._edges(side, axis.step)
                 for side, axis in zip(x.shape[1:3], self.axes, strict=True)]
        return TiledRun(self, x, to, edges)

    @cached_property
    def axes(self):
        """The Reach of rows and of columns."""
        whole = reaches(self.network, self.layers)
        return whole if self.overlap is None else cut(self.network, whole, self.overlap)

    @cached_property
    def exact(self):
        """Whether tiles overlap fully, so that no shift can show."""
        return all(axis.before >= full.before and axis.after >= full.after for axis, full in zip(
            self.axes, reaches(self.network, self.layers), strict=True))

    def _edges(self, side, step):
        """Where tiles begin and end: multiples of `step`, and the image's last pixel."""
        count = -(-side // self.tile)
        length = -(-side // (count * step)) * step
        first = length if self.exact else step * int(self.rng.integers(1, length // step + 1))
        return [0, *range(first, side, length), side]


class TiledRun:
    """What `InTiles.forward` gives: whole layers by name, and the way back from them."""

    def __init__(self, tiles, x, layers, edges):
        self.tiles, self.x, self.layers = tiles, x, layers
        self.rows, self.columns = (
            [_span(begin, end, side, axis) for begin, end in pairwise(along)]
            for along, side, axis in zip(edges, x.shape[1:3], tiles.axes, strict=True))
        self.activations = self._put_together()

    def __getitem__(self, name):
        return self.activations[name]

    def backward(self, seeds, relu="gradient"):
        """The gradient at the image (N, H, W, C), see `Run.backward`."""
        dx = array_module(self.x).zeros_like(self.x)
        for rows in self.rows:
            for columns in self.columns:
                own = {name: seed[:, rows.units[name], columns.units[name]]
                       for name, seed in seeds.items()}
                if not any(seed.any() for seed in own.values()):
                    continue
                run, planted = self._run(rows, columns, caches=True), {}
                for name, seed in own.items():  # where they belong among all units of the tile
                    planted[name] = array_module(seed).zeros(run.shapes[name], dtype=seed.dtype)
                    planted[name][:, rows.inner[name], columns.inner[name]] = seed
                part = dx[:, rows.pixels, columns.pixels]
                part += run.backward(planted, relu=relu)
        return dx

    def _run(self, rows, columns, caches):
        crop = self.x[:, rows.pixels, columns.pixels]
        return self.tiles.network.forward(crop, to=self.layers, keep=(), caches=caches)

    def _put_together(self):
        """Each layer, whole: strips of tiles from left to right, and these from top to bottom."""
        join, strips = array_module(self.x).concatenate, []
        for rows in self.rows:
            runs = [self._run(rows, columns, caches=False) for columns in self.columns]
            strips.append({name: join([run[name][:, rows.inner[name], columns.inner[name]]
                                       for run, columns in zip(runs, self.columns, strict=True)], 2)
                           for name in self.layers})
        return {name: join([strip[name] for strip in strips], 1) for name in self.layers}


class TileSpan(NamedTuple):
    """One tile along one axis: the pixels it sees, and by layer its own units, as slices of the
    whole layer (`units`) and of what the tile computes (`inner`)."""

    pixels: slice
    units: dict
    inner: dict


def reaches(network, layers):
    """What tiles need to compute some layers exactly: a Reach for the rows, one for the columns."""
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
    """The same with no more overlap than `overlap` pixels, but where layers are not padded: what
    it takes for each unit to be computed by some tile."""
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
    """The tile that answers for the pixels from `begin` to `end`; the last one to the border."""
    last = end == side
    first = max(0, min(begin - axis.before, (side - axis.least) // axis.step * axis.step))
    units = {name: slice(begin // stride, None if last else end // stride)
             for name, stride in axis.strides.items()}
    inner = {name: slice((begin - first) // stride, None if last else (end - first) // stride)
             for name, stride in axis.strides.items()}
    stop = side if last else min(side, max(end + axis.after, first + axis.least))
    return TileSpan(slice(first, stop), units, inner)
