"""Convolution by columns (im2col): every window becomes a row of a matrix."""

import numpy as np


def forward(x, w, b=None, stride=1, pad=0, groups=1, dilation=1):
    """x (N,H,W,C), w (KH,KW,C/groups,O), b (O,) or None -> y (N,OH,OW,O) and the cache, a dict."""
    stride, pad, dilation = _pair(stride), _pair(pad), _pair(dilation)
    _check(x, w, b, stride, pad, groups, dilation)
    out = _out_size(x.shape, w.shape, stride, pad, dilation)
    cols = _im2col(x, w.shape[:2], stride, pad, dilation, out)
    cg, og = x.shape[3] // groups, w.shape[3] // groups
    y = np.zeros((len(cols), w.shape[3]), dtype=x.dtype)
    for g in range(groups):
        part = cols[:, :, g * cg : (g + 1) * cg].reshape(len(cols), -1)
        y[:, g * og : (g + 1) * og] = part @ w[..., g * og : (g + 1) * og].reshape(-1, og)
    if b is not None:
        y = y + b
    cache = {"cols": cols, "x_shape": x.shape, "w": w, "bias": b is not None, "stride": stride,
             "pad": pad, "groups": groups, "dilation": dilation, "out": out}
    return y.reshape(len(x), *out, -1), cache


def backward(dy, cache):
    """dy (N,OH,OW,O) -> dx (N,H,W,C), dw like w, db (O,) or None."""
    cols, w, groups = cache["cols"], cache["w"], cache["groups"]
    if dy.shape != (cache["x_shape"][0], *cache["out"], w.shape[3]):
        raise ValueError("dy must have the shape of y")
    rows = dy.reshape(-1, w.shape[3])
    cg, og = w.shape[2], w.shape[3] // groups
    dw, dcols = np.zeros(w.shape, dtype=w.dtype), np.zeros(cols.shape, dtype=cols.dtype)
    for g in range(groups):
        part = cols[:, :, g * cg : (g + 1) * cg].reshape(len(cols), -1)
        drows = rows[:, g * og : (g + 1) * og]
        dw[..., g * og : (g + 1) * og] = (part.T @ drows).reshape(*w.shape[:3], og)
        dpart = drows @ w[..., g * og : (g + 1) * og].reshape(-1, og).T
        dcols[:, :, g * cg : (g + 1) * cg] = dpart.reshape(len(cols), -1, cg)
    db = rows.sum(axis=0) if cache["bias"] else None
    return _col2im(dcols, cache), dw, db


def _im2col(x, window, stride, pad, dilation, out):
    """(N*OH*OW, KH*KW, C)."""
    padded = np.pad(x, ((0, 0), (pad[0], pad[0]), (pad[1], pad[1]), (0, 0)))
    cols = np.zeros((len(x), *out, window[0] * window[1], x.shape[3]), dtype=x.dtype)
    for i in range(window[0]):
        for j in range(window[1]):
            top, left = i * dilation[0], j * dilation[1]
            bottom, right = top + stride[0] * out[0], left + stride[1] * out[1]
            cols[:, :, :, i * window[1] + j] = padded[
                :, top : bottom : stride[0], left : right : stride[1]]
    return cols.reshape(-1, window[0] * window[1], x.shape[3])


def _col2im(dcols, cache):
    """The reverse of _im2col: every entry is added to the pixel it came from."""
    (n, h, width, c), (kh, kw) = cache["x_shape"], cache["w"].shape[:2]
    stride, pad, dilation, out = cache["stride"], cache["pad"], cache["dilation"], cache["out"]
    dcols = dcols.reshape(n, *out, kh * kw, c)
    padded = np.zeros((n, h + 2 * pad[0], width + 2 * pad[1], c), dtype=dcols.dtype)
    for i in range(kh):
        for j in range(kw):
            top, left = i * dilation[0], j * dilation[1]
            bottom, right = top + stride[0] * out[0], left + stride[1] * out[1]
            padded[:, top : bottom : stride[0], left : right : stride[1]] += dcols[
                :, :, :, i * kw + j]
    return padded[:, pad[0] : pad[0] + h, pad[1] : pad[1] + width].copy()


def _out_size(x_shape, w_shape, stride, pad, dilation):
    spans = [dilation[a] * (w_shape[a] - 1) + 1 for a in (0, 1)]
    out = [(x_shape[1 + a] + 2 * pad[a] - spans[a]) // stride[a] + 1 for a in (0, 1)]
    if min(out) < 1:
        raise ValueError("the kernel does not fit into the image")
    return tuple(out)


def _pair(value):
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def _check(x, w, b, stride, pad, groups, dilation):
    if x.ndim != 4 or w.ndim != 4 or x.dtype.kind not in "fc":
        raise ValueError("x must hold floating point numbers, and x and w have four axes")
    if groups < 1 or w.shape[2] * groups != x.shape[3] or w.shape[3] % groups:
        raise ValueError("the channels of x and w do not fit the groups")
    if b is not None and b.shape != w.shape[3:]:
        raise ValueError("b must hold one number for each kernel")
    if min(stride) < 1 or min(dilation) < 1 or min(pad) < 0:
        raise ValueError("stride, dilation or padding is too small")
