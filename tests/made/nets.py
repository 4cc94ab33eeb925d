"""Small networks that several test files use, and ways to look inside a pass."""

import numpy as np

from minicnn.network import Network
from minicnn.network.layers import (
    LRN,
    AveragePool,
    BatchNorm,
    Branches,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool,
    MaxPool,
    ReLU,
    Softmax,
    Tanh,
)

SHAPE = (8, 10, 3)  # H != W, so that a swap of the two shows; even, so that ceil rounding does


def everything(seed=0, dtype=np.float64):
    """One layer of nearly every kind, in an order that lets each of them matter."""
    network = Network("everything", [
        ("conv1", Conv(6, 3, pad=1, bias=False)),  # bn1 takes a bias away: its gradient is 0
        ("bn1", BatchNorm()),
        ("relu1", ReLU()),
        ("norm1", LRN(3, alpha=0.9)),
        ("pool1", MaxPool(3, 2, rounding="ceil")),
        ("mix", Branches([
            [("mix/1x1", Conv(3, 1)), ("mix/relu_1x1", ReLU())],
            [("mix/3x1", Conv(2, (3, 1), pad=(1, 0), groups=2, bias=False)),
             ("mix/norm", LRN(3, alpha=0.9)), ("mix/relu_3x1", ReLU())],
            [],
            [("mix/pool", MaxPool(3, 1, pad=1)), ("mix/project", Conv(2, 1))],
        ])),
        ("conv2", Conv(4, 2, stride=(1, 2), dilation=(2, 1))),
        ("relu2", ReLU()),
        ("pool2", AveragePool((2, 1), 1)),
        ("drop", Dropout(0.3)),
        ("flat", Flatten()),
        ("fc", Dense(5)),
        ("prob", Softmax()),
    ], SHAPE)
    return trained(network, seed, dtype)


def smooth(seed=0, dtype=np.float64):
    """A network without kinks, which accepts complex numbers."""
    network = Network("smooth", [
        ("conv1", Conv(4, 3, stride=2, pad=1, bias=False)),
        ("bn1", BatchNorm()),
        ("tanh1", Tanh()),
        ("mix", Branches([[("mix/a", Conv(3, 1)), ("mix/norm", LRN(3, alpha=0.9))], []])),
        ("pool", AveragePool(3, 2, pad=1, border="image")),
        ("gap", GlobalAveragePool()),
        ("fc", Dense(5)),
        ("prob", Softmax()),
    ], SHAPE)
    return trained(network, seed, dtype)


def classifier(classes=10, size=6, bias=True):
    """The least that can learn: for the training loop."""
    return Network("classifier", [
        ("conv1", Conv(8, 3, pad=1, bias=bias)),
        ("relu1", ReLU()),
        ("pool1", MaxPool(2)),
        ("drop1", Dropout(0.1)),
        ("fc", Dense(classes)),
        ("prob", Softmax()),
    ], (size, size, 3))


def trained(network, seed=0, dtype=np.float64):
    """The network with parameters that no initialisation gives: nothing is 0 or 1."""
    rng = np.random.default_rng(seed)
    for name, shapes in network.param_shapes.items():
        network[name].params = {
            key: (rng.uniform(0.5, 1.5, shape) if key in ("gamma", "variance")
                  else rng.normal(0, (2 / np.prod(shape[:-1])) ** 0.5 if key == "w" else 0.3, shape)
                  ).astype(dtype)
            for key, shape in shapes.items()}
    return network


def images(count=2, shape=SHAPE, seed=1, dtype=np.float64):
    """Normal numbers in the shape of a batch."""
    return np.random.default_rng(seed).standard_normal((count, *shape)).astype(dtype)


def like(array, seed=2):
    """Normal numbers of an array's shape and dtype: an upstream gradient."""
    return np.random.default_rng(seed).standard_normal(array.shape).astype(array.dtype)


def same(a, b):
    """The same bytes; nothing in a pass may depend on when or beside what it runs."""
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def parameters(network):
    """Every parameter of a network as {"conv1/w": array}."""
    return {f"{name}/{key}": value for name in network.param_shapes
            for key, value in network[name].params.items()}


def fill(network, arrays):
    """The inverse of `parameters`; returns the network."""
    for place, value in arrays.items():
        name, _, key = place.rpartition("/")
        network[name].params[key] = value
    return network


def watch(network, seen):
    """Call seen(name, y) with what each layer computes, from the next pass on."""
    for name in network.names:
        layer = network[name]
        if not isinstance(layer, Branches):
            layer.forward = _watched(name, layer.forward, seen)


def _watched(name, forward, seen):
    def watched(x, learn=False, rng=None):
        y, cache = forward(x, learn, rng)
        replaced = seen(name, y)
        return (y if replaced is None else replaced), cache
    return watched


def parameters_of(gradients):
    """{"conv1": {"w": dw}} as {"conv1/w": dw}."""
    return {f"{name}/{key}": d for name, named in gradients.items() for key, d in named.items()}
