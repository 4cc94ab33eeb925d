"""Max pooling by columns: all windows at once; the cache holds the winners' places in memory."""

import numpy as np


class Cache:
    """Where the winners are, and the shapes."""

    def __init__(self, index, x_shape, padded_shape, pad):
        self.index, self.x_shape, self.padded_shape, self.pad = index, x_shape, padded_shape, pad


def forward(x, window, stride=None, pad=0, rounding="floor"):
    """x (N,H,W,C) -> y (N,OH,OW,C) and a Cache."""
    k, p = _pair(window), _pair(pad)
    s = k if stride is None else _pair(stride)
    if x.ndim != 4 or x.dtype.kind not in "fc":
        raise ValueError("x must be (N, H, W, C), of floating point numbers")
    if p[0] >= k[0] or p[1] >= k[1] or min(p) < 0:
        raise ValueError("the padding must be less than the window")
    n, h, w, c = x.shape
    out = [_windows(x.shape[1 + a], k[a], s[a], p[a], rounding) for a in (0, 1)]
    height = max((out[0] - 1) * s[0] + k[0], h + 2 * p[0])
    width = max((out[1] - 1) * s[1] + k[1], w + 2 * p[1])
    padded = np.full((n, height, width, c), -np.inf, dtype=x.dtype)
    padded[:, p[0] : p[0] + h, p[1] : p[1] + w] = x
    places = []
    for i in range(k[0]):
        for j in range(k[1]):
            places.append(padded[:, i : i + s[0] * out[0] : s[0], j : j + s[1] * out[1] : s[1]])
    columns = np.stack(places)
    winner = columns.argmax(axis=0)
    y = columns.max(axis=0)
    i, j = winner // k[1], winner % k[1]
    image, row, column, channel = np.ogrid[:n, : out[0], : out[1], :c]
    row, column = row * s[0] + i, column * s[1] + j
    index = ((image * height + row) * width + column) * c + channel
    return y, Cache(index, x.shape, padded.shape, p)


def backward(dy, cache):
    """dy (N,OH,OW,C) -> dx (N,H,W,C)."""
    if dy.shape != cache.index.shape:
        raise ValueError("dy must have the shape of y")
    flat = np.zeros(np.prod(cache.padded_shape), dtype=dy.dtype)
    np.add.at(flat, cache.index.ravel(), dy.ravel())
    padded = flat.reshape(cache.padded_shape)
    (top, left), (_, h, w, _) = cache.pad, cache.x_shape
    return padded[:, top : top + h, left : left + w].copy()


def _windows(size, kernel, stride, pad, rounding):
    if rounding not in ("floor", "ceil") or stride < 1:
        raise ValueError("the rounding must be floor or ceil, the stride at least 1")
    room = size + 2 * pad - kernel
    if room < 0:
        raise ValueError("the window does not fit into the image")
    count = room // stride + 1
    if rounding == "ceil" and room % stride and count * stride < size + pad:
        count += 1
    return count


def _pair(value):
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)
