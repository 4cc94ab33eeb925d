"""The deconvnet: from one unit back to the pixels that drove it (Zeiler & Fergus 2014).

Section 2.1 of the paper step by step, and the line of this library that does it:

=====================================  ===========================================================
record the switches on the way up      ``network.forward``; besides the switches only the input
                                       and the scale of an LRN are used on the way down
all other activations set to zero      `isolate.isolate`
unpool: each value to its switch       `ops.pool.unpool`
rectify: max(dy, 0)                    `ops.relu.backward` with the rule "deconvnet": whatever the
                                       sign of the forward activation was
filter with the transposed kernels,    `ops.conv.backward`: from a layer's output to its input
flipped both ways
again and again, down to the pixels    `descend`, one Stage at a time; the same numbers at once:
                                       ``run.backward(seeds, relu="deconvnet")``
=====================================  ===========================================================

Biases play no part on the way down, nor does what a batch normalisation adds. The paper does not
say what happens at the contrast normalisation; here it is a named choice, see `ops.lrn.RULES`.
With the rule "gradient" at the ReLUs the same way down gives the gradient (Simonyan et al. 2014)
times the unit's value, with "guided" guided backpropagation (Springenberg et al. 2015): only the
rectification differs. `each_rule` lays the three side by side, `each_stage` keeps all that lies
between unit and pixels.
"""

from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from minicnn import images
from minicnn.backend import to_host
from minicnn.images import display
from minicnn.network import INPUT
from minicnn.network.layers import LRN, Add, Concat, Conv, Dense, MaxPool, ReLU
from minicnn.vis.isolate import WHOLE, isolate, strongest_channel, strongest_position
from minicnn.vis.record import Record

NOT_ZERO = 1e-5  # of an array's largest magnitude: float32's Winograd leaves 1e-6 beside a window


def deconvnet(network, image, layer, channel=None, position=None, relu="deconvnet", lrn="gradient",
              size=None):
    """Project one unit, or one feature map, of one layer down to the pixels of one photo.

    Parameters
    ----------
    network : Network
    image : path, uint8 array (H, W, 3), or anything `Network.prepare` takes
    layer : str
    channel : int, optional
        The feature map, counted from 0; where not given, the one with the strongest activation.
    position : (row, column) or "all", optional
        Where in the map; at its strongest activation where not given. "all" keeps the whole map
        as it is and sets all other maps to zero.
    relu : {"deconvnet", "gradient", "guided"}
        What the ReLUs do on the way down.
    lrn : {"gradient", "through", "scale"}
        What local response normalisations do on the way down.
    size : int, (H, W) or "keep", optional
        As for `Network.prepare`.

    Returns
    -------
    Record
        `x` is the projection in the network's channel order; `image` shows it with zero as grey.

    Raises
    ------
    ValueError
        Unknown layer, channel or position; a unit that is not active in this photo.
    """
    unit = _look(network, image, layer, channel, position, size)
    return _record(unit, unit.run.backward({layer: unit.seed}, relu, lrn), relu, lrn)


def each_rule(network, image, layer, channel=None, position=None, lrn="gradient", size=None):
    """The same unit projected by the deconvnet, the gradient and guided backpropagation.

    The three differ only in what the ReLUs do on the way down; the pass up is one and the same.

    Parameters
    ----------
    network, image, layer, channel, position, lrn, size
        As for `deconvnet`.

    Returns
    -------
    dict of str to Record
        By the names of `ops.relu.RULES`, "deconvnet" first.
    """
    unit = _look(network, image, layer, channel, position, size)
    return {rule: _record(unit, unit.run.backward({layer: unit.seed}, rule, lrn), rule, lrn)
            for rule in ("deconvnet", "gradient", "guided")}


def each_stage(network, image, layer, channel=None, position=None, relu="deconvnet",
                 lrn="gradient", size=None):
    """`deconvnet`, with every map between the unit and the pixels.

    Parameters
    ----------
    network, image, layer, channel, position, relu, lrn, size
        As for `deconvnet`.

    Returns
    -------
    record : Record
        What `deconvnet` returns.
    stages : list of Stage
        From the seed down; the last one's array is ``record.x``. ``print(*stages, sep="\\n")``
        tells the way down, a line a stage.
    """
    unit = _look(network, image, layer, channel, position, size)
    stages = list(descend(unit.run, layer, unit.seed, relu, lrn))
    return _record(unit, stages[-1].array, relu, lrn), stages


class Stage(NamedTuple):
    """One layer on the way down: at which layer, what was done there, and the array after it.

    As text it also tells how many numbers are left that are not zero, nor so small beside the
    largest that rounding may have made them.
    """

    layer: str
    operation: str
    array: Any

    def __str__(self):
        shape = "x".join(map(str, self.array.shape[1:]))
        strength = np.abs(to_host(self.array))
        some = np.count_nonzero(strength > NOT_ZERO * strength.max())
        return (f"{self.layer:<28} {self.operation:<20} {shape:<12} "
                f"{some} of {self.array.size} not zero")


