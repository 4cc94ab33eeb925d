"""Right layers, and the settings at which checkers are compared (benchmarks/judge.py).

`plain(op)` is the one setting at which every checker looks for mistakes: what its users type. The
sizes are those of a course's notebooks where it has the op, the random numbers such that checkers
find nothing wrong with the page there, if there are any. `draw` draws right layers: the page,
its twin, the nested loops or PyTorch, at the settings by which the judge tries each op.

A pair is (forward, backward) of arrays alone, with everything else bound: forward(x, w, b) ->
(y, cache) and backward(dy, cache) -> a list of gradients.
"""

import importlib
from inspect import signature
from itertools import cycle
from types import SimpleNamespace
from typing import NamedTuple

import gradient_cases  # noqa: F401 (it makes the tests' folder, with torch_ops, importable)
import numpy as np
import torch_ops

from minicnn import fast, naive
from minicnn.gradcheck.judge import cases
from minicnn.gradcheck.judge.cases import Case
from minicnn.gradcheck.judge.reference import passes
from minicnn.gradcheck.own.known import PARTS

PAGE, TWIN, LOOPS, TORCH = "page", "twin", "nested loops", "PyTorch"
SEED = 20261130  # of the right settings in the record, fixed before the first run
MOST = 1000  # numbers; checkers that move each number by itself take minutes for more
GROUPS = {  # what may make a right setting hard, and whether it has it
    "float32": lambda right: right.dtype == "float32",
    "with ties": lambda right: "ties" in right.case.tags,
    "numbers of +-100, +-1000, 1e-4": lambda right: "values" in right.case.tags,
}


# ---- the plain setting of every op

def plain(op):
    """The Case at which checkers look for mistakes in an op; if there is no other, its first."""
    return PLAIN[op]() if op in PLAIN else cases.cases(op)[0]


def _plain(op, inputs, wrt=None, **options):
    return Case(op, "plain", inputs, options, tuple(wrt or inputs), frozenset(), 0)


def _normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def _arrays(*shapes):
    """x, w and b of normal numbers."""
    return {name: _normal(*shape, seed=i) for i, (name, shape) in enumerate(zip("xwb", shapes,
                                                                                strict=False))}


def _scaled(x):
    """x with a scale and a shift for each channel."""
    c = x.shape[-1]
    return {"x": x, "gamma": _normal(c, seed=1), "beta": _normal(c, seed=2)}


def _batch_norm(x):
    c = x.shape[-1]
    return _scaled(x) | {"mean": np.zeros(c), "variance": np.ones(c)}


