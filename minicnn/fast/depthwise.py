"""Convolution of each channel by itself, C = O = G: `fast.conv` for depthwise layers.

    y[n, p, q, c] = b[c] + sum_{i, j} x[n, S p + D i - P, S q + D j - P, c] * w[i, j, c]

There is no sum over channels, so a matrix product does not help. Instead KH*KW products of a
shifted image and a row of weights are added. `np.einsum` multiplies and adds in one pass along the
channels of a run of neighbouring pixels, which are contiguous in memory; the weights are repeated
for each pixel of the run. With a stride S neighbouring outputs see every S-th pixel, so the columns
of the image are first sorted by their remainder modulo S. Sorting and padding are done for a strip
of a few rows at a time, which then stays in a core's cache.

Backward
    Output p read pixel h of the input at place i of the kernel where S p = h + P - D i. For pixels
    with the same remainder (h + P) modulo S these places i are equally spaced, and neighbouring
    pixels belong to neighbouring p. So for each of the S*S pairs of remainders dx is a convolution
    of dy, of stride 1, with some of the kernel's places in reverse order. For each place, dw is the
    sum over all positions of dy times the shifted image.
"""

from itertools import product
from math import gcd

import numpy as np

from minicnn.fast.threads import spread
from minicnn.fast.workspace import empty
from minicnn.ops.conv import output_shape

STRIP = 1 << 16  # numbers in a strip, and in the repeated weights: 256 KB of float32
SHARED = 1 << 20  # multiplications, 0.15 ms: an image with more is cut into at least two blocks


def suits(cache):
    """Whether this file can do a ConvCache's convolution: on the CPU, one kernel per channel."""
    c = cache.x_shape[3]
    return c == cache.groups == cache.w.shape[3] and isinstance(cache.w, np.ndarray)


def forward(cache, b=None):
    """y (N, OH, OW, C) of the convolution that a ConvCache describes."""
    x, w = cache.x, cache.w[:, :, 0]  # KH,KW,1,C -> KH,KW,C
    y = empty(np, output_shape(cache), np.result_type(x, w, *([] if b is None else [b])))
    start = [-pad for pad in cache.pad]
    _correlate(x, w, start, cache.stride, cache.dilation, y, b)
    return y


def input_gradient(dy, cache):
    """dx (N, H, W, C)."""
    dx = empty(np, cache.x_shape, dy.dtype)
    axes = [_remainders(cache, a) for a in (0, 1)]
    for (top, down, first, apart), (left, across, begin, along) in product(*axes):
        target = dx[:, top :: cache.stride[0], left :: cache.stride[1]]
        w = cache.w[down][:, across, 0]  # KH,KW,1,C -> some KH,some KW,C
        if w.size and target.size:
            _correlate(dy, w, (first, begin), (1, 1), (apart, along), target)
        else:
            target[...] = 0
    return dx


def weight_gradient(dy, cache):
    """dw (KH, KW, 1, C)."""
    x, (kh, kw, _, c), ow = cache.x, cache.w.shape, dy.shape[2]
    start, how = [-pad for pad in cache.pad], (cache.stride, cache.dilation)
    run, blocks = _cut(dy.shape, kh * kw)
    parts = np.empty((len(blocks), kh, kw, c), np.result_type(x, dy))

    def compute(number):
        image, top, bottom = blocks[number]
        seeds = dy[image, top:bottom].reshape(bottom - top, -1, run * c)  # -> OH,OW/run,run*C
        for across, look in _looks(x[image], (top, bottom), (kh, kw), start, *how, ow, run):
            sums = np.einsum("pqijk,pqk->ijk", look, seeds)
            sums = sums.reshape(kh, -1, run, c)  # KH,some KW,run*C -> KH,some KW,run,C
            parts[number, :, across] = sums.sum(axis=2)

    spread(compute, range(len(blocks)))
    return parts.sum(axis=0)[:, :, None]  # KH,KW,C -> KH,KW,1,C


