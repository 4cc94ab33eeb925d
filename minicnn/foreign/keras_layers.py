"""Translate one layer of a Keras model.

Keras' conventions become settings of minicnn's layers. Padding "same" distributes the missing zeros
over both sides, an odd one after the image, so it depends on the image size; poolings ignore their
padding. A layer here pads both sides equally. If Keras does not, a pooling rounds up, and a kernel
gets a row or column of zeros before its first (`grown`), so that the padding becomes equal; both
give exactly Keras' result.

An activation that is a setting in Keras becomes a layer called conv1_relu.

An unknown setting raises an error that names the layer and the setting, because ignoring it could
change the result. Layers that do nothing outside training are left out and noted.
"""

from minicnn.foreign.keras_chain import missing, note_size, same, windows
from minicnn.foreign.settings import fits, number, pair, require, whole, within
from minicnn.images import Preprocessing
from minicnn.network import INPUT
from minicnn.network import layers as ours

ACTIVATIONS = {"relu": ours.ReLU, "softmax": ours.Softmax, "sigmoid": ours.Sigmoid,
               "tanh": ours.Tanh}
IDLE = ("ActivityRegularization", "AlphaDropout", "GaussianDropout", "GaussianNoise",
        "SpatialDropout2D", "RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation",
        "RandomContrast", "RandomBrightness")
LONGEST_NAME = 200
WITHOUT_EFFECT = {"name", "trainable", "dtype", "seed", "noise_shape", "weights", "init",
                  "input_dtype", "synchronized", "input_dim", "batch_input_shape"}
TRAINING = ("_initializer", "_regularizer", "_constraint", "_momentum")
KERAS_1 = {"nb_filter": "filters", "output_dim": "units", "border_mode": "padding", "p": "rate",
           "subsample": "strides", "dim_ordering": "data_format", "bias": "use_bias"}
CHANNELS_LAST = (None, "channels_last", "tf")


def add(chain, kind, config):
    """Add one of Keras' layers to a chain.

    Parameters
    ----------
    chain : Chain
    kind : str
        Keras' class.
    config : dict
        Its settings, of any version of Keras.

    Raises
    ------
    Misfit
        The class or a setting is not supported.
    """
    name = layer_name(config)
    if kind in IDLE:
        chain.notes.append(f"Layer {name} ({kind}) does nothing outside training; it is left out.")
        return
    fits(kind != "Lambda",
         "layer {!r} is a Lambda: it contains Python code, which is never run", name)
    fits(kind in BUILDERS, "layer {!r} is of Keras' class {!r:.60}; the known classes are {}", name,
         kind, ", ".join(BUILDERS))
    builder, keys = BUILDERS[kind]
    with within(f"layer {name!r} ({kind})"):
        require(builder not in ON_IMAGES or len(chain.shape) == 3,
                "its input is {}; expected an image (H, W, C)", chain.shape)
        require(not any(chain.zeros) or builder in AFTER_ZEROS, "its input is zero-padded, but "
                "minicnn supports padding only before a convolution or a pooling layer")
        settings = known(config, keys)
        layer = builder(chain, name, settings)
        if layer is not None:
            chain.put(name, layer)
        _activate(chain, name, settings.get("activation"), own=kind == "Activation")


# ---- the layers

