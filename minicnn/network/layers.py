"""The kinds of layers: frozen settings, and the name of the op that uses them.

A layer holds no mathematics (see `minicnn.ops`) and no arrays (the network holds them). It
remembers nothing about a pass: the cache that `forward` returns holds what `backward` needs.

Every class is final. Its fields are its settings, and `op` names its page in `minicnn.ops`. The
network chooses the module that computes the op, the page or a faster twin, and passes it to
`forward` and `backward`.
"""

from dataclasses import KW_ONLY, dataclass, fields
from difflib import get_close_matches
from math import prod
from typing import Any, ClassVar, NamedTuple

from minicnn.backend import array_module
from minicnn.ops.window import output_size, pair


class Rules(NamedTuple):
    """The backward rules for ReLU and LRN layers: see `ops.relu.RULES` and `ops.lrn.RULES`."""

    relu: str = "gradient"
    lrn: str = "gradient"


@dataclass(frozen=True)
class Layer:
    """The defaults of all layers: no parameters, one input array, an output of the same shape.

    Layers that read more than one array set `several`; their x, dx and shapes are lists.
    """

    op: ClassVar[str | None] = None
    several: ClassVar[bool] = False

    def __new__(cls, *values, **named):
        """Refuse keyword-only settings given by position, where they could be mistaken."""
        order = [f.name for f in fields(cls) if not f.kw_only]
        if len(values) > len(order):
            named_ones = [f"{f.name}=..." for f in fields(cls) if f.kw_only]
            raise TypeError(f"{cls.__name__}: only {' and '.join(order) or 'nothing'} may be given "
                            f"without a name, got {', '.join(map(repr, values))}; name the rest: "
                            f"{', '.join(named_ones)}"
                            + (". The number of input channels is not given" * (cls is Conv)))
        for name in named.keys() - {f.name for f in fields(cls)}:
            near = get_close_matches(name, [f.name for f in fields(cls)], n=1, cutoff=0.5)
            raise TypeError(f"{cls.__name__} has no setting {name!r}"
                            + (f"; did you mean {near[0]}?" if near else ""))
        return super().__new__(cls)

    def settings(self):
        """The settings by name, as plain values."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def param_shapes(self, x_shape):
        """Shapes of the parameters by name, for an input (H, W, C) or (D,)."""
        return {}

    def output_shape(self, x_shape):
        """Shape of one image's output, for an input (H, W, C) or (D,)."""
        return x_shape

    def forward(self, op, x, params, learn=False, rng=None):
        """(y, cache) for a batch x, computed by the module `op` with the arrays `params`.

        `learn` keeps what weight gradients need and switches dropout on.
        """
        return op.forward(x, **self.settings())

    def backward(self, op, dy, cache, rules=Rules(), need=("x",)):  # noqa: B008 (immutable)
        """(dx, gradients by parameter name); dx is None where "x" is not in `need`."""
        return op.backward(dy, cache), {}


