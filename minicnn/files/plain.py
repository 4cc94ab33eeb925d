"""A network's layers computed in float64: no Winograd, no rounding.

For a probe where PyTorch is not installed. It shares `minicnn.ops` with the network's own passes,
so it sees what float32, Winograd and a GPU do, not an error of these operations themselves.
"""

from dataclasses import replace

import numpy as np

from minicnn.backend import to_host
from minicnn.network.layers import Branches, Dense
from minicnn.ops import concat

PIECE = 1 << 22  # weights of a dense layer in float64 at once: 32 MB


def activations(network, x):
    """What every layer makes of a batch, one after the other.

    Parameters
    ----------
    network : Network
    x : array (N, H, W, C)

    Yields
    ------
    (str, array)
        The layer's name and its output, float64.
    """
    yield from _sequence(network.layers, np.asarray(x, np.float64))


def _sequence(layers, x):
    """(name, output) of each layer in order; returns the last output."""
    for name, layer in layers:
        if isinstance(layer, Branches):
            parts = []
            for branch in layer.branches:
                parts.append((yield from _sequence(branch, x)))
            x = concat.forward(parts)[0]
        else:
            x = _dense(layer, x) if isinstance(layer, Dense) else _wide(layer).forward(x)[0]
        yield name, x
    return x


def _wide(layer):
    """A layer's copy with its parameters in float64."""
    copy = replace(layer)
    copy.params = {key: to_host(value).astype(np.float64) for key, value in layer.params.items()}
    return copy


def _dense(layer, x):
    """In pieces of the outputs, since float64 takes twice the room."""
    run, parts = max(1, PIECE // len(layer.params["w"])), []
    for k in range(0, layer.units, run):
        piece = replace(layer, units=min(run, layer.units - k))
        piece.params = {key: value[..., k:k + run] for key, value in layer.params.items()}
        parts.append(_wide(piece).forward(x)[0])
    return np.concatenate(parts, axis=1)
