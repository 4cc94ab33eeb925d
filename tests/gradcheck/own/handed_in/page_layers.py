"""Layers on images (N, H, W, C) and kernels (KH, KW, C, O), as minicnn's pages have them."""

from typing import NamedTuple

import numpy as np


class ConvCache(NamedTuple):
    """What conv_backward needs."""

    x: np.ndarray
    w: np.ndarray
    stride: tuple
    pad: tuple


def _pair(value):
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def _places(size, kernel, stride, pad):
    """For each place in the kernel, the rows of the padded image that it meets."""
    count = (size + 2 * pad - kernel) // stride + 1
    return [slice(i, i + stride * count, stride) for i in range(kernel)], count


def _padded(x, pad, value=0.0):
    return np.pad(x, ((0, 0), (pad[0],) * 2, (pad[1],) * 2, (0, 0)), constant_values=value)


def _inside(x, pad):
    N, H, W, C = x.shape
    return x[:, pad[0]:H - pad[0], pad[1]:W - pad[1]].copy()


def conv_forward(x, w, b, stride=1, pad=0):
    stride, pad, image = _pair(stride), _pair(pad), _padded(x, _pair(pad))
    rows, OH = _places(x.shape[1], w.shape[0], stride[0], pad[0])
    columns, OW = _places(x.shape[2], w.shape[1], stride[1], pad[1])
    y = np.zeros((len(x), OH, OW, w.shape[3]), x.dtype)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            y += image[:, row, column] @ w[i, j]  # N,OH,OW,C @ C,O -> N,OH,OW,O
    return (y if b is None else y + b), ConvCache(x, w, stride, pad)


def conv_backward(dy, cache):
    x, w, stride, pad = cache
    image = _padded(x, pad)
    rows, _ = _places(x.shape[1], w.shape[0], stride[0], pad[0])
    columns, _ = _places(x.shape[2], w.shape[1], stride[1], pad[1])
    dimage, dw = np.zeros_like(image), np.zeros_like(w)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            dw[i, j] = np.tensordot(image[:, row, column], dy, axes=((0, 1, 2), (0, 1, 2)))
            dimage[:, row, column] += dy @ w[i, j].T
    return _inside(dimage, pad), dw, dy.sum(axis=(0, 1, 2))


def dense_forward(x, w, b):
    if b.shape != w.shape[1:]:
        raise ValueError(f"b must be {w.shape[1:]}, got {b.shape}")
    rows = x.reshape(len(x), -1)
    return rows @ w + b, (x, w)


