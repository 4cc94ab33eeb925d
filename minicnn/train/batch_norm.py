"""Batch normalisation as a training aid: put in before training, folded away after.

A convolution followed by a fixed scale and shift of each channel is again a convolution, so a
trained network can drop its batch norms and compute the same:

    w' = w * gamma / sqrt(variance + epsilon)
    b' = (b - mean) * gamma / sqrt(variance + epsilon) + beta
"""

import numpy as np

from minicnn.layers import BatchNorm, Conv
from minicnn.network import Network


def add(network):
    """A network with a BatchNorm after every convolution, named bn<rest of its name>."""
    layers = []
    for name, layer in network.layers:
        layers.append((name, layer))
        if isinstance(layer, Conv):
            layers.append((name.replace("conv", "bn", 1), BatchNorm()))
    return Network(network.name, layers, network.input_shape, network.preprocessing,
                   network.labels, network.about)


def fold(network, plain):
    """Fill `plain`, the same network without batch norms, with what `network` learned.

    Returns
    -------
    Network
        `plain`; its outputs equal those of `network` outside training.
    """
    following = dict(zip([name for name, _ in network.layers], network.layers[1:], strict=False))
    for name in plain.param_shapes:
        params = network[name].params
        after = following[name][1]
        plain[name].params = (_folded(params, after) if isinstance(after, BatchNorm)
                              else dict(params))
    return plain


def _folded(params, norm):
    p = norm.params
    factor = p["gamma"] / np.sqrt(p["variance"] + np.float32(norm.epsilon))
    return {"w": params["w"] * factor, "b": (params["b"] - p["mean"]) * factor + p["beta"]}
