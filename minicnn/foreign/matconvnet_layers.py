"""One layer of a MatConvNet network as one of ours: a structure of the file, read by field name.

Conventions that are turned round:

    LRN            param = [n kappa alpha beta] multiplies the plain sum by alpha; our LRN(n, ...)
                   divides it by n, as Caffe does, so its alpha is n times as large
    poolings       more padding at the bottom and right than at the top and left is Caffe's rounding
                   up, written out: pad_end = min(pad + stride - 1, window - 1)
    average        divides by the pixels in the image only: border="image"
    dense layers   are convolutions over the whole map, and become Dense

A structure here is a dict as `mat5.read` gives it. Source: MatConvNet's vl_simplenn, what
vl_simplenn_tidy fills in, and pooling_cpu.
"""

from math import prod

import numpy as np

from minicnn.files.mapped import LONGEST_NAME, short
from minicnn.network import layers as ours
from minicnn.ops.window import output_size

ASIDE = {  # fields of a layer that say nothing of what it computes
    "type", "name", "precious", "opts", "weights", "filters", "biases", "learningRate",
    "weightDecay", "momentum", "filtersMomentum", "biasesMomentum", "filtersLearningRate",
    "biasesLearningRate", "filtersWeightDecay", "biasesWeightDecay", "class", "size", "hasBias"}
OLD_PARAM = (5, 1, 1e-4 / 5, 0.75)  # of an LRN that does not say it


def build(records, shape, notes):
    """([(name, Layer), ...], arrays); notes are added to."""
    layers, arrays, dense = [], {}, []
    for name, record in records.items():
        try:
            layer, own = _layer(record, shape)
            if isinstance(layer, ours.Conv) and _covers(layer, shape):
                layer, own = _as_dense(layer, own, shape)
                dense.append(name)
            layer.param_shapes(shape)
            shape = layer.output_shape(shape)
        except (ValueError, IndexError) as error:
            why = error if isinstance(error, ValueError) else "it needs an image"
            raise ValueError(f"layer {short(name)}: {why} (its input is {shape})") from None
        layers.append((name, layer))
        arrays |= {f"{name}/{k}": array for k, array in enumerate(own)}
    if dense:
        notes.append(f"Convolutions over the whole map, dense layers here: {', '.join(dense)}.")
    return layers, arrays


def kernels(records):
    """The arrays as they are, of layers that have any."""
    return {f"{name}/{k}": array for name, record in records.items()
            if record.keys() & {"weights", "filters"} for k, array in enumerate(_weights(record))}


def named(records):
    """{name: structure}, in order; a layer without a name gets vl_simplenn_tidy's."""
    named = {}
    for k, record in enumerate(records, start=1):
        if not isinstance(record, dict):
            raise ValueError(f"layer {k} is no structure")
        name = record.get("name")
        name = name if isinstance(name, str) and name else f"layer{k}"
        if not name.isprintable() or len(name) > LONGEST_NAME:
            raise ValueError(f"layer {k} is called {short(name)}")
        if name in named:
            raise ValueError(f"two layers are called {short(name)}")
        named[name] = record
    return named


def _layer(record, shape):
    """(our layer, its arrays)."""
    kind = record.get("type")
    if kind not in BUILDERS:
        raise ValueError(f"type {kind!r:.40} has no counterpart here; the types known are "
                         f"{', '.join(BUILDERS)}")
    known, make = BUILDERS[kind]
    strange = [field for field, value in record.items()
               if field not in known and field not in ASIDE and not empty(value)]
    if strange:
        raise ValueError(f"{strange[0]!r:.40} is a setting of {kind} that is not known here")
    if not empty(record.get("opts", [])):
        raise ValueError(f"opts holds settings of {kind} that are not known here")
    return make(record, shape)


def _conv(record, shape):
    arrays = _weights(record)
    if not arrays or arrays[0].ndim > 4:
        raise ValueError("expected kernels (kh, kw, in, out) and biases")
    kernels = arrays[0].reshape(arrays[0].shape + (1,) * (4 - arrays[0].ndim))  # of one filter
    kh, kw, depth, filters = kernels.shape
    biases = [array.reshape(-1) for array in arrays[1:2] if array.size]  # 1,O -> O
    top, bottom, left, right = _numbers(record, "pad", 4, 0, least=0)
    if top != bottom or left != right:
        raise ValueError(f"pads {top} above and {bottom} below, {left} left and {right} right; "
                         "only equal sides have a counterpart here")
    groups = shape[2] // depth if len(shape) == 3 else 1
    conv = ours.Conv(filters, _one(kh, kw), _one(*_numbers(record, "stride", 2, 1)),
                     _one(top, left), max(groups, 1),
                     _one(*_numbers(record, "dilate", 2, 1)), bool(biases))
    if len(shape) == 3 and depth * conv.groups != shape[2]:
        raise ValueError(f"its kernels read {depth} channels, of which {shape[2]} is no multiple")
    return conv, [kernels, *biases]