def _conv(chain, name, s):
    kernel = pair(s["kernel_size"], "kernel_size")
    stride = pair(s.get("strides", 1), "strides")
    dilation = pair(s.get("dilation_rate", 1), "dilation_rate")
    total = [missing(chain.shape[a] + 2 * chain.zeros[a], kernel[a], stride[a], dilation[a])
             if same(s) else 0 for a in (0, 1)]
    extra = tuple(n % 2 for n in total)
    if any(extra):
        require(max(dilation) == 1, "padding 'same' puts {} zeros around the image, one more after "
                "it than before; minicnn does not support this together with dilation", total)
        chain.grown[name] = extra
        chain.notes.append(f"Layer {name} has one more zero after the image than before it; its "
                           "kernels begin with zeros instead, which gives the same result.")
    if any(total) and max(stride) > 1:
        note_size(chain, name)
    return ours.Conv(whole(s["filters"], "filters"), tuple(kernel[a] + extra[a] for a in (0, 1)),
                     stride=stride, dilation=dilation, groups=whole(s.get("groups", 1), "groups"),
                     pad=tuple(chain.zeros[a] + (total[a] + 1) // 2 for a in (0, 1)),
                     bias=flag(s, "use_bias"))


def _dense(chain, name, s):
    require(len(chain.shape) == 1, "its input is {}, and Keras would apply it to each position "
            "separately; expected a Flatten before it", chain.shape)
    return ours.Dense(whole(s["units"], "units"), bias=flag(s, "use_bias"))


def _max_pool(chain, name, s):
    require(not any(chain.zeros) or chain.layers and isinstance(chain.layers[-1][1], ours.ReLU),
            "zeros are put around its input; expected a ReLU before it, so that they are never the "
            "maximum")
    window, stride, pad, rounding = windows(chain, name, s)
    return ours.MaxPool(window, stride, pad=pad, rounding=rounding)


def _average_pool(chain, name, s):
    border = "padding" if any(chain.zeros) else "image"
    window, stride, pad, rounding = windows(chain, name, s)
    return ours.AveragePool(window, stride, pad=pad, rounding=rounding, border=border)


def _global_average_pool(chain, name, s):
    require(not s.get("keepdims"), "keepdims=True is not supported: minicnn's global average "
            "pooling returns shape (C,)")
    return ours.GlobalAveragePool()


def _zero_padding(chain, name, s):
    given = s.get("padding", 1)
    sides = [pair(axis, "padding", least=0)
             for axis in (given if isinstance(given, list) else [given, given])]
    require(len(sides) == 2 and all(before == after for before, after in sides),
            "padding is {!r:.60}; minicnn supports only equal padding on both sides", given)
    chain.zeros = (chain.zeros[0] + sides[0][0], chain.zeros[1] + sides[1][0])


def _batch_norm(chain, name, s):
    axis, last = s.get("axis", -1), len(chain.shape)
    require(axis in (-1, last, [-1], [last]),
            "it works along axis {!r:.20}; minicnn supports only the last axis, the channels", axis)
    require(s.get("mode", 0) in (0, 2), "it normalises each image by itself (mode 1 of Keras 1), "
            "which is not supported")
    require(flag(s, "center"),
            "it has no beta (center is false), but minicnn's BatchNorm always has one")
    return ours.BatchNorm(epsilon=number(s.get("epsilon", 1e-3), "epsilon"),
                          momentum=number(s.get("momentum", 0.99), "momentum"),
                          scale=flag(s, "scale"))


def _relu(chain, name, s):
    require(s.get("max_value") is None and not s.get("negative_slope") and not s.get("threshold"),
            "it is not a plain ReLU: it has a maximum, a slope below 0 or a threshold")
    return ours.ReLU()


def _softmax(chain, name, s):
    axis = s.get("axis")
    require(axis in (-1, None, [-1]), "it works along axis {!r:.20}, not the last", axis)
    return ours.Softmax()


def _rescaling(chain, name, s):
    channels = chain.shape[2]
    require(not chain.layers and not chain.preprocessing and channels in (1, 3), "a Rescaling is "
            "understood only at the beginning and of grey or RGB images, as part of the "
            "preprocessing")
    scales, shifts = ([number(n, key) for n in (
        value if isinstance(value, list) else [value] * channels)]
        for key, value in (("scale", s["scale"]), ("offset", s.get("offset", 0.0))))
    require(min(scales) > 0, "expected a scale above 0, got {}", min(scales))
    mean = [0 - b / a for a, b in zip(scales, shifts, strict=True)]  # a x + b = a (x - mean)
    chain.preprocessing = Preprocessing(chain.shape[:2], "RGB" if channels == 3 else "L", mean,
                                        scales, None, "squash", "bilinear")
    chain.notes.append(f"Layer {name} (Rescaling) became part of the preprocessing.")


def _activate(chain, name, activation, own=False):
    """Add an activation as a layer called `name`, or conv1_relu if it is a setting of conv1."""
    if isinstance(activation, dict):  # how Keras 3 writes a function
        activation = activation.get("config")
    if activation not in (None, "linear"):
        require(isinstance(activation, str) and activation in ACTIVATIONS,
                "its activation is {!r:.60}; the known activations are linear, {}", activation,
                ", ".join(ACTIVATIONS))
        chain.put(name if own else f"{name}_{activation}", ACTIVATIONS[activation]())


WINDOW = ("pool_size", "strides", "padding", "data_format")
BUILDERS = {  # {Keras' class: (the function that makes its layer, the settings that matter)}
    "Conv2D": (_conv, ("filters", "kernel_size", "strides", "padding", "data_format", "groups",
                       "dilation_rate", "activation", "use_bias")),
    "Dense": (_dense, ("units", "activation", "use_bias")),
    "MaxPooling2D": (_max_pool, WINDOW),
    "AveragePooling2D": (_average_pool, WINDOW),
    "GlobalAveragePooling2D": (_global_average_pool, ("data_format", "keepdims")),
    "ZeroPadding2D": (_zero_padding, ("padding", "data_format")),
    "BatchNormalization": (_batch_norm, ("axis", "momentum", "epsilon", "center", "scale", "mode")),
    "Flatten": (lambda chain, name, s: ours.Flatten(), ("data_format",)),
    "Dropout": (lambda chain, name, s: ours.Dropout(number(s["rate"], "rate")), ("rate",)),
    "Activation": (lambda chain, name, s: None, ("activation",)),
    "ReLU": (_relu, ("max_value", "negative_slope", "threshold")),
    "Softmax": (_softmax, ("axis",)),
    "Rescaling": (_rescaling, ("scale", "offset")),
}
BUILDERS["Convolution2D"] = BUILDERS["Conv2D"]  # Keras 1
AFTER_ZEROS = (_conv, _max_pool, _average_pool, _zero_padding)
ON_IMAGES = (*AFTER_ZEROS, _global_average_pool, _rescaling)


# ---- settings, from untrusted JSON

def known(config, keys):
    """The settings of a layer that matter.

    Parameters
    ----------
    config : dict
        All settings, under the names of any version.
    keys : sequence of str
        The current names of the settings that matter.

    Returns
    -------
    dict
        The settings in `keys` that are given.

    Raises
    ------
    ValueError
        The layer has a setting that is not in `keys`, may affect the result and is neither null nor
        false; or its channels come first.
    """
    named = {KERAS_1.get(key, key): value for key, value in config.items()}
    if "nb_row" in named:
        named["kernel_size"] = [named.pop("nb_row"), named.pop("nb_col", None)]
    for key, value in named.items():
        require(key in keys or key in WITHOUT_EFFECT or key.endswith(TRAINING)
                or value in (None, False), "it has the unknown setting {!r:.60}", key)
    require(named.get("data_format") in CHANNELS_LAST, "its channels come first (data_format), but "
            "minicnn requires that they come last")
    return {key: value for key, value in named.items() if key in keys}


def layer_name(config):
    """The name of a layer; Misfit if it is not a valid name in minicnn."""
    name = config.get("name") if isinstance(config, dict) else None
    fits(isinstance(name, str) and 0 < len(name) <= LONGEST_NAME and name.isprintable(),
         "a layer's name is {!r:.60}; expected printable letters, at most {}", name, LONGEST_NAME)
    fits(name != INPUT and not {"", ".", ".."} & set(name.split("/")),
         "a layer is called {!r}, which has another meaning in minicnn; rename it", name)
    return name


def flag(settings, key):
    """A setting that is true or false; default: true."""
    value = settings.get(key, True)
    if not isinstance(value, bool):
        raise ValueError(f"{key}: expected true or false, got {value!r:.60}")
    return value
