"""Every op as nested loops: the specification that the pages are compared with.

Read one function to learn what an op *is*. A forward pass is its formula, with a loop over every
letter. A backward pass is the same loops again: each product ``y += u * v`` sends dy to its two
factors, ``du += dy * v`` and ``dv += dy * u``. There are no caches: ``conv_backward`` takes dy and
the arguments of ``conv_forward``, and so does every other.

The letters are those of `minicnn.ops`. Position p, q of the output and place i, j of the window
meet at pixel row, column of the image. K, S, P, D are pairs: S[0] is the stride along the height,
S[1] along the width. CG is C/G. ``for i, j, c in np.ndindex(KH, KW, CG)`` is three loops, one
inside the other: i in range(KH), j in range(KW), c in range(CG).

Images are N,H,W,C. Sums run in float64, and a result has the dtype of its input, float32 or
float64. A setting for height and width is one int or a pair (height, width); a pooling stride of
None is the window. What does not fit together is a ValueError.
"""
# ruff: noqa: E741 (O is the number of channels out, as on the pages)
import math

import numpy as np

from minicnn.rooms import offered

__getattr__, __dir__ = offered(__name__)


def _require(ok, message):
    if not ok:
        raise ValueError(message)


def _choice(what, value, *allowed):
    _require(value in allowed, f"{what}: expected one of {allowed}, got {value!r}; choose one")


def _pair(value):
    return (value, value) if isinstance(value, int | np.integer) else tuple(value)


