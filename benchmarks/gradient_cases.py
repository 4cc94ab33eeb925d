"""The cases of the gradient benchmark: every op's configurations, and a few networks.

The configurations, and the ops in PyTorch, come from the tests (tests/ops), so the benchmark needs
a checkout of the source.
"""

import importlib
import sys
from functools import partial
from itertools import product
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "made"))

import checks  # noqa: E402
import nets  # noqa: E402
import torch_ops  # noqa: E402
from checks import normal  # noqa: E402

from minicnn import load, models, naive  # noqa: E402
from minicnn.fast import TWINS  # noqa: E402
from minicnn.fast.winograd import ALGORITHMS  # noqa: E402
from minicnn.gradcheck.judge import matrix  # noqa: E402


class Case(NamedTuple):
    """One configuration of an op.

    `inputs` are float64 arrays by name, in the order of the op's arguments; `options` are settings.
    `wants_list` is True if the op takes its inputs as one list. `loops` names the op whose nested
    loops specify this one, if not its own. `dtypes` are those it computes in.
    """

    op: str
    name: str
    inputs: dict
    options: dict
    smooth: bool
    torch: Any
    wants_list: bool = False
    loops: str | None = None
    dtypes: tuple = (np.float64, np.float32)

    def call(self, function, *arrays, **options):
        """Call `function` on the inputs, as one list or separately, like the op."""
        return function(*([list(arrays)] if self.wants_list else arrays), **options)

    def module(self):
        """The module that networks use for the op: its twin in minicnn.fast, or else the page."""
        place = "fast" if self.op == "winograd" or self.op in TWINS else "ops"
        return importlib.import_module(f"minicnn.{place}.{self.op}")

    def forward(self, *arrays):
        """minicnn's forward pass, with the settings bound."""
        options = {key: value.astype(arrays[0].real.dtype) if isinstance(value, np.ndarray)
                   and value.dtype.kind == "f" else value for key, value in self.options.items()}
        return self.call(self.module().forward, *arrays, **options)

    def backward(self, dy, cache):
        """minicnn's gradients of the inputs."""
        return self.of_inputs(self.module().backward(dy, cache))

    def of_inputs(self, gradients):
        """The gradients of the inputs as a list, without that of a missing bias."""
        listed = gradients if isinstance(gradients, (tuple, list)) else [gradients]
        return list(listed)[: len(self.inputs)]

    def twin(self, *arrays):
        """y of the nested loops."""
        return self.call(self._naive("forward"), *arrays, **self._specified())

    def twin_gradient(self, dy, *arrays):
        """Gradients of the nested loops."""
        back = partial(self._naive("backward"), dy)
        return self.of_inputs(self.call(back, *arrays, **self._specified()))

    def _naive(self, way):
        return getattr(naive, f"{self.loops or self.op}_{way}")

    def _specified(self):
        """The settings without the choice of an algorithm, which the loops do not have."""
        return {key: value for key, value in self.options.items() if key != "algorithm"}

    def dy(self):
        """An upstream gradient of normal random numbers."""
        return np.asarray(normal(*np.shape(self.twin(*self.inputs.values())), seed=9))

    def typed(self, dtype):
        """The inputs in a dtype."""
        return [array.astype(dtype) for array in self.inputs.values()]

    def ours(self, dy, dtype):
        """[y, dx, ...] computed by minicnn."""
        y, cache = self.forward(*self.typed(dtype))
        return [y, *self.backward(dy, cache)]

    def torchs(self, dy, dtype):
        """[y, dx, ...] computed by PyTorch."""
        torch = importlib.import_module("torch")
        leaves = [torch.tensor(array, requires_grad=True) for array in self.typed(dtype)]
        y = self.torch(*leaves)
        y.backward(torch.tensor(dy))
        return [y.detach().numpy(), *(leaf.grad.numpy() for leaf in leaves)]


# ---- the ops

def _windowed(op, cases, make_torch, more=({},), smooth=True):
    """Cases of a pooling op, from the tests' matrix, with each dict of further settings `more`."""
    found = []
    for case, extra in product(cases, more):
        options = matrix.settings(case, "window", "stride", "pad", "rounding") | extra
        words = "".join(f", {key} {value}" for key, value in extra.items())
        found.append(Case(op, f"{case}{words}", {"x": case.x()}, options, smooth,
                          make_torch(**options)))
    return found


