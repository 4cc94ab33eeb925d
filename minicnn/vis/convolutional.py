"""Turn a network's dense layers into convolutions, so that it takes larger images than its own.

A dense layer above feature maps (H, W, C) has a weight for every number of them. So it is a
convolution with a kernel of H x W, which fits in one place only. In a larger image it fits in more
places, and the dense layers above it become convolutions of 1 x 1. The weights are shared with the
network and do not change.
"""

from minicnn.network import INPUT, Network
from minicnn.network.layers import Conv, Dense, Flatten


def convolutional(network, layers):
    """The network up to one or several layers, for images of its own size and any larger one.

    Parameters
    ----------
    network : Network
    layers : str or sequence of str

    Returns
    -------
    Network
        At the network's own size its dense layers give (N, 1, 1, units). Dense layers behind a
        global average stay as they are, since they take an image of any size.
    """
    goals = [network.find(name) for name in ([layers] if isinstance(layers, str) else layers)]
    needed = network.last_readers(goals)
    rows, shapes, reads = [], {INPUT: network.input_shape}, {INPUT: INPUT}
    for name, old, inputs in [row for row in network.rows if row.name in needed]:
        below = [shapes[place] for place in inputs]
        image = len(below[0]) == 3
        if isinstance(old, Flatten) and image:  # the dense layer above it reads the maps themselves
            reads[name], shapes[name] = reads[inputs[0]], below[0]
            continue
        new = (Conv(old.units, below[0][:2], bias=old.bias) if isinstance(old, Dense) and image
               else old)
        rows.append((name, new, [reads[place] for place in inputs]))
        reads[name] = name
        shapes[name] = new.output_shape(below if new.several else below[0])
    wide = Network(network.name, rows, network.input_shape, network.preprocessing)
    wide.params |= {name: {key: value.reshape(wide.param_shapes[name][key])  # H*W*C,O -> H,W,C,O
                           for key, value in network.params[name].items()} for name in wide.params}
    wide.device = network.device
    return wide.chosen_as(network)
