"""The deconvnet: from one unit back to the pixels that drove it (Zeiler & Fergus 2014).

Section 2.1 of the paper step by step, and the line of this library that does it:

=====================================  ===========================================================
record the switches on the way up      ``network.forward``; besides the switches the way down
                                       needs only the input and the scale of an LRN
set all other activations to zero      `isolate.isolate`
unpool: put each value at its switch   `ops.pool.unpool`
rectify: max(dy, 0)                    `ops.relu.backward` by the rule "deconvnet": whatever the
                                       sign of the activation was on the way up
filter with the transposed kernels,    `ops.conv.backward`: from a layer's output to its input
flipped both ways
again and again, down to the pixels    `descend`, one Stage at a time. The same numbers at once:
                                       ``run.backward(seeds, "deconvnet", "through")``
=====================================  ===========================================================

Biases are not added on the way down, nor the shift of a batch normalisation. A contrast
normalisation is passed through, as in the paper; other rules can be named, see `ops.lrn.RULES`.

Only the rule at the ReLUs makes this a deconvnet. With the rule "gradient" the same way down gives
the gradient (Simonyan et al. 2014) times the unit's activation, with "guided" guided
backpropagation (Springenberg et al. 2015). `each_rule` makes all three, `each_stage` keeps every
map between the unit and the pixels.

A projection tells where in the photo the unit looks, and draws the contours there. It tells little
of what the unit is for: what is rectified at every step soon has one direction only, so that in
deep layers all units active at one place have nearly the same projection (a cosine above .9
in GoogLeNet from inception_4c on and in VGG-16 from conv4_3 on). `vis.strongest` shows what for.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from minicnn import images
from minicnn.backend import to_host
from minicnn.images import display
from minicnn.network import INPUT, Run
from minicnn.network.layers import LRN, Add, Concat, Conv, Dense, MaxPool, ReLU
from minicnn.ops.lrn import RULES as LRN_RULES
from minicnn.ops.relu import RULES as RELU_RULES
from minicnn.vis.isolate import WHOLE, isolate, strongest_channel, strongest_position
from minicnn.vis.options import Options, option, photo_size, takes
from minicnn.vis.record import Record

AUTO = "auto"
NOT_ZERO = 1e-5  # of an array's largest magnitude: float32's Winograd leaves 1e-6 beside a window


@dataclass(frozen=True, kw_only=True)
class DeconvnetOptions(Options):
    """Options of `deconvnet`."""

    relu: str = option(
        "deconvnet", "what the ReLUs let pass on the way down: deconvnet, what is above zero; "
        "gradient, where the activation was above zero on the way up; guided, where both hold",
        choices=tuple(RELU_RULES))
    lrn: str = option(
        AUTO, "what local response normalisations do on the way down: through, nothing, as in the "
        "paper; gradient, their exact gradient; scale, divide each channel as on the way up; auto, "
        "gradient where the ReLUs take the gradient, else through", choices=(AUTO, *LRN_RULES))
    size: Any = photo_size()


@takes(DeconvnetOptions)
def deconvnet(network, image, layer, channel=None, position=None, *, options, watch=None):
    """Project one unit, or one feature map, of one layer down to the pixels of one photo.

    Parameters
    ----------
    network : Network
    image : path, uint8 array (H, W, 3), or anything `Network.prepare` takes
        Or a Run of one photo up to `layer`: for several units one pass up is enough.
    layer : str
    channel : int, optional
        The index of the feature map, from 0. By default, the map with the strongest activation.
    position : (row, column) or "all", optional
        Where in the map. By default, at its strongest activation. "all" keeps the whole map as it
        is and sets all other maps to zero.
    **options
    watch : callable, optional
        Called with each `Stage` on the way down.

    Returns
    -------
    Record
        `x` is the projection in the network's channel order; `image` shows it with zero as grey.

    Raises
    ------
    ValueError
        Unknown layer, channel, position or rule; a unit that is not active in this photo.
    """
    layer = network.find(layer)
    run = image
    if not isinstance(run, Run):  # the way up, which records the switches
        run = network.forward(network.prepare(image, options.size), to=layer, keep=())
    maps = run[layer]
    lrn = lrn_rule(options.relu, options.lrn)
    channel = strongest_channel(maps) if channel is None else channel
    position = strongest_position(maps, layer, channel) if position is None else position
    seed, activation = isolate(maps, layer, channel, position)  # all other activations to zero
    for stage in descend(run, layer, seed, options.relu, lrn):  # unpool, rectify, filter,
        if watch is not None:                                   # down to the pixels
            watch(stage)
    projection = to_host(stage.array)  # 1,H,W,C

    position = position if isinstance(position, str) else tuple(map(int, position))
    where = (", all positions: largest activation" if position == WHOLE
             else f" at {position}: activation" if position else ": activation")
    normalised = any(isinstance(row.layer, LRN) for row in network.until(layer).rows)
    caption = (f"{network.name} {layer} channel {channel}{where} {activation:.4g}, rule "
               f"{options.relu}" + (f", LRN {lrn}" if normalised else ""))
    settings = {"layer": layer, "channel": channel, "position": position, **options.settings(),
                "lrn": lrn}
    return Record(image=signed_picture(projection, network.preprocessing), caption=caption,
                  settings=settings, photo=network.restore(run[INPUT])[0], x=projection)


def each_rule(network, image, layer, channel=None, position=None, *, lrn=DeconvnetOptions.lrn,
              size=None):
    """The same unit projected by the deconvnet, the gradient and guided backpropagation.

    The three differ in what the ReLUs do on the way down and, unless `lrn` names one rule for all,
    the LRNs. They share one pass up.

    Parameters
    ----------
    network, image, layer, channel, position, lrn, size
        As for `deconvnet`.

    Returns
    -------
    dict of str to Record
        By the names of `ops.relu.RULES`, "deconvnet" first.
    """
    run = network.forward(network.prepare(image, size), to=layer, keep=())
    return {rule: deconvnet(network, run, layer, channel, position, relu=rule, lrn=lrn, size=size)
            for rule in ("deconvnet", "gradient", "guided")}


@takes(DeconvnetOptions)
def each_stage(network, image, layer, channel=None, position=None, *, options):
    """`deconvnet`, with every map between the unit and the pixels.

    Parameters
    ----------
    network, image, layer, channel, position
        As for `deconvnet`.
    **options

    Returns
    -------
    record : Record
        What `deconvnet` returns.
    stages : list of Stage
        From the seed down; the last one's array is ``record.x``. ``print(*stages, sep="\\n")``
        tells the way down, a line a stage.
    """
    stages = []
    record = deconvnet(network, image, layer, channel, position, watch=stages.append,
                       **options.settings())
    return record, stages


class Stage(NamedTuple):
    """One step on the way down: at which layer, what was done there, and the array after it.

    As text it also counts the numbers that are not zero. Below 1e-5 of the largest magnitude a
    number counts as zero: rounding may have made it.
    """

    layer: str
    operation: str
    array: Any

    def __repr__(self):
        shape = "x".join(map(str, self.array.shape[1:]))
        strength = np.abs(to_host(self.array))
        some = np.count_nonzero(strength > NOT_ZERO * strength.max())
        return (f"{self.layer:<28} {self.operation:<20} {shape:<12} "
                f"{some} of {self.array.size} not zero")


def lrn_rule(relu, lrn=AUTO):
    """The rule at LRNs that `lrn` names; "auto" is "gradient" with relu "gradient", else "through".

    With any other pair the rule "gradient" would not give the gradient.
    """
    return lrn if lrn != AUTO else "gradient" if relu == "gradient" else "through"


def descend(run, layer, seed, relu=DeconvnetOptions.relu, lrn=DeconvnetOptions.lrn):
    """Walk down from a seed to the pixels, a layer at a time: section 2.1 of the paper.

    Parameters
    ----------
    run : Run
        Of a forward pass that reached `layer`.
    layer : str
    seed : array of the shape of the layer's activation
        What to project, see `isolate.isolate`.
    relu, lrn : str
        As for `deconvnet`.

    Yields
    ------
    Stage
        First the seed; the last one's array is the projection (1, H, W, C), the same bytes as
        ``run.backward({layer: seed}, relu, lrn_rule(relu, lrn))``. A Concat splits the maps among
        the paths that it joined; where the paths part, the maps that come down them are added.

    Raises
    ------
    ValueError
        A layer that the run did not reach, a seed of another shape, an unknown rule.
    """
    yield Stage(layer, "all others to zero", seed)
    arrived, at_pixels, lrn = Counter(), [], lrn_rule(relu, lrn)
    for name, kind, inputs, dy, dx, _ in run.descend({layer: seed}, relu, lrn):
        if arrived[name] > 1:
            yield Stage(name, f"add {arrived[name]}", dy)
        operation = OPERATIONS.get(type(kind), f"{type(kind).__name__}: gradient")
        yield Stage(name, operation.format(relu=relu, lrn=lrn, parts=len(inputs)),
                    dy if kind.several else dx[0])
        arrived.update(inputs)
        at_pixels += [part for place, part in zip(inputs, dx, strict=True) if place == INPUT]
    if len(at_pixels) > 1:
        yield Stage(INPUT, f"add {len(at_pixels)}", sum(at_pixels[1:], at_pixels[0]))


OPERATIONS = {  # in the paper's words
    MaxPool: "unpool", ReLU: "rectify: {relu}", Conv: "filter", Dense: "filter",
    LRN: "LRN: {lrn}", Concat: "split in {parts}", Add: "to all {parts}"}


def region(projection, share=0.05):
    """The rectangle that holds all of a projection that is not faint.

    Parameters
    ----------
    projection : array (1, H, W, C)
    share : float
        Faint is what stays below this share of the largest magnitude. 0 gives all that is not
        zero: the part of the unit's receptive field that switches and rectification let through.

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


