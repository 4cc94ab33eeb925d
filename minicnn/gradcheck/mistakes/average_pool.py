"""Average pooling: the sum of all places of the window, over how many count."""

import numpy as np


def forward(x, window, stride=None, pad=0, rounding="floor", border="padding"):
    """x (N,H,W,C) -> y (N,OH,OW,C) and the cache, a dict."""
    (kh, kw), (ph, pw) = _pair(window), _pair(pad)
    sh, sw = (kh, kw) if stride is None else _pair(stride)
    if x.ndim != 4 or x.dtype.kind not in "fc" or border not in ("padding", "image"):
        raise ValueError("x must have four axes, the border be padding or image")
    if ph >= kh or pw >= kw or min(ph, pw) < 0:
        raise ValueError("the padding must be less than the window")
    n, h, w, c = x.shape
    oh, ow = _windows(h, kh, sh, ph, rounding), _windows(w, kw, sw, pw, rounding)
    rows, columns = _counts(h, kh, sh, ph, oh, border), _counts(w, kw, sw, pw, ow, border)
    area = (rows[:, None] * columns)[None, :, :, None].astype(x.dtype)
    below = max(0, (oh - 1) * sh + kh - h - ph)
    right = max(0, (ow - 1) * sw + kw - w - pw)
    padded = np.pad(x, ((0, 0), (ph, below), (pw, right), (0, 0)))
    total = np.zeros((n, oh, ow, c), dtype=x.dtype)
    for i in range(kh):
        for j in range(kw):
            total += padded[:, i : i + oh * sh : sh, j : j + ow * sw : sw]
    y = total / area
    return y, {"area": area, "x": x.shape, "padded": padded.shape, "window": (kh, kw),
               "stride": (sh, sw), "pad": (ph, pw)}


def backward(dy, cache):
    """dy (N,OH,OW,C) -> dx (N,H,W,C): every pixel gets its share from each of its windows."""
    (kh, kw), (sh, sw), (ph, pw) = cache["window"], cache["stride"], cache["pad"]
    _, h, w, _ = cache["x"]
    dpadded = np.zeros(cache["padded"], dtype=dy.dtype)
    share = dy / cache["area"]
    for p in range(dy.shape[1]):
        for q in range(dy.shape[2]):
            top, left = p * sh, q * sw
            dpadded[:, top : top + kh, left : left + kw] += share[:, p, q][:, None, None]
    return dpadded[:, ph : ph + h, pw : pw + w].copy()


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


def _counts(size, kernel, stride, pad, out, border):
    """How many rows (or columns) of each window count."""
    start = np.arange(out) * stride - pad
    low, high = (0, size) if border == "image" else (-pad, size + pad)
    return np.minimum(start + kernel, high) - np.maximum(start, low)


def _pair(value):
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)
