"""One layer of a Caffe network as one of ours.

Caffe's conventions, which our layers say in their settings: poolings round up, LRN divides alpha by
the window's size, an average pooling counts its padding. A setting that is not understood is
refused, by layer and name: to ignore it could be to compute something else.

A layer here is a message, a dict of lists, in Caffe's present form (`caffe_upgrade`).
"""

from minicnn.files.mapped import short
from minicnn.foreign import caffe_schema as schema
from minicnn.foreign import settings as values
from minicnn.foreign.settings import Misfit
from minicnn.network import layers as ours

POOLINGS = ("MAX", "AVE", "STOCHASTIC")
REGIONS = ("ACROSS_CHANNELS", "WITHIN_CHANNEL")
ROUNDINGS = ("CEIL", "FLOOR")


def build(layer, name, shape=None):
    """Our layer for Caffe's.

    Parameters
    ----------
    layer : dict of str to list
        With its "type".
    name : str
        What to call it in errors.
    shape : (H, W, C) or (D,), optional
        Its input; a max pooling over the whole map needs it.

    Raises
    ------
    Misfit
        A type, or a setting, that has no counterpart here.
    """
    kind = layer["type"][0]
    if kind not in BUILDERS:
        raise Misfit(f"layer {short(name)} is of Caffe's type {short(kind)}; the types known here "
                     f"are {', '.join(BUILDERS)}, and Scale after BatchNorm")
    try:
        return BUILDERS[kind](layer, shape)
    except ValueError as error:
        raise Misfit(f"layer {short(name)} ({kind}): {error}") from None


# ---- reading a message

def one(message, key, default=None):
    """The value of a setting that is given once or not at all."""
    values = message.get(key, [])
    if len(values) > 1:
        raise ValueError(f"{key} is given {len(values)} times")
    return values[0] if values else default


def settings(layer, key, known):
    """The message of settings under a key; ValueError for settings not in the schema `known`."""
    message = one(layer, key, {})
    names = {name for name, _ in known.values()}
    strange = [name for name in message if name not in names]
    if strange:
        raise ValueError(f"{key} has {short(strange[0])}, a setting that is not known here")
    return message


def whole(message, key, default=None, least=0):
    """A whole number."""
    return values.whole(one(message, key, default), key, least)


def number(message, key, default):
    """A finite number."""
    return values.number(one(message, key, default), key)


def flag(message, key, default):
    """True or false, as a word or as a number."""
    value = one(message, key, default)
    if value not in (0, 1, "true", "false", "True", "False", "t", "f"):
        raise ValueError(f"{key}: expected true or false, got {value!r:.60}")
    return value in (1, "true", "True", "t")


def word(message, key, words):
    """One of an enumeration's words, given as the word or its number; the first by default."""
    value = one(message, key, words[0])
    value = words[value] if isinstance(value, int) and 0 <= value < len(words) else value
    if value not in words:
        raise ValueError(f"{key}: expected one of {', '.join(words)}, got {value!r:.60}")
    return value


def _pair(message, plain, upright, across, default=None, least=0):
    """A size given once, twice (height, width) or by its own two names; a number where equal."""
    both = message.get(plain, [default])
    if upright in message or across in message:
        both = [one(message, key, default) for key in (upright, across)]
    vertical, horizontal = values.pair(both[0] if len(both) == 1 else both, plain, least)
    return vertical if vertical == horizontal else (vertical, horizontal)


def _must_be(message, key, *allowed):
    """Refuse a setting unless it is missing or says what is done anyway."""
    value = one(message, key, allowed[0])
    if value not in allowed:
        raise ValueError(f"{key} {value!s:.60} has no counterpart here, only {allowed[0]} has")


# ---- the types

def _conv(layer, shape):
    s = settings(layer, "convolution_param", schema.CONVOLUTION)
    _must_be(s, "axis", 1)
    return ours.Conv(whole(s, "num_output", least=1),
                     _pair(s, "kernel_size", "kernel_h", "kernel_w", least=1),
                     stride=_pair(s, "stride", "stride_h", "stride_w", 1, least=1),
                     pad=_pair(s, "pad", "pad_h", "pad_w", 0),
                     groups=whole(s, "group", 1, least=1),
                     dilation=_pair(s, "dilation", "", "", 1, least=1),
                     bias=flag(s, "bias_term", True))


