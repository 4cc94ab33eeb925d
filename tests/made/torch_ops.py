"""Every op written with PyTorch, in our layout: an opinion from outside.

Each function returns a function on tensors, or None where PyTorch has no such thing.  PyTorch is
imported when the function runs, so that this file can be read where it is not installed.
"""

import importlib


def functional():
    return importlib.import_module("torch.nn.functional")


def first(x):
    return x.permute(0, 3, 1, 2)  # N,H,W,C -> N,C,H,W


def last(x):
    return x.permute(0, 2, 3, 1)  # N,C,H,W -> N,H,W,C


def conv(stride, pad, groups, dilation):
    def run(x, w, b=None):
        kernels = w.permute(3, 2, 0, 1).contiguous()  # KH,KW,C/G,O -> O,C/G,KH,KW
        return last(functional().conv2d(first(x), kernels, b, stride, pad, dilation, groups))

    return run


def conv_transpose(stride, pad, groups, dilation, size):
    """By the gradient of PyTorch's convolution at its input."""
    def run(x, w, b=None):
        kernels = w.permute(3, 2, 0, 1).contiguous()  # KH,KW,C/G,O -> O,C/G,KH,KW
        shape = (len(x), w.shape[2] * groups, *size)
        y = last(importlib.import_module("torch.nn.grad").conv2d_input(
            shape, kernels, first(x), stride, pad, dilation, groups))
        return y if b is None else y + b

    return run


def both(value):
    return value if isinstance(value, tuple) else (value, value)


def wide(window, pad):
    """PyTorch refuses to pad by more than half a window."""
    return any(2 * p > k for p, k in zip(both(pad), both(window), strict=True))


def pool(window, stride, pad, rounding):
    if wide(window, pad):
        return None
    return lambda x: last(functional().max_pool2d(
        first(x), window, stride, pad, ceil_mode=rounding == "ceil"))


def average_pool(window, stride, pad, rounding, border):
    if wide(window, pad):
        return None
    return lambda x: last(functional().avg_pool2d(
        first(x), window, stride, pad, ceil_mode=rounding == "ceil",
        count_include_pad=border == "padding"))


def global_average_pool(x):
    return x.mean(dim=(1, 2))


def resize(size):
    return lambda x: last(functional().interpolate(
        first(x), size=size, mode="bilinear", align_corners=False))


def relu(x):
    return functional().relu(x)


def sigmoid(x):
    return x.sigmoid()


def tanh(x):
    return x.tanh()


def softmax(x):
    return x.softmax(dim=-1)


def lrn(size, alpha, beta, k, convention):
    """PyTorch divides alpha by the size, as Caffe does."""
    alpha = alpha if convention == "caffe" else alpha * size
    return lambda x: last(functional().local_response_norm(first(x), size, alpha, beta, k))


def batch_norm(mean, variance, epsilon, training):
    def run(x, gamma, beta):
        torch = importlib.import_module("torch")
        given = [torch.tensor(v, dtype=x.dtype) for v in (mean, variance)]
        rows = x.reshape(-1, x.shape[-1])  # ...,C -> N,C
        y = functional().batch_norm(rows, *given, gamma, beta, training, eps=epsilon)
        return y.reshape(x.shape)  # N,C -> ...,C

    return run


def dense(x, w, b=None):
    return functional().linear(x.reshape(len(x), -1), w.T, b)  # N,... -> N,D


def cross_entropy(labels):
    def run(x):
        torch = importlib.import_module("torch")
        return functional().cross_entropy(x, torch.tensor(labels))

    return run


def add(*parts):
    return sum(parts)


def concat(axis):
    return lambda *parts: importlib.import_module("torch").cat(parts, dim=axis)
