"""What Keras computes for a chain of layers, from its configuration, in PyTorch's functions.

Written a second time and in another way than `minicnn.foreign.keras_layers`: padding is really put
around the image, unlike on both sides where Keras does it, and averages are sums divided by counts.
"""

import importlib
from math import ceil

import numpy as np

ACTIVATIONS = ("relu", "tanh", "sigmoid")


def run(model, arrays, x):
    """The output (N, ...) of a Sequential for images (N, H, W, C), channels last.

    Parameters
    ----------
    model : dict
        From `keras_files.sequential`.
    arrays : dict of str to array
        By "layer/role".
    x : array
    """
    torch = importlib.import_module("torch")
    y = torch.tensor(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))
    for each in flat(model):
        config = each["config"]
        own = {key.rpartition("/")[2]: torch.tensor(value) for key, value in arrays.items()
               if key.rpartition("/")[0] == config["name"]}
        y = LAYERS[each["class_name"]](torch, y, config, own)
        y = activate(torch, y, config.get("activation"))
    return (y.permute(0, 2, 3, 1) if y.ndim == 4 else y).numpy()


def flat(model):
    """The layers of a Sequential, those of a model within it in its place."""
    for each in model["config"]["layers"]:
        yield from flat(each) if "layers" in each["config"] else [each]


def activate(torch, y, name):
    if name in ACTIVATIONS:
        return getattr(torch, name)(y)
    return y.softmax(1) if name == "softmax" else y


def padded(torch, y, config, window, stride, dilation, value):
    """What "same" adds: the odd sample at the end."""
    if config.get("padding") != "same":
        return y
    around = []
    for a in (1, 0):
        size, span = y.shape[2 + a], dilation[a] * (window[a] - 1) + 1
        total = max((ceil(size / stride[a]) - 1) * stride[a] + span - size, 0)
        around += [total // 2, total - total // 2]
    return torch.nn.functional.pad(y, around, value=value)


def two(value, default=(1, 1)):
    return tuple(default if value is None else value)


def conv(torch, y, config, own):
    stride, dilation = two(config.get("strides")), two(config.get("dilation_rate"))
    y = padded(torch, y, config, config["kernel_size"], stride, dilation, 0.0)
    return torch.nn.functional.conv2d(y, own["kernel"].permute(3, 2, 0, 1), own.get("bias"),
                                      stride, 0, dilation)


def max_pool(torch, y, config, own):
    window = two(config["pool_size"])
    stride = two(config.get("strides"), window)
    y = padded(torch, y, config, window, stride, (1, 1), -torch.inf)
    return torch.nn.functional.max_pool2d(y, window, stride)


def average_pool(torch, y, config, own):
    window = two(config["pool_size"])
    stride, ones = two(config.get("strides"), window), torch.ones_like(y)
    sums, counts = (torch.nn.functional.avg_pool2d(
        padded(torch, z, config, window, stride, (1, 1), 0.0), window, stride) for z in (y, ones))
    return sums / counts


def batch_norm(torch, y, config, own):
    shape = [1, -1] + [1] * (y.ndim - 2)
    gamma = own.get("gamma", torch.ones_like(own["beta"]))
    factor = gamma / (own["moving_variance"] + config["epsilon"]).sqrt()
    return (y - own["moving_mean"].view(shape)) * factor.view(shape) + own["beta"].view(shape)


def zero_padding(torch, y, config, own):
    (top, bottom), (left, right) = config["padding"]
    return torch.nn.functional.pad(y, (left, right, top, bottom))


def dense(torch, y, config, own):
    return y @ own["kernel"] + own.get("bias", 0)


def same(torch, y, config, own):
    return y


LAYERS = {
    "Conv2D": conv, "MaxPooling2D": max_pool, "AveragePooling2D": average_pool,
    "BatchNormalization": batch_norm, "ZeroPadding2D": zero_padding, "Dense": dense,
    "Flatten": lambda torch, y, config, own: y.permute(0, 2, 3, 1).flatten(1),
    "GlobalAveragePooling2D": lambda torch, y, config, own: y.mean((2, 3)),
    "ReLU": lambda torch, y, config, own: y.relu(),
    "Softmax": lambda torch, y, config, own: y.softmax(1),
    "InputLayer": same, "Dropout": same, "Activation": same, "GaussianNoise": same,
}
