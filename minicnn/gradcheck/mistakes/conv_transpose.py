"""Transposed convolution: every number of x sends its kernel, scaled, to the output."""

import numpy as np


def forward(x, w, b=None, stride=1, pad=0, groups=1, dilation=1, size=None):
    """x (N,OH,OW,O), w (KH,KW,C/groups,O), b (C,) or None -> y (N,H,W,C) and the cache."""
    s, p, d = _pair(stride), _pair(pad), _pair(dilation)
    n, oh, ow, o = x.shape
    kh, kw, cg, wo = w.shape
    reach = (s[0] * (oh - 1) + d[0] * (kh - 1) + 1, s[1] * (ow - 1) + d[1] * (kw - 1) + 1)
    size = (reach[0] - 2 * p[0], reach[1] - 2 * p[1]) if size is None else tuple(size)
    if wo != o or o % groups or x.dtype.kind not in "fc" or min(size) < 1:
        raise ValueError("x, w and the settings do not fit together")
    if b is not None and b.shape != (cg * groups,):
        raise ValueError("b needs one number for each channel of y")
    if any(not 0 <= size[a] + 2 * p[a] - reach[a] < s[a] for a in (0, 1)):
        raise ValueError("no convolution leads from that size to x")
    canvas = np.zeros((n, size[0] + 2 * p[0], size[1] + 2 * p[1], groups, cg), dtype=x.dtype)
    xg = x.reshape(n, oh, ow, groups, -1)
    wg = w.reshape(kh, kw, cg, groups, -1)
    for i in range(kh):
        for j in range(kw):
            part = np.einsum("npqgo,cgo->npqgc", xg, wg[i, j])
            canvas[_places(i, j, s, d, (oh, ow))] += part
    y = canvas[:, p[0] : p[0] + size[0], p[1] : p[1] + size[1]].reshape(n, *size, -1)
    if b is not None:
        y = y + b
    return y.copy(), (xg, wg, b is not None, s, p, d)


def backward(dy, cache):
    """dy (N,H,W,C) -> dx like x, dw like w, db (C,) or None."""
    xg, wg, has_bias, s, p, d = cache
    n, oh, ow, groups, og = xg.shape
    db = dy.sum(axis=(0, 1, 2)) if has_bias else None
    canvas = np.pad(dy, ((0, 0), (p[0], p[0]), (p[1], p[1]), (0, 0)))
    canvas = canvas.reshape(*canvas.shape[:3], groups, -1)
    dx, dw = np.zeros(xg.shape, dtype=xg.dtype), np.zeros(wg.shape, dtype=wg.dtype)
    for i in range(wg.shape[0]):
        for j in range(wg.shape[1]):
            seen = canvas[_places(i, j, s, d, (oh, ow))]
            dx += np.einsum("npqgc,cgo->npqgo", seen, wg[i, j])
            dw[i, j] = np.einsum("npqgc,npqgo->cgo", seen, xg)
    return dx.reshape(n, oh, ow, -1), dw.reshape(*wg.shape[:3], -1), db


def _places(i, j, s, d, out):
    """The pixels that place (i, j) of the kernel reaches."""
    return (slice(None), slice(d[0] * i, d[0] * i + s[0] * out[0], s[0]),
            slice(d[1] * j, d[1] * j + s[1] * out[1], s[1]))


def _pair(value):
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)