def _output_size(size, kernel, stride, pad, dilation=1, rounding="floor"):
    """Number of windows along one axis; with "ceil" the last one may stick out at the end."""
    _choice("window rounding", rounding, "floor", "ceil")
    room = size + 2 * pad - dilation * (kernel - 1) - 1
    count = (room // stride if rounding == "floor" else -(-room // stride)) + 1
    if rounding == "ceil" and (count - 1) * stride >= size + pad:
        count -= 1  # the last window would start beyond the image and see no pixel
    _require(count > 0, f"window: expected a kernel that fits, got kernel {kernel} (dilation "
                        f"{dilation}) on size {size} with pad {pad}; shrink it or pad more")
    return count


# --- convolution and dense -------------------------------------------------------------------


def _conv_sizes(x_shape, w_shape, stride, pad, groups, dilation):
    """The shape of y, and S, P, D as pairs."""
    (N, H, W, C), (KH, KW, CG, O) = x_shape, w_shape
    _require(CG * groups == C and O % groups == 0,
             f"conv: expected w (KH,KW,C/groups,O) for C={C}, groups={groups}, got {w_shape}; "
             "change groups or the shape of w")
    S, P, D = _pair(stride), _pair(pad), _pair(dilation)
    OH, OW = _output_size(H, KH, S[0], P[0], D[0]), _output_size(W, KW, S[1], P[1], D[1])
    return (N, OH, OW, O), S, P, D


def conv_forward(x, w, b, stride=1, pad=0, groups=1, dilation=1):
    """y[n, p, q, o] = b[o] + sum_{i, j, c} x[n, S p + D i - P, S q + D j - P, c] * w[i, j, c, o].

    x (N, H, W, C), w (KH, KW, C/G, O), b (O,) or None -> y (N, OH, OW, O). Outside the image x is
    0. The kernel is not flipped. With G groups the channels out are G equal runs, and run g sees
    only the g-th run of C/G channels in: c counts inside that run.
    """
    y_shape, S, P, D = _conv_sizes(x.shape, w.shape, stride, pad, groups, dilation)
    (_, H, W, _), (KH, KW, CG, O), dtype = x.shape, w.shape, x.dtype
    x, w = x.astype(float), w.astype(float)
    y = np.zeros(y_shape)
    for n, p, q, o in np.ndindex(y_shape):
        y[n, p, q, o] = 0.0 if b is None else b[o]
        g = o // (O // groups)  # the group of channel o
        for i, j, c in np.ndindex(KH, KW, CG):
            row, column = S[0] * p + D[0] * i - P[0], S[1] * q + D[1] * j - P[1]
            if 0 <= row < H and 0 <= column < W:
                y[n, p, q, o] += x[n, row, column, g * CG + c] * w[i, j, c, o]
    return y.astype(dtype)


def conv_backward(dy, x, w, b, stride=1, pad=0, groups=1, dilation=1):
    """(dx, dw, db) of `conv_forward`, db None where b is None."""
    y_shape, S, P, D = _conv_sizes(x.shape, w.shape, stride, pad, groups, dilation)
    (_, H, W, _), (KH, KW, CG, O), dtypes = x.shape, w.shape, (x.dtype, w.dtype)
    dy, x, w = dy.astype(float), x.astype(float), w.astype(float)
    dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros(O)
    for n, p, q, o in np.ndindex(y_shape):
        db[o] += dy[n, p, q, o]
        g = o // (O // groups)
        for i, j, c in np.ndindex(KH, KW, CG):
            row, column = S[0] * p + D[0] * i - P[0], S[1] * q + D[1] * j - P[1]
            if 0 <= row < H and 0 <= column < W:
                dx[n, row, column, g * CG + c] += dy[n, p, q, o] * w[i, j, c, o]
                dw[i, j, c, o] += dy[n, p, q, o] * x[n, row, column, g * CG + c]
    return dx.astype(dtypes[0]), dw.astype(dtypes[1]), None if b is None else db.astype(b.dtype)


def _transpose_sizes(x_shape, w_shape, stride, pad, groups, dilation, size):
    """The shape of y, and S, P, D as pairs; a convolution leads from that shape to x's."""
    (N, OH, OW, _), (KH, KW, CG, _) = x_shape, w_shape
    S, P, D = _pair(stride), _pair(pad), _pair(dilation)
    H, W = size or (S[0] * (OH - 1) + D[0] * (KH - 1) + 1 - 2 * P[0],
                    S[1] * (OW - 1) + D[1] * (KW - 1) + 1 - 2 * P[1])
    y_shape = N, H, W, CG * groups
    made = _conv_sizes(y_shape, w_shape, stride, pad, groups, dilation)[0]
    _require(made == x_shape, f"conv_transpose: expected x of the shape {made} that a convolution "
             f"makes of images {(H, W)}, got {x_shape}; change size or w")
    return y_shape, S, P, D


def conv_transpose_forward(x, w, b, stride=1, pad=0, groups=1, dilation=1, size=None):
    """y[n, S p + D i - P, S q + D j - P, c] += x[n, p, q, o] * w[i, j, c, o], and b[c] once.

    x (N, OH, OW, O), w (KH, KW, C/G, O), b (C,) or None -> y (N, H, W, C). What falls outside y is
    cut off. (H, W) is size, or the smallest of which a convolution makes (OH, OW).
    """
    y_shape, S, P, D = _transpose_sizes(x.shape, w.shape, stride, pad, groups, dilation, size)
    (_, H, W, _), (KH, KW, CG, O), dtype = y_shape, w.shape, x.dtype
    x, w = x.astype(float), w.astype(float)
    y = np.zeros(y_shape)
    for n, row, column, c in np.ndindex(y_shape):
        y[n, row, column, c] = 0.0 if b is None else b[c]
    for n, p, q, o in np.ndindex(x.shape):
        g = o // (O // groups)  # the group of channel o
        for i, j, c in np.ndindex(KH, KW, CG):
            row, column = S[0] * p + D[0] * i - P[0], S[1] * q + D[1] * j - P[1]
            if 0 <= row < H and 0 <= column < W:
                y[n, row, column, g * CG + c] += x[n, p, q, o] * w[i, j, c, o]
    return y.astype(dtype)


def conv_transpose_backward(dy, x, w, b, stride=1, pad=0, groups=1, dilation=1, size=None):
    """(dx, dw, db) of `conv_transpose_forward`, db None where b is None."""
    y_shape, S, P, D = _transpose_sizes(x.shape, w.shape, stride, pad, groups, dilation, size)
    (_, H, W, C), (KH, KW, CG, O), dtypes = y_shape, w.shape, (x.dtype, w.dtype)
    dy, x, w = dy.astype(float), x.astype(float), w.astype(float)
    dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros(C)
    for n, row, column, c in np.ndindex(y_shape):
        db[c] += dy[n, row, column, c]
    for n, p, q, o in np.ndindex(x.shape):
        g = o // (O // groups)
        for i, j, c in np.ndindex(KH, KW, CG):
            row, column = S[0] * p + D[0] * i - P[0], S[1] * q + D[1] * j - P[1]
            if 0 <= row < H and 0 <= column < W:
                dx[n, p, q, o] += dy[n, row, column, g * CG + c] * w[i, j, c, o]
                dw[i, j, c, o] += dy[n, row, column, g * CG + c] * x[n, p, q, o]
    return dx.astype(dtypes[0]), dw.astype(dtypes[1]), None if b is None else db.astype(b.dtype)


def _dense_rows(x, w):
    rows = x.reshape(len(x), -1)  # N,H,W,C -> N,D
    _require(rows.shape[1] == w.shape[0], f"dense: expected {w.shape[0]} values an image (w is "
             f"{w.shape}), got {rows.shape[1]}; change w or the size of x")
    return rows.astype(float)


def dense_forward(x, w, b):
    """y[n, o] = b[o] + sum_d x[n, d] * w[d, o]; x (N, ...) is read row by row as (N, D)."""
    dtype, N, (D, O) = x.dtype, len(x), w.shape
    x, w = _dense_rows(x, w), w.astype(float)
    y = np.zeros((N, O))
    for n, o in np.ndindex(N, O):
        y[n, o] = 0.0 if b is None else b[o]
        for d in range(D):
            y[n, o] += x[n, d] * w[d, o]
    return y.astype(dtype)


def dense_backward(dy, x, w, b):
    """(dx, dw, db) of `dense_forward`, dx in the shape of x, db None where b is None."""
    dtypes, x_shape, N, (D, O) = (x.dtype, w.dtype), x.shape, len(x), w.shape
    dy, x, w = dy.astype(float), _dense_rows(x, w), w.astype(float)
    dx, dw, db = np.zeros((N, D)), np.zeros((D, O)), np.zeros(O)
    for n, o in np.ndindex(N, O):
        db[o] += dy[n, o]
        for d in range(D):
            dx[n, d] += dy[n, o] * w[d, o]
            dw[d, o] += dy[n, o] * x[n, d]
    dx = dx.reshape(x_shape)  # N,D -> N,H,W,C
    return dx.astype(dtypes[0]), dw.astype(dtypes[1]), None if b is None else db.astype(b.dtype)


# --- pooling and resizing --------------------------------------------------------------------


def _pool_sizes(x_shape, window, stride, pad, rounding):
    """The shape of y, the size (H, W) of the image, and K, S, P as pairs."""
    (N, H, W, C), K, P = x_shape, _pair(window), _pair(pad)
    S = _pair(window if stride is None else stride)
    _require(P[0] < K[0] and P[1] < K[1], "pool: expected pad smaller than the window, got pad "
             f"{pad}, window {window}; pad less, or a window sees no pixel")
    out = [_output_size((H, W)[a], K[a], S[a], P[a], 1, rounding) for a in (0, 1)]
    return (N, *out, C), (H, W), K, S, P


def _wins(value, best):
    """Whether a pixel replaces the maximum so far (None at first): if it is larger, or NaN."""
    return best is None or value > best or value != value


def pool_forward(x, window, stride=None, pad=0, rounding="floor"):
    """y[n, p, q, c] = max over (i, j) of x[n, S p + i - P, S q + j - P, c]; padding never wins."""
    y_shape, (H, W), K, S, P = _pool_sizes(x.shape, window, stride, pad, rounding)
    y = np.zeros(y_shape, x.dtype)
    for n, p, q, c in np.ndindex(y_shape):
        best = None
        for i, j in np.ndindex(K):
            row, column = S[0] * p + i - P[0], S[1] * q + j - P[1]
            if 0 <= row < H and 0 <= column < W and _wins(x[n, row, column, c], best):
                best = x[n, row, column, c]
        y[n, p, q, c] = best
    return y


def pool_backward(dy, x, window, stride=None, pad=0, rounding="floor"):
    """dx: each dy goes to its window's first maximum; where windows overlap, they add up."""
    y_shape, (H, W), K, S, P = _pool_sizes(x.shape, window, stride, pad, rounding)
    dx = np.zeros(x.shape)
    for n, p, q, c in np.ndindex(y_shape):
        best = None
        for i, j in np.ndindex(K):
            row, column = S[0] * p + i - P[0], S[1] * q + j - P[1]
            if 0 <= row < H and 0 <= column < W and _wins(x[n, row, column, c], best):
                best, winner = x[n, row, column, c], (n, row, column, c)
        dx[winner] += dy[n, p, q, c]
    return dx.astype(x.dtype)


def pool_switches(x, window, stride=None, pad=0, rounding="floor"):
    """The place i*KW + j of each maximum in its window; of equals the first, of NaNs the last."""
    y_shape, (H, W), K, S, P = _pool_sizes(x.shape, window, stride, pad, rounding)
    switches = np.zeros(y_shape, np.uint8 if K[0] * K[1] <= 256 else np.uint16)
    for n, p, q, c in np.ndindex(y_shape):
        best = None
        for i, j in np.ndindex(K):
            row, column = S[0] * p + i - P[0], S[1] * q + j - P[1]
            if 0 <= row < H and 0 <= column < W and _wins(x[n, row, column, c], best):
                best, switches[n, p, q, c] = x[n, row, column, c], i * K[1] + j
    return switches


def pool_unpool(p, switches, x_shape, window, stride, pad):
    """Each value of p goes where its switch points, 0 elsewhere; overlapping windows add up."""
    K, S, P = _pair(window), _pair(window if stride is None else stride), _pair(pad)
    values, x = p, np.zeros(x_shape)  # below, p is a position
    for n, p, q, c in np.ndindex(values.shape):
        i, j = divmod(int(switches[n, p, q, c]), K[1])
        x[n, S[0] * p + i - P[0], S[1] * q + j - P[1], c] += values[n, p, q, c]
    return x.astype(values.dtype)


def _counted(p, H, K, S, P, border):
    """How many places of window p count, along one axis: those in the image, or padding too."""
    _choice("average_pool border", border, "padding", "image")
    around = P if border == "padding" else 0
    return min(S * p - P + K, H + around) - max(S * p - P, -around)


def average_pool_forward(x, window, stride=None, pad=0, rounding="floor", border="padding"):
    """y[n, p, q, c] = sum_{i, j} x[n, S p + i - P, S q + j - P, c] / A[p, q].

    A is the number of places that count: in the image and its padding, or with border="image" in
    the image. What a last window of "ceil" has beyond the padding never counts.
    """
    y_shape, (H, W), K, S, P = _pool_sizes(x.shape, window, stride, pad, rounding)
    y = np.zeros(y_shape)
    for n, p, q, c in np.ndindex(y_shape):
        A = _counted(p, H, K[0], S[0], P[0], border) * _counted(q, W, K[1], S[1], P[1], border)
        for i, j in np.ndindex(K):
            row, column = S[0] * p + i - P[0], S[1] * q + j - P[1]
            if 0 <= row < H and 0 <= column < W:
                y[n, p, q, c] += float(x[n, row, column, c]) / A
    return y.astype(x.dtype)


def average_pool_backward(dy, x, window, stride=None, pad=0, rounding="floor", border="padding"):
    """dx of `average_pool_forward`: each pixel gets dy / A from every window it lies in."""
    y_shape, (H, W), K, S, P = _pool_sizes(x.shape, window, stride, pad, rounding)
    dx = np.zeros(x.shape)
    for n, p, q, c in np.ndindex(y_shape):
        A = _counted(p, H, K[0], S[0], P[0], border) * _counted(q, W, K[1], S[1], P[1], border)
        for i, j in np.ndindex(K):
            row, column = S[0] * p + i - P[0], S[1] * q + j - P[1]
            if 0 <= row < H and 0 <= column < W:
                dx[n, row, column, c] += float(dy[n, p, q, c]) / A
    return dx.astype(x.dtype)


def global_average_pool_forward(x):
    """y[n, c] = mean over (p, q) of x[n, p, q, c]; x (N, H, W, C) -> y (N, C)."""
    N, H, W, C = x.shape
    y = np.zeros((N, C))
    for n, p, q, c in np.ndindex(x.shape):
        y[n, c] += float(x[n, p, q, c]) / (H * W)
    return y.astype(x.dtype)


def global_average_pool_backward(dy, x):
    """dx[n, p, q, c] = dy[n, c] / (H W)."""
    _, H, W, _ = x.shape
    dx = np.zeros(x.shape)
    for n, p, q, c in np.ndindex(x.shape):
        dx[n, p, q, c] = float(dy[n, c]) / (H * W)
    return dx.astype(x.dtype)


def _nearest(p, H, OH):
    """The two old rows that new row p of OH lies between, each with its weight: how close it is."""
    place = min(max((p + 0.5) * H / OH - 0.5, 0.0), H - 1.0)  # held at the first and last row
    above = int(place)
    return (above, 1 - (place - above)), (min(above + 1, H - 1), place - above)


def resize_forward(x, size):
    """y[n, p, q, c] = sum_{row, column} R[p, row] * Q[q, column] * x[n, row, column, c].

    Bilinear, to size (OH, OW). New row p lies at (p + 1/2) H / OH - 1/2 in the old rows, and R is
    0 but for the two that it lies between; Q is the same for columns. What reducing skips is lost.
    """
    N, H, W, C = x.shape
    y = np.zeros((N, *size, C))
    for n, p, q, c in np.ndindex(y.shape):
        for row, R in _nearest(p, H, size[0]):
            for column, Q in _nearest(q, W, size[1]):
                y[n, p, q, c] += R * Q * float(x[n, row, column, c])
    return y.astype(x.dtype)


def resize_backward(dy, x, size):
    """dx of `resize_forward`: the same weights, the other way."""
    N, H, W, C = x.shape
    dx = np.zeros(x.shape)
    for n, p, q, c in np.ndindex(N, *size, C):
        for row, R in _nearest(p, H, size[0]):
            for column, Q in _nearest(q, W, size[1]):
                dx[n, row, column, c] += R * Q * float(dy[n, p, q, c])
    return dx.astype(x.dtype)


# --- one value at a time, and across channels ------------------------------------------------


def relu_forward(x):
    """y = x where x > 0, else 0."""
    y = np.zeros(x.shape, x.dtype)
    for at in np.ndindex(x.shape):
        y[at] = x[at] if x[at] > 0 else 0.0
    return y


def relu_backward(dy, x, rule="gradient"):
    """dx = dy where x > 0 ("gradient"), dy > 0 ("deconvnet") or both ("guided"), else 0."""
    _choice("relu rule", rule, "gradient", "deconvnet", "guided")
    dx = np.zeros(x.shape, x.dtype)
    for at in np.ndindex(x.shape):
        if (x[at] > 0 or rule == "deconvnet") and (dy[at] > 0 or rule == "gradient"):
            dx[at] = dy[at]
    return dx


def _sigmoid(x):
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))  # no overflow


