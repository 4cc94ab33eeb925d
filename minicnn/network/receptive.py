"""Receptive fields: which pixels of the image a unit can see, computed from the layers alone.

Along one axis a window of K samples, D apart, at step S, with P samples of padding before it, sees

    samples  S i - P,  S i - P + D,  ...,  S i - P + D (K - 1)        at output position i

of the layer below. If unit i there begins at pixel  o + s i  and spans r pixels, then after the
window

    stride  s' = s S        offset  o' = o - s P        size  r' = r + s D (K - 1)

This is the table in every lecture; `Field` holds it. It is exact only in the middle of the image.
At the border a window lies partly in the padding, or sticks out by ceil rounding, and a unit sees
nothing there, at any layer on the way. So this module also computes every unit's exact first and
last pixel. A channel of a Concat sees only what its own path sees, until a layer mixes the
channels; therefore everything is kept for each channel. A channel of an Add sees what all its
terms see. "Sees" means the smallest rectangle around all pixels that play a part; windows with
gaps (dilation, or a step larger than the window below) may skip some pixels inside it.

The recursion is that of Araujo, Norris & Sim (2019), "Computing receptive fields of convolutional
neural networks", Distill.
"""

from typing import Any, NamedTuple

import numpy as np

from minicnn.network import layers
from minicnn.network.rows import INPUT
from minicnn.ops.window import pair


class Field(NamedTuple):
    """The receptive field of a layer's units, in pixels; all pairs are (vertical, horizontal).

    Attributes
    ----------
    size : (h, w)
        Size far from the border, where padding plays no part.
    stride : (h, w)
        Step from one unit's field to the next; 0 in a layer without positions.
    offset : (top, left)
        First pixel of the unit at (0, 0); negative if its field begins in the padding.
    rows, columns : arrays (OH, 2), (OW, 2)
        For every row and column of units: the first pixel seen within the image, and the one after
        the last.
    """

    size: tuple
    stride: tuple
    offset: tuple
    rows: Any
    columns: Any

    def __repr__(self):
        return f"Field(size={self.size}, stride={self.stride}, offset={self.offset})"

    def box(self, position=(), clipped=True):
        """The rectangle that one unit sees.

        Parameters
        ----------
        position : (row, column)
            Position of the unit; () in a layer without positions.
        clipped : bool
            True: exactly the part inside the image. False: `size` pixels from `offset` + `stride`
            * position, which may begin before the image and end after it.

        Returns
        -------
        top, bottom, left, right : int
            For ``photo[top:bottom, left:right]``; empty if the unit sees only padding.
        """
        place = tuple(position) or (0, 0)
        sides = (len(self.rows), len(self.columns))
        if len(place) != 2 or not all(0 <= p < side for p, side in zip(place, sides, strict=True)):
            raise ValueError(f"receptive field: there are {sides[0]}x{sides[1]} positions, counted "
                             f"from 0; there is no {tuple(position)}")
        if clipped:
            (top, bottom), (left, right) = self.rows[place[0]], self.columns[place[1]]
        else:
            top, left = (o + s * p for o, s, p in zip(self.offset, self.stride, place, strict=True))
            bottom, right = top + self.size[0], left + self.size[1]
        return int(top), int(bottom), int(left), int(right)


def field(network, layer, channel=None, image=None):
    """The receptive field of a layer's units.

    Parameters
    ----------
    network : Network
    layer : str
    channel : int, optional
        Only this channel, which after a Concat may see less than others; by default everything
        that the layer's channels see together.
    image : (H, W), optional
        The image's size; by default the network's own.

    Returns
    -------
    Field

    Raises
    ------
    ValueError
        Unknown layer or channel; an image too small for the layers.

    Examples
    --------
    >>> from minicnn import models
    >>> conv5 = field(models.alexnet_caffe(), "conv5")
    >>> conv5.size, conv5.stride, conv5.offset
    ((163, 163), (16, 16), (-64, -64))
    >>> conv5.box((0, 0)), conv5.box((6, 6)), conv5.box((0, 0), clipped=False)
    ((0, 99, 0, 99), (32, 195, 32, 195), (-64, 99, -64, 99))
    """
    return channel_fields(network, layer, [channel], image)[0]


