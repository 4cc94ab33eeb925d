"""Every op as scalar loops: the specification that the pages are compared with.

Read a function here to learn what an op *is*. ``naive.conv_forward`` takes the arguments of
``ops.conv.forward`` gives y; ``naive.conv_backward`` takes dy and those and gives gradients.
There are no caches: a backward pass runs the loops of its forward pass again, and each product
``y += a * b`` it meets sends dy to its two factors, ``da += dy * b`` and ``db += dy * a``.

Letters: N images, H W height width, C channels in, O channels out, K kernel, S stride,
P padding, G groups, D dilation. ``x[n, h, w, c]`` is a pixel of the input, ``y[n, u, v, o]``
one of the output, ``w[i, j, c, o]`` a tap of a kernel; ``dx`` is d(loss)/dx.

Conventions: images are N,H,W,C. Sums run in float64 and the result has the dtype of its input
(float32 or float64). Output position (u, v) looks at the window from row u*S - P, column v*S - P.
A setting for height and width is one int or a pair (h, w); a pooling stride of None is the window.
"""
import itertools
import math

import numpy as np


def _require(ok, message):
    if not ok:
        raise ValueError(message)


def _choice(what, value, *allowed):
    _require(value in allowed, f"{what}: expected one of {allowed}, got {value!r}; choose one")


def _pair(value):
    return (value, value) if isinstance(value, int | np.integer) else tuple(value)


def _floats(*arrays):
    return [np.asarray(a, dtype=float) for a in arrays]


# --- windows: what convolution and pooling share ---------------------------------------------


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


def _windows(image, kernel, stride, pad, dilation=1, rounding="floor"):
    """The output size, and every position (u, v) with the taps of its window that hit the image.

    A tap is (i, j, h, w): its place i, j in the window and the pixel h, w it lies on, row-major.
    """
    (H, W), (KH, KW), (SH, SW) = image, _pair(kernel), _pair(stride)
    (PH, PW), (DH, DW) = _pair(pad), _pair(dilation)
    OH = _output_size(H, KH, SH, PH, DH, rounding)
    OW = _output_size(W, KW, SW, PW, DW, rounding)

    def positions():
        for u, v in np.ndindex(OH, OW):
            taps = [(i, j, u * SH - PH + i * DH, v * SW - PW + j * DW)
                    for i in range(KH) for j in range(KW)]
            yield u, v, [t for t in taps if 0 <= t[2] < H and 0 <= t[3] < W]

    return (OH, OW), positions()


# --- sums of products: convolution and dense -------------------------------------------------


def _products_forward(x, w, b, shape, products):
    """y = b + the sum of x[at_x] * w[at_w] over the products (at_y, at_x, at_w)."""
    y = np.zeros(shape)
    for at in np.ndindex(shape):
        y[at] = 0.0 if b is None else b[at[-1]]
    for at_y, at_x, at_w in products:
        y[at_y] += float(x[at_x]) * float(w[at_w])
    return y.astype(x.dtype)


def _products_backward(dy, x, w, b, products):
    dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros(dy.shape[-1])
    for at_y, at_x, at_w in products:
        dx[at_x] += float(dy[at_y]) * float(w[at_w])
        dw[at_w] += float(dy[at_y]) * float(x[at_x])
    for at in np.ndindex(dy.shape):
        db[at[-1]] += dy[at]
    return dx.astype(x.dtype), dw.astype(w.dtype), None if b is None else db.astype(b.dtype)


def _conv_products(x, w, stride, pad, groups, dilation):
    (N, H, W, C), (KH, KW, CG, outputs) = x.shape, w.shape
    _require(CG * groups == C and outputs % groups == 0,
             f"conv: expected w (KH,KW,C/groups,O) for C={C}, groups={groups}, got {w.shape}; "
             "change groups or the shape of w")
    size, windows = _windows((H, W), (KH, KW), stride, pad, dilation)

    def products():
        for u, v, taps in windows:
            for n, o, c in np.ndindex(N, outputs, CG):
                group = o // (outputs // groups)  # its outputs see the inputs of the same group
                for i, j, h, w in taps:
                    yield (n, u, v, o), (n, h, w, group * CG + c), (i, j, c, o)

    return (N, *size, outputs), products()