def sigmoid_forward(x):
    """y = 1 / (1 + exp(-x))."""
    y = np.zeros(x.shape, x.dtype)
    for at in np.ndindex(x.shape):
        y[at] = _sigmoid(float(x[at]))
    return y


def sigmoid_backward(dy, x):
    """dx = dy y (1 - y), where 1 - y is the sigmoid of -x."""
    dx = np.zeros(x.shape, x.dtype)
    for at in np.ndindex(x.shape):
        dx[at] = float(dy[at]) * _sigmoid(float(x[at])) * _sigmoid(-float(x[at]))
    return dx


def tanh_forward(x):
    """y = tanh x."""
    y = np.zeros(x.shape, x.dtype)
    for at in np.ndindex(x.shape):
        y[at] = math.tanh(x[at])
    return y


def tanh_backward(dy, x):
    """dx = dy (1 - tanh(x)^2)."""
    dx = np.zeros(x.shape, x.dtype)
    for at in np.ndindex(x.shape):
        dx[at] = float(dy[at]) * (1 - math.tanh(x[at]) ** 2)
    return dx


def _kept(shape, rate, seed):
    _require(0 <= rate < 1, f"dropout: expected 0 <= rate < 1, got {rate}; choose a rate in range")
    return np.random.default_rng(seed).random(shape) >= rate  # seed: an int or a Generator