def channel_fields(network, layer, channels, image=None):
    """`field` for several channels of one layer at once: a list of Field."""
    network.find(layer)
    seen = next(seen for name, seen in _all_seen(network, image) if name == layer)
    count = len(seen[0].spans)
    wrong = [c for c in channels if c is not None and not 0 <= c < count]
    if wrong:
        raise ValueError(f"receptive field: {layer} has {count} channels, counted from 0; there "
                         f"is no {wrong[0]}")
    return [_field(seen, channel) for channel in channels]


def fields(network, image=None, layers=None):
    """The receptive fields of all layers, or of some: a dict of name to Field, in the order of
    computation."""
    found = {}
    for name, seen in _all_seen(network, image):
        if layers is None or name in layers:
            found[name] = _field(seen, None)
        if layers is not None and len(found) == len(set(layers)):
            break  # what follows need not be known
    return found


class _Axis(NamedTuple):
    """What the units of a layer with C channels and n positions see along one axis.

    spans (C, n, 2): the first pixel seen within the image and the one after the last; the first is
    BEYOND if nothing is seen. start (C, 2): the same for position 0 as if the image had no border.
    stride: pixels from one position to the next.
    """

    spans: Any
    start: Any
    stride: int


BEYOND = np.iinfo(np.int64).max


def _field(seen, channel):
    rows, columns = ((_hull(axis.spans, 0) if channel is None else axis.spans[channel])
                     for axis in seen)
    starts = [_hull(axis.start, 0) if channel is None else axis.start[channel] for axis in seen]
    return Field(tuple(int(stop - first) for first, stop in starts),
                 tuple(axis.stride for axis in seen), tuple(int(first) for first, _ in starts),
                 _emptied(rows), _emptied(columns))


def _emptied(spans):
    """The spans, with empty ones set to 0..0."""
    return np.where(spans[..., :1] < spans[..., 1:], spans, 0)


def _all_seen(network, image):
    """Yield (layer, (vertical _Axis, horizontal _Axis)), from the first layer up."""
    h, w, channels = network.input_shape
    h, w = (h, w) if image is None else image
    seen = {INPUT: tuple(_pixels(side, channels) for side in (h, w))}
    shapes = {INPUT: (h, w, channels)}
    for name, layer, inputs in network.rows:
        below, shape = [seen[place] for place in inputs], [shapes[place] for place in inputs]
        shapes[name] = layer.output_shape(shape if layer.several else shape[0])
        seen[name] = _sees(name, layer, below, shapes[name])
        yield name, seen[name]


# ---- the effect of one layer, along both axes

def _sees(name, layer, below, shape):
    kind = type(layer)
    if kind in MEET:
        return _met(name, MEET[kind], below)
    if kind in SEES:
        return SEES[kind](layer, below[0], shape)
    if kind in POINTWISE:
        return below[0]
    raise ValueError(f"receptive field: what a {kind.__name__} sees ({name}) is not known; add it "
                     "to SEES or POINTWISE in minicnn/network/receptive.py")


def _conv(layer, seen, shape):
    mixed = [_mixed(axis, layer.groups, layer.filters) for axis in seen]
    return _slid(mixed, layer.kernel, layer.stride, layer.pad, layer.dilation, shape)


def _pool(layer, seen, shape):
    stride = layer.window if layer.stride is None else layer.stride
    return _slid(seen, layer.window, stride, layer.pad, 1, shape)


def _slid(seen, kernel, stride, pad, dilation, shape):
    settings = zip(*(pair(v, "window") for v in (kernel, stride, pad, dilation)), strict=True)
    return tuple(_windowed(axis, *one, out)
                 for axis, one, out in zip(seen, settings, shape, strict=False))