def conv_forward(x, w, b, stride=1, pad=0, groups=1, dilation=1):
    """y[n,u,v,o] = b[o] + sum over taps i,j and channels c of x[n, uS-P+iD, vS-P+jD, c] w[i,j,c,o].

    x (N,H,W,C), w (KH,KW,C/groups,O), b (O,) or None -> y (N,OH,OW,O). Pixels outside the image
    are 0, and the kernel is not flipped.
    """
    return _products_forward(x, w, b, *_conv_products(x, w, stride, pad, groups, dilation))


def conv_backward(dy, x, w, b, stride=1, pad=0, groups=1, dilation=1):
    """(dx, dw, db) of `conv_forward`, db None where b is None."""
    _, products = _conv_products(x, w, stride, pad, groups, dilation)
    return _products_backward(dy, x, w, b, products)


def _conv_transpose_products(x, w, stride, pad, groups, dilation, size):
    """Those of the convolution from y to x, with y and x in each other's place."""
    H, W = size or [S * (n - 1) + D * (K - 1) + 1 - 2 * P for n, K, S, P, D in zip(
        x.shape[1:3], w.shape[:2], *map(_pair, (stride, pad, dilation)), strict=True)]
    image = np.zeros((len(x), H, W, w.shape[2] * groups))
    shape, products = _conv_products(image, w, stride, pad, groups, dilation)
    _require(shape == x.shape, f"conv_transpose: a convolution makes {shape} of images "
             f"{image.shape[1:3]}, expected x of that shape, got {x.shape}; change size")
    return image.shape, ((at_image, at_x, at_w) for at_x, at_image, at_w in products)


def conv_transpose_forward(x, w, b, stride=1, pad=0, groups=1, dilation=1, size=None):
    """y[n,uS-P+iD,vS-P+jD,c] += x[n,u,v,o] w[i,j,c,o] where that lies in y, and b[c] once.

    (H, W) of y is size, or the smallest of which a convolution with these settings makes (OH, OW).
    """
    products = _conv_transpose_products(x, w, stride, pad, groups, dilation, size)
    return _products_forward(x, w, b, *products)


def conv_transpose_backward(dy, x, w, b, stride=1, pad=0, groups=1, dilation=1, size=None):
    """(dx, dw, db) of `conv_transpose_forward`, db None where b is None."""
    _, products = _conv_transpose_products(x, w, stride, pad, groups, dilation, size)
    return _products_backward(dy, x, w, b, products)


def _dense_rows(x, w):
    rows = x.reshape(len(x), -1)  # N,H,W,C -> N,D
    _require(rows.shape[1] == w.shape[0], f"dense: expected {w.shape[0]} values an image (w is "
             f"{w.shape}), got {rows.shape[1]}; change w or the size of x")
    (N, D), (_, outputs) = rows.shape, w.shape
    return rows, (N, outputs), (((n, o), (n, d), (d, o)) for n, d, o in np.ndindex(N, D, outputs))


def dense_forward(x, w, b):
    """y[n,o] = b[o] + sum over d of x[n,d] w[d,o].

    x (N, ...) read row-major as (N,D), w (D,O), b (O,) or None -> y (N,O).
    """
    rows, shape, products = _dense_rows(x, w)
    return _products_forward(rows, w, b, shape, products)


def dense_backward(dy, x, w, b):
    """(dx, dw, db) of `dense_forward`, dx in the shape of x, db None where b is None."""
    rows, _, products = _dense_rows(x, w)
    dx, dw, db = _products_backward(dy, rows, w, b, products)
    return dx.reshape(x.shape), dw, db  # N,D -> N,H,W,C


# --- weighted sums of pixels: pooling and resizing -------------------------------------------


def _terms_forward(x, shape, terms):
    """y = the sum of weight * x[at_x] over the terms (at_y, at_x, weight)."""
    y = np.zeros(shape)
    for at_y, at_x, weight in terms:
        y[at_y] += weight * float(x[at_x])
    return y.astype(x.dtype)


def _terms_backward(dy, x, terms):
    dx = np.zeros(x.shape)
    for at_y, at_x, weight in terms:
        dx[at_x] += weight * float(dy[at_y])
    return dx.astype(x.dtype)


def _pool_windows(x, window, stride, pad, rounding):
    """The output's shape, and each position with its taps; no window misses the image."""
    _require(all(p < k for p, k in zip(_pair(pad), _pair(window), strict=True)),
             f"pool: expected pad smaller than the window, got pad {pad}, window {window}")
    N, H, W, C = x.shape
    stride = window if stride is None else stride
    size, windows = _windows((H, W), window, stride, pad, 1, rounding)
    return (N, *size, C), windows


