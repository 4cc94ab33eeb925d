"""What the filters of a network look for: the first of every layer, or the best of one.

Each filter gets an image of its own that makes it respond strongly (`maximize`). Side by side they
show that patterns grow more complex as the layers grow deeper: colours and edges first, then
textures, then parts. Two sheets are well known. One has the first ten filters of each convolution
of VGG-16, each maximised by the sum of its squared activations (preset "wolfram"); the other the
best of one layer's filters, by the mean activation that they reach (Chollet 2017, section 5.4.2).

At a convolution a filter's activations have two signs. In a mean they would cancel, so that is
taken at the ReLU behind the convolution. In a sum of squares the negative ones count as well: of
VGG-16's filters from conv3_1 to conv4_2 a third then get a picture that drives them below 0
nearly everywhere, which is what silences them, not what they look for. So here the root mean square
of what is above 0 is made large. What is below 0 counts a tenth, by its mean: it leads up where a
ReLU has no gradient, so that no filter stays silent because the start is.

A large network takes a while. Given a folder, finished filters are kept there until all are done:
if the work is interrupted or killed, the same call goes on where it ended, and comes to the same
bytes.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minicnn import images
from minicnn.files.digests import digest
from minicnn.files.unfinished import Unfinished
from minicnn.images import markup
from minicnn.network.layers import Conv, ReLU
from minicnn.progress import bar
from minicnn.vis import presets
from minicnn.vis.maximize import MEASURED, maximize
from minicnn.vis.options import Options, option, takes
from minicnn.vis.record import Record

SQUARES = ("squares", "positive")  # measures in which activations of two signs do not cancel
TOGETHER = 10  # filters that are climbed in one go, and saved in one
SHOWN = 12  # layers, and filters of each, that it shows of itself in a notebook


@dataclass(frozen=True, kw_only=True)
class FiltersOptions(Options):
    """Options of `filters`: which filters it maximises, and how."""

    count: int = option(10, "number of filters of each layer, starting with the first; all of "
                        "them if it has fewer", least=1)
    order: str = option("number", "how the filters are sorted: by number, or by the value that "
                        "their objective reached, the highest first; values of different layers "
                        "or presets cannot be compared", choices=("number", "value"))
    preset: Any = option("filters", "preset of `maximize` that makes each picture", kind="str")
    steps: int = option(None, "steps of gradient ascent for each picture", least=1, kind="int",
                        otherwise="the preset's")
    size: Any = option(None, "side of each picture in pixels", kind="int or (H, W)",
                       otherwise="the network's own")
    seed: int = option(0, "seed of the start and transforms, the same for each filter", least=0)


@dataclass(frozen=True)
class LayerFilters:
    """The filters of one layer.

    Attributes
    ----------
    layer : str
    channels : list of int
        Those asked for, in the order of the sheet; the pictures are of the first of them, of all
        unless it was interrupted.
    pictures : (N, H, W, 3) uint8
    values : (N,) array
        The objective of each as `maximize` left it.
    x : (N, H, W, C) array
        The pictures in the network's input values, unrounded.
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
    unfinished : files.unfinished.Unfinished or None
        What is kept in the folder, if that was asked for.
    """

    layers: list
    unfinished: Any = None

    def views(self):
        """Some layers, with their filters four a row."""
        return [markup.sheet(one.layer, one.pictures[:SHOWN], 4, one.layer)
                for one in markup.some([one for one in self.layers if len(one.pictures)], SHOWN)]


@takes(FiltersOptions)
def filters(network, layers=None, *, options, folder=None, keep=False, progress=False):
    """Maximise the first filters of every convolution, or of some layers.

    Parameters
    ----------
    network : Network
    layers : str or sequence of str, optional
        By default, every convolution; with a preset that makes a mean large, the ReLU after each.
    **options
    folder : path, optional
        Where finished filters are kept until all are; made where it does not exist.
    keep : bool
        Keep them there at the end, too, until ``found.unfinished.remove()``.
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    Filters
        Ctrl-C ends it early, with the filters that are finished.

    Raises
    ------
    ValueError
        No convolutions, unknown layers, options out of range.
    """
    how = presets.of(options.preset, options.steps)
    layers = _chosen(network, layers, how)
    size = tuple(network.input_shape[:2] if options.size is None
                 else images.height_width(options.size))
    settings = {"layers": layers, **options.settings(), "steps": how.steps, "size": size}
    parts = []  # layers with channels of theirs that are climbed together
    for layer in layers:
        channels = range(min(options.count, network.shapes[layer][-1]))
        parts += [(layer, list(channels[first : first + TOGETHER]))
                  for first in range(0, len(channels), TOGETHER)]
    kept = None if folder is None else Unfinished(folder, _about(network, how, settings))

    made = []  # the arrays of each part, in their order, as far as Ctrl-C allows
    total = sum(len(channels) for _, channels in parts) * how.steps
    try:
        with bar(name="filters", shown=progress, total=total) as shown:
            for number, part in enumerate(parts):
                found = None if kept is None else kept.part(number)
                if found is not None:
                    made.append(found)
                    shown.update(len(part[1]) * how.steps)
                    continue
                made.append(_climbed(network, *part, settings, lambda step: shown.update(
                    len(step.value) if step.index else 0)))
                if kept is not None:
                    kept.save_part(number, **made[-1])
    except KeyboardInterrupt:
        if not made:
            raise

    interrupted = len(made) < len(parts)
    if kept is not None and not (interrupted or keep):
        kept.remove()
    found = [_of_layer(network, layer, parts, made, options.order, how) for layer in layers]
    return Filters(caption=_caption(network, how, settings) + _silent(network, how, found),
                   settings=settings, layers=found, interrupted=interrupted, unfinished=kept)


def responses(network, rectified=False):
    """The names of all convolutions, or of the ReLU after each of them.

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


