"""One layer of a Keras model as layers of ours.

Keras' conventions, which our layers say in their settings: padding "same" puts what is missing on
both sides and an odd one at the end, so it depends on the size of the image; poolings never look at
their padding. A layer here pads both sides alike. Where Keras does not, a pooling rounds up, and a
kernel gets a row or column of zeros before its first, `grown`, and with it as much padding before
as after: both compute exactly the same.

An activation that is a setting in Keras is a layer here, called conv1_relu.

A setting that is not understood is refused, by layer and name: to ignore it could be to compute
something else. Layers that do nothing outside training are left out and noted.
"""

from minicnn.foreign.keras_chain import missing, note_size, same, windows
from minicnn.foreign.keras_settings import flag, known, layer_name
from minicnn.foreign.settings import Misfit, number, pair, whole
from minicnn.images import Preprocessing
from minicnn.network import layers as ours

ACTIVATIONS = {"relu": ours.ReLU, "softmax": ours.Softmax, "sigmoid": ours.Sigmoid,
               "tanh": ours.Tanh}
IDLE = ("ActivityRegularization", "AlphaDropout", "GaussianDropout", "GaussianNoise",
        "SpatialDropout2D", "RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation",
        "RandomContrast", "RandomBrightness")


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
        A class, or a setting, that has no counterpart here.
    """
    name = layer_name(config)
    if kind in IDLE:
        chain.notes.append(f"Layer {name} ({kind}) does nothing outside training; it is left out.")
        return
    if kind == "Lambda":
        raise Misfit(f"layer {name!r} is a Lambda: Python code of its own, which is never run")
    if kind not in BUILDERS:
        raise Misfit(f"layer {name!r} is of Keras' class {kind!r:.60}; the classes known here are "
                     f"{', '.join(BUILDERS)}")
    builder, keys = BUILDERS[kind]
    try:
        if builder in ON_IMAGES and len(chain.shape) != 3:
            raise ValueError(f"its input is {chain.shape}, and no image any more")
        if any(chain.zeros) and builder not in AFTER_ZEROS:
            raise ValueError("zeros are put around its input; here only a convolution or a pooling "
                             "can have some")
        builder(chain, name, known(config, keys))
    except KeyError as error:
        raise Misfit(f"layer {name!r} ({kind}): it does not say its {error.args[0]}") from None
    except (ValueError, IndexError) as error:
        raise Misfit(f"layer {name!r} ({kind}): {error}") from None


# ---- the layers

def _conv(chain, name, s):
    kernel = pair(s["kernel_size"], "kernel_size")
    stride = pair(s.get("strides", 1), "strides")
    dilation = pair(s.get("dilation_rate", 1), "dilation_rate")
    sizes = [chain.shape[a] + 2 * chain.zeros[a] for a in (0, 1)]
    total = [missing(sizes[a], kernel[a], stride[a], dilation[a]) if same(s) else 0
             for a in (0, 1)]
    extra = tuple(n % 2 for n in total)
    if any(extra) and max(dilation) > 1:
        raise ValueError(f"padding 'same' puts {total} samples around the image, one more after "
                         "it than before; with dilation there is no such layer here")
    if any(extra):
        chain.grown[name] = extra
        chain.notes.append(f"Layer {name} is padded by one more after the image than before it; "
                           "its kernels begin with zeros instead, which computes the same.")
    if any(total) and max(stride) > 1:
        note_size(chain, name)
    pad = tuple(chain.zeros[a] + (total[a] + 1) // 2 for a in (0, 1))
    kernel = tuple(kernel[a] + extra[a] for a in (0, 1))
    chain.put(name, ours.Conv(whole(s["filters"], "filters"), kernel, stride, pad,
                              whole(s.get("groups", 1), "groups"), dilation, flag(s, "use_bias")))
    _activate(chain, name, s.get("activation"))


def _dense(chain, name, s):
    if len(chain.shape) != 1:
        raise ValueError(f"its input is {chain.shape}, and Keras would work on each position "
                         "alone; expected a Flatten before it")
    chain.put(name, ours.Dense(whole(s["units"], "units"), flag(s, "use_bias")))
    _activate(chain, name, s.get("activation"))


def _max_pool(chain, name, s):
    if any(chain.zeros) and not (chain.layers and isinstance(chain.layers[-1][1], ours.ReLU)):
        raise ValueError("it would see the zeros put around its input, which only after a ReLU are "
                         "never the maximum")
    window, stride, pad, rounding = windows(chain, name, s)
    chain.put(name, ours.MaxPool(window, stride, pad, rounding))


def _average_pool(chain, name, s):
    border = "padding" if any(chain.zeros) else "image"
    window, stride, pad, rounding = windows(chain, name, s)
    chain.put(name, ours.AveragePool(window, stride, pad, rounding, border))


def _global_average_pool(chain, name, s):
    if s.get("keepdims"):
        raise ValueError("keepdims is true: here the mean over all positions has no position")
    chain.put(name, ours.GlobalAveragePool())


def _zero_padding(chain, name, s):
    given = s.get("padding", 1)
    both = given if isinstance(given, list) else [given, given]
    sides = [pair(axis, "padding", least=0) for axis in both]
    if len(sides) != 2 or any(before != after for before, after in sides):
        raise ValueError(f"padding is {given!r:.60}; here both sides are padded alike")
    chain.zeros = (chain.zeros[0] + sides[0][0], chain.zeros[1] + sides[1][0])


def _batch_norm(chain, name, s):
    axis, last = s.get("axis", -1), len(chain.shape)
    if axis not in (-1, last, [-1], [last]):
        raise ValueError(f"it works along axis {axis!r:.20}; channels are last here")
    if s.get("mode", 0) not in (0, 2):
        raise ValueError("it normalises each image by itself (mode 1 of Keras 1)")
    if not flag(s, "center"):
        raise ValueError("it has no beta (center is false), which a BatchNorm here always has")
    chain.put(name, ours.BatchNorm(number(s.get("epsilon", 1e-3), "epsilon"),
                                   number(s.get("momentum", 0.99), "momentum"), flag(s, "scale")))


def _flatten(chain, name, s):
    chain.put(name, ours.Flatten())


def _dropout(chain, name, s):
    chain.put(name, ours.Dropout(number(s["rate"], "rate")))


def _activation(chain, name, s):
    _activate(chain, name, s.get("activation"), own=True)


def _relu(chain, name, s):
    if s.get("max_value") is not None or s.get("negative_slope") or s.get("threshold"):
        raise ValueError("it is no plain ReLU: it has a maximum, a slope below 0 or a threshold")
    chain.put(name, ours.ReLU())


def _softmax(chain, name, s):
    if s.get("axis", -1) not in (-1, None, [-1]):
        raise ValueError(f"it works along axis {s['axis']!r:.20}, not the last")
    chain.put(name, ours.Softmax())


def _rescaling(chain, name, s):
    if chain.layers or chain.preprocessing or chain.shape[2] not in (1, 3):
        raise ValueError("only at the beginning, of grey or RGB images, is a Rescaling understood "
                         "(as what is done to a photo)")
    scales, shifts = ([number(n, key) for n in (
        value if isinstance(value, list) else [value] * chain.shape[2])]
        for key, value in (("scale", s["scale"]), ("offset", s.get("offset", 0.0))))
    if min(scales) <= 0:
        raise ValueError(f"expected a scale above 0, got {min(scales)}")
    mean = [0 - b / a for a, b in zip(scales, shifts, strict=True)]  # a x + b = a (x - mean)
    chain.preprocessing = Preprocessing(chain.shape[:2], "RGB" if chain.shape[2] == 3 else "L",
                                        mean, scales, None, "squash", "bilinear")
    chain.notes.append(f"Layer {name} (Rescaling) is part of preparing a photo; it is left out.")


def _activate(chain, name, activation, own=False):
    """Add an activation, as a layer of that name or, where it is a setting, of a longer one."""
    if isinstance(activation, dict):  # Keras 3 writes a function so
        activation = activation.get("config")
    if activation in (None, "linear"):
        return
    if not isinstance(activation, str) or activation not in ACTIVATIONS:
        raise ValueError(f"its activation is {activation!r:.60}; known here are linear, "
                         f"{', '.join(ACTIVATIONS)}")
    chain.put(name if own else f"{name}_{activation}", ACTIVATIONS[activation]())


WINDOW = ("pool_size", "strides", "padding", "data_format")
BUILDERS = {  # Keras' class: what adds it, and the settings that matter
    "Conv2D": (_conv, ("filters", "kernel_size", "strides", "padding", "data_format", "groups",
                       "dilation_rate", "activation", "use_bias")),
    "Dense": (_dense, ("units", "activation", "use_bias")),
    "MaxPooling2D": (_max_pool, WINDOW),
    "AveragePooling2D": (_average_pool, WINDOW),
    "GlobalAveragePooling2D": (_global_average_pool, ("data_format", "keepdims")),
    "ZeroPadding2D": (_zero_padding, ("padding", "data_format")),
    "BatchNormalization": (_batch_norm, ("axis", "momentum", "epsilon", "center", "scale", "mode")),
    "Flatten": (_flatten, ("data_format",)),
    "Dropout": (_dropout, ("rate",)),
    "Activation": (_activation, ("activation",)),
    "ReLU": (_relu, ("max_value", "negative_slope", "threshold")),
    "Softmax": (_softmax, ("axis",)),
    "Rescaling": (_rescaling, ("scale", "offset")),
}
BUILDERS["Convolution2D"] = BUILDERS["Conv2D"]  # Keras 1
AFTER_ZEROS = (_conv, _max_pool, _average_pool, _zero_padding)
ON_IMAGES = (*AFTER_ZEROS, _global_average_pool, _rescaling)