def _pool_terms(x, window, stride, pad, rounding):
    """Each output is one pixel, its window's maximum, with weight 1."""
    shape, windows = _pool_windows(x, window, stride, pad, rounding)

    def terms():
        for u, v, taps in windows:
            for n, c in np.ndindex(shape[0], shape[3]):
                _, _, h, w = max(taps, key=lambda t: x[n, t[2], t[3], c])  # the first of equals
                yield (n, u, v, c), (n, h, w, c), 1.0

    return shape, terms()


def pool_forward(x, window, stride=None, pad=0, rounding="floor"):
    """y[n,u,v,c] = the largest pixel x[n,:,:,c] in the window of (u, v); padding never wins.

    x (N,H,W,C) -> y (N,OH,OW,C).
    """
    return _terms_forward(x, *_pool_terms(x, window, stride, pad, rounding))


def pool_backward(dy, x, window, stride=None, pad=0, rounding="floor"):
    """dx: each dy goes to its window's first maximum; where windows overlap, they add up."""
    return _terms_backward(dy, x, _pool_terms(x, window, stride, pad, rounding)[1])


def pool_switches(x, window, stride=None, pad=0, rounding="floor"):
    """The place i*KW + j inside its window of each maximum; equal pixels: the first of them."""
    (KH, KW), (PH, PW) = _pair(window), _pair(pad)
    SH, SW = _pair(window if stride is None else stride)
    shape, terms = _pool_terms(x, window, stride, pad, rounding)
    switches = np.zeros(shape, np.uint8 if KH * KW <= 256 else np.uint16)
    for (n, u, v, c), (_, h, w, _), _ in terms:
        switches[n, u, v, c] = (h - (u * SH - PH)) * KW + w - (v * SW - PW)
    return switches


def pool_unpool(p, switches, x_shape, window, stride, pad):
    """Put each pooled value p[n,u,v,c] back where its switch points; overlapping windows add up.

    p and switches (N,OH,OW,C) -> (N,H,W,C), 0 where no switch points.
    """
    (_, KW), (PH, PW) = _pair(window), _pair(pad)
    SH, SW = _pair(window if stride is None else stride)
    x = np.zeros(x_shape)
    for n, u, v, c in np.ndindex(p.shape):
        i, j = divmod(int(switches[n, u, v, c]), KW)
        x[n, u * SH - PH + i, v * SW - PW + j, c] += p[n, u, v, c]
    return x.astype(p.dtype)


def _average_terms(x, window, stride, pad, rounding, border):
    _choice("average_pool border", border, "padding", "image")
    shape, windows = _pool_windows(x, window, stride, pad, rounding)
    (N, H, W, C), (KH, KW), (PH, PW) = x.shape, _pair(window), _pair(pad)
    SH, SW = _pair(window if stride is None else stride)

    def terms():
        for u, v, taps in windows:
            rows = min(KH, H + 2 * PH - u * SH)  # those inside image plus padding
            columns = min(KW, W + 2 * PW - v * SW)
            area = rows * columns if border == "padding" else len(taps)
            for n, c in np.ndindex(N, C):
                for _, _, h, w in taps:
                    yield (n, u, v, c), (n, h, w, c), 1 / area

    return shape, terms()


def average_pool_forward(x, window, stride=None, pad=0, rounding="floor", border="padding"):
    """y[n,u,v,c] = the sum of the window's pixels / its area; x (N,H,W,C) -> y (N,OH,OW,C).

    border="padding": the area inside the padded image (padding counts, what "ceil" adds beyond
    it does not). border="image": the number of true pixels.
    """
    return _terms_forward(x, *_average_terms(x, window, stride, pad, rounding, border))


def average_pool_backward(dy, x, window, stride=None, pad=0, rounding="floor", border="padding"):
    """dx of `average_pool_forward`."""
    return _terms_backward(dy, x, _average_terms(x, window, stride, pad, rounding, border)[1])


def _global_average_terms(x):
    N, H, W, C = x.shape
    return (N, C), (((n, c), (n, h, w, c), 1 / (H * W)) for n, h, w, c in np.ndindex(x.shape))


