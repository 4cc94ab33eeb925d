"""Small networks that several test files use, and ways to look inside a pass."""

from dataclasses import replace

import numpy as np

from minicnn.network import Network
from minicnn.network.layers import (
    LRN,
    Add,
    AveragePool,
    BatchNorm,
    Concat,
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


def joined(name, below, *paths, layer=Concat()):  # noqa: B008 (frozen)
    """Rows of paths side by side from `below`, an empty one too, and what joins their ends."""
    rows = [(first, kind, below) if k == 0 else (first, kind, *inputs)
            for path in paths for k, (first, kind, *inputs) in enumerate(path)]
    return [*rows, (name, layer, [path[-1][0] if path else below for path in paths])]


def summed(name, below, *paths):
    """The same with an Add: a residual block."""
    return joined(name, below, *paths, layer=Add())


def everything(seed=0, dtype=np.float64):
    """One layer of nearly every kind, in an order that lets each of them matter."""
    return trained(empty(), seed, dtype)


def empty():
    """The same without its arrays."""
    return Network("everything", [
        ("conv1", Conv(6, 3, pad=1, bias=False)),  # bn1 takes a bias away: its gradient is 0
        ("bn1", BatchNorm()),
        ("relu1", ReLU()),
        ("norm1", LRN(3, alpha=0.9)),
        ("pool1", MaxPool(3, 2, rounding="ceil")),
        *joined(
            "mix", "pool1",
            [("mix/1x1", Conv(3, 1)), ("mix/relu_1x1", ReLU())],
            [("mix/3x1", Conv(2, (3, 1), pad=(1, 0), groups=2, bias=False)),
             ("mix/norm", LRN(3, alpha=0.9)), ("mix/relu_3x1", ReLU())],
            [],
            [("mix/pool", MaxPool(3, 1, pad=1)), ("mix/project", Conv(2, 1))],
        ),
        *summed("sum", "mix", [("sum/conv", Conv(13, 3, pad=1)), ("sum/relu", ReLU())], []),
        ("conv2", Conv(4, 2, stride=(1, 2), dilation=(2, 1))),
        ("relu2", ReLU()),
        ("pool2", AveragePool((2, 1), 1)),
        ("drop", Dropout(0.3)),
        ("flat", Flatten()),
        ("fc", Dense(5)),
        ("prob", Softmax()),
    ], SHAPE)


def smooth(seed=0, dtype=np.float64):
    """A network without kinks, which accepts complex numbers."""
    network = Network("smooth", [
        ("conv1", Conv(4, 3, stride=2, pad=1, bias=False)),
        ("bn1", BatchNorm()),
        ("tanh1", Tanh()),
        *joined("mix", "tanh1", [("mix/a", Conv(3, 1)), ("mix/norm", LRN(3, alpha=0.9))], []),
        *summed("sum", "mix", [("sum/a", Conv(7, 1)), ("sum/tanh", Tanh())], []),
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
        network.params[name] = {
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
            for key, value in network.params[name].items()}


def fill(network, arrays):
    """The inverse of `parameters`; returns the network."""
    for place, value in arrays.items():
        name, _, key = place.rpartition("/")
        network.params[name][key] = value
    return network


def change(network, name, **settings):
    """Give a layer of a network other settings, in place."""
    rows = [row._replace(layer=replace(row.layer, **settings)) if row.name == name else row
            for row in network.rows]
    network.rows, network._rows = rows, {row.name: row for row in rows}


def replaced(network, name, layer):
    """The network with another layer in one row; the arrays are shared."""
    rows = [row._replace(layer=layer) if row.name == name else row for row in network.rows]
    other = Network(network.name, rows, network.input_shape, network.preprocessing, network.labels,
                    network.about)
    other.params = network.params
    return other


def watch(network, seen):
    """Call seen(name, y) with what each layer computes, from the next pass on; what it returns,
    if anything, takes y's place."""
    network.rows = [row._replace(layer=_Watched(row.layer, row.name, seen)) for row in network.rows]


class _Watched:
    """A layer that tells what it computes."""

    def __init__(self, layer, name, seen):
        self.layer, self.name, self.seen = layer, name, seen

    def __getattr__(self, name):
        return getattr(self.layer, name)

    def forward(self, *arguments, **named):
        y, cache = self.layer.forward(*arguments, **named)
        replaced = self.seen(self.name, y)
        return (y if replaced is None else replaced), cache


def parameters_of(gradients):
    """{"conv1": {"w": dw}} as {"conv1/w": dw}."""
    return {f"{name}/{key}": d for name, named in gradients.items() for key, d in named.items()}