def _chosen(network, layers, how):
    """The names of the layers to look at, each once."""
    if layers is None:
        layers = responses(network, rectified=how.measure not in SQUARES)
    names = [layers] if isinstance(layers, str) else layers
    if not names:
        raise ValueError(f"filters: network {network.name} has no convolutions; name layers")
    return list(dict.fromkeys(map(network.find, names)))


def _climbed(network, layer, channels, settings, watch):
    """The arrays of some filters, climbed together; KeyboardInterrupt if they were not finished."""
    records = maximize(network, layer, channels, settings["preset"], watch=watch,
                       **{name: settings[name] for name in ("steps", "size", "seed")})
    if records[0].interrupted:
        raise KeyboardInterrupt
    return {"x": np.concatenate([one.x for one in records]),  # -> N,H,W,C
            "values": np.array([one.trace[-1, 0] for one in records])}


# ---- putting it together

def _about(network, how, settings):
    """All that the pictures depend on: what was kept of other pictures is not taken for these."""
    from minicnn import __version__

    about = how.settings() | settings | {"size": list(settings["size"]),
                                         "weights": digest(network), "minicnn": __version__}
    del about["order"]  # pictures do not depend on it
    return about


def _of_layer(network, layer, parts, made, order, how):
    channels = [channel for name, some in parts if name == layer for channel in some]
    own = [arrays for (name, _), arrays in zip(parts, made, strict=False) if name == layer]
    if not own:
        return LayerFilters(layer, channels, np.zeros((0, 1, 1, 3), np.uint8), np.zeros(0), None)
    x, values = (np.concatenate([arrays[name] for arrays in own]) for name in ("x", "values"))
    if order == "value":
        best = np.argsort(-values, kind="stable")
        channels = [channels[k] for k in best] + channels[len(best):]
        x, values = x[best], values[best]
    return LayerFilters(layer, channels, presets.pictures(how, network, x), values, x)


def _caption(network, how, settings):
    layers = settings["layers"]
    where = layers[0] if len(layers) == 1 else f"each of {len(layers)} layers"
    made_large = " or ".join(dict.fromkeys(_objective(network, layer, how) for layer in layers))
    preset = "" if settings["preset"] is None else f"preset {settings['preset']}, "
    best = ", the highest first" if settings["order"] == "value" else ""
    height, width = settings["size"]
    return (f"{network.name}: the first {settings['count']} filters of {where}, each shown by a "
            f"picture that maximises its {made_large}; {preset}{settings['steps']} steps, "
            f"{width}x{height} pixels, seed {settings['seed']}{best}")


def _silent(network, how, found):
    """What a caption says of filters that their pictures hardly activate, or not at all."""
    silent = []
    for row in found:
        if how.measure in SQUARES or isinstance(network[row.layer], ReLU):
            channels = [str(channel) for channel, value
                        in zip(row.channels, row.values, strict=False) if value <= 0]
            silent += [f"{row.layer} {', '.join(channels)}"] * bool(channels)
    return f"; hardly or nowhere above 0: {'; '.join(silent)}" * bool(silent)


def _objective(network, layer, how):
    """What `maximize` makes large there, in words."""
    is_class = layer == network.logits and network.classifies
    measure = how.measure if len(network.shapes[layer]) == 3 else "mean"
    return (("score" if is_class else MEASURED[measure])
            + " (above 0 or below)" * (measure == "squares")
            + f" + {how.sure:g} log-probability" * bool(is_class and how.sure)
            + f" - {how.l2:.3g} |I|^2" * bool(how.l2))
