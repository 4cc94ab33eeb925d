"""Batch normalisation as a training aid: put in before training, folded away after.

A convolution followed by a fixed scale and shift of each channel is again a convolution, so a
trained network can drop its batch norms and compute the same:

    w' = w * gamma / sqrt(variance + epsilon)
    b' = (b - mean) * gamma / sqrt(variance + epsilon) + beta
"""

from dataclasses import replace

import numpy as np

from minicnn.backend import array_module
from minicnn.network import Network
from minicnn.network.layers import BatchNorm, Branches, Conv

SUFFIX = "_bn"


def add(network):
    """A new network with a BatchNorm behind every convolution, named <convolution>_bn.

    It has no weights yet; nothing is shared with `network`.
    """
    return Network(network.name, _with_norms(network.layers), network.input_shape,
                   network.preprocessing, network.labels, network.about).to(network.device)


def fold(network, plain):
    """Fill `plain`, the same network without batch norms, with what `network` learned.

    Returns
    -------
    Network
        `plain`; its outputs equal those of `network` outside training.
    """
    for name in plain.param_shapes:
        params, norm = network[name].params, name + SUFFIX
        plain[name].params = (_folded(params, network[norm]) if norm in network.names
                              else dict(params))
    return plain.to(network.device)


def _with_norms(layers):
    normed = []
    for name, layer in layers:
        fresh = (Branches([_with_norms(branch) for branch in layer.branches])
                 if isinstance(layer, Branches) else replace(layer))
        normed.append((name, fresh))
        if isinstance(layer, Conv):
            normed.append((name + SUFFIX, BatchNorm()))
    return normed


def _folded(params, norm):
    p = norm.params
    variance = p["variance"] + np.float32(norm.epsilon)
    factor = p["gamma"] / array_module(variance).sqrt(variance)
    b = params.get("b", np.float32(0))
    return {"w": params["w"] * factor, "b": (b - p["mean"]) * factor + p["beta"]}
