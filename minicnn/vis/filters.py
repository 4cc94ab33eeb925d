"""What the filters of a network look for: the first of every layer, or the best of one.

Each filter gets an image of its own that makes it respond strongly (`maximize`). Side by side they
show that patterns grow more complex as the layer grows deeper: colours and edges first, then
textures, then parts. Two sheets are well known. One has the first ten filters of each convolution
of VGG-16, each with the sum of its squared responses made large; the other the best of one layer's
filters by the value they reach (Chollet 2017, section 5.4.2).

A sum of squares is taken at the convolution itself, where a filter's response has two signs. A
mean would let them cancel, so with it the ReLU behind the convolution is looked at.

It takes a while for large networks. With a folder to keep them in, finished filters are never lost:
the same call goes on where the last one ended, and comes to the same bytes.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minicnn import images
from minicnn.files.digests import digest
from minicnn.files.unfinished import Unfinished
from minicnn.network.layers import Conv, ReLU
from minicnn.progress import bar
from minicnn.vis import presets
from minicnn.vis.arguments import check_choice, check_counts, settings_of
from minicnn.vis.maximize import maximize
from minicnn.vis.record import Record

ORDERS = ("number", "value")
TOGETHER = 10  # filters that are climbed in one go, and saved in one


@dataclass(frozen=True)
class LayerFilters:
    """The filters of one layer.

    Attributes
    ----------
    layer : str
    channels : list of int
        Those asked for, as they are shown; the pictures are of the first of them, of all unless it
        was interrupted.
    pictures : (N, H, W, 3) uint8
    values : (N,) array
        What was made large, as it ended.
    x : (N, H, W, C) array
        The pictures in the network's own numbers, unrounded.
    """

    layer: str
    channels: list
    pictures: Any = field(repr=False)
    values: Any = field(repr=False)
    x: Any = field(repr=False)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Filters(Record):
    """Filters of one or more layers; `minicnn.report.filters.sheet` draws them.

    `settings` has every argument that the pictures depend on.

    Attributes
    ----------
    layers : list of LayerFilters
        One a layer.
    """

    layers: list


def filters(network, layers=None, count=10, order="number", preset="filters", steps=None, size=None,
            seed=0, folder=None, progress=False):
    """Maximise the first filters of every convolution, or of some layers.

    Parameters
    ----------
    network : Network
    layers : sequence of str, optional
        Every convolution where not given; with a preset that makes a mean large, the ReLU behind
        each.
    count : int
        How many filters of each layer; fewer where it has no more.
    order : {"number", "value"}
        value: those that reach the highest value first. Values of different layers, or presets, do
        not compare.
    preset : str
        As for `maximize`.
    steps : int, optional
        What the preset says where not given; 60 for "filters".
    size : int or (H, W), optional
        Of each picture; the network's own where not given.
    seed : int
        The same for each filter.
    folder : path, optional
        Where finished filters are kept until all are; made where it does not exist.
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    Filters
        Ctrl-C ends it early, with the filters that are finished.

    Raises
    ------
    ValueError
        No convolutions, unknown layers, settings out of range.
    """
    settings = settings_of(locals())
    from minicnn import __version__

    chosen = presets.chosen(preset, dict.fromkeys(presets.OWN) | {"steps": steps})
    size = network.input_shape[:2] if size is None else images.height_width(size)
    check_counts("filters", count=count)
    check_choice("filters", "order", order, ORDERS)
    if layers is None:
        layers = responses(network, rectified=chosen["measure"] != "squares")
    layers = [network.find(layer) for layer in
              dict.fromkeys([layers] if isinstance(layers, str) else layers)]
    if not layers:
        raise ValueError(f"filters: network {network.name} has no convolutions; name layers")
    settings |= {"layers": layers, "steps": chosen["steps"], "size": tuple(size)}
    parts = [(layer, list(range(first, min(first + TOGETHER, most))))
             for layer in layers for most in [min(count, network.shapes[layer][-1])]
             for first in range(0, most, TOGETHER)]

    about = settings | chosen | {"size": list(size), "weights": digest(network),
                                 "minicnn": __version__}
    del about["order"]  # the pictures do not depend on it
    kept = None if folder is None else Unfinished(folder, about)
    made = _made(network, parts, settings, kept, progress)
    found = [_of_layer(network, layer, parts, made, order) for layer in layers]
    interrupted = len(made) < len(parts)
    if kept is not None and not interrupted:
        kept.remove()
    return Filters(caption=_caption(network, settings), settings=settings, layers=found,
                   interrupted=interrupted)


def responses(network, rectified=False):
    """The names of all convolutions, or of the ReLU behind each of them.

    A convolution without one, before the next convolution, is named itself.
    """
    found = []
    for name in network.names:
        if isinstance(network[name], Conv):
            found.append(name)
        elif rectified and found and isinstance(network[name], ReLU):
            is_first = isinstance(network[found[-1]], Conv)
            found[-1] = name if is_first else found[-1]
    return found


def orientation_entropy(x, bins=18):
    """In how many directions a pattern's edges run, in bits: how complex it is, by one measure.

    The gradients of the colours' sum are sorted by their direction, up to sign, into a histogram,
    each with its length as weight; this is the histogram's entropy.

    Parameters
    ----------
    x : array (N, H, W, C)
        Each at least 3 x 3.
    bins : int

    Returns
    -------
    (N,) array
        From 0, all edges parallel or none there, to log2(bins), all directions alike.
    """
    grey = np.asarray(x, np.float64).sum(axis=3)  # N,H,W,C -> N,H,W
    down = grey[:, 2:, 1:-1] - grey[:, :-2, 1:-1]
    right = grey[:, 1:-1, 2:] - grey[:, 1:-1, :-2]
    sector = (np.mod(np.arctan2(down, right), np.pi) * bins / np.pi).astype(int) % bins
    lengths = np.hypot(down, right)
    shares = np.stack([(lengths * (sector == k)).sum(axis=(1, 2)) for k in range(bins)], axis=1)
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    return -(shares * np.log2(np.where(shares > 0, shares, 1))).sum(axis=1)  # N,bins -> N


# ---- doing it

def _made(network, parts, settings, kept, progress):
    """The arrays `x` and `values` of each part, in order, as far as Ctrl-C allows."""
    made, work = [], sum(len(channels) for _, channels in parts) * settings["steps"]
    try:
        with bar(name="filters", shown=progress, total=work) as shown:
            for number, part in enumerate(parts):
                made.append(_part(network, *part, settings, kept, number, shown))
    except KeyboardInterrupt:
        if not made:
            raise
    return made


def _part(network, layer, channels, settings, kept, number, shown):
    """The arrays of one part: as they were kept, or made now and kept."""
    if kept is not None and kept.has_part(number):
        shown.update(len(channels) * settings["steps"])
        return kept.part(number)
    found = maximize(network, layer, channels, settings["preset"], settings["steps"],
                     size=settings["size"], seed=settings["seed"],
                     watch=lambda step: shown.update(len(channels) if step.index else 0))
    if found[0].interrupted:
        raise KeyboardInterrupt
    arrays = {"x": np.concatenate([record.x for record in found]),  # 1,H,W,C each -> N,H,W,C
              "values": np.array([record.trace[-1, 0] for record in found])}
    if kept is not None:
        kept.save_part(number, **arrays)
    return arrays


# ---- putting it together

def _of_layer(network, layer, parts, made, order):
    channels = [channel for name, some in parts if name == layer for channel in some]
    own = [arrays for (name, _), arrays in zip(parts, made, strict=False) if name == layer]
    if not own:
        return LayerFilters(layer, channels, np.zeros((0, 1, 1, 3), np.uint8), np.zeros(0), None)
    x, values = (np.concatenate([arrays[name] for arrays in own]) for name in ("x", "values"))
    if order == "value":
        best = np.argsort(-values, kind="stable")
        channels = [channels[k] for k in best] + channels[len(best):]
        x, values = x[best], values[best]
    return LayerFilters(layer, channels, network.restore(x), values, x)


def _caption(network, settings):
    layers = settings["layers"]
    where = layers[0] if len(layers) == 1 else f"each of {len(layers)} layers"
    best = ", those with the highest value first" if settings["order"] == "value" else ""
    return (f"{network.name}: the first {settings['count']} filters of {where}, maximised: preset "
            f"{settings['preset']}, {settings['steps']} steps{best}")
