"""Max pooling, window by window; the cache is a tuple."""

import numpy as np


def forward(x, window, stride=None, pad=0, rounding="floor"):
    """x (N,H,W,C) -> y (N,OH,OW,C) and the cache."""
    kh, kw = _pair(window)
    sh, sw = (kh, kw) if stride is None else _pair(stride)
    ph, pw = _pair(pad)
    if x.ndim != 4 or x.dtype.kind not in "fc" or ph >= kh or pw >= kw or rounding not in (
            "floor", "ceil") or min(sh, sw) < 1 or min(ph, pw) < 0:
        raise ValueError("the settings do not fit")
    n, h, w, c = x.shape
    oh, ow = _count(h, kh, sh, ph, rounding), _count(w, kw, sw, pw, rounding)
    below = max(0, (oh - 1) * sh + kh - h - ph)
    beside = max(0, (ow - 1) * sw + kw - w - pw)
    padded = np.full((n, ph + h + below, pw + w + beside, c), -np.inf, dtype=x.dtype)
    padded[:, ph : ph + h, pw : pw + w] = x
    y = np.zeros((n, oh, ow, c), dtype=x.dtype)
    switches = np.zeros((n, oh, ow, c), dtype=np.int64)
    for p in range(oh):
        for q in range(ow):
            top, left = p * sh, q * sw
            view = padded[:, top : top + kh, left : left + kw].reshape(n, kh * kw, c)
            switches[:, p, q] = view.argmax(axis=1)
            y[:, p, q] = view.max(axis=1)
    return y, (switches, x.shape, padded.shape, (kh, kw), (sh, sw), (ph, pw))


def backward(dy, cache):
    """dy (N,OH,OW,C) -> dx (N,H,W,C): each goes to the first maximum of its window."""
    switches, (n, h, w, c), padded_shape, (kh, kw), (sh, sw), (ph, pw) = cache
    if dy.shape != switches.shape:
        raise ValueError("dy must have the shape of y")
    dpadded = np.zeros(padded_shape, dtype=dy.dtype)
    image, channel = np.ogrid[:n, :c]
    for p in range(dy.shape[1]):
        for q in range(dy.shape[2]):
            i, j = np.divmod(switches[:, p, q], kw)
            row, column = p * sh + i, q * sw + j
            dpadded[image, row, column, channel] += dy[:, p, q]
    return dpadded[:, ph : ph + h, pw : pw + w].copy()


def _count(size, kernel, stride, pad, rounding):
    room = size + 2 * pad - kernel
    count = (room // stride if rounding == "floor" else -(-room // stride)) + 1
    if rounding == "ceil" and (count - 1) * stride >= size + pad:
        count -= 1
    if count < 1:
        raise ValueError("the window does not fit into the image")
    return count


def _pair(value):
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)