def dropout_forward(x, rate=0.5, seed=0):
    """y = x / (1 - rate) where default_rng(seed).random(x.shape) >= rate, else 0."""
    kept = _kept(x.shape, rate, seed)
    y = np.zeros(x.shape, x.dtype)
    for at in np.ndindex(x.shape):
        y[at] = float(x[at]) / (1 - rate) if kept[at] else 0.0
    return y


def dropout_backward(dy, x, rate=0.5, seed=0):
    """dx of `dropout_forward`. The seed must be an int: a Generator would not give the same mask
    again."""
    _require(isinstance(seed, int | np.integer), "dropout: expected an int seed in the backward "
             f"pass, got {type(seed).__name__}; pass the int that seeded the forward pass")
    kept = _kept(x.shape, rate, seed)
    dx = np.zeros(x.shape, x.dtype)
    for at in np.ndindex(x.shape):
        dx[at] = float(dy[at]) / (1 - rate) if kept[at] else 0.0
    return dx


def _lrn_factor(size, alpha, convention):
    """a, which multiplies the sum of squares."""
    _require(size % 2 == 1, f"lrn: expected an odd size, got {size}; use {size + 1}")
    _choice("lrn convention", convention, "caffe", "paper")
    return alpha / size if convention == "caffe" else alpha


