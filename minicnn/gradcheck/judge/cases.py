"""The settings and inputs at which the judge tries each op, each for a reason.

Windowed ops have the whole matrix of `matrix`. Every op has, besides: numbers of
+-100, +-1000 and 1000 + noise (an exponential overflows, squares cancel), numbers of 1e-4, and one
large input (more than 127 rows, 65,536 pixels, 64 channels, 8 outputs or 2 images: where too small
an index or a fixed array ends). The first cases of a list are the plainest.
"""

import zlib
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np

from minicnn.gradcheck.judge import matrix
from minicnn.gradcheck.judge.reference import results


class Case(NamedTuple):
    """One setting of an op, and the numbers it is tried at.

    Attributes
    ----------
    op, name : str
    inputs : dict of str to float64 array, in the page's order
    options : dict
        The page's settings.
    wrt : tuple of str
        The inputs that have a gradient.
    tags : frozenset of str
        Features of the setting ("padding", "groups", "pairs", ...); a contract speaks of these.
    work : int
        About how many multiplications a pass needs; loops in Python take about a microsecond each.
    refuse : bool
        True if forward has to raise an error.
    upstream : array, optional
        The dy of this case; without it, `dy` draws one.
    """

    op: str
    name: str
    inputs: dict
    options: dict
    wrt: tuple
    tags: frozenset
    work: int
    refuse: bool = False
    upstream: Any = None

    def __str__(self):
        return self.name

    def expected(self, dy=None):
        """(y, {name: gradient}) of the op itself, in float64; y only if dy is None."""
        y, gradients = results(self.op, self.inputs, self.options, dy)
        return y, {name: gradients[name] for name in self.wrt if name in gradients}

    def dy(self):
        """The gradient that comes in: normal numbers in the shape of y, the same in every run,
        unless the case has its own."""
        if self.upstream is not None:
            return self.upstream
        shape = np.shape(self.expected()[0])
        return np.asarray(_random(self.name).standard_normal(shape))


def cases(op):
    """All cases of an op, as a list."""
    return CASES[op]()


def few(found):
    """About one in four of some cases, without large ones, but each feature at least once."""
    chosen, seen = [], set()
    for number, case in enumerate(case for case in found if "large" not in case.tags):
        if number < 4 or number % 5 == 4 or case.tags - seen:
            chosen, seen = [*chosen, case], seen | case.tags
    return chosen


def _random(name):
    return np.random.default_rng(zlib.crc32(name.encode()))


def _normal(*shape, seed=1):
    return np.random.default_rng(seed).standard_normal(shape)


def _case(op, name, inputs, options=(), wrt=None, work=None, tags=(), **more):
    options, found = dict(options), {*tags}
    wrt = tuple(inputs) if wrt is None else wrt
    found |= {tag for tag, holds in TAGS.items() if holds(inputs, options)}
    if not more.get("refuse"):
        work = work or max(np.size(value) for value in inputs.values())
    return Case(op, name, inputs, options, wrt, frozenset(found), work or 0, **more)


def _unequal(value):
    return isinstance(value, tuple) and len({*value}) > 1


TAGS = {  # feature: whether a setting has it
    "pairs": lambda x, s: any(_unequal(s.get(k)) for k in ("stride", "pad", "dilation", "window")),
    "padding": lambda x, s: np.max(s.get("pad", 0)) > 0,
    "stride": lambda x, s: s.get("stride") is not None and np.max(s["stride"]) > 1,
    "groups": lambda x, s: s.get("groups", 1) > 1,
    "dilation": lambda x, s: np.max(s.get("dilation", 1)) > 1,
    "ceil": lambda x, s: s.get("rounding") == "ceil",
    "no bias": lambda x, s: "b" in s,
    "batch": lambda x, s: np.ndim(next(iter(x.values()))) > 0 and len(next(iter(x.values()))) > 1,
    "training": lambda x, s: bool(s.get("training")),
    "square": lambda x, s: "w" in x and x["w"].shape[-2] * s.get("groups", 1) == x["w"].shape[-1],
    "large": lambda x, s: max(size for value in x.values() for size in np.shape(value)) > 64,
}


# ---- the numbers: plain ones, and those at which layers break

VALUES = {  # tag: (name, what it makes of normal numbers)
    "numbers of 100": lambda x: 100 * np.sign(x) + x,
    "numbers of 1000": lambda x: 1000 * np.sign(x) + x,
    "1000 and noise": lambda x: 1000 + x,
    "numbers of 1e-4": lambda x: 1e-4 * x,
}