@dataclass(frozen=True)
class Conv(Layer):
    """Convolution with `filters` kernels; see `minicnn.ops.conv`.

    The number of input channels is not a setting: the layer's input determines it. ``pad="same"``
    pads so that the output has the input's size; it needs an odd kernel and a stride of 1.
    """

    op = "conv"
    filters: int
    kernel: Any
    _: KW_ONLY
    stride: Any = 1
    pad: Any = 0
    groups: int = 1
    dilation: Any = 1
    bias: bool = True

    def __post_init__(self):
        if self.pad == "same":
            object.__setattr__(self, "pad", _same(self))  # the class is frozen

    def param_shapes(self, x_shape):
        """w (KH, KW, C/groups, O), and b (O,) with a bias."""
        c = x_shape[2]
        if self.groups < 1 or c % self.groups or self.filters % self.groups:
            raise ValueError(f"Conv: groups={self.groups} must divide the {c} channels in and the "
                             f"{self.filters} filters")
        shapes = {"w": (*pair(self.kernel, "Conv kernel"), c // self.groups, self.filters)}
        return shapes | ({"b": (self.filters,)} if self.bias else {})

    def output_shape(self, x_shape):
        return (*_slide(x_shape, self.kernel, self.stride, self.pad, self.dilation), self.filters)

    def forward(self, op, x, params, learn=False, rng=None):
        y, cache = op.forward(x, params["w"], params.get("b"), self.stride, self.pad, self.groups,
                              self.dilation)
        return y, cache if learn else _without_input(cache)

    def backward(self, op, dy, cache, rules=Rules(), need=("x",)):  # noqa: B008
        return _split(op.backward(dy, cache, need))


@dataclass(frozen=True)
class Dense(Layer):
    """A fully connected layer of `units` outputs; see `minicnn.ops.dense`."""

    op = "dense"
    units: int
    _: KW_ONLY
    bias: bool = True

    def param_shapes(self, x_shape):
        return {"w": (prod(x_shape), self.units)} | ({"b": (self.units,)} if self.bias else {})

    def output_shape(self, x_shape):
        return (self.units,)

    def forward(self, op, x, params, learn=False, rng=None):
        y, cache = op.forward(x, params["w"], params.get("b"))
        return y, cache if learn else _without_input(cache)

    def backward(self, op, dy, cache, rules=Rules(), need=("x",)):  # noqa: B008
        return _split(op.backward(dy, cache, need))


@dataclass(frozen=True)
class BatchNorm(Layer):
    """Batch normalisation; see `minicnn.ops.batch_norm`.

    `momentum` is the share of the old running mean and variance that a training step keeps (as in
    Keras; PyTorch's momentum is one minus this). The training loop (`minicnn.train`) updates the
    running statistics; a pass changes nothing. ``scale=False`` leaves gamma out, as is usual
    before a ReLU and a convolution, whose weights scale anyway.
    """

    op = "batch_norm"
    _: KW_ONLY
    epsilon: float = 1e-5
    momentum: float = 0.9
    scale: bool = True

    def param_shapes(self, x_shape):
        return dict.fromkeys((*self._trained(), "mean", "variance"), x_shape[-1:])

    def forward(self, op, x, params, learn=False, rng=None):
        ones = {} if self.scale else {"gamma": array_module(x).ones_like(params["beta"])}
        return op.forward(x, **params, **ones, epsilon=self.epsilon, training=learn)

    def backward(self, op, dy, cache, rules=Rules(), need=("x",)):  # noqa: B008
        wanted = ("x",) * ("x" in need) + self._trained() * ("w" in need)
        return _split(op.backward(dy, cache, wanted))

    def _trained(self):
        return ("gamma", "beta") if self.scale else ("beta",)


@dataclass(frozen=True)
class MaxPool(Layer):
    """Max pooling; see `minicnn.ops.pool`."""

    op = "pool"
    window: Any
    stride: Any = None
    _: KW_ONLY
    pad: Any = 0
    rounding: str = "floor"

    def output_shape(self, x_shape):
        return _pooled(self, x_shape)


@dataclass(frozen=True)
class AveragePool(Layer):
    """Average pooling; see `minicnn.ops.average_pool`."""

    op = "average_pool"
    window: Any
    stride: Any = None
    _: KW_ONLY
    pad: Any = 0
    rounding: str = "floor"
    border: str = "padding"

    def output_shape(self, x_shape):
        return _pooled(self, x_shape)


@dataclass(frozen=True)
class GlobalAveragePool(Layer):
    """The mean over all positions; see `minicnn.ops.global_average_pool`."""

    op = "global_average_pool"

    def output_shape(self, x_shape):
        return x_shape[2:]


@dataclass(frozen=True)
class ReLU(Layer):
    """The rectifier, with its three backward rules; see `minicnn.ops.relu`."""

    op = "relu"

    def backward(self, op, dy, cache, rules=Rules(), need=("x",)):  # noqa: B008
        return op.backward(dy, cache, rules.relu), {}


@dataclass(frozen=True)
class LRN(Layer):
    """Local response normalisation; see `minicnn.ops.lrn`."""

    op = "lrn"
    size: int = 5
    _: KW_ONLY
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1.0
    convention: str = "caffe"

    def backward(self, op, dy, cache, rules=Rules(), need=("x",)):  # noqa: B008
        return op.backward(dy, cache, rules.lrn), {}


@dataclass(frozen=True)
class Dropout(Layer):
    """Dropout while learning, the identity otherwise; see `minicnn.ops.dropout`."""

    op = "dropout"
    rate: float = 0.5

    def forward(self, op, x, params, learn=False, rng=None):
        return op.forward(x, self.rate, rng) if learn else (x, None)

    def backward(self, op, dy, cache, rules=Rules(), need=("x",)):  # noqa: B008
        return (dy if cache is None else op.backward(dy, cache)), {}


@dataclass(frozen=True)
class Flatten(Layer):
    """(N, H, W, C) to (N, H*W*C). Dense flattens its input itself; Keras lists this layer."""

    def output_shape(self, x_shape):
        return (prod(x_shape),)

    def forward(self, op, x, params, learn=False, rng=None):
        return x.reshape(len(x), -1), x.shape  # N,H,W,C -> N,H*W*C

    def backward(self, op, dy, cache, rules=Rules(), need=("x",)):  # noqa: B008
        return dy.reshape(cache), {}  # N,H*W*C -> N,H,W,C


@dataclass(frozen=True)
class Softmax(Layer):
    """Scores to probabilities; see `minicnn.ops.softmax`."""

    op = "softmax"


@dataclass(frozen=True)
class Sigmoid(Layer):
    """The logistic function; see `minicnn.ops.sigmoid`."""

    op = "sigmoid"


@dataclass(frozen=True)
class Tanh(Layer):
    """The hyperbolic tangent; see `minicnn.ops.tanh`."""

    op = "tanh"


@dataclass(frozen=True)
class Concat(Layer):
    """Several arrays side by side along the channels; see `minicnn.ops.concat`.

    It joins the four paths of an inception module and the two expanding paths of a fire module.
    """

    op = "concat"
    several = True

    def output_shape(self, x_shapes):
        """(H, W, the sum of all C), or (the sum of all C,)."""
        if len({shape[:-1] for shape in x_shapes}) != 1:
            raise ValueError(f"Concat: its inputs differ in size, {x_shapes}; only their channels "
                             "may differ")
        return (*x_shapes[0][:-1], sum(shape[-1] for shape in x_shapes))


@dataclass(frozen=True)
class Add(Layer):
    """The sum of several arrays of one shape; see `minicnn.ops.add`.

    A residual block adds what it computed to what it read (He et al. 2016).
    """

    op = "add"
    several = True

    def output_shape(self, x_shapes):
        if len(set(x_shapes)) != 1:
            raise ValueError(f"Add: its inputs differ in shape, {x_shapes}; all must be equal")
        return x_shapes[0]


KINDS = {kind.__name__: kind for kind in (
    Conv, Dense, BatchNorm, MaxPool, AveragePool, GlobalAveragePool, ReLU, LRN, Dropout, Flatten,
    Softmax, Sigmoid, Tanh, Concat, Add)}


def _slide(x_shape, kernel, stride, pad, dilation=1, rounding="floor", op="Conv"):
    kernel, stride, pad, dilation = (pair(v, op) for v in (kernel, stride, pad, dilation))
    return tuple(output_size(x_shape[a], kernel[a], stride[a], pad[a], dilation[a], rounding, op)
                 for a in (0, 1))


def _same(conv):
    """The padding with which a convolution's output has the size of its input."""
    kernel, stride, dilation = (pair(v, "Conv") for v in (conv.kernel, conv.stride, conv.dilation))
    if stride != (1, 1) or not (kernel[0] % 2 and kernel[1] % 2):
        raise ValueError(f'Conv: pad="same" needs an odd kernel and a stride of 1, got kernel '
                         f"{conv.kernel} and stride {conv.stride}; other programs then pad one "
                         "side more than the other; give pad as a number")
    down, across = (d * (k - 1) // 2 for d, k in zip(dilation, kernel, strict=True))
    return down if down == across else (down, across)


def _pooled(layer, x_shape):
    stride = layer.window if layer.stride is None else layer.stride
    sides = _slide(x_shape, layer.window, stride, layer.pad, 1, layer.rounding,
                   type(layer).__name__)
    return (*sides, x_shape[2])


def _without_input(cache):
    """The cache without x, which only the weight gradient needs, so that x can be freed."""
    return cache._replace(x=None) if hasattr(cache, "_replace") else cache


def _split(gradients):
    """(dx, dw, db) as (dx, {"w": dw, "b": db}), without the gradients that are None."""
    named = {name[1:]: d for name, d in gradients._asdict().items() if d is not None}
    return named.pop("x", None), named
