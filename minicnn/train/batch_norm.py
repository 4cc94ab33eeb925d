"""Batch normalisation as a training aid: added before training, folded into convolutions after.

A convolution followed by a fixed scale and shift of each channel is again a convolution. So a
trained network computes the same without its batch norms, if each convolution gets the weights

    w' = w * gamma / sqrt(variance + epsilon)
    b' = (b - mean) * gamma / sqrt(variance + epsilon) + beta
"""

import numpy as np

from minicnn.backend import array_module
from minicnn.network import Network
from minicnn.network.layers import BatchNorm, Conv

SUFFIX = "_bn"


def add(network: Network) -> Network:
    """A new network with a BatchNorm, called <convolution>_bn, after every convolution.

    It has no weights yet and shares nothing with `network`.
    """
    rows = []
    for name, layer, inputs in network.rows:
        rows.append((name, layer, [place + SUFFIX if place in network.names
                                   and isinstance(network[place], Conv) else place
                                   for place in inputs]))
        if isinstance(layer, Conv):
            rows.append((name + SUFFIX, BatchNorm()))
    return Network(network.name, rows, network.input_shape, network.preprocessing, network.labels,
                   network.about).to(network.device).chosen_as(network)


def fold(network: Network, plain: Network) -> Network:
    """The network without batch norms that computes the same outside training.

    Parameters
    ----------
    network : Network
        A trained network from `add`.
    plain : Network
        The network that `add` was called with. Its rows are used; its arrays stay unchanged.

    Returns
    -------
    Network
        A new network.
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