def global_average_pool_forward(x):
    """y[n,c] = the mean over h, w of x[n,h,w,c]; x (N,H,W,C) -> y (N,C)."""
    return _terms_forward(x, *_global_average_terms(x))


def global_average_pool_backward(dy, x):
    """dx of `global_average_pool_forward`."""
    return _terms_backward(dy, x, _global_average_terms(x)[1])


def _blend(length, out):
    """For each of `out` samples on one axis: the pixels it lies between, with their weights.

    The centre of sample u is at (u + 1/2) length/out - 1/2, moved inside the first and last centre.
    """
    for u in range(out):
        place = min(max((u + 0.5) * length / out - 0.5, 0.0), length - 1.0)
        below = int(place)
        yield u, [(below, 1 - (place - below)), (min(below + 1, length - 1), place - below)]


def _resize_terms(x, size):
    N, H, W, C = x.shape

    def terms():
        for u, rows in _blend(H, size[0]):
            for v, columns in _blend(W, size[1]):
                for (h, row), (w, column) in itertools.product(rows, columns):
                    for n, c in np.ndindex(N, C):
                        yield (n, u, v, c), (n, h, w, c), row * column

    return (N, *size, C), terms()


def resize_forward(x, size):
    """Bilinear: the four nearest pixels, by closeness; half-pixel centres, clamped, no antialias.

    x (N,H,W,C), size (OH,OW) -> y (N,OH,OW,C).
    """
    return _terms_forward(x, *_resize_terms(x, size))


def resize_backward(dy, x, size):
    """dx of `resize_forward`: the same weights, the other way."""
    return _terms_backward(dy, x, _resize_terms(x, size)[1])


# --- one value at a time ---------------------------------------------------------------------


def _each(function, *arrays):
    """function applied to each element of arrays of one shape; dtype of the last array."""
    y = np.zeros(arrays[-1].shape)
    for at in np.ndindex(y.shape):
        y[at] = function(*(float(a[at]) for a in arrays))
    return y.astype(arrays[-1].dtype)


def relu_forward(x):
    """y = x where x > 0, else 0."""
    return _each(lambda x: x if x > 0 else 0.0, x)


def relu_backward(dy, x, rule="gradient"):
    """dx = dy where the rule lets it pass, else 0.

    "gradient" where x > 0; "deconvnet" where dy > 0 (Zeiler & Fergus 2014); "guided" where both
    (Springenberg et al. 2015).
    """
    passes = {"gradient": lambda dy, x: x > 0,
              "deconvnet": lambda dy, x: dy > 0,
              "guided": lambda dy, x: x > 0 and dy > 0}
    _choice("relu rule", rule, *passes)
    return _each(lambda dy, x: dy if passes[rule](dy, x) else 0.0, dy, x)


def _sigmoid(x):
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))  # no overflow


def sigmoid_forward(x):
    """y = 1 / (1 + exp(-x))."""
    return _each(_sigmoid, x)


def sigmoid_backward(dy, x):
    """dx = dy y (1 - y), where 1 - y is the sigmoid of -x."""
    return _each(lambda dy, x: dy * _sigmoid(x) * _sigmoid(-x), dy, x)


def tanh_forward(x):
    """y = tanh x."""
    return _each(math.tanh, x)


def tanh_backward(dy, x):
    """dx = dy (1 - tanh(x)^2)."""
    return _each(lambda dy, x: dy * (1 - math.tanh(x) ** 2), dy, x)


def _dropout_mask(shape, rate, seed):
    _require(0 <= rate < 1, f"dropout: expected 0 <= rate < 1, got {rate}; choose a rate in range")
    return np.random.default_rng(seed).random(shape) >= rate  # a Generator passes through


def dropout_forward(x, rate=0.5, seed=0):
    """y = x / (1 - rate) where kept, else 0; kept where default_rng(seed).random(x.shape) >= rate.

    seed is an int or a numpy Generator; the draws are float64 in row-major order.
    """
    return _each(lambda kept, x: x / (1 - rate) if kept else 0.0,
                 _dropout_mask(x.shape, rate, seed), x)


def dropout_backward(dy, x, rate=0.5, seed=0):
    """dx of `dropout_forward`; an int seed only: a Generator that has been drawn from is spent."""
    _require(isinstance(seed, int | np.integer), "dropout: expected an int seed in the backward "
             f"pass, got {type(seed).__name__}; pass the int that seeded the forward pass")
    return _each(lambda kept, dy, _: dy / (1 - rate) if kept else 0.0,
                 _dropout_mask(x.shape, rate, seed), dy, x)