def dense_backward(dy, cache):
    x, w = cache
    return (dy @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dy, dy.sum(axis=0)


def pool_forward(x, window, stride=None, pad=0):
    window, pad = _pair(window), _pair(pad)
    stride = window if stride is None else _pair(stride)
    image = _padded(x, pad, -np.inf)
    rows, _ = _places(x.shape[1], window[0], stride[0], pad[0])
    columns, _ = _places(x.shape[2], window[1], stride[1], pad[1])
    parts = np.stack([image[:, row, column] for row in rows for column in columns])
    return parts.max(axis=0), (image.shape, parts.argmax(axis=0), rows, columns, pad)


def pool_backward(dy, cache):
    shape, switches, rows, columns, pad = cache
    dimage = np.zeros(shape, dy.dtype)
    for k, (row, column) in enumerate((row, column) for row in rows for column in columns):
        dimage[:, row, column] += np.where(switches == k, dy, 0).astype(dy.dtype)
    return _inside(dimage, pad)


def average_pool_forward(x, window, stride=None, pad=0):
    window, pad = _pair(window), _pair(pad)
    stride = window if stride is None else _pair(stride)
    image = _padded(x, pad)
    rows, _ = _places(x.shape[1], window[0], stride[0], pad[0])
    columns, _ = _places(x.shape[2], window[1], stride[1], pad[1])
    y = sum(image[:, row, column] for row in rows for column in columns)
    return y / (window[0] * window[1]), (image.shape, rows, columns, pad)


def average_pool_backward(dy, cache):
    shape, rows, columns, pad = cache
    dimage = np.zeros(shape, dy.dtype)
    for row in rows:
        for column in columns:
            dimage[:, row, column] += dy / (len(rows) * len(columns))
    return _inside(dimage, pad)


def global_average_pool_forward(x):
    return x.mean(axis=(1, 2)), x.shape


def global_average_pool_backward(dy, shape):
    each = dy[:, None, None] / (shape[1] * shape[2])
    return np.broadcast_to(each, shape).astype(dy.dtype)


def relu_forward(x):
    return np.where(x > 0, x, 0).astype(x.dtype), x


def relu_backward(dy, x):
    return np.where(x > 0, dy, 0).astype(dy.dtype)


def lrn_forward(x, size=5, alpha=1e-4, beta=0.75, k=1.0):
    if size % 2 == 0:
        raise ValueError(f"size must be odd, got {size}")
    scale = k + alpha / size * _near(x**2, size)
    return x * scale**-beta, (x, scale, size, alpha, beta)


def lrn_backward(dy, cache):
    x, scale, size, alpha, beta = cache
    near = _near(dy * x * scale**(-beta - 1), size)
    return dy * scale**-beta - 2 * alpha * beta / size * x * near


def _near(values, size):
    """For every channel the sum over its `size` neighbours, fewer at the ends."""
    C, half = values.shape[-1], size // 2
    return np.stack([values[..., max(0, c - half):c + half + 1].sum(axis=-1) for c in range(C)],
                    axis=-1)


def batch_norm_forward(x, gamma, beta, mean, variance, epsilon=1e-5, training=False):
    rows = x.reshape(-1, x.shape[-1])
    if training:
        mean, variance = rows.mean(axis=0), rows.var(axis=0)
    inverse = 1 / np.sqrt(variance + epsilon)
    z = (x - mean) * inverse
    return gamma * z + beta, (z, gamma, inverse, training)


def batch_norm_backward(dy, cache):
    z, gamma, inverse, training = cache
    axes = tuple(range(dy.ndim - 1))
    dx = dy * gamma * inverse
    if training:
        dx = dx - dx.mean(axis=axes) - z * (dx * z).mean(axis=axes)
    return dx, (dy * z).sum(axis=axes), dy.sum(axis=axes)


def dropout_forward(x, rate=0.5, seed=0):
    keep = np.random.default_rng(seed).random(x.shape) >= rate
    mask = keep.astype(x.dtype) / x.dtype.type(1 - rate)
    return x * mask, mask


def dropout_backward(dy, mask):
    return dy * mask


def softmax_forward(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    y = e / e.sum(axis=-1, keepdims=True)
    return y, y.copy()


def softmax_backward(dy, y):
    return y * (dy - (dy * y).sum(axis=-1, keepdims=True))


def cross_entropy_forward(x, labels):
    if labels.min() < 0 or labels.max() >= x.shape[1]:
        raise ValueError(f"labels must be in 0..{x.shape[1] - 1}")
    shifted = x - x.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -logs[np.arange(len(x)), labels].mean(), (np.exp(logs), labels)


def cross_entropy_backward(dloss, cache):
    probabilities, labels = cache
    dx = probabilities.copy()
    dx[np.arange(len(dx)), labels] -= 1
    return (dx * dloss / len(dx)).astype(dx.dtype)


def concat_forward(parts, axis=-1):
    return np.concatenate(parts, axis), ([part.shape[axis] for part in parts], axis)


def concat_backward(dy, cache):
    sizes, axis = cache
    return [part.copy() for part in np.split(dy, np.cumsum(sizes)[:-1], axis)]


def add_forward(parts):
    if any(part.shape != parts[0].shape for part in parts):
        raise ValueError("the parts must have one shape")
    return sum(parts[1:], parts[0].copy()), len(parts)


def add_backward(dy, count):
    return [dy.copy() for _ in range(count)]


def resize_forward(x, size):
    """Nearest corners, weighted: bilinear, with pixel centres at half-integers."""
    rows, columns = (_weights(x.shape[1 + a], size[a], x.dtype) for a in (0, 1))
    y = np.einsum("ph,nhwc,qw->npqc", rows, x, columns)
    return y, (rows, columns)


def resize_backward(dy, cache):
    rows, columns = cache
    return np.einsum("ph,npqc,qw->nhwc", rows, dy, columns)


def _weights(old, new, dtype):
    """(new, old): the share of every old row in every new one."""
    found = np.zeros((new, old), dtype)
    for p in range(new):
        at = min(max((p + 0.5) * old / new - 0.5, 0), old - 1)
        above = int(at)
        found[p, above] += 1 - (at - above)
        found[p, min(above + 1, old - 1)] += at - above
    return found
