"""Every op by PyTorch, in our layout: an opinion from outside.

Ops that are layers come from `minicnn.files.torch_twin`. Each function returns a function on
tensors, or None where PyTorch has no such thing. PyTorch is imported when the function runs, so
that this file can be read where it is not installed.
"""

import importlib

from minicnn.files.torch_twin import both, channels_first, channels_last, compute, turned
from minicnn.network import layers


def of(layer, *keys, learn=False, **fixed):
    """A layer as a function of x and of its arrays, which are called `keys`; or of all it joins.
    Other arrays are `fixed`."""
    def run(x, *arrays):
        torch = importlib.import_module("torch")
        given = {key: torch.tensor(value, dtype=x.dtype) for key, value in fixed.items()}
        given |= {key: turned(w, x.shape[1:]) for key, w in zip(keys, arrays, strict=False)}
        read = [channels_first(part) for part in (x, *arrays)]
        return channels_last(compute(layer, read if layer.several else read[0], given, learn))

    return run


relu, sigmoid, tanh, softmax = map(of, (layers.ReLU(), layers.Sigmoid(), layers.Tanh(),
                                        layers.Softmax()))
global_average_pool, dense = of(layers.GlobalAveragePool()), of(layers.Dense(None), "w", "b")
add = of(layers.Add())


def concat(axis):
    return of(layers.Concat()) if axis in (-1, 3) else along(axis)


def conv(**settings):
    return of(layers.Conv(None, None, **settings), "w", "b")


def pool(**settings):
    return None if wide(**settings) else of(layers.MaxPool(**settings))


def average_pool(**settings):
    return None if wide(**settings) else of(layers.AveragePool(**settings))


def wide(window, pad, **_):
    """PyTorch refuses to pad by more than half a window."""
    return any(2 * p > k for p, k in zip(both(pad), both(window), strict=True))


def lrn(**settings):
    return of(layers.LRN(**settings))


def batch_norm(mean, variance, epsilon, training):
    return of(layers.BatchNorm(epsilon=epsilon), "gamma", "beta", learn=training, mean=mean,
              variance=variance)


# ---- what is no layer

def conv_transpose(stride, pad, groups, dilation, size):
    """By the gradient of PyTorch's convolution at its input."""
    def run(x, w, b=None):
        kernels, shape = turned(w, ()), (len(x), w.shape[2] * groups, *size)
        y = channels_last(importlib.import_module("torch.nn.grad").conv2d_input(
            shape, kernels, channels_first(x), stride, pad, dilation, groups))
        return y if b is None else y + b

    return run


def resize(size):
    return lambda x: channels_last(importlib.import_module("torch.nn.functional").interpolate(
        channels_first(x), size=size, mode="bilinear", align_corners=False))


def cross_entropy(labels):
    def run(x):
        torch = importlib.import_module("torch")
        return torch.nn.functional.cross_entropy(x, torch.tensor(labels))

    return run


def along(axis):
    return lambda *parts: importlib.import_module("torch").cat(parts, dim=axis)