def _lrn_scales(x, size, alpha, k, convention):
    """Yield each index, its scale k + a sum x^2, the indices in that sum, and a."""
    _require(size % 2 == 1, f"lrn: expected an odd size, got {size}; use {size + 1}")
    _choice("lrn convention", convention, "caffe", "paper")
    a = alpha / size if convention == "caffe" else alpha
    for at in np.ndindex(x.shape):
        first, last = max(0, at[-1] - size // 2), min(x.shape[-1] - 1, at[-1] + size // 2)
        near = [(*at[:-1], c) for c in range(first, last + 1)]
        yield at, k + a * sum(float(x[m]) ** 2 for m in near), near, a


def lrn_forward(x, size=5, alpha=1e-4, beta=0.75, k=1.0, convention="caffe"):
    """y = x * scale^-beta, scale = k + a * sum of x^2 over the `size` channels around each.

    a is alpha / size ("caffe") or alpha ("paper": Krizhevsky et al. 2012, section 3.3). Channels
    beyond either end count as 0 and the divisor stays `size`. x (N,H,W,C), size odd.
    """
    y = np.zeros(x.shape)
    for at, scale, _, _ in _lrn_scales(x, size, alpha, k, convention):
        y[at] = float(x[at]) * scale ** -beta
    return y.astype(x.dtype)


def lrn_backward(dy, x, size=5, alpha=1e-4, beta=0.75, k=1.0, convention="caffe"):
    """dx of `lrn_forward`: x counts once as itself and once in each scale it belongs to."""
    dy, x64 = _floats(dy, x)
    dx = np.zeros(x.shape)
    for at, scale, near, a in _lrn_scales(x, size, alpha, k, convention):
        dx[at] += dy[at] * scale ** -beta
        dscale = dy[at] * x64[at] * -beta * scale ** (-beta - 1)
        for m in near:
            dx[m] += dscale * a * 2 * x64[m]
    return dx.astype(x.dtype)


def _moments(x):
    """The mean and the biased variance of each channel (last axis), as lists."""
    C, count = x.shape[-1], x.size // x.shape[-1]
    mean, variance = [0.0] * C, [0.0] * C
    for at in np.ndindex(x.shape):
        mean[at[-1]] += float(x[at]) / count
    for at in np.ndindex(x.shape):
        variance[at[-1]] += (float(x[at]) - mean[at[-1]]) ** 2 / count
    return mean, variance


def batch_norm_forward(x, gamma, beta, mean, variance, epsilon=1e-5, training=False):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta, channel by channel; x (..., C).

    training=True replaces mean and variance by the batch's own (biased: divided by the count).
    Ioffe & Szegedy 2015, algorithm 1.
    """
    if training:
        mean, variance = _moments(x)
    y = np.zeros(x.shape)
    for at in np.ndindex(x.shape):
        c = at[-1]
        normal = (float(x[at]) - float(mean[c])) / math.sqrt(float(variance[c]) + epsilon)
        y[at] = float(gamma[c]) * normal + float(beta[c])
    return y.astype(x.dtype)


def batch_norm_backward(dy, x, gamma, beta, mean, variance, epsilon=1e-5, training=False):
    """(dx, dgamma, dbeta) of `batch_norm_forward`; in training also through mean and variance."""
    if training:
        mean, variance = _moments(x)
    dtypes, C = (x.dtype, gamma.dtype, beta.dtype), x.shape[-1]
    dy, x, gamma, mean, variance = _floats(dy, x, gamma, mean, variance)
    dx, dgamma, dbeta = np.zeros(x.shape), np.zeros(C), np.zeros(C)
    dmean, dvariance = np.zeros(C), np.zeros(C)
    for at in np.ndindex(x.shape):
        c = at[-1]
        centred, squared = x[at] - mean[c], variance[c] + epsilon
        dgamma[c] += dy[at] * centred * squared ** -0.5
        dbeta[c] += dy[at]
        dcentred = dy[at] * gamma[c] * squared ** -0.5
        dx[at] += dcentred
        dmean[c] -= dcentred
        dvariance[c] += dy[at] * gamma[c] * centred * -0.5 * squared ** -1.5
    count = x.size // C
    for at in np.ndindex(x.shape if training else (0,)):  # given statistics are constants
        c = at[-1]
        dx[at] += dmean[c] / count + dvariance[c] * 2 * (x[at] - mean[c]) / count
    return tuple(d.astype(t) for d, t in zip((dx, dgamma, dbeta), dtypes, strict=True))


# --- softmax, loss, joining ------------------------------------------------------------------


def _exponentials(row):
    """exp(row - its largest), so that nothing overflows, and their sum."""
    powers = [math.exp(value - max(row)) for value in row]
    return powers, sum(powers)


def _softmax(row):
    powers, total = _exponentials(row)
    return [power / total for power in powers]


def softmax_forward(x):
    """y[..., k] = exp x[..., k] / sum over m of exp x[..., m]; x (..., K)."""
    y = np.zeros(x.shape)
    for at in np.ndindex(x.shape[:-1]):
        for k, value in enumerate(_softmax(x[at].tolist())):
            y[(*at, k)] = value
    return y.astype(x.dtype)


def softmax_backward(dy, x):
    """dx[m] = sum over k of dy[k] dy[k]/dx[m], the Jacobian being y[k] ([k = m] - y[m])."""
    dx = np.zeros(x.shape)
    for at in np.ndindex(x.shape[:-1]):
        y = _softmax(x[at].tolist())
        for k, m in np.ndindex(len(y), len(y)):
            dx[(*at, m)] += float(dy[(*at, k)]) * y[k] * ((k == m) - y[m])
    return dx.astype(x.dtype)


def _check_labels(logits, labels):
    N, K = logits.shape
    _require(len(labels) == N and all(0 <= k < K for k in labels), f"cross_entropy: expected {N} "
             f"labels in 0..{K - 1}, got {list(labels)}; one class number an image")


def cross_entropy_forward(logits, labels):
    """The mean over n of -log softmax(logits[n])[labels[n]]; logits (N,K), labels (N,) ints."""
    _check_labels(logits, labels)
    loss = 0.0
    for row, k in zip(logits.tolist(), labels, strict=True):
        loss += math.log(_exponentials(row)[1]) - (row[k] - max(row))
    return logits.dtype.type(loss / len(labels))


def cross_entropy_backward(dloss, logits, labels):
    """dlogits[n,k] = dloss / N (softmax(logits[n])[k] - [k = labels[n]])."""
    _check_labels(logits, labels)
    dlogits, N = np.zeros(logits.shape), len(labels)
    for n, row in enumerate(logits.tolist()):
        for k, value in enumerate(_softmax(row)):
            dlogits[n, k] = float(dloss) / N * (value - (k == labels[n]))
    return dlogits.astype(logits.dtype)


def _concat_places(parts, axis):
    """Yield (part number, index in that part, index in the joined array)."""
    axis, start = axis % parts[0].ndim, 0
    for number, part in enumerate(parts):
        for at in np.ndindex(part.shape):
            yield number, at, (*at[:axis], at[axis] + start, *at[axis + 1:])
        start += part.shape[axis]


def concat_forward(parts, axis=-1):
    """The parts one after the other along axis; their other sizes must agree."""
    others = {(*p.shape[:axis % p.ndim], *p.shape[axis % p.ndim + 1:]) for p in parts}
    _require(len(others) == 1, "concat: expected shapes that agree off the axis, got "
             f"{[p.shape for p in parts]}, axis {axis}; crop or resize the parts")
    shape = list(parts[0].shape)
    shape[axis] = sum(p.shape[axis] for p in parts)
    y = np.zeros(shape, np.result_type(*parts))
    for number, at, at_y in _concat_places(parts, axis):
        y[at_y] = parts[number][at]
    return y


def concat_backward(dy, parts, axis=-1):
    """The list of each part's own piece of dy."""
    gradients = [np.zeros(p.shape, p.dtype) for p in parts]
    for number, at, at_y in _concat_places(parts, axis):
        gradients[number][at] = dy[at_y]
    return gradients


def add_forward(parts):
    """The sum of parts of one shape."""
    _require(len({p.shape for p in parts}) == 1, "add: expected parts of one shape, got "
             f"{[p.shape for p in parts]}; crop or project the parts")
    return _each(lambda *values: sum(values), *parts)


def add_backward(dy, parts):
    """The list of dy for every part."""
    return [_each(float, dy) for _ in parts]
