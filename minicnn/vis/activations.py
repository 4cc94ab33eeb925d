"""Activations: what every channel of every layer makes of a photo.

A picture of each channel (Chollet 2017, section 5.4.1): its values as grey levels, then in colour.
The values have no natural scale; `SCALES` names three. The first is the one that is usually shown,

    level = 128 + 64 (a - mean(a)) / std(a)        held within 0..255

in which every channel uses the same range of colours, and a channel that is nearly silent looks as
lively as one that is not. A blank channel has std 0, so that the formula asks for 0 / 0; it is
drawn as level 0 throughout, which no channel with anything to show is.
"""

import re
from dataclasses import dataclass

import numpy as np

from minicnn.backend import to_host
from minicnn.images import check_finite
from minicnn.network import INPUT, LayerNameError
from minicnn.vis.arguments import check_choice, check_counts, settings_of
from minicnn.vis.record import Record

SCALES = ("deviation", "range", "layer")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Activations(Record):
    """What a network computed from one photo.

    Attributes
    ----------
    network : str
        Its name.
    maps : dict of str to array
        By layer: (H, W, C), or (C,) where a layer has no positions. Raw numbers.
    """

    network: str
    maps: dict

    def levels(self, layer):
        """The layer's channels as grey levels: those that are shown, in the scale asked for."""
        return levels(self.maps[layer], self.settings["scale"])[..., : self.settings["maps"]]


def activations(network, image, layers=None, maps=None, scale="deviation", size=None):
    """What every channel of the chosen layers makes of one photo.

    Parameters
    ----------
    network : Network
    image : path, uint8 array (H, W, 3), or anything `Network.prepare` takes
    layers : sequence of str or int, optional
        Names or numbers, see `pick`; every layer where not given.
    maps : int, optional
        Show only the first so many channels of each layer.
    scale : {"deviation", "range", "layer"}
        How the pictures are scaled, see `levels`.
    size : int, (H, W) or "keep", optional
        As for `Network.prepare`.

    Returns
    -------
    Activations
        `minicnn.report.activations` makes sheets of it.

    Raises
    ------
    ValueError
        An unknown layer or scale.
    """
    settings = settings_of(locals())
    check_choice("activations", "scale", scale, SCALES)
    if maps is not None:
        check_counts("activations", maps=maps)
    layers, x = pick(network, layers), network.prepare(image, size)
    return Activations(
        caption=f"{network.name}: channels of {', '.join(layers)}", photo=network.restore(x)[0],
        settings=settings | {"layers": layers}, network=network.name,
        maps=compute(network, x, layers))


def compute(network, x, layers):
    """Run the network as far as some layers need.

    Parameters
    ----------
    network : Network
    x : array (1, H, W, C)
    layers : list of str
        From `pick`.

    Returns
    -------
    dict of str to array
        By layer, (H, W, C) or (C,), on the host.
    """
    goals = [name for name in layers if name != INPUT] or network.names[:1]
    run = network.forward(x, to=goals, keep=(), caches=False)
    return {name: to_host(run[name])[0] for name in layers}


def levels(a, scale="deviation"):
    """The channels of one layer as grey levels.

    Parameters
    ----------
    a : array (H, W, C) or (C,)
        A layer without positions is one picture, scaled as a whole.
    scale : {"deviation", "range", "layer"}
        deviation: minus the channel's mean, over its standard deviation, times 64, plus 128, held
        within 0..255 and cut to a whole number. range: the channel's smallest value is 0, its
        largest 255 (as matplotlib does when it is told nothing). layer: one scale for all channels,
        0 for zero, or the smallest value if that is below, 255 for the largest; strong and weak
        channels can be told apart.

    Returns
    -------
    uint8, the shape of a
        Under the first two scales a channel of one value throughout is 0.
    """
    check_choice("activations", "scale", scale, SCALES)
    check_finite(a, "activations")
    a = np.asarray(a, np.float64)
    axes = (0, 1) if a.ndim == 3 else None
    low, high = a.min(axis=axes), a.max(axis=axes)  # H,W,C -> C
    if scale == "layer":
        low, high = min(0, a.min()), a.max()
    blank = low == high
    if scale == "deviation":
        shown = 128 + 64 * (a - a.mean(axis=axes)) / np.where(blank, 1, a.std(axis=axes))
    else:
        shown = 255 * (a - low) / np.where(blank, 1, high - low)
    return np.where(blank, 0, shown.clip(0, 255)).astype(np.uint8)


def pick(network, layers=None):
    """Layer names from names and numbers.

    Numbers count as Keras counts ``model.layers``: 0 is what goes in, 1 the first layer, and so on
    down the table of `Network.summary`, with every ReLU, normalisation and pooling a layer of its
    own. (Keras' own VGG has its ReLUs inside its convolutions: there the numbers are smaller. Its
    InceptionV3 keeps them apart, as here.)

    Parameters
    ----------
    network : Network
    layers : str or int, or sequence of them, optional
        "image" is layer 0; "0:15" the first fifteen, as Python counts. All but the image where not
        given.

    Returns
    -------
    list of str
        In the order asked for, each once.

    Raises
    ------
    LayerNameError
        No such name, with the near ones; no such number.
    """
    if layers is None:
        return network.names
    layers = [layers] if isinstance(layers, str | int) else layers
    picked = list(dict.fromkeys(name for layer in layers for name in _named(network, layer)))
    if not picked:
        raise LayerNameError("no layers were named; leave `layers` out for the usual ones")
    return picked


def _named(network, layer):
    known = [INPUT, *network.names]
    numbers = re.fullmatch(r"(\d+)(?::(\d+))?", str(layer))
    if layer in known or numbers is None:
        return [layer if layer == INPUT else network.find(layer)]
    first = int(numbers[1])
    end = first + 1 if numbers[2] is None else int(numbers[2])
    if not first < end <= len(known):
        raise LayerNameError(f"network {network.name} has layers 0 ({INPUT}) to {len(known) - 1} "
                             f"({known[-1]}); there is no {layer}")
    return known[first:end]
