"""Where a projection starts: all activations of a layer are set to zero except one unit's or map's.

The first step down in Zeiler & Fergus (2014, section 2.1). One unit, or one whole feature map,
keeps its activation.
"""

from numbers import Integral

import numpy as np

from minicnn.backend import array_module, to_host
from minicnn.vis.arguments import check_channel

WHOLE = "all"  # for a position: the whole feature map


def strongest_channel(activation):
    """The channel that holds the largest activation of the first image."""
    return int(to_host(activation)[0].argmax()) % activation.shape[-1]  # H,W,C are in that order


def strongest_position(activation, layer, channel):
    """(row, column) of a map's largest activation; () at a dense layer, which has no positions."""
    check_channel("deconvnet", layer, activation.shape[-1], channel)
    plane = to_host(activation)[0, ..., channel]
    return tuple(int(i) for i in np.unravel_index(plane.argmax(), plane.shape))


def isolate(activation, layer, channel, position):
    """Set all activations to zero except one, or except those of one feature map.

    Parameters
    ----------
    activation : array (1, H, W, C) or (1, C)
    layer : str
        For the errors.
    channel : int
    position : (row, column), (), or "all"

    Returns
    -------
    seed : array of the activation's shape
        With "all" the map keeps its negative activations, too (at a layer before its ReLU).
    value : float
        The unit's activation, or the largest of the map.
    """
    if len(activation) != 1:
        raise ValueError(f"deconvnet: a unit is looked up in one photo; this run has "
                         f"{len(activation)}. Run forward on one of them")
    check_channel("deconvnet", layer, activation.shape[-1], channel)
    if isinstance(position, str) and position == WHOLE:
        kept, where, others = np.s_[..., channel], "everywhere (largest activation", "channel"
    else:
        _check_position(activation, layer, position)
        kept, where, others = (0, *position, channel), "there (activation", "channel, position"
    value = float(activation[kept].max())
    if not value > 0:
        raise ValueError(f"deconvnet: channel {channel} of {layer} is silent {where} {value:.4g}); "
                         f"choose another {others} or photo")
    seed = array_module(activation).zeros_like(activation)
    seed[kept] = activation[kept]
    return seed, value


def _check_position(activation, layer, position):
    sides = activation.shape[1:-1]
    if isinstance(position, str) or not hasattr(position, "__len__"):
        raise ValueError(f"deconvnet: position must be (row, column) or {WHOLE!r}, "
                         f"got {position!r}")
    inside = len(position) == len(sides) and all(
        isinstance(p, Integral) and 0 <= p < side for p, side in zip(position, sides, strict=True))
    if not inside:
        raise ValueError(f"deconvnet: {layer} has {'x'.join(map(str, sides)) or 'no'} positions, "
                         f"counted from 0; there is no {tuple(position)}")