def conv():
    """All cases of the matrix: strides, paddings, groups, dilations, with and without a bias."""
    found = []
    for case in matrix.CONV:
        options = matrix.settings(case, "stride", "pad", "groups", "dilation")
        torch = torch_ops.conv(**options)
        found.append(Case("conv", str(case), matrix.conv_inputs(case),
                          options | ({} if case.bias else {"b": None}), True, torch))
    return found


def conv_transpose():
    """From the output's shape to the input's, with the settings of the matrix."""
    found = []
    for case in matrix.CONV:
        options = matrix.settings(case, "stride", "pad", "groups", "dilation")
        along = matrix.conv_inputs(case)
        shape = naive.conv_forward(along["x"], along["w"], None, **options).shape
        options |= {"size": case.image[1:3]}
        inputs = {"x": normal(*shape), "w": along["w"], "b": normal(case.image[3], seed=2)}
        found.append(Case("conv_transpose", str(case), inputs, options, True,
                          torch_ops.conv_transpose(**options)))
    return found


def winograd():
    """Both algorithms, in float32 only, on an image that is not a whole number of tiles."""
    inputs = {"x": normal(2, 9, 11, 4), "w": normal(3, 3, 4, 6, seed=2) / 6, "b": normal(6, seed=3)}
    return [Case("winograd", f"{algorithm}, pad {pad}", inputs,
                 {"pad": pad, "algorithm": algorithm}, True, torch_ops.conv(pad=pad),
                 loops="conv", dtypes=(np.float32,))
            for algorithm in ALGORITHMS for pad in (0, 1)]


def pool():
    """Max pooling, including ties and all-negative windows."""
    return _windowed("pool", matrix.POOL, torch_ops.pool, smooth=False)


def average_pool():
    """Average pooling, with both rules for the border."""
    return _windowed("average_pool", matrix.POOL, torch_ops.average_pool,
                     [{"border": "padding"}, {"border": "image"}])


def lrn():
    """LRN, also with an alpha near 1: with the usual 1e-4 the second term is hardly visible."""
    names = ("size", "alpha", "beta", "k", "convention")
    found = []
    for *values, channels in checks.LRNS:
        options = dict(zip(names, values, strict=True))
        found.append(Case("lrn", f"{channels} channels, {options}",
                          {"x": normal(2, 2, 3, channels)}, options, True,
                          torch_ops.lrn(**options)))
    return found


def dense():
    """Dense layers on images and on rows, with and without a bias."""
    found = []
    for shape in ((3, 4), (2, 2, 3, 2), (1, 5)):
        inputs = {"x": normal(*shape), "w": normal(prod(shape[1:]), 3, seed=2),
                  "b": normal(3, seed=3)}
        found.append(Case("dense", f"{shape}", inputs, {}, True, torch_ops.dense))
        inputs = {key: inputs[key] for key in ("x", "w")}
        found.append(Case("dense", f"{shape}, no bias", inputs, {"b": None}, True,
                          torch_ops.dense))
    return found


def batch_norm():
    """Batch normalisation with given statistics and with the batch's own."""
    x, (gamma, beta, mean, deviation) = normal(2, 3, 2, 3), normal(4, 3, seed=2)
    found = []
    for training in (False, True):
        fixed = {"mean": mean, "variance": 1 + deviation**2, "epsilon": 1e-3, "training": training}
        found.append(Case("batch_norm", f"training {training}",
                          {"x": 2 + 3 * x, "gamma": gamma, "beta": beta}, fixed, True,
                          torch_ops.batch_norm(**fixed)))
    return found


def resize():
    """Enlarging, reducing, and both at once."""
    return [Case("resize", f"{shape} to {size}", {"x": normal(*shape)}, {"size": size}, True,
                 torch_ops.resize(size)) for shape, size in checks.RESIZES]


def cross_entropy():
    """Cross-entropy of scores that are close and far apart."""
    return [Case("cross_entropy", f"{x.shape}", {"x": x}, {"labels": np.array(labels)}, True,
                 torch_ops.cross_entropy(labels)) for x, labels in checks.SCORES]


