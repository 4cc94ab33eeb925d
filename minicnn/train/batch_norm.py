"""Batch normalisation as a training aid: put in before training, folded away after.

A convolution followed by a fixed scale and shift of each channel is again a convolution, so a
trained network can drop its batch norms and compute the same:

    w' = w * gamma / sqrt(variance + epsilon)
    b' = (b - mean) * gamma / sqrt(variance + epsilon) + beta
"""

import numpy as np

from minicnn.backend import array_module
from minicnn.network import Network
from minicnn.network.layers import BatchNorm, Conv

SUFFIX = "_bn"


def add(network):
    """A new network with a BatchNorm behind every convolution, named <convolution>_bn.

    It has no weights yet; nothing is shared with `network`.
    """
    rows = []
    for name, layer, inputs in network.rows:
        rows.append((name, layer, [place + SUFFIX if place in network.names
                                   and isinstance(network[place], Conv) else place
                                   for place in inputs]))
        if isinstance(layer, Conv):
            rows.append((name + SUFFIX, BatchNorm()))
    return Network(network.name, rows, network.input_shape, network.preprocessing, network.labels,
                   network.about).to(network.device)


def fold(network, plain):
    """The network without batch norms that computes the same outside training.

    Parameters
    ----------
    network : Network
        Trained, of `add`.
    plain : Network
        The one it was made from; its rows are taken, its arrays are left as they are.

    Returns
    -------
    Network
        A new one.
    """
    folded = plain.to(network.device)
    for name in folded.params:
        params, norm = network.params[name], name + SUFFIX
        folded.params[name] = (_folded(params, network.params[norm], network[norm].epsilon)
                               if norm in network.names else dict(params))
    return folded


def _folded(params, norm, epsilon):
    variance = norm["variance"] + np.float32(epsilon)
    factor = norm["gamma"] / array_module(variance).sqrt(variance)
    b = params.get("b", np.float32(0))
    return {"w": params["w"] * factor, "b": (b - norm["mean"]) * factor + norm["beta"]}
