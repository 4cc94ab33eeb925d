"""Another head: a trained network for other classes (transfer learning).

The layers below have learnt to see edges, textures and parts on many images; on a few images of
new classes only the last layer, or the last ones, have to be learnt. What does not learn need not
be computed again in every epoch:

    net = head.replace(minicnn.load("minivgg"), 2).initialize(0)
    features = net.until("pool4").forward(x, keep=()).output     # once
    list(train.fit(net.after("pool4"), (features, labels)))      # net has learnt it
"""

from minicnn.network import Network
from minicnn.network.layers import Dense, Softmax


def replace(network: Network, classes: int, labels: list[str] | None = None) -> Network:
    """The network with a new last dense layer, for `classes` classes, and a softmax.

    Its other layers share their arrays with `network`: copy them first (``network.astype
    ("float32")``) if `network` is to stay as it is while they learn. The new layer has no weights
    yet: `initialize` fills them.

    Raises
    ------
    ValueError
        The scores do not come from a dense layer.
    """
    name = network.logits
    if not isinstance(network[name], Dense):
        raise ValueError(f"head: the scores of network {network.name} come from layer {name}, "
                         f"{network[name]}; expected a dense layer")
    below, = network.inputs(name)
    # a new network has the arrays of rows of equal name, so the new head must find none
    trunk = network.until(below) if below != "image" else None
    rows = [(name, Dense(classes)), ("prob", Softmax())]
    if trunk is None:
        return Network(network.name, rows, network.input_shape, network.preprocessing, labels)
    return trunk.extended(network.name, rows, labels)
