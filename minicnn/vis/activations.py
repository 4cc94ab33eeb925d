"""Activations: what every channel of every layer computes from a photo.

Each channel is shown as a picture (Chollet 2017, section 5.4.1): its activations become grey
levels, which are then drawn in colour. Activations have no natural range, so `levels` offers three
scales. The usual one is "deviation",

    level = 128 + 64 (a - mean(a)) / std(a)        clipped to 0..255

for each channel a. With it every channel uses the same range of colours: one that is nearly silent
looks as lively as a strong one. A blank channel has the same value everywhere, its std is 0 and
the formula asks for 0 / 0. It is drawn as level 0 throughout, which happens to no other channel.
"""

import re
from dataclasses import dataclass
from typing import Any

from minicnn.backend import to_host
from minicnn.images import markup
from minicnn.images.display import SCALES, channels, levels
from minicnn.network import INPUT, LayerNameError
from minicnn.vis.options import Options, option, photo_size, takes
from minicnn.vis.record import Record

SHOWN, CHANNELS = 11, 16  # layers, and channels of each, that it shows of itself in a notebook


@dataclass(frozen=True, kw_only=True)
class ActivationsOptions(Options):
    """Options of `activations`."""

    maps: int = option(None, "number of channels to show of each layer, from the first", least=1,
                       kind="int", otherwise="all of them")
    scale: str = option(
        "deviation", "how activations become grey levels: deviation, 128 + 64 (a - mean) / std of "
        "each channel; range, from each channel's smallest activation to its largest; layer, one "
        "range for all channels of a layer", choices=SCALES)
    size: Any = photo_size()


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Activations(Record):
    """What a network computed from one photo.

    Attributes
    ----------
    network : str
        Its name.
    maps : dict of str to array
        The activations of each layer: (H, W, C), or (C,) in a layer without positions.
    """

    network: str
    maps: dict

    def levels(self, layer):
        """Grey levels of the channels that are shown of a layer, in the chosen scale."""
        return levels(self.maps[layer], self.settings["scale"])[..., : self.settings["maps"]]

    def views(self):
        """The photo, and the first channels of some layers, in viridis; units are pixels."""
        views = [markup.View("photo", "photo", self.photo)]
        for layer in markup.some(list(self.maps), SHOWN):
            shape, grey = self.maps[layer].shape, self.levels(layer)
            tiles = channels(grey[..., :CHANNELS] if grey.ndim == 3 else grey)
            of = f", {len(tiles)} of {shape[-1]} channels" if grey.ndim == 3 else ""
            views.append(markup.sheet(layer, tiles, 4 if grey.ndim == 3 else 32,
                                      f"{layer} {'x'.join(map(str, shape))}{of}"))
        return views


@takes(ActivationsOptions)
def activations(network, image, layers=None, *, options):
    """Compute every channel of some layers for one photo.

    Parameters
    ----------
    network : Network
    image : path, uint8 array (H, W, 3), or anything `Network.prepare` takes
    layers : sequence of str or int, optional
        Names or numbers, see `pick`. By default, every layer.
    **options

    Returns
    -------
    Activations
        `minicnn.report.activations` makes sheets of it.

    Raises
    ------
    ValueError
        A layer that does not exist; an option out of range.
    """
    layers, x = pick(network, layers), network.prepare(image, options.size)
    return Activations(
        caption=f"{network.name}: channels of {', '.join(layers)}", network=network.name,
        maps=compute(network, x, layers), photo=network.restore(x)[0],
        settings={"layers": layers, **options.settings()})


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
        The activations of each layer, (H, W, C) or (C,), in host memory.
    """
    goals = [name for name in layers if name != INPUT] or network.names[:1]
    run = network.forward(x, to=goals, keep=(), caches=False)
    return {name: to_host(run[name])[0] for name in layers}


def pick(network, layers=None):
    """Find layers by name or number.

    Numbers count as in Keras' ``model.layers``: 0 is the image, 1 the first layer, and so on down
    the table of `Network.summary`, where every ReLU, normalisation and pooling is a layer of its
    own. (Keras' VGG has its ReLUs inside the convolutions, so its numbers are smaller. Its
    InceptionV3 keeps them apart, as here.)

    Parameters
    ----------
    network : Network
    layers : str or int, or sequence of them, optional
        "image" is layer 0; "0:15" are the first fifteen, as in a Python slice. By default, all
        layers but the image.

    Returns
    -------
    list of str
        The names in the given order, each once.

    Raises
    ------
    LayerNameError
        A name that does not exist, with the near ones; a number that does not exist.
    """
    if layers is None:
        return network.names
    known, picked = [INPUT, *network.names], []
    for layer in [layers] if isinstance(layers, str | int) else layers:
        numbers = re.fullmatch(r"(\d+)(?::(\d+))?", str(layer))
        if layer in known or numbers is None:
            picked.append(layer if layer == INPUT else network.find(layer))
            continue
        first = int(numbers[1])
        end = first + 1 if numbers[2] is None else int(numbers[2])
        if not first < end <= len(known):
            raise LayerNameError(f"network {network.name} has layers 0 ({INPUT}) to "
                                 f"{len(known) - 1} ({known[-1]}); there is no {layer}")
        picked += known[first:end]
    if not picked:
        raise LayerNameError("no layers were named; name at least one, or leave `layers` out for "
                             "the usual ones")
    return list(dict.fromkeys(picked))