def core(projection, share=0.9):
    """The smallest square around a projection's centre that holds most of its energy.

    Parameters
    ----------
    projection : array (1, H, W, C)
    share : float
        Of the sum of squares that the square must hold.

    Returns
    -------
    row, column, half : int
        The square reaches `half` pixels to each side of the centre, perhaps beyond the array. The
        centre halves the energy above and below, left and right. For zeros, the whole.
    """
    energy = (projection[0].astype(np.float64) ** 2).sum(axis=2)  # H,W,C -> H,W
    (h, w), total = energy.shape, energy.sum()
    if total == 0:
        return h // 2, w // 2, max(h, w) // 2
    row, column = (int(np.searchsorted(np.cumsum(energy.sum(axis=axis)), total / 2))
                   for axis in (1, 0))
    away = np.maximum(abs(np.arange(h)[:, None] - row), abs(np.arange(w) - column))
    within = np.cumsum(np.bincount(away.ravel(), energy.ravel()))  # H,W -> one number a distance
    return row, column, int(np.searchsorted(within, share * within[-1]))


def signed_picture(x, preprocessing):
    """A signed array (1, H, W, C) in the network's input values as a picture, see `shown`."""
    return shown(images.to_rgb(x, preprocessing)[0])


def shown(rgb, gamma=1.0):
    """A projection (H, W, 3) as a picture, uint8: zero is grey, each projection scaled by itself.

    For `gamma` see `display.signed_to_uint8`.
    """
    return display.signed_to_uint8(rgb, limit(rgb) or None, gamma)


def limit(x):
    """The magnitude that is black or white in `shown`; 0 if there is nothing.

    The strongest 2 in 1000 numbers may lie beyond; otherwise one pixel could set the scale.
    """
    strength = np.abs(x[x != 0])
    return float(np.quantile(strength, 0.998)) if strength.size else 0.0
