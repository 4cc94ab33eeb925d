"""A network's dense layers as convolutions, so that it takes images larger than its own.

A dense layer above feature maps (H, W, C) weighs every number of them: it is a convolution with a
kernel of H x W that fits in one place only. A larger image leaves it room for more places, and
the layers above follow with kernels of 1 x 1. Weights are shared, none is changed.
"""

from minicnn.network import Network
from minicnn.network.layers import Conv, Dense, Flatten


def convolutional(network, layer):
    """The network up to a layer, for images of its own size and any larger one.

    Parameters
    ----------
    network : Network
    layer : str
        A layer in branches is computed as it is, with the block it belongs to.

    Returns
    -------
    Network
        At the network's own size dense layers give (N, 1, 1, units). Those behind a global average
        take any size as they are.
    """
    network = network.until(_top(network, layer))
    layers, shape = [], network.input_shape
    for name, old in network.layers:
        if isinstance(old, Flatten) and len(shape) == 3:
            continue  # the kernel will be as large as what it would flatten
        new = old
        if isinstance(old, Dense) and len(shape) == 3:
            new = Conv(old.units, shape[:2], bias=old.bias)
            new.params = dict(old.params)
            if new.params:
                new.params["w"] = old.params["w"].reshape(*shape, -1)  # HWC,O -> H,W,C,O
        layers.append((name, new))
        shape = new.output_shape(shape)
    wide = Network(network.name, layers, network.input_shape, network.preprocessing)
    wide.device = network.device
    return wide


def _top(network, layer):
    """The layer itself, or the block at the top of the network that holds it."""
    order = network.names
    at = order.index(network.find(layer))
    return next(top for top, _ in network.layers if order.index(top) >= at)
