"""Convolution as students usually write it, in N,C,H,W: the two common ways of im2col.

loops   For each of the KH*KW places in the window, one strided slice of the image is copied into
        `cols` (N, C, KH, KW, OH, OW), and tensordot sums over C, KH and KW. Backward, the slices
        are added to the image, one place at a time. (DeZero and its book.)
fancy   Three integer arrays hold the channel, row and column of every entry of `cols` (N, C*KH*KW,
        OH*OW): one fancy index reads `cols`, and np.add.at adds gradients back. (The first
        assignments of several courses.)

Both lay out all windows of the whole batch at once, and keep them for the weight gradient, in KH*KW
times the memory of the images. Kernels are (O, C, KH, KW); there are no groups and no dilation.
The code is written from the formulas in `minicnn.ops.conv`, and equal to it
(tests/benchmarks/test_student.py).
"""

from typing import Any, NamedTuple

import numpy as np
from tasks import FORWARD, INPUT_GRADIENT, WEIGHT_GRADIENT, build, images, numbers


class Cache(NamedTuple):
    """What the backward pass needs."""

    x_shape: tuple
    w: Any
    cols: Any
    stride: int
    pad: int


def _sides(x_shape, w_shape, stride, pad):
    """OH, OW."""
    return tuple((x_shape[2 + a] + 2 * pad - w_shape[2 + a]) // stride + 1 for a in (0, 1))


def _padded(x, pad):
    return np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))


def _unpadded(x, pad):
    return x[:, :, pad : x.shape[2] - pad, pad : x.shape[3] - pad]


def _zeros(cache, dtype):
    """The padded image of zeros that gradients are added to."""
    n, c, h, w = cache.x_shape
    return np.zeros((n, c, h + 2 * cache.pad, w + 2 * cache.pad), dtype)


# ---- loops over the window, and tensordot

def _slice(i, j, stride, out):
    """An index into N,C,H,W: the pixels under place (i, j) of every window."""
    rows = slice(i, i + stride * (out[0] - 1) + 1, stride)
    return np.s_[:, :, rows, j : j + stride * (out[1] - 1) + 1 : stride]


def loops_forward(x, w, b, stride=1, pad=0):
    """y (N, O, OH, OW) and the cache."""
    kh, kw = w.shape[2:]
    padded, out = _padded(x, pad), _sides(x.shape, w.shape, stride, pad)
    cols = np.empty((*x.shape[:2], kh, kw, *out), x.dtype)
    for i in range(kh):
        for j in range(kw):
            cols[:, :, i, j] = padded[_slice(i, j, stride, out)]
    y = np.tensordot(cols, w, ((1, 2, 3), (1, 2, 3))) + b  # N,C,KH,KW,OH,OW . O,C,KH,KW
    return y.transpose(0, 3, 1, 2), Cache(x.shape, w, cols, stride, pad)  # N,OH,OW,O -> N,O,OH,OW


def loops_input_gradient(dy, cache):
    """dx (N, C, H, W)."""
    dcols = np.tensordot(cache.w, dy, (0, 1))  # O,C,KH,KW . N,O,OH,OW -> C,KH,KW,N,OH,OW
    dcols = dcols.transpose(3, 0, 1, 2, 4, 5)  # -> N,C,KH,KW,OH,OW
    dx = _zeros(cache, dy.dtype)
    for i in range(dcols.shape[2]):
        for j in range(dcols.shape[3]):
            dx[_slice(i, j, cache.stride, dy.shape[2:])] += dcols[:, :, i, j]
    return _unpadded(dx, cache.pad)


def loops_weight_gradient(dy, cache):
    """dw like w, db (O,)."""
    dw = np.tensordot(dy, cache.cols, ((0, 2, 3), (0, 4, 5)))  # N,O,OH,OW . N,C,KH,KW,OH,OW
    return dw, dy.sum(axis=(0, 2, 3))


# ---- fancy indexing, and np.add.at

def _places(x_shape, w_shape, stride, pad):
    """Channel (C*KH*KW, 1), row and column (C*KH*KW, OH*OW) of every entry of `cols`."""
    c, kh, kw = w_shape[1:]
    oh, ow = _sides(x_shape, w_shape, stride, pad)
    channel, i, j = (v.reshape(-1, 1) for v in np.indices((c, kh, kw)))
    p, q = (v.reshape(1, -1) for v in np.indices((oh, ow)))
    return channel, stride * p + i, stride * q + j


def fancy_forward(x, w, b, stride=1, pad=0):
    """y (N, O, OH, OW) and the cache."""
    channel, row, column = _places(x.shape, w.shape, stride, pad)
    cols = _padded(x, pad)[:, channel, row, column]  # N,C*KH*KW,OH*OW
    cols = cols.transpose(1, 2, 0).reshape(len(channel), -1)  # -> C*KH*KW,OH*OW*N
    y = w.reshape(len(w), -1) @ cols + b[:, None]  # (O, C*KH*KW) @ (C*KH*KW, OH*OW*N)
    y = y.reshape(len(w), *_sides(x.shape, w.shape, stride, pad), len(x))  # -> O,OH,OW,N
    return y.transpose(3, 0, 1, 2), Cache(x.shape, w, cols, stride, pad)


def fancy_input_gradient(dy, cache):
    """dx (N, C, H, W)."""
    flat, n = _flat(dy), len(dy)
    dcols = cache.w.reshape(len(cache.w), -1).T @ flat  # (C*KH*KW, O) @ (O, OH*OW*N)
    dcols = dcols.reshape(len(dcols), -1, n).transpose(2, 0, 1)  # -> N,C*KH*KW,OH*OW
    dx = _zeros(cache, dy.dtype)
    channel, row, column = _places(cache.x_shape, cache.w.shape, cache.stride, cache.pad)
    np.add.at(dx, (slice(None), channel, row, column), dcols)
    return _unpadded(dx, cache.pad)


def fancy_weight_gradient(dy, cache):
    """dw like w, db (O,)."""
    flat = _flat(dy)
    dw = flat @ cache.cols.T  # (O, OH*OW*N) @ (OH*OW*N, C*KH*KW)
    return dw.reshape(cache.w.shape), flat.sum(axis=1)


def _flat(dy):
    return dy.transpose(1, 2, 3, 0).reshape(dy.shape[1], -1)  # N,O,OH,OW -> O,OH*OW*N


WAYS = {
    "loops": (loops_forward, loops_input_gradient, loops_weight_gradient),
    "fancy": (fancy_forward, fancy_input_gradient, fancy_weight_gradient),
}


def students(task, way):
    """A function that does `task`, a pass of one convolution, in one of the WAYS."""
    network = build(task).initialize(0)
    layer = network[task.layer]
    if layer.groups != 1 or layer.dilation != 1:
        raise ValueError(f"{task.layer}: the student convolutions have no groups and no dilation")
    forward, input_gradient, weight_gradient = WAYS[way]
    x = first(images(task, network))
    params = network.params[task.layer]
    kernels = np.ascontiguousarray(params["w"].transpose(3, 2, 0, 1))  # -> O,C,KH,KW
    given = x, kernels, params["b"], layer.stride, layer.pad
    if task.what == FORWARD:
        return lambda: forward(*given)
    y, cache = forward(*given)
    dy = first(numbers(y.transpose(0, 2, 3, 1).shape, 2))
    back = {INPUT_GRADIENT: input_gradient, WEIGHT_GRADIENT: weight_gradient}[task.what]
    return lambda: back(dy, cache)


def first(x):
    """Channels first: N,H,W,C -> N,C,H,W."""
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2))