def _weights(record):
    """The arrays in a layer's cell `weights`, or in the older `filters` and `biases`."""
    arrays = record.get("weights", [record.get(key) for key in ("filters", "biases")])
    if not isinstance(arrays, list) or not all(
            isinstance(a, np.ndarray) and a.dtype.kind == "f" for a in arrays):
        raise ValueError("its weights are no floating point numbers")
    return arrays


def _covers(layer, shape):
    """Whether a convolution reads the whole map at once, as a dense layer does."""
    return ((1, 1, *shape)[-3:-1] == _both(layer.kernel) and layer.groups == 1
            and _both(layer.pad) == (0, 0))


def _as_dense(conv, arrays, shape):
    weights = arrays[0].reshape(-1, conv.filters)  # KH,KW,C,O -> KH*KW*C,O
    if len(weights) != prod(shape):
        raise ValueError(f"its kernels read {len(weights)} numbers")
    return ours.Dense(conv.filters, conv.bias), [weights, *arrays[1:]]


def _pool(record, shape):
    method = record.get("method", "max")
    if method not in ("max", "avg"):
        raise ValueError(f"method {method!r:.40} has no counterpart here, only max and avg have")
    window, stride = _numbers(record, "pool", 2), _numbers(record, "stride", 2, 1)
    top, bottom, left, right = _numbers(record, "pad", 4, 0, least=0)
    pads = (top, left)
    rounding = _rounding(window, stride, pads, (bottom, right), shape)
    settings = (_one(*window), _one(*stride), _one(*pads), rounding)
    if method == "max":
        return ours.MaxPool(*settings), []
    clipped = any(pads) or rounding == "ceil"
    return ours.AveragePool(*settings, "image" if clipped else "padding"), []


def _rounding(window, stride, begin, end, shape):
    """The rounding that gives as many windows as the padding at the end does."""
    if begin == end:
        return "floor"
    full = tuple(min(begin[a] + stride[a] - 1, window[a] - 1) for a in (0, 1))
    if end == full:
        return "ceil"
    if len(shape) == 3 and all(
            (shape[a] + begin[a] + end[a] - window[a]) // stride[a] + 1
            == output_size(shape[a], window[a], stride[a], begin[a], rounding="ceil")
            for a in (0, 1)):
        return "ceil"  # as an older importer wrote it: just what this size needs
    raise ValueError(f"pads {begin} above and left, {end} below and right, which neither rounding "
                     "explains")


def _lrn(record, shape):
    param = np.ravel(OLD_PARAM if empty(record.get("param", [])) else record["param"])
    if param.size != 4 or param.dtype.kind not in "iuf" or not np.isfinite(param).all():
        raise ValueError("param: expected the four numbers n, kappa, alpha, beta")
    digits = 7 if param.dtype == np.float32 else 12  # 5 * 2e-5 is 1e-4, not 1.0000000000000002e-4
    size, k, alpha, beta = (float(f"{v:.{digits}g}") for v in param)
    if size < 1 or size % 2 != 1:
        raise ValueError(f"n, how many channels are summed, is odd; got {size:g}")
    alpha = float(f"{size * alpha:.{digits}g}")
    return ours.LRN(int(size), alpha, beta, k), []


def _relu(record, shape):
    if number(record, "leak", 0):
        raise ValueError("leak: only a plain ReLU has a counterpart here")
    return ours.ReLU(), []


def _dropout(record, shape):
    return ours.Dropout(number(record, "rate", 0.5)), []


BUILDERS = {  # which fields each reads
    "conv": ({"pad", "stride", "dilate"}, _conv),
    "relu": ({"leak"}, _relu),
    "pool": ({"pool", "method", "pad", "stride"}, _pool),
    "normalize": ({"param"}, _lrn),
    "lrn": ({"param"}, _lrn),
    "softmax": (set(), lambda record, shape: (ours.Softmax(), [])),
    "softmaxloss": (set(), lambda record, shape: (ours.Softmax(), [])),
    "sigmoid": (set(), lambda record, shape: (ours.Sigmoid(), [])),
    "dropout": ({"rate"}, _dropout),
}


# ---- fields

def empty(value):
    """Whether a field says nothing: [], '' or {}."""
    return value.size == 0 if isinstance(value, np.ndarray) else value in ("", [], {})


def number(record, key, default):
    """The first number of a field; `default` where it has none."""
    value = record.get(key)
    if not isinstance(value, np.ndarray) or not value.size:
        return default
    return float(value.flat[0])


def _numbers(record, key, count, default=None, least=1):
    """`count` whole numbers; one stands for all, a row of two or four for themselves."""
    value = record.get(key, [])
    found = np.ravel(np.array(default) if empty(value) else value)
    if found.size not in (1, count) or found.dtype.kind not in "iuf" or not all(
            least <= v <= 100_000 and v == int(v) for v in found):
        raise ValueError(f"{key}: expected 1 or {count} whole numbers of at least {least}, got "
                         f"{found[:8].tolist()!r:.80}")
    return tuple(int(v) for v in np.broadcast_to(found, count))


def _one(vertical, horizontal):
    """A pair as our layers' settings have it: one number where both are equal."""
    return vertical if vertical == horizontal else (vertical, horizontal)


def _both(value):
    return value if isinstance(value, tuple) else (value, value)
