"""Translate one layer of a MatConvNet network, a structure of the file read by field names.

Conventions that differ:

    LRN            param = [n kappa alpha beta] multiplies the plain sum by alpha; LRN(n, ...) here
                   divides it by n, like Caffe, so its alpha is n times as large
    poolings       more padding at the bottom and right than at the top and left stands for Caffe's
                   rounding up: pad_end = min(pad + stride - 1, window - 1)
    average        divides by the number of pixels inside the image: border="image"
    dense layers   are convolutions over the whole map, and become Dense

A structure here is a dict as from `mat5.read`. Source: MatConvNet's vl_simplenn, the defaults of
vl_simplenn_tidy, and pooling_cpu.
"""

from math import prod

import numpy as np

from minicnn.files.mapped import LONGEST_NAME, short
from minicnn.foreign.settings import require, short_pair, within
from minicnn.network import layers as ours
from minicnn.ops.window import output_size, pair

ASIDE = {  # fields that do not affect what a layer computes
    "type", "name", "precious", "opts", "weights", "filters", "biases", "learningRate",
    "weightDecay", "momentum", "filtersMomentum", "biasesMomentum", "filtersLearningRate",
    "biasesLearningRate", "filtersWeightDecay", "biasesWeightDecay", "class", "size", "hasBias"}
OLD_PARAM = (5, 1, 1e-4 / 5, 0.75)  # of an LRN without a param


def build(records, shape, notes):
    """([(name, Layer), ...], arrays); remarks are appended to `notes`."""
    layers, arrays, dense = [], {}, []
    for name, record in records.items():
        with within(f"layer {short(name)}", ValueError, f" (its input is {shape})"):
            layer, own = _layer(record, shape)
            if isinstance(layer, ours.Conv) and _covers(layer, shape):
                layer, own = _as_dense(layer, own, shape)
                dense.append(name)
            layer.param_shapes(shape)
            shape = layer.output_shape(shape)
        layers.append((name, layer))
        arrays |= {f"{name}/{k}": array for k, array in enumerate(own)}
    notes += [f"Convolutions over the whole map became dense layers: {', '.join(dense)}."
              ] if dense else []
    return layers, arrays


def kernels(records):
    """The unchanged arrays of all layers with weights."""
    return {f"{name}/{k}": array for name, record in records.items()
            if record.keys() & {"weights", "filters"} for k, array in enumerate(_weights(record))}


def named(records):
    """{name: structure}, in order; a layer without a name gets one as from vl_simplenn_tidy."""
    named = {}
    for k, record in enumerate(records, start=1):
        require(isinstance(record, dict), "layer {} is not a structure", k)
        name = record.get("name")
        name = name if isinstance(name, str) and name else f"layer{k}"
        require(name.isprintable() and len(name) <= LONGEST_NAME, "layer {} is called {}", k,
                short(name))
        require(name not in named, "two layers are called {}", short(name))
        named[name] = record
    return named


def _layer(record, shape):
    """(our layer, its arrays)."""
    kind = record.get("type")
    require(kind in BUILDERS, "type {!r:.40} is not supported; the supported types are {}", kind,
            ", ".join(BUILDERS))
    known, make = BUILDERS[kind]
    for field, value in record.items():
        require(field in known or field in ASIDE or empty(value),
                "{!r:.40} is an unknown setting of {}", field, kind)
    require(empty(record.get("opts", [])), "opts holds unknown settings of {}", kind)
    made = make(record, shape)
    return made if isinstance(made, tuple) else (made, [])


def _conv(record, shape):
    arrays = _weights(record)
    require(arrays and arrays[0].ndim <= 4, "expected kernels (kh, kw, in, out) and biases")
    kernels = arrays[0].reshape(arrays[0].shape + (1,) * (4 - arrays[0].ndim))  # for one filter
    kh, kw, depth, filters = kernels.shape
    biases = [array.reshape(-1) for array in arrays[1:2] if array.size]  # 1,O -> O
    top, bottom, left, right = _numbers(record, "pad", 4, 0, least=0)
    require(top == bottom and left == right, "pads {} above and {} below, {} left and {} right; "
            "minicnn supports only equal padding on opposite sides", top, bottom, left, right)
    groups = shape[2] // depth if len(shape) == 3 and depth else 1
    require(len(shape) != 3 or depth * groups == shape[2], "its kernels read {} channels, and its "
            "{} input channels are not a multiple of that", depth, shape[-1])
    conv = ours.Conv(filters, short_pair(kh, kw), pad=short_pair(top, left), groups=groups,
                     stride=short_pair(*_numbers(record, "stride", 2, 1)),
                     dilation=short_pair(*_numbers(record, "dilate", 2, 1)), bias=bool(biases))
    return conv, [kernels, *biases]