def _correlate(x, w, start, stride, dilation, target, b=None):
    """Set target[n, p, q, c] to b[c] + the sum over (i, j) of w[i, j, c] * x[n, r, s, c], where
    r = start + stride * p + dilation * i, s likewise, and x is zero outside the image."""
    (kh, kw, c), (_, _, ow, _) = w.shape, target.shape
    run, blocks = _cut(target.shape, kh * kw)
    repeated = np.tile(w, run)  # KH,KW,C -> KH,KW,run*C

    def compute(block):
        image, top, bottom = block
        total = None
        for across, look in _looks(x[image], (top, bottom), (kh, kw), start, stride, dilation, ow,
                                   run):
            part = np.einsum("pqijk,ijk->pqk", look, repeated[:, across])
            total = part if total is None else total + part
        total = total.reshape(bottom - top, ow, c)  # OH,OW/run,run*C -> OH,OW,C
        target[image, top:bottom] = total if b is None else total + b

    spread(compute, blocks)


def _cut(shape, places):
    """(run, blocks): the number of neighbouring pixels computed at once, and (image, first row, end
    row) blocks of the output. Both depend on one image's shape only: the same bytes in any batch.
    """
    n, oh, ow, c = shape
    run = max(k for k in range(1, ow + 1) if ow % k == 0 and (k == 1 or k * c * places <= STRIP))
    rows = max(1, STRIP // (ow * c))
    if oh * ow * c * places >= SHARED:
        rows = min(rows, -(-oh // 2))
    return run, [(image, top, min(top + rows, oh)) for image in range(n)
                 for top in range(0, oh, rows)]


def _looks(x, rows, kernel, start, stride, dilation, ow, run):
    """Yield the windows of some output rows: some columns of the kernel, as a slice, and a view
    (OH, OW/run, KH, some KW, run*C). Kernel columns whose pixels have one remainder go together.
    """
    (kh, kw), (down, across), c = kernel, stride, x.shape[2]
    strip = _strip(x, start[0] + down * rows[0], down * (rows[1] - rows[0] - 1)
                   + dilation[0] * (kh - 1) + 1, start[1],
                   across * (ow - 1) + dilation[1] * (kw - 1) + 1, across)
    to_row, _, to_pixel, to_next = strip.strides
    step = across // gcd(across, dilation[1])  # kernel columns so far apart share a remainder
    for first in range(min(step, kw)):
        shift, remainder = divmod(dilation[1] * first, across)
        columns = slice(first, kw, step)
        shape = (rows[1] - rows[0], ow // run, kh, len(range(kw)[columns]), run * c)
        yield columns, np.lib.stride_tricks.as_strided(
            strip[:, remainder, shift:], shape,
            (down * to_row, run * to_pixel, dilation[0] * to_row,
             dilation[1] * step // across * to_pixel, to_next))


def _strip(x, top, height, left, width, stride):
    """Rows and columns of an image (H, W, C) from (top, left) on, zero outside the image, the
    columns sorted by remainder modulo the stride: (height, stride, width/stride, C)."""
    strip = empty(np, (height, stride, -(-width // stride), x.shape[2]), x.dtype)
    inside = slice(min(max(0, -top), height), max(0, min(height, len(x) - top)))
    for outside in (strip[: inside.start], strip[inside.stop :]):
        outside[...] = 0
    for remainder in range(stride):
        begin = left + remainder  # the image column that is first here
        first = max(0, -(begin // stride))
        last = max(first, min(strip.shape[2], -(-(x.shape[1] - begin) // stride)))
        part = strip[inside, remainder]
        part[:, :first] = part[:, last:] = 0
        part[:, first:last] = x[top + inside.start : top + inside.stop,
                                begin + stride * first : begin + stride * last : stride]
    return strip


def _remainders(cache, axis):
    """For each remainder modulo the stride: the first pixel with it, the kernel's places that read
    such pixels, in reverse order, the first row of dy they meet, and the distance to the next."""
    stride, dilation, pad = (pairs[axis] for pairs in (cache.stride, cache.dilation, cache.pad))
    found = []
    for first in range(stride):
        places = [i for i in range(cache.w.shape[axis])
                  if (first + pad - dilation * i) % stride == 0][::-1]
        begin = (first + pad - dilation * places[0]) // stride if places else 0
        found.append((first, places, begin, dilation // gcd(stride, dilation)))
    return found