def _valued(op, make, options=(), tags=(), **more):
    """The same setting at each kind of numbers; make(change) gives the inputs."""
    return [_case(op, name, make(change), options, tags=(name, "values", *tags), **more)
            for name, change in VALUES.items()]


# ---- ops with windows

def _conv_case(case, op="conv", **more):
    inputs = matrix.conv_inputs(case)
    options = matrix.settings(case, "stride", "pad", "groups", "dilation")
    options |= {} if case.bias else {"b": None}
    n, h, w, _ = case.image
    work = n * h * w * inputs["w"].size // max(1, int(np.prod(case.stride)) ** 2)
    return _case(op, str(case), inputs, options, work=work, tags=_window_tags(case), **more)


def _window_tags(case):
    window, stride = matrix.both(case.window), matrix.both(case.stride or case.window)
    pairs = [*zip(window, stride, strict=True)]
    room = [h + 2 * p - d * (k - 1) - 1 for h, p, d, k in zip(
        case.image[1:3], matrix.both(case.pad), matrix.both(case.dilation), window, strict=True)]
    counts = {r // s for r, s in zip(room, stride, strict=True)}
    return {tag for tag, holds in {
        "overlap": any(k > s for k, s in pairs), "gaps": any(k < s for k, s in pairs),
        "not tiling": any(r % s for r, s in zip(room, stride, strict=True)),
        "oblong": case.image[1] != case.image[2] or len(counts) > 1,
        "oblong window": window[0] != window[1], "identity": {*window, *stride} == {1},
        "ties": case.values in ("constant", "integer"),
        "large": "large" in case.name or max(window) > 16,
        "pairs": _unequal(case.window), "values": case.values == "negative"}.items() if holds}


LARGE = [
    matrix.Case("large: 5 images, 12 kernels", (5, 6, 7, 3), 3, 1, 1, outputs=12),
    matrix.Case("large: 130 images", (130, 3, 3, 1), 2, 1, outputs=1),
    matrix.Case("large: 70 channels", (1, 4, 5, 70), 3, 1, 1, outputs=70),
    matrix.Case("large: 300 rows", (1, 300, 3, 1), 3, 1, 1, outputs=1),
    matrix.Case("large: 300 columns", (1, 3, 300, 1), 3, 2, 1, outputs=1),
    matrix.Case("large: more than 65,536 pixels", (1, 257, 263, 1), 3, 2, outputs=1),
    matrix.Case("large: a window of 17x17, its last place the greatest", (2, 17, 18, 2), 17, 1,
                values="rising"),
]
MORE_CONV = [
    matrix.Case("1x1, padded", (2, 3, 4, 3), 1, 1, 1, outputs=4),
    matrix.Case("1x1, two groups", (2, 3, 5, 4), 1, outputs=6, groups=2),
    matrix.Case("1x1, padded, strided, groups", (1, 4, 5, 4), 1, 2, 1, outputs=4, groups=2),
    matrix.Case("kernel as large as the padded image", (1, 3, 4, 2), (5, 6), 1, 1),
    matrix.Case("four groups, padded", (2, 4, 5, 8), 3, 1, 1, outputs=8, groups=4),
]
PLAIN = [matrix.Case("plain 3x3", (2, 5, 6, 3), 3, 1, 0, outputs=4),
         matrix.Case("plain 3x3, padded", (2, 5, 6, 3), 3, 1, 1, outputs=4)]
POOLS = [matrix.Case("plain 2x2", (2, 4, 6, 3), 2, 2), matrix.Case("plain 3/2", (2, 7, 9, 3), 3, 2),
         matrix.Case("plain 2x2, equal numbers", (2, 4, 6, 3), 2, 2, values="integer")]


def conv():
    """Kernels, strides, paddings, groups and dilations, with and without a bias."""
    found = [_conv_case(case) for case in (*PLAIN, *matrix.CONV, *MORE_CONV, *LARGE)]
    image = (2, 4, 5, 2)
    w, b = _normal(3, 3, 2, 3, seed=2), _normal(3, seed=3)
    found += _valued("conv", lambda change: {"x": change(_normal(*image)), "w": w, "b": b},
                     {"pad": 1}, work=2000, tags=("overlap", "oblong"))
    return found + [_case("conv", "channels of x and w differ", {
        "x": _normal(1, 4, 4, 3), "w": _normal(3, 3, 2, 2), "b": b[:2]}, refuse=True,
        tags=("page",))]


def conv_transpose():
    """From the shape of a convolution's output to that of its input."""
    found = []
    for case in (*PLAIN, *matrix.CONV):
        options = matrix.settings(case, "stride", "pad", "groups", "dilation")
        along = matrix.conv_inputs(case)
        shape = results("conv", along, options | ({} if case.bias else {"b": None}), None)[0].shape
        inputs = {"x": _normal(*shape), "w": along["w"], "b": _normal(case.image[3], seed=2)}
        found.append(_case("conv_transpose", str(case), inputs, options | {
            "size": case.image[1:3]}, work=shape[1] * along["w"].size, tags=_window_tags(case)))
    return found + [_case("conv_transpose", "a size from which no convolution leads to x", {
        "x": _normal(1, 2, 3, 2), "w": _normal(3, 3, 4, 2), "b": _normal(4)},
        {"stride": 2, "size": (9, 7)}, refuse=True, tags=("page",))]


def _windowed(op, more=({},)):
    found = []
    for case, extra in product((*POOLS, *matrix.POOL, *LARGE), more):
        options = matrix.settings(case, "window", "stride", "pad", "rounding") | extra
        name = f"{case}{''.join(f', {key} {value}' for key, value in extra.items())}"
        found.append(_case(op, name, {"x": case.x()}, options, tags=_window_tags(case),
                           work=prod(case.image) * 9 // int(np.prod(case.stride or 1))))
    found += _valued(op, lambda change: {"x": change(_normal(2, 5, 6, 2))},
                     {"window": 3, "stride": 2}, work=600, tags=("overlap", "not tiling"))
    return found + [
        _case(op, "far below zero, padded", {"x": _normal(2, 5, 6, 2) - 1e6},
              {"window": 3, "stride": 2, "pad": 1}, tags=("values", "overlap", "oblong")),
        _case(op, "no stride given", {"x": _normal(2, 6, 9, 2)}, {"window": (2, 3)},
              tags=("pairs", "oblong window")),
        _case(op, "padding as wide as the window", {"x": _normal(2, 4, 4, 2)},
              {"window": 2, "stride": 2, "pad": 2}, refuse=True, tags=("page",))]


def pool():
    """Max pooling, with ties, windows of negative numbers and windows that do not tile."""
    return _windowed("pool")


def average_pool():
    """Average pooling, with both rules for the border."""
    return _windowed("average_pool", ({"border": "padding"}, {"border": "image"}))


def resize():
    """Enlarged, reduced, and both at once."""
    sizes = [((2, 3, 4, 2), (6, 8)), ((1, 5, 7, 1), (3, 2)), ((1, 4, 3, 2), (4, 3)),
             ((1, 3, 5, 1), (7, 4)), ((2, 1, 1, 2), (3, 2)), ((1, 4, 6, 1), (1, 1)),
             ((1, 150, 3, 1), (170, 2)), ((1, 2, 270, 1), (3, 300))]
    return [_case("resize", f"{shape[1:3]} to {size}", {"x": _normal(*shape)}, {"size": size})
            for shape, size in sizes]


# ---- ops on single numbers

SIGNS = np.array([[-2.0, 0.0, 1.5, 0.0], [0.0, 3.0, -0.1, 0.2]])


def _pointwise(op):
    def of():
        found = [_case(op, f"{'x'.join(map(str, shape))} numbers", {"x": _normal(*shape)})
                 for shape in ((2, 3, 4, 2), (4, 5), (1, 3), (7, 200), (130, 2))]
        found += [_case(op, "positive numbers", {"x": np.abs(_normal(3, 4)) + 0.1},
                        tags=("identity",)),
                  _case(op, "exact zeros", {"x": SIGNS}, tags=("ties",)),
                  _case(op, "all zeros", {"x": np.zeros((2, 3))}, tags=("ties",)),
                  _case(op, "large: 70,000 numbers", {"x": _normal(1, 250, 280, 1)},
                        tags=("large",))]
        return found + _valued(op, lambda change: {"x": change(_normal(2, 3, 4, 2))})
    return of


def dropout():
    """Rates from none to nearly all, with the same seed in both passes."""
    x = 1 + np.abs(_normal(2, 3, 4, 20))
    return [_case("dropout", f"rate {rate}", {"x": x}, {"rate": rate, "seed": 3},
                  tags=["identity"] * (rate == 0)) for rate in (0.5, 0.0, 0.3, 0.9)] + [
            _case("dropout", "exact zeros", {"x": np.where(x > 2, x, 0)}, {"rate": 0.5, "seed": 3},
                  tags=("ties",)),
            _case("dropout", "a rate of 1", {"x": x}, {"rate": 1.0, "seed": 3}, refuse=True,
                  tags=("page",))]


def global_average_pool():
    """Images of several sizes, one of them large."""
    found = [_case("global_average_pool", f"{'x'.join(map(str, shape))}", {"x": _normal(*shape)},
                   tags=["identity"] * (shape[1:3] == (1, 1)))
             for shape in ((2, 3, 4, 2), (3, 1, 5, 1), (1, 1, 1, 3), (5, 2, 2, 70),
                           (1, 260, 263, 1))]
    return found + _valued("global_average_pool", lambda change: {"x": change(_normal(2, 3, 4, 2))})


# ---- ops across channels

LRNS = [  # size, alpha, beta, k, convention, channels; with alpha 1e-4 the second term hardly shows
    (5, 1.0, 0.75, 1.0, "caffe", 8), (5, 1e-4, 0.75, 1.0, "caffe", 8),
    (5, 1e-4, 0.75, 2.0, "paper", 8), (5, 0.9, 0.75, 2.0, "paper", 7),
    (3, 1.1, 0.5, 1.0, "caffe", 5), (5, 1.0, 0.75, 2.0, "caffe", 3),
    (9, 1.0, 0.6, 1.0, "paper", 2), (1, 1.0, 1.0, 1.0, "caffe", 4),
    (5, 1.0, 0.75, 1.0, "caffe", 1), (7, 0.5, 1.0, 0.5, "caffe", 70),
]


def lrn():
    """Windows at the first and last channel, both conventions, alpha near 1 as well as 1e-4."""
    names, found = ("size", "alpha", "beta", "k", "convention"), []
    for *values, channels in LRNS:
        options = dict(zip(names, values, strict=True))
        text = ", ".join(f"{key} {value}" for key, value in options.items())
        found.append(_case("lrn", f"{channels} channels, {text}",
                           {"x": _normal(2, 2, 3, channels)}, options,
                           tags=("paper",) if options["convention"] == "paper" else ()))
    found += _valued("lrn", lambda change: {"x": change(_normal(2, 2, 3, 6))},
                     dict(zip(names, LRNS[0], strict=False)))
    return found + [_case("lrn", "an even window", {"x": _normal(1, 2, 2, 6)}, {"size": 4},
                          refuse=True)]


def _statistics(c):
    return {"mean": _normal(c, seed=4), "variance": 1 + _normal(c, seed=5) ** 2}


def _norm_inputs(x, c, **more):
    return {"x": x, "gamma": _normal(c, seed=2), "beta": _normal(c, seed=3), **more}


def batch_norm():
    """In training and afterwards, on images and on rows, also far from zero and without spread."""
    found, wrt = [], ("x", "gamma", "beta")
    shapes = [(2, 3, 2, 3), (8, 5), (3, 2, 2, 1), (130, 4), (4, 2, 3, 70)]
    for training, shape in product((True, False), shapes):
        found.append(_case(
            "batch_norm", f"{'x'.join(map(str, shape))}, {'training' if training else 'testing'}",
            _norm_inputs(2 + 3 * _normal(*shape), shape[-1], **_statistics(shape[-1])),
            {"epsilon": 1e-3, "training": training}, wrt, tags=["images"] * (len(shape) == 4)))
    for shape in ((2, 3, 2, 3), (9, 4)):
        found += [case._replace(name=f"{case.name}, {len(shape)} axes") for case in _valued(
            "batch_norm", lambda change, shape=shape: _norm_inputs(
                change(_normal(*shape)), shape[-1], **_statistics(shape[-1])),
            {"epsilon": 1e-5, "training": True}, wrt=wrt)]
    return found


def layer_norm():
    """Rows of several lengths, also far from zero."""
    found = [_case("layer_norm", f"{n}x{d}", _norm_inputs(2 + 3 * _normal(n, d), d),
                   {"epsilon": epsilon}) for n, d, epsilon in
             ((4, 5, 1e-5), (3, 8, 1e-3), (1, 6, 1e-5), (130, 70, 1e-5))]
    return found + _valued("layer_norm", lambda change: _norm_inputs(change(_normal(3, 6)), 6),
                           {"epsilon": 1e-5})


def group_norm():
    """Groups of one, two and all channels, also far from zero."""
    found = [_case("group_norm", f"{c} channels, {groups} groups",
                   _norm_inputs(2 + 3 * _normal(n, h, w, c), c),
                   {"groups": groups, "epsilon": epsilon})
             for n, h, w, c, groups, epsilon in ((2, 3, 4, 6, 2, 1e-5), (2, 3, 4, 6, 3, 1e-3),
                                                 (3, 2, 3, 4, 1, 1e-5), (1, 2, 5, 4, 4, 1e-5),
                                                 (5, 2, 3, 72, 8, 1e-5),
                                                 (130, 1, 2, 4, 2, 1e-5))]
    found += _valued("group_norm", lambda change: _norm_inputs(
        change(_normal(2, 3, 4, 6)), 6), {"groups": 2, "epsilon": 1e-5})
    return found + [_case("group_norm", "five channels in two groups", _norm_inputs(
        _normal(2, 3, 4, 5), 5), {"groups": 2}, refuse=True, tags=("page",))]


# ---- dense, scores and joining

def dense():
    """Rows and images, with and without a bias, one with more than 64 inputs and outputs."""
    found = []
    for shape, o in (((3, 4), 3), ((2, 2, 3, 2), 5), ((1, 5), 2), ((4, 3, 2, 3), 1), ((3, 4), 4),
                     ((9, 70), 80), ((130, 3), 2)):
        inputs = {"x": _normal(*shape), "w": _normal(prod(shape[1:]), o, seed=2),
                  "b": _normal(o, seed=3)}
        name, tags = f"{'x'.join(map(str, shape))} to {o}", ["images"] * (len(shape) == 4)
        found += [_case("dense", name, inputs, tags=tags, work=inputs["w"].size * shape[0]),
                  _case("dense", f"{name}, no bias", {key: inputs[key] for key in "xw"},
                        {"b": None}, tags=tags, work=inputs["w"].size * shape[0])]
    w, b = _normal(4, 3, seed=2), _normal(3, seed=3)
    found += _valued("dense", lambda change: {"x": change(_normal(3, 4)), "w": w, "b": b})
    return found + [
        _case("dense", "x with half as many numbers as w has rows", {
            "x": _normal(4, 3), "w": _normal(6, 3), "b": b}, refuse=True),
        _case("dense", "x and w do not fit", {"x": _normal(3, 5), "w": w, "b": b}, refuse=True,
              tags=("page",)),
        _case("dense", "one bias for three outputs", {"x": _normal(3, 4), "w": w, "b": b[:1]},
              refuse=True, tags=("page",))]


def softmax():
    """Scores close together, far apart and far from zero."""
    found = [_case("softmax", "x".join(map(str, shape)), {"x": _normal(*shape)},
                   tags=["images"] * (len(shape) == 4))
             for shape in ((3, 5), (4, 2), (2, 1), (2, 2, 2, 3), (130, 70))]
    far = _normal(3, 4) + np.array([[0.0], [1000], [-1000]])
    return found + [_case("softmax", "rows far apart", {"x": far}, tags=("values",)),
                    *_valued("softmax", lambda change: {"x": change(_normal(3, 4))})]


SCORES = [(_normal(4, 3), (0, 2, 1, 1)), (_normal(1, 5), (4,)), (5 * _normal(3, 2), (1, 0, 0)),
          (_normal(130, 70), tuple(i % 70 for i in range(130))), (_normal(2, 300), (299, 257))]


def _loss(op):
    def of():
        def case(name, x, labels, **more):
            return _case(op, name, {"x": x, "labels": np.array(labels)}, wrt=("x",), **more)

        x, labels = _normal(4, 3), (0, 2, 1, 1)
        found = [case(f"{'x'.join(map(str, x.shape))} scores", x, labels) for x, labels in SCORES]
        if op == "svm_loss":
            ties = np.array([[1.0, 0, 2], [3, 2, 0], [0, 0, 0]])
            found.append(case("margins of exactly 0", ties, (0, 1, 2), tags=("ties",)))
        found += _valued(op, lambda change: {"x": change(x), "labels": np.array(labels)},
                         wrt=("x",))
        found.append(case("rows far apart", x + 1000 * np.arange(4)[:, None], labels,
                          tags=("values",)))
        found.append(case("labels of low scores", 1000 * x, x.argmin(1), tags=("values",)))
        return found + [case(f"a label of {wrong} among 3 classes", _normal(2, 3), (0, wrong),
                             refuse=True) for wrong in (3, -1)]
    return of


def _parts(op, shapes, **options):
    """A case whose inputs are one list."""
    text = "".join(f", {key} {value}" for key, value in options.items())
    inputs = {f"x{i}": _normal(*shape, seed=i + 1) for i, shape in enumerate(shapes)}
    return _case(op, f"{len(shapes)} of {'x'.join(map(str, shapes[0]))}{text}", inputs, options)


def concat():
    """Along each axis, two to five parts of different lengths."""
    return [_parts("concat", [(2, 2, 3, 2), (2, 2, 3, 4), (2, 2, 3, 1)], axis=-1),
            _parts("concat", [(1, 2, 2, 3), (1, 2, 2, 1)], axis=3),
            _parts("concat", [(1, 2, 2, 3), (1, 2, 2, 1), (1, 2, 2, 2), (1, 2, 2, 4)], axis=3),
            _parts("concat", [(1, 2, 2, 1)] * 5, axis=-1),
            _parts("concat", [(2, 1, 3, 2), (2, 3, 3, 2)], axis=1),
            _parts("concat", [(2, 2, 1, 2), (2, 2, 3, 2)], axis=2),
            _parts("concat", [(1, 2, 3, 2), (2, 2, 3, 2)], axis=0),
            _parts("concat", [(2, 3)], axis=0)._replace(tags=frozenset({"identity"}))]


def add():
    """The sum of two arrays, and of several."""
    return [_parts("add", [(2, 2, 3, 2)] * 2), _parts("add", [(1, 2, 2, 3)] * 4),
            _parts("add", [(2, 3)] * 3), _parts("add", [(2, 3)] * 5),
            _parts("add", [(3,)])._replace(tags=frozenset({"identity"})),
            _parts("add", [(2, 3), (1, 3)])._replace(
                name="shapes that can be broadcast", refuse=True, tags=frozenset({"page"}))]


# ---- several layers in one

def _sandwich(op):
    def of():
        found = []
        for training, (stride, pad) in product((True, False), ((1, 1), (2, 0), (2, 1))):
            x = _normal(2, 6, 8, 3)
            inputs = {"x": x, "w": _normal(3, 3, 3, 4, seed=2), "b": _normal(4, seed=3)}
            options, wrt = {"stride": stride, "pad": pad}, ("x", "w", "b")
            if op == "conv_bn_relu":
                inputs |= {"gamma": _normal(4, seed=6), "beta": _normal(4, seed=7),
                           **_statistics(4)}
                options, wrt = options | {"training": training}, (*wrt, "gamma", "beta")
            elif not training:
                continue
            if op == "conv_relu_pool":
                options |= {"window": 2, "pool_stride": 1 if stride == 2 else 2}
            text = ", ".join(f"{key} {value}" for key, value in options.items())
            found.append(_case(op, text, inputs, options, wrt, work=20000))
        return found
    return of


def affine_relu():
    """Rows, as in a plain network of dense layers."""
    return [_case("affine_relu", f"{n}x{d} to {o}", {
        "x": _normal(n, d), "w": _normal(d, o, seed=2), "b": _normal(o, seed=3)})
        for n, d, o in ((3, 4, 5), (1, 6, 2), (8, 9, 10))]


def affine_bn_relu():
    """The same with batch normalisation, in training and afterwards."""
    found = []
    for training, (n, d, o) in product((True, False), ((6, 4, 5), (8, 9, 3))):
        inputs = {"x": _normal(n, d), "w": _normal(d, o, seed=2), "b": _normal(o, seed=3),
                  "gamma": _normal(o, seed=6), "beta": _normal(o, seed=7), **_statistics(o)}
        found.append(_case("affine_bn_relu", f"{n}x{d} to {o}, training {training}", inputs,
                           {"training": training}, ("x", "w", "b", "gamma", "beta")))
    return found


CASES = {
    "conv": conv, "conv_transpose": conv_transpose, "dense": dense, "pool": pool,
    "average_pool": average_pool, "global_average_pool": global_average_pool,
    "relu": _pointwise("relu"), "sigmoid": _pointwise("sigmoid"), "tanh": _pointwise("tanh"),
    "lrn": lrn, "batch_norm": batch_norm, "layer_norm": layer_norm, "group_norm": group_norm,
    "dropout": dropout, "resize": resize, "concat": concat, "add": add, "softmax": softmax,
    "cross_entropy": _loss("cross_entropy"), "svm_loss": _loss("svm_loss"),
    "affine_relu": affine_relu, "affine_bn_relu": affine_bn_relu,
    "conv_relu": _sandwich("conv_relu"), "conv_bn_relu": _sandwich("conv_bn_relu"),
    "conv_relu_pool": _sandwich("conv_relu_pool"),
}
