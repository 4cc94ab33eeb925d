"""Kernels: the numbers a layer has learnt, as pictures.

A filter of the first layer has a weight for each colour of each pixel it sees, so it is itself a
small picture (Krizhevsky et al. 2012, figure 3): what it looks like is what it responds to most.
Deeper kernels have as many planes as there are channels below them; they can only be shown plane
by plane. Grey is zero in every picture, bright a positive weight.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn import images
from minicnn.backend import to_host
from minicnn.images import display
from minicnn.network.layers import Conv, Dense
from minicnn.vis.arguments import check_choice, settings_of
from minicnn.vis.record import Record

SCALES = ("filter", "layer")
FEW = 16  # how many filters, and how many planes of each, are shown where nothing is said


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Kernels(Record):
    """Pictures of a layer's kernels.

    Attributes
    ----------
    pictures : (N, KH, KW, 3) uint8
        In colour, one a filter; or one a plane, all planes of the first filter coming first.
    filters : list of int
        Which filters.
    inputs : list of int or None
        Which input channels of each; None for pictures in colour.
    w : array (KH, KW, C/groups, O)
        All weights of the layer, in the network's own channel order.
    """

    pictures: Any
    filters: list
    inputs: list
    w: Any


def kernels(network, layer=None, filters=None, inputs=None, scale="filter"):
    """A layer's kernels as pictures.

    Parameters
    ----------
    network : Network
    layer : str, optional
        A convolution, or a dense layer above feature maps: its kernels are as large as these. The
        first convolution where not given.
    filters : sequence of int, optional
        Which of the layer's channels. Where not given all of the first convolution, which are in
        colour; else the first 16.
    inputs : sequence of int, optional
        Which planes of each kernel, one picture each; within its group where the layer has groups.
        Where not given the first convolution is shown in colour, of others the first 16 planes.
    scale : {"filter", "layer"}
        What is as bright, or as dark, as can be: the largest weight of each filter itself, so that
        all are seen clearly, or that of all filters of the layer, so that a dead filter is grey.
        Colours and planes of one filter are always scaled jointly.

    Returns
    -------
    Kernels
        `minicnn.report.kernels` makes a sheet of it.

    Raises
    ------
    ValueError
        A layer without kernels, no such filter or plane, an unknown scale.
    """
    settings = settings_of(locals())
    check_choice("kernels", "scale", scale, SCALES)
    first = next((name for name in network.names if isinstance(network[name], Conv)), None)
    if first is None and layer is None:
        raise ValueError(f"kernels: network {network.name} has no convolution; name a dense layer")
    layer = first if layer is None else network.find(layer)
    w = _weights(network, layer)
    coloured = inputs is None and layer == first and w.shape[2] == network.input_shape[2]
    count = w.shape[3] if coloured else min(FEW, w.shape[3])
    filters = _numbers(layer, "filters", filters, w.shape[3], count)
    inputs = None if coloured else _numbers(layer, "planes", inputs, w.shape[2], FEW)
    shown = w.transpose(3, 0, 1, 2)[filters]  # KH,KW,C,O -> O,KH,KW,C
    limits = [float(np.abs(w if scale == "layer" else kernel).max()) for kernel in shown]
    pictures = np.concatenate([_pictures(kernel, limit, network, inputs)
                               for kernel, limit in zip(shown, limits, strict=True)])
    settings |= {"layer": layer, "filters": filters, "inputs": inputs}
    return Kernels(caption=_caption(network, layer, w, inputs, limits, scale), settings=settings,
                   pictures=pictures, filters=filters, inputs=inputs, w=w)


def _weights(network, layer):
    """(KH, KW, C/groups, O)."""
    above_maps = [name for name in network.names if len(network.input_shapes[name]) == 3]
    having = [name for name in above_maps if isinstance(network[name], Conv | Dense)]
    if layer not in having:
        raise ValueError(f"kernels: {layer} ({type(network[layer]).__name__}) has no kernels with "
                         f"rows and columns; those that have: {', '.join(having)}")
    if layer in network.empty():
        raise ValueError(f"kernels: {layer} of network {network.name} has no weights; use "
                         "initialize(seed) for random ones or minicnn.load for trained ones")
    w = to_host(network.params[layer]["w"])
    if isinstance(network[layer], Dense):
        w = w.reshape(*network.input_shapes[layer], -1)  # H*W*C,O -> H,W,C,O
    return w


def _numbers(layer, what, chosen, count, usual):
    chosen = list(range(min(usual, count))) if chosen is None else [int(k) for k in chosen]
    wrong = [k for k in chosen if not 0 <= k < count]
    if wrong or not chosen:
        got = f"no {wrong[0]}" if wrong else "nothing to show for an empty list"
        raise ValueError(f"kernels: {layer} has {count} {what}, counted from 0; there is {got}")
    return chosen


def _pictures(kernel, limit, network, inputs):
    """(N, KH, KW, 3) of one kernel (KH, KW, C): in colour, or its planes."""
    levels = display.signed_to_uint8(kernel, limit or None)
    if inputs is None:
        return images.to_rgb(levels, network.needed_preprocessing())[None]
    planes = levels[..., inputs].transpose(2, 0, 1)  # KH,KW,C -> C,KH,KW
    return np.repeat(planes[..., None], 3, axis=3)  # C,KH,KW -> C,KH,KW,3


def _caption(network, layer, w, inputs, limits, scale):
    kh, kw, c, o = w.shape
    how = "in red, green and blue" if inputs is None else f"{len(inputs)} of {c} planes each"
    own = (f"each over its own largest weight ({min(limits):.3g} to {max(limits):.3g})"
           if scale == "filter" else f"all over the layer's largest weight ({limits[0]:.3g})")
    return (f"{network.name} {layer}: {len(limits)} of {o} kernels {kh}x{kw}, {how}; grey is 0, "
            f"{own}")
