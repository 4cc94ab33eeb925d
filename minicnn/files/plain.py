"""Compute a network's layers with the plain operations in float64, without Winograd.

This serves for a probe if PyTorch is not installed. It shares `minicnn.ops` with the network's own
passes, so it reveals errors of float32, Winograd or a GPU, but no error of these operations.
"""

from importlib import import_module

import numpy as np

from minicnn.backend import to_host
from minicnn.network import INPUT
from minicnn.network.layers import Dense

PIECE = 1 << 22  # weights of a dense layer converted to float64 at once: 32 MB


def activations(network, x):
    """The output of every layer for a batch, one after the other.

    Parameters
    ----------
    network : Network
    x : array (N, H, W, C)

    Yields
    ------
    (str, array)
        The layer's name and its output, float64.
    """
    def computed(name, layer, read):
        arrays = {key: to_host(value) for key, value in network.params.get(name, {}).items()}
        return _computed(layer, read, arrays)

    return rows(network, np.asarray(x, np.float64), computed, network.names)


def rows(network, x, computed, goals=None):
    """(name, ``computed(name, layer, read)``) of each row needed for the layers `goals`, by default
    for the last row; outputs are freed after their last reader."""
    alive, readers = {INPUT: x}, network.last_readers(goals)
    for name, layer, inputs in network.rows:
        if name in readers:
            read = [alive[place] for place in inputs]
            alive[name] = computed(name, layer, read if layer.several else read[0])
            for place in {place for place in inputs if readers[place] == name}:
                del alive[place]
            yield name, alive[name]


def _computed(layer, x, params):
    """A layer's output; a dense layer is computed in pieces, since float64 takes twice the room."""
    page = layer.op and import_module(f"minicnn.ops.{layer.op}")
    run = max(1, PIECE // len(params["w"])) if isinstance(layer, Dense) else None
    pieces = [slice(k, k + run) for k in range(0, layer.units, run)] if run else [slice(None)]
    return np.concatenate([layer.forward(page, x, {
        key: value[..., piece].astype(np.float64) for key, value in params.items()})[0]
        for piece in pieces], axis=-1)
