"""Kernels: the weights that a layer has learnt, as pictures.

A filter of the first layer has a weight for each colour of each pixel that it sees, so it is itself
a small picture (Krizhevsky et al. 2012, figure 3), of the pattern that it responds to most. Kernels
of deeper layers have as many planes as the layer below has channels; they can only be shown plane
by plane. In every picture grey is a weight of zero, bright a positive one, dark a negative one.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn import images
from minicnn.backend import to_host
from minicnn.images import display, markup
from minicnn.images.display import ColourBar, signed
from minicnn.network.layers import Conv, Dense
from minicnn.vis.options import Options, option, takes
from minicnn.vis.record import Record

FEW = 16  # filters, and planes of each, that are shown by default where there is no colour


@dataclass(frozen=True, kw_only=True)
class KernelsOptions(Options):
    """Options of `kernels`: which kernels it shows, and how bright."""

    filters: Any = option(None, "indices of the layer's filters to show, from 0",
                          kind="sequence of int",
                          otherwise=f"all of the first convolution; of others the first {FEW}")
    inputs: Any = option(None, "indices of the planes to show of each filter, one picture each, "
                         "from 0; in a layer with groups, counted within the filter's group",
                         kind="sequence of int", otherwise="the first convolution in colour; of "
                         f"others the first {FEW} planes")
    scale: str = option(
        "filter", "which weight is the brightest or darkest: filter, the largest of each filter, "
        "so that each can be seen clearly; layer, the largest of the whole layer, so that a dead "
        "filter is grey. All planes of a filter share one scale", choices=("filter", "layer"))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Kernels(Record):
    """Pictures of a layer's kernels.

    Attributes
    ----------
    pictures : (N, KH, KW, 3) uint8
        In colour one for each filter; else one for each plane, all planes of a filter together.
    filters : list of int
        Indices of the filters.
    inputs : list of int or None
        Indices of the planes of each filter; None for pictures in colour.
    w : array (KH, KW, C/groups, O)
        All weights of the layer, in the network's own order of channels.
    """

    pictures: Any
    filters: list
    inputs: list
    w: Any

    @property
    def bar(self):
        """What the colours of the pictures stand for."""
        if self.settings["scale"] == "layer":
            return signed(float(np.abs(self.w).max()), "weight")
        return ColourBar("-1", "1", "weight / the filter's largest", "gray")

    def views(self):
        """All pictures as one: nearly square in colour, else a row for each filter."""
        columns = round(len(self.pictures)**0.5) if self.inputs is None else len(self.inputs)
        return [markup.sheet("kernels", self.pictures, columns, "", self.bar)]


@takes(KernelsOptions)
def kernels(network, layer=None, *, options):
    """Show a layer's kernels as pictures.

    Parameters
    ----------
    network : Network
    layer : str, optional
        A convolution; or a dense layer above feature maps, whose kernels are as large as these.
        By default, the first convolution.
    **options

    Returns
    -------
    Kernels
        `minicnn.report.kernels` makes a sheet of it.

    Raises
    ------
    ValueError
        A layer without kernels; a filter or plane that does not exist.
    """
    first = next((name for name in network.names if isinstance(network[name], Conv)), None)
    if layer is None and first is None:
        raise ValueError(f"kernels: network {network.name} has no convolution; name a dense layer")
    layer = first if layer is None else network.find(layer)
    w = _weights(network, layer)
    kh, kw, planes, count = w.shape
    in_colour = options.inputs is None and layer == first and planes == network.input_shape[2]
    filters = _numbers(layer, "filters", options.filters, count, count if in_colour else FEW)
    inputs = None if in_colour else _numbers(layer, "planes", options.inputs, planes, FEW)

    pictures, limits = [], []
    for kernel in w.transpose(3, 0, 1, 2)[filters]:  # KH,KW,C,O -> O,KH,KW,C
        limits.append(float(np.abs(w if options.scale == "layer" else kernel).max()))
        levels = display.signed_to_uint8(kernel, limits[-1] or None)  # 128 + 127 w / limit
        pictures += ([images.to_rgb(levels, network.needed_preprocessing())] if in_colour
                     else [np.stack([levels[..., c]] * 3, axis=2) for c in inputs])

    how = "in red, green and blue" if in_colour else f"{len(inputs)} of {planes} planes each"
    largest = (f"each filter scaled by its own largest weight ({min(limits):.3g} to "
               f"{max(limits):.3g})" if options.scale == "filter" else
               f"all filters scaled by the layer's largest weight ({limits[0]:.3g})")
    return Kernels(
        pictures=np.stack(pictures), filters=filters, inputs=inputs, w=w,
        caption=f"{network.name} {layer}: {len(filters)} of {count} kernels {kh}x{kw}, {how}; grey "
                f"is a weight of 0, {largest}",
        settings={"layer": layer, **options.settings(), "filters": filters, "inputs": inputs})


def _weights(network, layer):
    """The kernels of a layer, (KH, KW, C/groups, O)."""
    above_maps = [name for name in network.names if len(network.input_shapes[name]) == 3]
    having = [name for name in above_maps if isinstance(network[name], Conv | Dense)]
    if layer not in having:
        raise ValueError(f"kernels: {layer} ({type(network[layer]).__name__}) has no kernels with "
                         f"rows and columns; choose one of {', '.join(having)}")
    if layer in network.empty():
        raise ValueError(f"kernels: {layer} of network {network.name} has no weights; use "
                         "initialize(seed) for random ones or minicnn.load for trained ones")
    w = to_host(network.params[layer]["w"])
    if isinstance(network[layer], Dense):
        w = w.reshape(*network.input_shapes[layer], -1)  # H*W*C,O -> H,W,C,O
    return w


def _numbers(layer, what, chosen, count, usual):
    """The chosen indices of filters or planes, checked; by default, the first `usual`."""
    chosen = list(range(min(usual, count))) if chosen is None else [int(k) for k in chosen]
    wrong = [k for k in chosen if not 0 <= k < count]
    if wrong or not chosen:
        got = f"there is no {wrong[0]}" if wrong else "the list is empty; name at least one"
        raise ValueError(f"kernels: {layer} has {count} {what}, counted from 0; {got}")
    return chosen
