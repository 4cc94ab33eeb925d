"""What a tour shows of a network: which of its layers, channels and classes, and at which size."""

import numpy as np

from minicnn import images
from minicnn.network.layers import Concat, ReLU

SHOWN = ("goldfish", "black widow", "king penguin", "golden retriever", "obelisk", "guacamole",
         "mushroom", "pomegranate")  # classes of minivgg whose pictures people named rightly


def rectified(net):
    """The names of the layers of rectified feature maps that the whole network goes through."""
    return [name for name in net.trunk
            if isinstance(net[name], ReLU | Concat) and len(net.shapes[name]) == 3]


def spread(net, most):
    """So many of them, evenly apart, the first and the last among them."""
    there = rectified(net)
    return [there[k] for k in sorted({int(k) for k in np.linspace(0, len(there) - 1, most)})]


def middle(net):
    """The last of the first half of them."""
    return rectified(net)[max(0, len(rectified(net)) // 2 - 1)]


def deep(net):
    """The last but one, if there are two."""
    return rectified(net)[-2:][0]


def last(net):
    """The last of them."""
    return rectified(net)[-1]


def dreamt_at(photo):
    """The size of a dream of the photo: its own, or 768 where that would take minutes."""
    return "keep" if max(images.load(photo).shape[:2]) <= 1024 else 768


def few(net, layer):
    """How many of its channels are shown: six, if it has as many."""
    return min(6, net.shapes[layer][-1])


def recognised(net):
    """Eight classes: those of SHOWN if the network has them, else some evenly apart."""
    if not net.classifies:
        raise ValueError(f"network {net.name} ends at {net.names[-1]}, before any class scores")
    try:
        return [net.find_class(one) for one in SHOWN]
    except ValueError:
        return sorted({int(k) for k in np.linspace(0, net.shapes[net.logits][-1] - 1, len(SHOWN))})
