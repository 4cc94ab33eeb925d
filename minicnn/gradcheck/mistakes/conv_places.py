"""Convolution place by place: each of the KH*KW weights meets a shifted image at once."""

from typing import NamedTuple

import numpy as np


class Kept(NamedTuple):
    """What the way back needs."""

    padded: np.ndarray  # N, H + 2 P, W + 2 P, G, C/G
    w: np.ndarray  # KH, KW, C/G, G, O/G
    has_bias: bool
    stride: tuple
    pad: tuple
    dilation: tuple
    out: tuple


def forward(x, w, b=None, stride=1, pad=0, groups=1, dilation=1):
    """x (N,H,W,C), w (KH,KW,C/groups,O), b (O,) or None -> y (N,OH,OW,O) and the cache."""
    s, p, d = _pair(stride), _pair(pad), _pair(dilation)
    if x.ndim != 4 or x.dtype.kind not in "fc" or w.shape[2] * groups != x.shape[3]:
        raise ValueError("x and w do not fit together")
    if w.shape[3] % groups or (b is not None and b.shape != w.shape[3:]):
        raise ValueError("the outputs do not fit the groups or the bias")
    if min(*s, *d) < 1 or min(p) < 0:
        raise ValueError("stride, dilation or padding is too small")
    out = tuple((x.shape[1 + a] + 2 * p[a] - d[a] * (w.shape[a] - 1) - 1) // s[a] + 1
                for a in (0, 1))
    if min(out) < 1:
        raise ValueError("the kernel does not fit into the image")
    padded = np.pad(x, ((0, 0), (p[0], p[0]), (p[1], p[1]), (0, 0)))
    padded = padded.reshape(*padded.shape[:3], groups, -1)
    grouped = w.reshape(*w.shape[:3], groups, -1)
    kept = Kept(padded, grouped, b is not None, s, p, d, out)
    y = np.zeros((len(x), *out, groups, grouped.shape[4]), dtype=x.dtype)
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            seen = padded[_seen(i, j, kept)]
            y += np.einsum("npqgc,cgo->npqgo", seen, grouped[i, j])
    y = y.reshape(*y.shape[:3], -1)
    if b is not None:
        y += b
    return y, kept


def backward(dy, kept):
    """dy (N,OH,OW,O) -> dx (N,H,W,C), dw like w, db (O,) or None."""
    kh, kw, cg, groups, og = kept.w.shape
    if dy.shape != (len(kept.padded), *kept.out, groups * og):
        raise ValueError("dy must have the shape of y")
    db = dy.sum(axis=(0, 1, 2)) if kept.has_bias else None
    dy = dy.reshape(*dy.shape[:3], groups, og)
    dpadded = np.zeros(kept.padded.shape, dtype=kept.padded.dtype)
    dw = np.zeros(kept.w.shape, dtype=kept.w.dtype)
    for i in range(kh):
        for j in range(kw):
            where = _seen(i, j, kept)
            dpadded[where] += np.einsum("npqgo,cgo->npqgc", dy, kept.w[i, j])
            dw[i, j] = np.einsum("npqgc,npqgo->cgo", kept.padded[where], dy)
    (ph, pw), (_, height, width, _, _) = kept.pad, dpadded.shape
    dx = dpadded[:, ph : height - ph, pw : width - pw].copy()
    return dx.reshape(*dx.shape[:3], -1), dw.reshape(kh, kw, cg, -1), db


def _seen(i, j, kept):
    """The pixels that place (i, j) of the kernel meets, one for each output position."""
    return (slice(None), *(
        slice(kept.dilation[a] * k, kept.dilation[a] * k + kept.stride[a] * kept.out[a],
              kept.stride[a]) for a, k in enumerate((i, j))))


def _pair(value):
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)
