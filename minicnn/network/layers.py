"""The layers a network is a list of: settings, parameters, and the op they are handed to.

A layer holds no mathematics (that is in `minicnn.ops`) and remembers nothing of a pass: whatever
the way back needs is in the cache that `forward` returns. So one network can be in the middle of
several passes at once.

Every class is final. Its fields are its settings; `params` holds its arrays by the name they have
in a weight file (`w`, `b`, and what else there is), and stays empty until the network is
initialised or loaded.
"""

from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from minicnn.backend import array_module
from minicnn.fast import average_pool, conv, dense, lrn, pool, relu
from minicnn.ops import batch_norm, dropout, global_average_pool, sigmoid, softmax, tanh
from minicnn.ops.window import output_size, pair


class Rules(NamedTuple):
    """Which rule to take backward where there is a choice: `ops.relu.RULES`, `ops.lrn.RULES`."""

    relu: str = "gradient"
    lrn: str = "gradient"


@dataclass(eq=False)
class Layer:
    """What all layers share: no parameters, and a shape that passes unchanged."""

    params: dict = field(default_factory=dict, init=False, repr=False)

    def settings(self):
        """The settings by name, as plain values."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.init}

    def param_shapes(self, x_shape):
        """Shapes of the parameters by name, for an input (H, W, C) or (D,)."""
        return {}

    def output_shape(self, x_shape):
        """Shape of one image's output, for an input (H, W, C) or (D,)."""
        return x_shape

    def forward(self, x, learn=False, rng=None):
        """(y, cache) for a batch x; `learn` keeps what weight gradients need and drops out."""
        raise NotImplementedError(type(self).__name__)

    def backward(self, dy, cache, rules=Rules(), need=("x",)):  # noqa: B008 (immutable)
        """(dx, gradients by parameter name); dx is None where "x" is not in `need`."""
        raise NotImplementedError(type(self).__name__)