def _lrn(layer, seen, shape):
    """A window over the channels: each sees what its neighbours see."""
    near = np.arange(shape[2])[:, None] + np.arange(layer.size) - layer.size // 2
    near = near.clip(0, shape[2] - 1)
    return tuple(_Axis(_hull(axis.spans[near], 1), _hull(axis.start[near], 1), axis.stride)
                 for axis in seen)


def _softmax(layer, seen, shape):
    return tuple(_mixed(axis, 1, shape[-1]) for axis in seen)


def _global_average(layer, seen, shape):
    return tuple(_placeless(_hull(axis.spans, 1)[:, None]) for axis in seen)  # C,n,2 -> C,1,2


def _dense(layer, seen, shape):
    return tuple(_mixed(axis, 1, shape[0]) for axis in _global_average(layer, seen, shape))


def _flatten(layer, seen, shape):
    rows, columns = (axis.spans.swapaxes(0, 1) for axis in seen)  # C,n,2 -> n,C,2
    both = np.broadcast_arrays(rows[:, None], columns[None])  # H,W,C,2
    return tuple(_placeless(spans.reshape(-1, 1, 2)) for spans in both)  # H,W,C,2 -> H*W*C,1,2


SEES = {layers.Conv: _conv, layers.MaxPool: _pool, layers.AveragePool: _pool, layers.LRN: _lrn,
        layers.Softmax: _softmax, layers.GlobalAveragePool: _global_average,
        layers.Dense: _dense, layers.Flatten: _flatten}
POINTWISE = (layers.ReLU, layers.BatchNorm, layers.Dropout, layers.Sigmoid, layers.Tanh)


# ---- along one axis

def _pixels(side, channels):
    """The image itself: each pixel sees itself."""
    spans = np.arange(side)[:, None] + np.arange(2)
    return _Axis(np.broadcast_to(spans, (channels, side, 2)), np.tile([0, 1], (channels, 1)), 1)


def _windowed(axis, kernel, stride, pad, dilation, out):
    members = stride * np.arange(out)[:, None] - pad + dilation * np.arange(kernel)  # OUT,K
    count = axis.spans.shape[1]
    real = (members >= 0) & (members < count)
    spans = axis.spans[:, members.clip(0, count - 1)]  # C,OUT,K,2
    spans = _hull(np.where(real[:, :, None], spans, (BEYOND, 0)), 2)  # C,OUT,K,2 -> C,OUT,2
    reach = axis.stride * np.array([-pad, dilation * (kernel - 1) - pad])
    return _Axis(spans, axis.start + reach, axis.stride * stride)


def _mixed(axis, groups, outputs):
    """Every output channel sees what its group of input channels sees."""
    spans, start = (np.repeat(_hull(a.reshape(groups, -1, *a.shape[1:]), 1),  # C,... -> G,C/G,...
                              outputs // groups, axis=0) for a in (axis.spans, axis.start))
    return _Axis(spans, start, axis.stride)


def _met(name, meet, parts):
    """What the layer `name`, in which several paths meet, sees along each axis."""
    met = []
    for axes in zip(*parts, strict=True):
        strides = sorted({axis.stride for axis in axes})
        if len(strides) > 1:
            raise ValueError(f"receptive field: the paths that meet in {name} step by different "
                             f"numbers of pixels, {strides}, so {name} has no single stride")
        met.append(_Axis(*(meet([getattr(axis, what) for axis in axes])
                           for what in ("spans", "start")), strides[0]))
    return tuple(met)


def _placeless(spans):
    """A layer without positions: its field begins with its first pixel and has no stride."""
    return _Axis(spans, _emptied(spans[:, 0]), 0)


def _hull(spans, over):
    """The smallest span that covers all spans along the axis `over`."""
    return np.stack([spans[..., 0].min(axis=over), spans[..., 1].max(axis=over)], axis=-1)


MEET = {layers.Concat: np.concatenate,  # channel after channel
        layers.Add: lambda spans: _hull(np.stack(spans), 0)}  # channel by channel, the union
