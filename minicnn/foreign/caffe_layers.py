"""Translate one layer of a Caffe network.

Caffe's conventions become settings of the layers here: poolings round up, LRN divides alpha by the
window's size, an average pooling counts its padding. An unknown setting raises an error that names
the layer and the setting, because ignoring it could change the result.

A layer here is a message, a dict of lists, in Caffe's current form (`caffe_upgrade`).
"""

from minicnn.files.mapped import short
from minicnn.foreign import settings as values
from minicnn.foreign.caffe_schema import LAYER
from minicnn.foreign.settings import fits, require, within
from minicnn.network import layers as ours

POOLINGS = ("MAX", "AVE", "STOCHASTIC")
REGIONS = ("ACROSS_CHANNELS", "WITHIN_CHANNEL")
ROUNDINGS = ("CEIL", "FLOOR")
SETTINGS = dict(LAYER.values())  # {message: the schema of its settings}


def build(layer, name, shape=None):
    """The layer for one of Caffe's.

    Parameters
    ----------
    layer : dict of str to list
        With its "type".
    name : str
        The layer's name, for errors.
    shape : (H, W, C) or (D,), optional
        The input's shape; a max pooling over the whole map needs it.

    Raises
    ------
    Misfit
        The type or a setting is not supported.
    """
    kind, known = layer["type"][0], [name for name in TYPES if name != "Scale"]
    fits(kind in known, "layer {} is of Caffe's type {}; the known types are {}, and Scale after "
         "BatchNorm", short(name), short(kind), ", ".join(known))
    return translated(layer, name, shape)


def translated(layer, name, shape=None):
    """As `build`; a Scale is checked to have one number per channel, and gives None: it becomes
    part of the BatchNorm before it."""
    kind = layer["type"][0]
    key, fixed, builder = TYPES[kind]
    with within(f"layer {short(name)} ({kind})"):
        message, known = one(layer, key, {}), dict(SETTINGS[key].values())
        for setting in message:
            require(setting in known, "{} has the unknown setting {}", key, short(setting))
        for setting, allowed in fixed.items():
            value = one(message, setting, allowed[0])
            require(value in allowed, "{} {!s:.60} is not supported; minicnn supports only {}",
                    setting, value, allowed[0])
        return builder(message, shape)


# ---- reading a message

def one(message, key, default=None):
    """The value of a setting; ValueError if it is given more than once."""
    values = message.get(key, [])
    require(len(values) <= 1, "{} is given {} times, expected once", key, len(values))
    return values[0] if values else default


def whole(message, key, default=None, least=0):
    """A whole number."""
    return values.whole(one(message, key, default), key, least)


def number(message, key, default):
    """A finite number."""
    return values.number(one(message, key, default), key)


def flag(message, key, default):
    """True or false, as a word or as a number."""
    value = one(message, key, default)
    require(value in (0, 1, "true", "false", "True", "False", "t", "f"),
            "{}: expected true or false, got {!r:.60}", key, value)
    return value in (1, "true", "True", "t")


def word(message, key, words):
    """A word of an enumeration, given as the word or its number; default: the first."""
    value = one(message, key, words[0])
    value = words[value] if isinstance(value, int) and 0 <= value < len(words) else value
    require(value in words, "{}: expected one of {}, got {!r:.60}", key, ", ".join(words), value)
    return value


def _pair(message, key, default=None, least=0):
    """A size given once, as (height, width) or under two names; one number if both are equal."""
    both, two = message.get(key, [default]), [f"{key.removesuffix('_size')}_{a}" for a in "hw"]
    if message.keys() & set(two):
        both = [one(message, name, default) for name in two]
    return values.short_pair(*values.pair(both[0] if len(both) == 1 else both, key, least))


# ---- the types

def _conv(s, shape):
    return ours.Conv(whole(s, "num_output", least=1), _pair(s, "kernel_size", least=1),
                     stride=_pair(s, "stride", 1, least=1), pad=_pair(s, "pad", 0),
                     groups=whole(s, "group", 1, least=1),
                     dilation=_pair(s, "dilation", 1, least=1), bias=flag(s, "bias_term", True))


def _dense(s, shape):
    return ours.Dense(whole(s, "num_output", least=1), bias=flag(s, "bias_term", True))


def _pool(s, shape):
    method = word(s, "pool", POOLINGS)
    require(method != "STOCHASTIC", "stochastic pooling is not supported")
    if flag(s, "global_pooling", False):
        if method == "AVE":
            return ours.GlobalAveragePool()
        require(shape is not None and len(shape) == 3,
                "a maximum over the whole map needs the map's size, which is not known")
        return ours.MaxPool(values.short_pair(*shape[:2]))
    kind = ours.MaxPool if method == "MAX" else ours.AveragePool
    return kind(_pair(s, "kernel_size", least=1), _pair(s, "stride", 1, least=1),
                pad=_pair(s, "pad", 0), rounding=word(s, "round_mode", ROUNDINGS).lower())


def _lrn(s, shape):
    require(word(s, "norm_region", REGIONS) != "WITHIN_CHANNEL", "norm_region WITHIN_CHANNEL is "
            "not supported; minicnn supports only ACROSS_CHANNELS")
    size = whole(s, "local_size", 5, least=1)
    require(size % 2, "local_size: expected an odd number, got {}", size)
    return ours.LRN(size, alpha=number(s, "alpha", 1.0), beta=number(s, "beta", 0.75),
                    k=number(s, "k", 1.0))


def _batch_norm(s, shape):
    return ours.BatchNorm(epsilon=number(s, "eps", 1e-5),
                          momentum=number(s, "moving_average_fraction", 0.999))


def _dropout(s, shape):
    require(flag(s, "scale_train", True), "scale_train false is not supported")
    return ours.Dropout(number(s, "dropout_ratio", 0.5))


def _plain(kind):
    """A builder for a layer that has no settings in minicnn."""
    return lambda s, shape: kind()


TYPES = {  # {type: (message of its settings, {setting: allowed values}, builder)}
    "Convolution": ("convolution_param", {"axis": [1]}, _conv),
    "InnerProduct": ("inner_product_param", {"axis": [1]}, _dense),
    "Pooling": ("pooling_param", {}, _pool),
    "LRN": ("lrn_param", {}, _lrn),
    "BatchNorm": ("batch_norm_param", {}, _batch_norm),
    "Dropout": ("dropout_param", {}, _dropout),
    "ReLU": ("relu_param", {"negative_slope": [0]}, _plain(ours.ReLU)),
    "Softmax": ("softmax_param", {"axis": [1]}, _plain(ours.Softmax)),
    "Flatten": ("flatten_param", {"axis": [1], "end_axis": [-1, 3]}, _plain(ours.Flatten)),
    "Sigmoid": ("sigmoid_param", {}, _plain(ours.Sigmoid)),
    "TanH": ("tanh_param", {}, _plain(ours.Tanh)),
    "Concat": ("concat_param", {"axis": [1], "concat_dim": [1]}, _plain(ours.Concat)),
    "SoftmaxWithLoss": ("softmax_param", {"axis": [1]}, _plain(ours.Softmax)),
    "Scale": ("scale_param", {"axis": [1], "num_axes": [1]}, _plain(type(None))),
}