def _weights(record):
    """The arrays in a layer's cell `weights`, or in the older `filters` and `biases`."""
    arrays = record.get("weights", [record.get(key) for key in ("filters", "biases")])
    require(isinstance(arrays, list) and all(
        isinstance(a, np.ndarray) and a.dtype.kind == "f" for a in arrays),
        "its weights are not floating point numbers")
    return arrays


def _covers(layer, shape):
    """Whether a convolution's kernel covers the whole map, like a dense layer."""
    return ((1, 1, *shape)[-3:-1] == pair(layer.kernel, "kernel") and layer.groups == 1
            and pair(layer.pad, "pad") == (0, 0))


def _as_dense(conv, arrays, shape):
    weights = arrays[0].reshape(-1, conv.filters)  # KH,KW,C,O -> KH*KW*C,O
    require(len(weights) == prod(shape), "each of its filters has {} weights, but its input has {} "
            "values", len(weights), prod(shape))
    return ours.Dense(conv.filters, bias=conv.bias), [weights, *arrays[1:]]


def _pool(record, shape):
    method = record.get("method", "max")
    require(method in ("max", "avg"),
            "pooling method {!r:.40} is not supported; the supported methods are max and avg",
            method)
    window, stride = _numbers(record, "pool", 2), _numbers(record, "stride", 2, 1)
    top, bottom, left, right = _numbers(record, "pad", 4, 0, least=0)
    rounding = _rounding(window, stride, (top, left), (bottom, right), shape)
    sizes = {"stride": short_pair(*stride), "pad": short_pair(top, left), "rounding": rounding}
    if method == "max":
        return ours.MaxPool(short_pair(*window), **sizes)
    clipped = top or left or rounding == "ceil"
    return ours.AveragePool(short_pair(*window), **sizes, border="image" if clipped else "padding")


def _rounding(window, stride, begin, end, shape):
    """The rounding that gives the same number of windows as the padding at the end."""
    if begin == end:
        return "floor"
    full = tuple(min(begin[a] + stride[a] - 1, window[a] - 1) for a in (0, 1))
    # an older importer wrote just the padding that this size needs
    require(end == full or len(shape) == 3 and all(
        (shape[a] + begin[a] + end[a] - window[a]) // stride[a] + 1
        == output_size(shape[a], window[a], stride[a], begin[a], rounding="ceil") for a in (0, 1)),
        "pads {} above and left, {} below and right, which matches neither rounding", begin, end)
    return "ceil"


def _lrn(record, shape):
    param = np.ravel(OLD_PARAM if empty(record.get("param", [])) else record["param"])
    require(param.size == 4 and param.dtype.kind in "iuf" and np.isfinite(param).all(),
            "param: expected the four numbers n, kappa, alpha, beta")
    digits = 7 if param.dtype == np.float32 else 12  # 5 * 2e-5 is 1e-4, not 1.0000000000000002e-4
    size, k, alpha, beta = (float(f"{v:.{digits}g}") for v in param)
    require(size >= 1 and size % 2 == 1,
            "n, the number of summed channels: expected an odd number, got {:g}", size)
    return ours.LRN(int(size), alpha=float(f"{size * alpha:.{digits}g}"), beta=beta, k=k)


def _relu(record, shape):
    require(not number(record, "leak", 0),
            "its leak is not supported; minicnn supports only the plain ReLU")
    return ours.ReLU()


BUILDERS = {  # {type: (the fields it reads, what makes the layer, or the layer and its arrays)}
    "conv": ({"pad", "stride", "dilate"}, _conv),
    "relu": ({"leak"}, _relu),
    "pool": ({"pool", "method", "pad", "stride"}, _pool),
    "normalize": ({"param"}, _lrn),
    "lrn": ({"param"}, _lrn),
    "softmax": (set(), lambda record, shape: ours.Softmax()),
    "softmaxloss": (set(), lambda record, shape: ours.Softmax()),
    "sigmoid": (set(), lambda record, shape: ours.Sigmoid()),
    "dropout": ({"rate"}, lambda record, shape: ours.Dropout(number(record, "rate", 0.5))),
}


# ---- fields

def empty(value):
    """Whether a field is empty: [], '' or {}."""
    return value.size == 0 if isinstance(value, np.ndarray) else value in ("", [], {})


def number(record, key, default):
    """The first number of a field; `default` if it has none."""
    value = record.get(key)
    return float(value.flat[0]) if isinstance(value, np.ndarray) and value.size else default


def _numbers(record, key, count, default=None, least=1):
    """`count` whole numbers; a single number is repeated."""
    value = record.get(key, [])
    found = np.ravel(np.array(default) if empty(value) else value)
    require(found.size in (1, count) and found.dtype.kind in "iuf" and all(
        least <= v <= 100_000 and v == int(v) for v in found),
        "{}: expected 1 or {} whole numbers of at least {}, got {!r:.80}", key, count, least,
        found[:8].tolist())
    return tuple(int(v) for v in np.broadcast_to(found, count))