def descend(run, layer, seed, relu="deconvnet", lrn="gradient"):
    """Walk down from a seed to the pixels, a layer at a time: section 2.1 of the paper.

    Parameters
    ----------
    run : Run
        Of a forward pass that reached `layer`.
    layer : str
    seed : array of the layer's activation's shape
        What to project, see `isolate.isolate`.
    relu, lrn : str
        As for `deconvnet`.

    Yields
    ------
    Stage
        First the seed; the last one's array is the projection (1, H, W, C), and the very numbers
        ``run.backward({layer: seed}, relu, lrn)`` gives. At a Concat the maps are split among the
        paths that it joined; where paths part, what they arrive with is added.

    Raises
    ------
    ValueError
        A layer the run did not reach, a seed of another shape, an unknown rule.
    """
    yield Stage(layer, "all others to zero", seed)
    arrived = Counter()
    for name, kind, inputs, dy, dx, _ in run.descend({layer: seed}, relu, lrn):
        if arrived[name] > 1:
            yield Stage(name, f"add {arrived[name]}", dy)
        operation = OPERATIONS.get(type(kind), f"{type(kind).__name__}: gradient")
        yield Stage(name, operation.format(relu=relu, lrn=lrn, parts=len(inputs)),
                   dy if kind.several else dx[0])
        arrived.update(inputs)
    if arrived[INPUT] > 1:
        yield Stage(INPUT, f"add {arrived[INPUT]}", run.backward({layer: seed}, relu, lrn))


OPERATIONS = {  # in the paper's words
    MaxPool: "unpool", ReLU: "rectify: {relu}", Conv: "filter", Dense: "filter",
    LRN: "LRN: {lrn}", Concat: "split in {parts}", Add: "to all {parts}"}


def region(projection, share=0.05):
    """The rectangle that holds all of a projection that is not faint.

    Parameters
    ----------
    projection : array (1, H, W, C)
    share : float
        Faint is what stays below this share of the largest magnitude; 0 gives all that is not
        zero, the unit's receptive field as far as switches and rectification let anything through.

    Returns
    -------
    top, bottom, left, right : int
        As in ``photo[top:bottom, left:right]``; the whole photo for a projection of zeros.
    """
    strength = np.abs(projection[0]).max(axis=2)  # H,W,C -> H,W
    visible = strength > share * strength.max()
    if not visible.any():
        return 0, strength.shape[0], 0, strength.shape[1]
    rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


class _Unit(NamedTuple):
    """What is projected, and the run it was seen in; `position` is (row, column), () or "all"."""

    run: Any
    photo: Any
    layer: str
    channel: int
    position: Any
    size: Any
    seed: Any
    value: float


def _look(network, image, layer, channel, position, size):
    """One pass up, to the unit that is asked for, or the strongest."""
    layer, x = network.find(layer), network.prepare(image, size)
    run, photo = network.forward(x, to=layer, keep=()), network.restore(x)[0]
    maps = run[layer]
    channel = strongest_channel(maps) if channel is None else channel
    position = strongest_position(maps, layer, channel) if position is None else position
    seed, value = isolate(maps, layer, channel, position)
    position = position if isinstance(position, str) else tuple(map(int, position))
    return _Unit(run, photo, layer, channel, position, size, seed, value)


def _record(unit, projection, relu, lrn):
    network, projection = unit.run.network, to_host(projection)
    where = (", all positions: largest value" if unit.position == WHOLE
             else f" at {unit.position}: value" if unit.position else ": value")
    normalised = any(isinstance(network[name], LRN) for name in unit.run.caches)
    caption = (f"{network.name} {unit.layer} channel {unit.channel}{where} {unit.value:.4g}, rule "
               f"{relu}" + (f", LRN {lrn}" if normalised else ""))
    settings = {"layer": unit.layer, "channel": unit.channel, "position": unit.position,
                "relu": relu, "lrn": lrn, "size": unit.size}
    return Record(image=signed_picture(projection, network.preprocessing), caption=caption,
                  settings=settings, photo=unit.photo, x=projection)


def signed_picture(x, preprocessing):
    """A signed array (1, H, W, C) in the network's numbers as a picture, see `shown`."""
    return shown(images.to_rgb(x, preprocessing)[0])


def shown(rgb):
    """A projection (H, W, 3) as a picture, uint8: zero is grey, at a scale of its own.

    The strongest 2 in 1000 may saturate, or one pixel would rule.
    """
    strength = np.abs(rgb[rgb != 0])
    limit = float(np.quantile(strength, 0.998)) if strength.size else None
    return display.signed_to_uint8(rgb, limit)