LABELS = {"labels": np.random.default_rng(5).integers(0, 10, 50)}
CONV = [(2, 6, 6, 3), (3, 3, 3, 4), (4,)]
PLAIN = {
    "conv": lambda: _plain("conv", _arrays((4, 5, 5, 3), (3, 3, 3, 2), (2,)), stride=1, pad=1),
    "conv_transpose": lambda: _plain("conv_transpose", _arrays((2, 4, 4, 3), (4, 4, 2, 3), (2,)),
                                     stride=2, pad=1),
    "dense": lambda: _plain("dense", _arrays((10, 6), (6, 5), (5,))),
    "pool": lambda: _plain("pool", _arrays((3, 8, 8, 2)), window=2, stride=2),
    "average_pool": lambda: _plain("average_pool", _arrays((3, 8, 8, 2)), window=2, stride=2),
    "global_average_pool": lambda: _plain("global_average_pool", _arrays((3, 4, 4, 2))),
    "relu": lambda: _plain("relu", _arrays((10, 10))),
    "sigmoid": lambda: _plain("sigmoid", _arrays((10, 10))),
    "tanh": lambda: _plain("tanh", _arrays((10, 10))),
    "lrn": lambda: _plain("lrn", _arrays((2, 4, 4, 8))),
    "batch_norm": lambda: _plain("batch_norm", _batch_norm(5 * _normal(4, 5, seed=1) + 12),
                                 ("x", "gamma", "beta"), training=True),
    "layer_norm": lambda: _plain("layer_norm", _scaled(5 * _normal(4, 5) + 12)),
    "group_norm": lambda: _plain("group_norm", _scaled(5 * _normal(2, 4, 5, 6, seed=2) + 12),
                                 groups=2),
    "dropout": lambda: _plain("dropout", {"x": _normal(10, 10) + 10}, rate=0.2, seed=123),
    "resize": lambda: _plain("resize", _arrays((2, 4, 4, 2)), size=(8, 8)),
    "softmax": lambda: _plain("softmax", _arrays((10, 10))),
    "cross_entropy": lambda: _plain("cross_entropy", {"x": 0.001 * _normal(50, 10)}, **LABELS),
    "softmax_loss": lambda: _plain("softmax_loss", {"x": 0.001 * _normal(50, 10)}, **LABELS),
    "svm_loss": lambda: _plain("svm_loss", {"x": 0.001 * _normal(50, 10)}, **LABELS),
    "concat": lambda: _plain("concat", {"x0": _normal(2, 3, 4, 2), "x1": _normal(2, 3, 4, 3)}),
    "add": lambda: _plain("add", {"x0": _normal(2, 3, 4, 2), "x1": _normal(2, 3, 4, 2, seed=1)}),
    "affine_relu": lambda: _plain("affine_relu", _arrays((2, 12), (12, 10), (10,))),
    "conv_relu": lambda: _plain("conv_relu", _arrays(*CONV), stride=1, pad=1),
    "conv_relu_pool": lambda: _plain("conv_relu_pool", _arrays(*CONV), stride=1, pad=1, window=2,
                                     pool_stride=2),
    "conv_bn_relu": lambda: _plain(
        "conv_bn_relu", _arrays((2, 4, 4, 2), (3, 3, 2, 3), (3,)) | {
            "x": _normal(2, 4, 4, 2, seed=101), "gamma": _normal(3, seed=6),
            "beta": _normal(3, seed=7), "mean": np.zeros(3), "variance": np.ones(3)},
        ("x", "w", "b", "gamma", "beta"), stride=1, pad=1, training=True),
}


# ---- pairs

def arrays_of(case, dtype=np.float64):
    """The arrays that have a gradient, in the order of the op's arguments."""
    return [np.array(case.inputs[name], dtype) for name in case.wrt]


def pair(layer, case, dtype=np.float64):
    """A layer in the page's signature (an object with forward and backward) at one setting."""
    def forward(*arrays):
        full = _all_inputs(case, arrays, dtype)
        return layer.forward(*([full] if case.op in PARTS else full), **_typed(case.options, dtype))

    return forward, lambda dy, cache: _of(case, layer.backward(dy, cache))


def loops_pair(case, dtype=np.float64):
    """The nested loops at one setting; what they keep for backward is their arguments."""
    run, back = (getattr(naive, f"{_loops(case.op)}_{way}") for way in ("forward", "backward"))

    def forward(*arrays):
        full = _all_inputs(case, arrays, dtype)
        full = [full] if case.op in PARTS else full
        return run(*full, **_typed(case.options, dtype)), full

    return forward, lambda dy, full: _of(case, back(dy, *full, **_typed(case.options, dtype)))


def torch_pair(case, dtype=np.float64):
    """PyTorch's op at one setting, on NumPy arrays; None if PyTorch has no such op."""
    run = _of_torch(case, dtype)
    if run is None:
        return None

    def forward(*arrays):
        torch = importlib.import_module("torch")
        leaves = [torch.tensor(array, requires_grad=True) for array in arrays]
        with torch.enable_grad():  # also within another Function, where it is off
            y = run(*leaves)
        return y.detach().numpy().copy(), (y, leaves)

    def backward(dy, cache):
        torch = importlib.import_module("torch")
        y, leaves = cache
        found = torch.autograd.grad(y, leaves, torch.tensor(dy.copy()), retain_graph=True)
        return [gradient.numpy().copy() for gradient in found]

    return forward, backward


def _all_inputs(case, arrays, dtype):
    """The op's arguments: the given arrays, and the rest as in the case."""
    given = dict(zip(case.wrt, arrays, strict=True))
    return [given.get(name, value if value.dtype.kind != "f" else value.astype(dtype))
            for name, value in case.inputs.items()]