def _dense(layer, shape):
    s = settings(layer, "inner_product_param", schema.INNER_PRODUCT)
    _must_be(s, "axis", 1)
    return ours.Dense(whole(s, "num_output", least=1), flag(s, "bias_term", True))


def _pool(layer, shape):
    s = settings(layer, "pooling_param", schema.POOLING)
    method = word(s, "pool", POOLINGS)
    if method == "STOCHASTIC":
        raise ValueError("stochastic pooling has no counterpart here")
    if flag(s, "global_pooling", False):
        return _global_pool(method, shape)
    kind = ours.MaxPool if method == "MAX" else ours.AveragePool
    return kind(_pair(s, "kernel_size", "kernel_h", "kernel_w", least=1),
                _pair(s, "stride", "stride_h", "stride_w", 1, least=1),
                _pair(s, "pad", "pad_h", "pad_w", 0),
                word(s, "round_mode", ROUNDINGS).lower())


def _global_pool(method, shape):
    if method == "AVE":
        return ours.GlobalAveragePool()
    if shape is None or len(shape) != 3:
        raise ValueError("a maximum over the whole map, whose size is not known")
    return ours.MaxPool(shape[0] if shape[0] == shape[1] else shape[:2])


def _lrn(layer, shape):
    s = settings(layer, "lrn_param", schema.LRN)
    if word(s, "norm_region", REGIONS) == "WITHIN_CHANNEL":
        raise ValueError("norm_region WITHIN_CHANNEL has no counterpart here; only normalisation "
                         "across channels has")
    size = whole(s, "local_size", 5, least=1)
    if size % 2 == 0:
        raise ValueError(f"local_size is odd, got {size}")
    return ours.LRN(size, number(s, "alpha", 1.0), number(s, "beta", 0.75), number(s, "k", 1.0))


def _batch_norm(layer, shape):
    s = settings(layer, "batch_norm_param", schema.BATCH_NORM)
    return ours.BatchNorm(number(s, "eps", 1e-5), number(s, "moving_average_fraction", 0.999))


def _dropout(layer, shape):
    s = settings(layer, "dropout_param", schema.DROPOUT)
    if not flag(s, "scale_train", True):
        raise ValueError("scale_train false has no counterpart here")
    return ours.Dropout(number(s, "dropout_ratio", 0.5))


def _plain(layer, shape):
    """A layer of ours that has no settings, where Caffe's are what it does anyway."""
    key, known, fixed, make = PLAIN[layer["type"][0]]
    message = settings(layer, key, known)
    for setting, allowed in fixed.items():
        _must_be(message, setting, *allowed)
    return make()


PLAIN = {  # the message of its settings, which there are, and what they have to be
    "ReLU": ("relu_param", schema.RELU, {"negative_slope": [0]}, ours.ReLU),
    "Softmax": ("softmax_param", schema.SOFTMAX, {"axis": [1]}, ours.Softmax),
    "Flatten": ("flatten_param", schema.FLATTEN, {"axis": [1], "end_axis": [-1, 3]}, ours.Flatten),
    "Sigmoid": ("sigmoid_param", schema.SQUASHING, {}, ours.Sigmoid),
    "TanH": ("tanh_param", schema.SQUASHING, {}, ours.Tanh),
    "Concat": ("concat_param", schema.CONCAT, {"axis": [1], "concat_dim": [1]}, ours.Concat),
}
PLAIN["SoftmaxWithLoss"] = PLAIN["Softmax"]
BUILDERS = {"Convolution": _conv, "InnerProduct": _dense, "Pooling": _pool, "LRN": _lrn,
            "BatchNorm": _batch_norm, "Dropout": _dropout, **dict.fromkeys(PLAIN, _plain)}
# not a builder: alone it is no layer here, only with the BatchNorm before it
PLAIN["Scale"] = ("scale_param", schema.SCALE, {"axis": [1], "num_axes": [1]}, lambda: None)


def check_scale(layer, name):
    """Misfit unless a Scale has one number for each channel."""
    try:
        _plain(layer, None)
    except ValueError as error:
        raise Misfit(f"layer {short(name)} (Scale): {error}") from None
