"""Convolution as it is defined: a loop over images and windows; the cache is an object."""

import numpy as np


class Cache:
    """What the way back needs, as attributes."""


def forward(x, w, b=None, stride=1, pad=0, groups=1, dilation=1):
    """x (N,H,W,C), w (KH,KW,C/groups,O), b (O,) or None -> y (N,OH,OW,O) and a Cache."""
    (sh, sw), (ph, pw), (dh, dw) = _pair(stride), _pair(pad), _pair(dilation)
    n, h, width, c = x.shape
    kh, kw, cg, o = w.shape
    if cg * groups != c or o % groups or min(sh, sw, dh, dw) < 1 or min(ph, pw) < 0:
        raise ValueError("x, w and the settings do not fit together")
    if x.dtype.kind not in "fc" or (b is not None and b.shape != (o,)):
        raise ValueError("b needs one number for each output, x numbers with a fraction")
    span_h, span_w = dh * (kh - 1) + 1, dw * (kw - 1) + 1
    oh = (h + 2 * ph - span_h) // sh + 1
    ow = (width + 2 * pw - span_w) // sw + 1
    if oh < 1 or ow < 1:
        raise ValueError("the kernel does not fit into the image")
    padded = np.zeros((n, h + 2 * ph, width + 2 * pw, c), dtype=x.dtype)
    padded[:, ph : ph + h, pw : pw + width] = x
    y = np.zeros((n, oh, ow, o), dtype=x.dtype)
    og = o // groups
    for image in range(n):
        for p in range(oh):
            for q in range(ow):
                top, left = p * sh, q * sw
                window = padded[image, top : top + span_h : dh, left : left + span_w : dw]
                for g in range(groups):
                    ins, outs = slice(g * cg, (g + 1) * cg), slice(g * og, (g + 1) * og)
                    total = np.tensordot(window[..., ins], w[..., outs], axes=3)
                    y[image, p, q, outs] = total
    if b is not None:
        y = y + b
    cache = Cache()
    cache.padded, cache.w, cache.b, cache.groups = padded, w, b, groups
    cache.x_shape, cache.y_shape, cache.pad, cache.stride = x.shape, y.shape, (ph, pw), (sh, sw)
    cache.spans, cache.dilation = (span_h, span_w), (dh, dw)
    return y, cache


def backward(dy, cache):
    """dy (N,OH,OW,O) -> dx (N,H,W,C), dw like w, db (O,) or None."""
    padded, w, groups = cache.padded, cache.w, cache.groups
    (sh, sw), (ph, pw), (dh, dw) = cache.stride, cache.pad, cache.dilation
    span_h, span_w = cache.spans
    if dy.shape != cache.y_shape:
        raise ValueError("dy must have the shape of y")
    n, oh, ow, o = dy.shape
    cg, og = w.shape[2], o // groups
    dpadded = np.zeros(padded.shape, dtype=padded.dtype)
    dweights = np.zeros(w.shape, dtype=w.dtype)
    db = np.zeros(o, dtype=dy.dtype)
    for image in range(n):
        for p in range(oh):
            for q in range(ow):
                top, left = p * sh, q * sw
                rows, columns = slice(top, top + span_h, dh), slice(left, left + span_w, dw)
                db += dy[image, p, q]
                for g in range(groups):
                    ins, outs = slice(g * cg, (g + 1) * cg), slice(g * og, (g + 1) * og)
                    d = dy[image, p, q, outs]
                    dweights[..., outs] += padded[image, rows, columns, ins][..., None] * d
                    dpadded[image, rows, columns, ins] += w[..., outs] @ d
    dx = dpadded[:, ph : ph + cache.x_shape[1], pw : pw + cache.x_shape[2]].copy()
    return dx, dweights, None if cache.b is None else db


def _pair(value):
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)
