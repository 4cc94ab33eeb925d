"""A network's dense layers as convolutions, so that it takes images larger than its own.

A dense layer above feature maps (H, W, C) weighs every number of them: it is a convolution with a
kernel of H x W that fits in one place only. A larger image leaves it room for more places, and
the layers above follow with kernels of 1 x 1. Weights are shared, none is changed.
"""

from minicnn.network import INPUT, Network
from minicnn.network.layers import Conv, Dense, Flatten


def convolutional(network, layers):
    """The network up to a layer, or several, for images of its own size and any larger one.

    Parameters
    ----------
    network : Network
    layers : str or sequence of str

    Returns
    -------
    Network
        At the network's own size dense layers give (N, 1, 1, units). Those behind a global average
        take any size as they are.
    """
    goals = [network.find(name) for name in ([layers] if isinstance(layers, str) else layers)]
    needed = network.last_readers(goals)
    rows, shapes, reads = [], {INPUT: network.input_shape}, {INPUT: INPUT}
    for name, old, inputs in [row for row in network.rows if row.name in needed]:
        below = [shapes[place] for place in inputs]
        image = len(below[0]) == 3
        if isinstance(old, Flatten) and image:  # the kernel will be as large as what it flattens
            reads[name], shapes[name] = reads[inputs[0]], below[0]
            continue
        new = (Conv(old.units, below[0][:2], bias=old.bias) if isinstance(old, Dense) and image
               else old)
        rows.append((name, new, [reads[place] for place in inputs]))
        reads[name] = name
        shapes[name] = new.output_shape(below if new.several else below[0])
    wide = Network(network.name, rows, network.input_shape, network.preprocessing)
    wide.params = {name: {key: value.reshape(wide.param_shapes[name][key])  # H*W*C,O -> H,W,C,O
                          for key, value in network.params[name].items()} for name in wide.params}
    wide.device = network.device
    return wide