@dataclass(eq=False)
class Conv(Layer):
    """Convolution with `filters` kernels; see `minicnn.ops.conv`."""

    filters: int
    kernel: Any
    stride: Any = 1
    pad: Any = 0
    groups: int = 1
    dilation: Any = 1
    bias: bool = True

    def param_shapes(self, x_shape):
        c = x_shape[2]
        if self.groups < 1 or c % self.groups or self.filters % self.groups:
            raise ValueError(f"Conv: groups={self.groups} must divide the {c} channels in and the "
                             f"{self.filters} filters")
        shapes = {"w": (*pair(self.kernel, "Conv kernel"), c // self.groups, self.filters)}
        return shapes | ({"b": (self.filters,)} if self.bias else {})

    def output_shape(self, x_shape):
        return (*_slide(x_shape, self.kernel, self.stride, self.pad, self.dilation), self.filters)

    def forward(self, x, learn=False, rng=None):
        y, cache = conv.forward(x, self.params["w"], self.params.get("b"), self.stride, self.pad,
                                self.groups, self.dilation)
        return y, cache if learn else cache._replace(x=None)

    def backward(self, dy, cache, rules=Rules(), need=("x",)):  # noqa: B008
        return _split(conv.backward(dy, cache, need))


@dataclass(eq=False)
class Dense(Layer):
    """A fully connected layer of `units` outputs; see `minicnn.ops.dense`."""

    units: int
    bias: bool = True

    def param_shapes(self, x_shape):
        size = 1
        for side in x_shape:
            size *= side
        return {"w": (size, self.units)} | ({"b": (self.units,)} if self.bias else {})

    def output_shape(self, x_shape):
        return (self.units,)

    def forward(self, x, learn=False, rng=None):
        y, cache = dense.forward(x, self.params["w"], self.params.get("b"))
        return y, cache if learn else cache._replace(x=None)

    def backward(self, dy, cache, rules=Rules(), need=("x",)):  # noqa: B008
        return _split(dense.backward(dy, cache, need))


@dataclass(eq=False)
class BatchNorm(Layer):
    """Batch normalisation; see `minicnn.ops.batch_norm`.

    `momentum` is the share of the old running mean and variance that a training step keeps (as in
    Keras; PyTorch's momentum is one minus it); the
    training loop does the keeping (`minicnn.train`), since a layer changes nothing by itself.
    `scale` False leaves gamma out, as is usual before a ReLU and a convolution, which scale anyway.
    """

    epsilon: float = 1e-5
    momentum: float = 0.9
    scale: bool = True

    def param_shapes(self, x_shape):
        return dict.fromkeys((*self._trained(), "mean", "variance"), x_shape[-1:])

    def forward(self, x, learn=False, rng=None):
        p = self.params if self.scale else self.params | {"gamma": array_module(x).ones_like(
            self.params["beta"])}
        return batch_norm.forward(x, **p, epsilon=self.epsilon, training=learn)

    def backward(self, dy, cache, rules=Rules(), need=("x",)):  # noqa: B008
        wanted = tuple(need) + (self._trained() if "w" in need else ())
        return _split(batch_norm.backward(dy, cache, wanted))

    def _trained(self):
        return ("gamma", "beta") if self.scale else ("beta",)


@dataclass(eq=False)
class MaxPool(Layer):
    """Max pooling; see `minicnn.ops.pool`."""

    window: Any
    stride: Any = None
    pad: Any = 0
    rounding: str = "floor"

    def output_shape(self, x_shape):
        return _pooled(self, x_shape)

    def forward(self, x, learn=False, rng=None):
        return pool.forward(x, self.window, self.stride, self.pad, self.rounding)

    def backward(self, dy, cache, rules=Rules(), need=("x",)):  # noqa: B008
        return pool.backward(dy, cache), {}


@dataclass(eq=False)
class AveragePool(Layer):
    """Average pooling; see `minicnn.ops.average_pool`."""

    window: Any
    stride: Any = None
    pad: Any = 0
    rounding: str = "floor"
    border: str = "padding"

    def output_shape(self, x_shape):
        return _pooled(self, x_shape)

    def forward(self, x, learn=False, rng=None):
        return average_pool.forward(x, self.window, self.stride, self.pad, self.rounding,
                                    self.border)

    def backward(self, dy, cache, rules=Rules(), need=("x",)):  # noqa: B008
        return average_pool.backward(dy, cache), {}


@dataclass(eq=False)
class GlobalAveragePool(Layer):
    """The mean over all positions; see `minicnn.ops.global_average_pool`."""

    def output_shape(self, x_shape):
        return x_shape[2:]

    def forward(self, x, learn=False, rng=None):
        return global_average_pool.forward(x)

    def backward(self, dy, cache, rules=Rules(), need=("x",)):  # noqa: B008
        return global_average_pool.backward(dy, cache), {}


@dataclass(eq=False)
class ReLU(Layer):
    """The rectifier, with its three backward rules; see `minicnn.ops.relu`."""

    def forward(self, x, learn=False, rng=None):
        return relu.forward(x)

    def backward(self, dy, cache, rules=Rules(), need=("x",)):  # noqa: B008
        return relu.backward(dy, cache, rules.relu), {}


@dataclass(eq=False)
class LRN(Layer):
    """Local response normalisation; see `minicnn.ops.lrn`."""

    size: int = 5
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1.0
    convention: str = "caffe"

    def forward(self, x, learn=False, rng=None):
        return lrn.forward(x, **self.settings())

    def backward(self, dy, cache, rules=Rules(), need=("x",)):  # noqa: B008
        return lrn.backward(dy, cache, rules.lrn), {}


@dataclass(eq=False)
class Dropout(Layer):
    """Dropout while learning, nothing otherwise; see `minicnn.ops.dropout`."""

    rate: float = 0.5

    def forward(self, x, learn=False, rng=None):
        return dropout.forward(x, self.rate, rng) if learn else (x, None)

    def backward(self, dy, cache, rules=Rules(), need=("x",)):  # noqa: B008
        return (dy if cache is None else dropout.backward(dy, cache)), {}


@dataclass(eq=False)
class Flatten(Layer):
    """(N, H, W, C) to (N, H*W*C). Dense flattens by itself; this is the row Keras prints."""

    def output_shape(self, x_shape):
        return Dense(1).param_shapes(x_shape)["w"][:1]

    def forward(self, x, learn=False, rng=None):
        return x.reshape(len(x), -1), x.shape  # N,H,W,C -> N,H*W*C

    def backward(self, dy, cache, rules=Rules(), need=("x",)):  # noqa: B008
        return dy.reshape(cache), {}  # N,H*W*C -> N,H,W,C


@dataclass(eq=False)
class Softmax(Layer):
    """Scores to probabilities; see `minicnn.ops.softmax`."""

    def forward(self, x, learn=False, rng=None):
        return softmax.forward(x)

    def backward(self, dy, cache, rules=Rules(), need=("x",)):  # noqa: B008
        return softmax.backward(dy, cache), {}


@dataclass(eq=False)
class Sigmoid(Layer):
    """The logistic function; see `minicnn.ops.sigmoid`."""

    def forward(self, x, learn=False, rng=None):
        return sigmoid.forward(x)

    def backward(self, dy, cache, rules=Rules(), need=("x",)):  # noqa: B008
        return sigmoid.backward(dy, cache), {}


@dataclass(eq=False)
class Tanh(Layer):
    """The hyperbolic tangent; see `minicnn.ops.tanh`."""

    def forward(self, x, learn=False, rng=None):
        return tanh.forward(x)

    def backward(self, dy, cache, rules=Rules(), need=("x",)):  # noqa: B008
        return tanh.backward(dy, cache), {}


@dataclass(eq=False)
class Branches(Layer):
    """Lists of named layers side by side; their outputs are concatenated along the channels.

    An inception module is four of them, the expanding half of a fire module two. The network walks
    into a branch as it walks along itself (`minicnn.network`), so its layers have names like all.
    """

    branches: list

    def output_shape(self, x_shape):
        shapes = []
        for branch in self.branches:
            shape = x_shape
            for _, layer in branch:
                shape = layer.output_shape(shape)
            shapes.append(shape)
        if len({shape[:-1] for shape in shapes}) != 1:
            raise ValueError(f"Branches: the branches end in different sizes, {shapes}")
        return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))