def _typed(options, dtype):
    return {key: value.astype(dtype) if isinstance(value, np.ndarray) and value.dtype.kind == "f"
            else value for key, value in options.items()}


def _of(case, found):
    """The gradients of the arrays that have one, as a list."""
    found = list(found) if isinstance(found, (tuple, list)) else [found]
    named = dict(zip(case.inputs, found, strict=False))
    return [named.get(name) for name in case.wrt]


def _loops(op):
    return "cross_entropy" if op == "softmax_loss" else op


def _of_torch(case, dtype):
    """PyTorch's op as a function of tensors; None if there is none."""
    op = _loops(case.op)
    if not hasattr(torch_ops, op):
        return None
    fixed = _typed({name: value for name, value in case.inputs.items() if name not in case.wrt},
                   dtype)
    options = {key: value for key, value in case.options.items() if key != "b"} | fixed
    options = {"pad": 0} | options if op.endswith("pool") and options else options
    return getattr(torch_ops, op) if not options else getattr(torch_ops, op)(**options)


# ---- right settings by chance

class Right(NamedTuple):
    """A right layer at one setting: whose it is (PAGE, TWIN, LOOPS, TORCH), and in which dtype."""

    case: Case
    whose: str
    dtype: str

    @property
    def name(self):
        return f"{self.case.op}, {self.case.name}, {self.whose}, {self.dtype}"

    @property
    def groups(self):
        """Those of GROUPS that it belongs to."""
        return [name for name, belongs in GROUPS.items() if belongs(self)]

    def arrays(self):
        return arrays_of(self.case, np.dtype(self.dtype))

    def pair(self):
        """(forward, backward) of the arrays alone."""
        dtype = np.dtype(self.dtype)
        if self.whose in (LOOPS, TORCH):
            return (loops_pair if self.whose == LOOPS else torch_pair)(self.case, dtype)
        return pair(self.whole(), self.case, dtype)

    def whole(self):
        """The layer, with forward and backward in the page's signature."""
        page = passes(self.case.op)
        if self.whose not in (LOOPS, TORCH):
            return page if self.whose == PAGE else getattr(fast, self.case.op)

        def forward(*arrays, **settings):
            given = arrays[0] if self.case.op in PARTS else arrays
            here = self.at(given, settings)
            run, back = here.pair()
            y, cache = run(*here.arrays())
            return y, (cache, back)

        forward.__signature__ = signature(page.forward)
        return SimpleNamespace(forward=forward, backward=lambda dy, kept: kept[1](dy, kept[0]))

    def at(self, arrays, settings):
        """The same layer at other arrays, in their dtype, and at other values of its settings."""
        options = self.case.options
        case = self.case._replace(
            inputs=dict(zip(self.case.inputs, arrays, strict=False)),
            options=options | {name: value for name, value in settings.items() if name in options})
        return self._replace(case=case, dtype=arrays[0].dtype.name)


def draw(count, seed):
    """`count` right settings, as many of each op: its cases in a random order, again and again, and
    for each one of those who have the op, and a dtype."""
    rng = np.random.default_rng(seed)
    stacks = {op: cycle(rng.permutation(len(found))) for op, found in _matrix().items()}
    found = []
    for _, op in zip(range(count), cycle(stacks), strict=False):
        case = _matrix()[op][next(stacks[op])]
        whose, dtype = rng.choice(owners(case)), rng.choice(["float64", "float32"])
        found.append(Right(case, str(whose), str(dtype)))
    return found


def _matrix(kept={}):  # noqa: B006 (made once)
    """{op: its cases without those that must be refused or are large}"""
    if not kept:
        kept |= {op: [case for case in cases.cases(op) if _fits(case)] for op in cases.CASES}
    return kept


def _fits(case):
    return not case.refuse and sum(np.size(case.inputs[name]) for name in case.wrt) <= MOST


def owners(case):
    """Who has this op at this setting."""
    op = case.op
    return ([PAGE] + [TWIN] * (op in fast.TWINS) + [LOOPS] * hasattr(naive, f"{_loops(op)}_forward")
            + [TORCH] * (_of_torch(case, np.float64) is not None))