def concat():
    """Concatenation along each axis."""
    return [Case("concat", f"axis {axis}",
                 {f"x{i}": normal(*shape, seed=i) for i, shape in enumerate(shapes)},
                 {"axis": axis}, True, torch_ops.concat(axis), wants_list=True)
            for axis, shapes in checks.CONCATS]


def add():
    """The sum of two arrays, and of several."""
    return [Case("add", f"{len(shapes)} of {shapes[0]}",
                 {f"x{i}": normal(*shape, seed=i) for i, shape in enumerate(shapes)}, {}, True,
                 torch_ops.add, wants_list=True) for shapes in checks.ADDS]


def dropout():
    """Dropout with the same seed in both passes; PyTorch draws other numbers, so it is left out."""
    return [Case("dropout", f"rate {rate}", {"x": normal(2, 3, 4, 2)}, {"rate": rate, "seed": 3},
                 False, None) for rate in (0.0, 0.3, 0.9)]


def _plain(op, smooth=True, arrays=None):
    """Cases of an op without settings."""
    arrays = [normal(2, 3, 4, 2), 3 * normal(2, 5)] if arrays is None else arrays

    def cases():
        return [Case(op, f"{x.shape}", {"x": x}, {}, smooth, getattr(torch_ops, op))
                for x in arrays]

    return cases


OPS = {
    "conv": conv,
    "conv_transpose": conv_transpose,
    "winograd": winograd,
    "dense": dense,
    "pool": pool,
    "average_pool": average_pool,
    "global_average_pool": _plain("global_average_pool", arrays=[normal(2, 3, 4, 2),
                                                                 normal(3, 1, 5, 1)]),
    "relu": _plain("relu", smooth=False),
    "sigmoid": _plain("sigmoid"),
    "tanh": _plain("tanh"),
    "lrn": lrn,
    "batch_norm": batch_norm,
    "dropout": dropout,
    "resize": resize,
    "concat": concat,
    "add": add,
    "softmax": _plain("softmax"),
    "cross_entropy": cross_entropy,
}


# ---- the networks

def passes(network):
    """(forward, backward) of a network, as functions of its image, for `gradcheck.check`."""
    def forward(x):
        run = network.forward(x, to=network.logits)
        return run.output, run

    return forward, lambda dy, run: run.backward({network.logits: dy})


def upstream(y):
    """A random gradient at the scores y."""
    return normal(*y.shape, seed=9).astype(y.dtype)


def image_gradient(network, x):
    """The gradient of a random sum of scores with respect to the image."""
    forward, backward = passes(network)
    y, run = forward(x)
    return backward(upstream(y), run)


def torchs_image_gradient(network, x):
    """The same gradient by PyTorch, with the same weights."""
    import torch_network

    scores = network.until(network.logits)
    dy = upstream(scores.forward(x, caches=False).output)
    _, slopes, _ = torch_network.gradients(scores, x, {network.logits: dy})
    return slopes["image"]


def _small(make):
    """A function that makes a network of tests/made/nets.py, and images for it."""
    return lambda: (make(), nets.images(2))


def _trained(name):
    """A function that loads a trained network, and makes a random image of its input size."""
    def make():
        network = load(name)
        return network, normal(1, *network.input_shape).astype(np.float32)
    return make


def _random(make, *sizes):
    """A function that makes a network with random weights, and a random image.  The image's numbers
    are as large as pixels', so that LRN does more than multiply by 1."""
    def with_weights():
        network = make()
        return network.initialize(0), (100 * normal(*sizes)).astype(np.float32)
    return with_weights


BY_DIFFERENCES = ("central differences",)
BY_BOTH = (*BY_DIFFERENCES, "complex step")
NETWORKS = {  # (function that makes network and image, checks of its float64 gradient)
    "every layer": (_small(nets.everything), BY_DIFFERENCES),
    "smooth layers": (_small(nets.smooth), BY_BOTH),
    "minivgg": (_trained("minivgg"), ()),
    "alexnet_caffe to pool5": (_random(lambda: models.alexnet_caffe().until("pool5"),
                                       1, 99, 99, 3), ()),
    "squeezenet11": (_random(models.squeezenet11, 1, 99, 99, 3), ()),
}