KINDS = {kind.__name__: kind for kind in (
    Conv, Dense, BatchNorm, MaxPool, AveragePool, GlobalAveragePool, ReLU, LRN, Dropout, Flatten,
    Softmax, Sigmoid, Tanh, Branches)}


def walk(layers):
    """Every (name, layer) in the order of computation, those inside branches before their join."""
    for name, layer in layers:
        for branch in getattr(layer, "branches", ()):
            yield from walk(branch)
        yield name, layer


def _slide(x_shape, kernel, stride, pad, dilation=1, rounding="floor", op="Conv"):
    kernel, stride, pad, dilation = (pair(v, op) for v in (kernel, stride, pad, dilation))
    return tuple(output_size(x_shape[a], kernel[a], stride[a], pad[a], dilation[a], rounding, op)
                 for a in (0, 1))


def _pooled(layer, x_shape):
    stride = layer.window if layer.stride is None else layer.stride
    sides = _slide(x_shape, layer.window, stride, layer.pad, 1, layer.rounding,
                   type(layer).__name__)
    return (*sides, x_shape[2])


def _split(gradients):
    """(dx, dw, db) as (dx, {"w": dw, "b": db}), leaving out what is None."""
    named = {name[1:]: d for name, d in gradients._asdict().items() if d is not None}
    return named.pop("x", None), named