def lrn_forward(x, size=5, alpha=1e-4, beta=0.75, k=1.0, convention="caffe"):
    """y[c] = x[c] * s[c]^(-beta), s[c] = k + a * sum over c' of x[c']^2, at each position alike.

    c' are the `size` channels centred on c, fewer at both ends; `size` is odd. a is alpha / size
    ("caffe") or alpha ("paper").
    """
    a, C = _lrn_factor(size, alpha, convention), x.shape[-1]
    y = np.zeros(x.shape)
    for n, p, q, c in np.ndindex(x.shape):
        s = k
        for near in range(max(0, c - size // 2), min(C, c + size // 2 + 1)):
            s += a * float(x[n, p, q, near]) ** 2
        y[n, p, q, c] = float(x[n, p, q, c]) * s ** -beta
    return y.astype(x.dtype)


def lrn_backward(dy, x, size=5, alpha=1e-4, beta=0.75, k=1.0, convention="caffe"):
    """dx of `lrn_forward`: x counts once as itself and once in each scale s it belongs to."""
    a, C, dtype = _lrn_factor(size, alpha, convention), x.shape[-1], x.dtype
    dy, x = dy.astype(float), x.astype(float)
    dx = np.zeros(x.shape)
    for n, p, q, c in np.ndindex(x.shape):
        s, window = k, range(max(0, c - size // 2), min(C, c + size // 2 + 1))
        for near in window:
            s += a * x[n, p, q, near] ** 2
        dx[n, p, q, c] += dy[n, p, q, c] * s ** -beta
        ds = dy[n, p, q, c] * x[n, p, q, c] * -beta * s ** (-beta - 1)
        for near in window:
            dx[n, p, q, near] += ds * a * 2 * x[n, p, q, near]
    return dx.astype(dtype)


def _moments(x):
    """The mean and the biased variance of each channel (last axis)."""
    mean, variance = np.zeros((2, x.shape[-1]))
    M = x.size // x.shape[-1]
    for at in np.ndindex(x.shape):
        mean[at[-1]] += float(x[at]) / M
    for at in np.ndindex(x.shape):
        variance[at[-1]] += (float(x[at]) - mean[at[-1]]) ** 2 / M
    return mean, variance


def batch_norm_forward(x, gamma, beta, mean, variance, epsilon=1e-5, training=False):
    """y = gamma z + beta, z = (x - mean) / sqrt(variance + epsilon), each channel c; x (..., C).

    training=True takes the batch's own mean and (biased) variance instead of those given.
    """
    if training:
        mean, variance = _moments(x)
    y = np.zeros(x.shape)
    for at in np.ndindex(x.shape):
        c = at[-1]
        z = (float(x[at]) - float(mean[c])) / math.sqrt(float(variance[c]) + epsilon)
        y[at] = float(gamma[c]) * z + float(beta[c])
    return y.astype(x.dtype)


def batch_norm_backward(dy, x, gamma, beta, mean, variance, epsilon=1e-5, training=False):
    """(dx, dgamma, dbeta) of `batch_norm_forward`; in training also through mean and variance."""
    if training:
        mean, variance = _moments(x)
    dtypes, M = (x.dtype, gamma.dtype, beta.dtype), x.size // x.shape[-1]
    dy, x, gamma, mean, variance = [np.asarray(a, float) for a in (dy, x, gamma, mean, variance)]
    dx, (dgamma, dbeta, dmean, dvariance) = np.zeros(x.shape), np.zeros((4, x.shape[-1]))
    for at in np.ndindex(x.shape):
        c = at[-1]
        r = 1 / math.sqrt(variance[c] + epsilon)
        z, dz = (x[at] - mean[c]) * r, dy[at] * gamma[c]
        dgamma[c] += dy[at] * z
        dbeta[c] += dy[at]
        dx[at] += dz * r
        dmean[c] -= dz * r
        dvariance[c] -= dz * z * r ** 2 / 2  # dr/dvariance = -r^3 / 2
    if training:  # else mean and variance are constants
        for at in np.ndindex(x.shape):
            c = at[-1]
            dx[at] += dmean[c] / M + dvariance[c] * 2 * (x[at] - mean[c]) / M
    return dx.astype(dtypes[0]), dgamma.astype(dtypes[1]), dbeta.astype(dtypes[2])


def _softmax(row):
    powers = [math.exp(value - max(row)) for value in row]  # less the largest: no overflow
    return [power / sum(powers) for power in powers]


def softmax_forward(x):
    """y[..., k] = exp(x[..., k]) / sum_j exp(x[..., j]); x (..., K)."""
    y = np.zeros(x.shape, x.dtype)
    for at in np.ndindex(x.shape[:-1]):
        y[at] = _softmax(x[at].tolist())
    return y


def softmax_backward(dy, x):
    """dx[k] = sum_j dy[j] dy[j]/dx[k], where the derivative is y[j] ([j = k] - y[k])."""
    dx = np.zeros(x.shape)
    for at in np.ndindex(x.shape[:-1]):
        y = _softmax(x[at].tolist())
        for j, k in np.ndindex(len(y), len(y)):
            dx[(*at, k)] += float(dy[(*at, j)]) * y[j] * ((j == k) - y[k])
    return dx.astype(x.dtype)


def _check_labels(logits, labels):
    N, K = logits.shape
    _require(len(labels) == N and all(0 <= k < K for k in labels), f"cross_entropy: expected {N} "
             f"labels in 0..{K - 1}, got {list(labels)}; one class number an image")


def cross_entropy_forward(logits, labels):
    """The mean over n of -log softmax(logits[n])[labels[n]]; logits (N, K), labels (N,) ints."""
    _check_labels(logits, labels)
    loss = 0.0
    for row, k in zip(logits.tolist(), labels, strict=True):
        total = sum(math.exp(value - max(row)) for value in row)
        loss += math.log(total) - (row[k] - max(row))
    return logits.dtype.type(loss / len(labels))


def cross_entropy_backward(dloss, logits, labels):
    """dlogits[n, k] = dloss / N (softmax(logits[n])[k] - [k = labels[n]])."""
    _check_labels(logits, labels)
    dlogits, (N, K) = np.zeros(logits.shape), logits.shape
    for n in range(N):
        y = _softmax(logits[n].tolist())
        for k in range(K):
            dlogits[n, k] = float(dloss) / N * (y[k] - (k == labels[n]))
    return dlogits.astype(logits.dtype)


def concat_forward(parts, axis=-1):
    """The parts one after the other along axis; their other sizes must agree."""
    others = {(*p.shape[:axis % p.ndim], *p.shape[axis % p.ndim + 1:]) for p in parts}
    _require(len(others) == 1, "concat: expected shapes that agree off the axis, got "
             f"{[p.shape for p in parts]}, axis {axis}; crop or resize the parts")
    axis, shape, start = axis % parts[0].ndim, list(parts[0].shape), 0
    shape[axis] = sum(p.shape[axis] for p in parts)
    y = np.zeros(shape, np.result_type(*parts))
    for part in parts:
        for at in np.ndindex(part.shape):
            y[(*at[:axis], start + at[axis], *at[axis + 1:])] = part[at]
        start += part.shape[axis]
    return y


def concat_backward(dy, parts, axis=-1):
    """The list of each part's own piece of dy."""
    axis, start, gradients = axis % dy.ndim, 0, []
    for part in parts:
        gradients.append(np.zeros(part.shape, part.dtype))
        for at in np.ndindex(part.shape):
            gradients[-1][at] = dy[(*at[:axis], start + at[axis], *at[axis + 1:])]
        start += part.shape[axis]
    return gradients


def add_forward(parts):
    """The sum of parts of one shape."""
    _require(len({p.shape for p in parts}) == 1, "add: expected parts of one shape, got "
             f"{[p.shape for p in parts]}; crop or project the parts")
    y = np.zeros(parts[0].shape)
    for at in np.ndindex(y.shape):
        for part in parts:
            y[at] += float(part[at])
    return y.astype(parts[-1].dtype)


def add_backward(dy, parts):
    """The list of dy for every part."""
    return [dy.copy() for _ in parts]
