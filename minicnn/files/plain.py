"""A network's layers computed by the plain operations here in float64: no Winograd, no rounding.

For a probe where PyTorch is not installed. It shares `minicnn.ops` with the network's own passes,
so it sees what float32, Winograd and a GPU do, not an error of these operations themselves.
"""

from importlib import import_module

import numpy as np

from minicnn.backend import to_host
from minicnn.network import INPUT
from minicnn.network.layers import Dense

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
    alive, readers = {INPUT: np.asarray(x, np.float64)}, network.last_readers()
    for name, layer, inputs in network.rows:
        read = [alive[place] for place in inputs]
        arrays = {key: to_host(value) for key, value in network.params.get(name, {}).items()}
        y = alive[name] = _computed(layer, read if layer.several else read[0], arrays)
        yield name, y
        for place in [place for place in inputs if readers[place] == name]:
            alive.pop(place, None)


def _computed(layer, x, params):
    """A layer's output; a dense layer's in pieces, since float64 takes twice the room."""
    page = layer.op and import_module(f"minicnn.ops.{layer.op}")
    run = max(1, PIECE // len(params["w"])) if isinstance(layer, Dense) else None
    pieces = [slice(k, k + run) for k in range(0, layer.units, run)] if run else [slice(None)]
    return np.concatenate([layer.forward(page, x, {
        key: value[..., piece].astype(np.float64) for key, value in params.items()})[0]
        for piece in pieces], axis=-1)
