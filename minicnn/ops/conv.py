"""Convolution: every output is a weighted sum over a window of the input.

    y[n, p, q, o] = b[o] + sum_{i, j, c}  x[n, S p + D i - P, S q + D j - P, c] * w[i, j, c, o]

with x taken as zero outside the image. Like every deep-learning library this is the
cross-correlation: the kernel is not flipped. With G groups, output channels are split into G
equal runs and run g sees only the g-th run of C/G input channels (Krizhevsky et al. 2012).

Forward
    Lay the window of every output position out as one row of a matrix `cols` (im2col). Then the
    sum is a matrix product, and in N,H,W,C nothing needs to be transposed before or after it:

        y = cols @ W + b        (N*OH*OW, KH*KW*C) @ (KH*KW*C, O)

Backward
    Each product cols[r, k] * W[k, o] sends its gradient to its two factors:

        dcols = dy @ W^T        dW = cols^T @ dy        db = sum of dy over all positions

    `dcols` then goes back to where `cols` was read from. A pixel was read by up to KH*KW windows,
    so its gradients add up (col2im): `dx[pixel] += dcols[...]`, the adjoint of the reading. For
    one channel and stride 1 that is the convolution of dy with the kernel flipped both ways: the
    transposed filters of Zeiler & Fergus (2014).

`cols` is KH*KW times as large as the image, so it is made for a few rows of the output at a time:
a piece that stays in the processor's cache costs less than the whole one (see benchmarks/speed).
The pieces are shared out among the processor's cores (`minicnn.fast.threads`). 3x3 kernels have a
faster way, with the same signature: `minicnn.fast.winograd`.

A GPU has no such cache to stay in, and every call to it costs time: there the pieces are as large
as memory allows, and all images of a piece are rows of one matrix, which is one call of cuBLAS.
The way back to the pixels is a kernel there (`minicnn.fast.cuda.conv`): one call for KH*KW sums.
"""

from math import prod
from typing import Any, NamedTuple

import numpy as np

from minicnn.backend import array_module
from minicnn.fast import cuda
from minicnn.fast.cuda import conv as conv_cuda
from minicnn.fast.threads import SHARED, product, row_blocks, spread
from minicnn.fast.workspace import empty, zeros
from minicnn.ops.window import (
    check_image,
    output_size,
    pad_image,
    pair,
    rounds,
    sum_positions,
    windows,
)

TILE = 1 << 19  # entries of `cols` made at once: 2 MB in float32
GPU_TILE = 1 << 28  # and on a GPU: 1 GB


class ConvCache(NamedTuple):
    """What `backward` needs; `x` only for dw, so image work may replace it by None."""

    x: Any
    x_shape: tuple
    w: Any
    has_bias: bool
    stride: tuple
    pad: tuple
    groups: int
    dilation: tuple


class Gradients(NamedTuple):
    """Gradients at the input, the weights and the bias; None where not asked for."""

    dx: Any
    dw: Any
    db: Any


def forward(x, w, b=None, stride=1, pad=0, groups=1, dilation=1):
    """Convolve images with kernels.

    Parameters
    ----------
    x : array (N, H, W, C)
    w : array (KH, KW, C/groups, O)
    b : array (O,), optional
    stride, pad, dilation : int or (vertical, horizontal)
        Step of the window, zeros on each side, spacing of the window's samples.
    groups : int
        Divides both C and O.

    Returns
    -------
    y : array (N, OH, OW, O)
    cache : ConvCache

    Raises
    ------
    ValueError
        If shapes, groups or settings do not fit together.
    """
    cache = describe(x, w, b, stride, pad, groups, dilation)
    xp = array_module(x)
    y = empty(xp, _output_shape(cache), xp.result_type(x, w, *([] if b is None else [b])))
    seen = _windows(x, cache)

    def compute(tile):
        part = y[tile]
        for channels, outputs in _groups(cache):
            cols = _matrices(seen[tile][..., channels], prod(w.shape[:3]))
            rows = _matrices(part[..., outputs], w.shape[3] // groups)  # a view of y
            xp.matmul(cols, _kernel(w, outputs), out=rows)  # (N, OH*OW, K) @ (K, O/G)
        if b is not None:
            part += b

    spread(compute, _tiles(cache, xp), xp)
    return y, cache


def backward(dy, cache, need=("x", "w", "b")):
    """Gradients of a convolution.

    Parameters
    ----------
    dy : array (N, OH, OW, O)
    cache : ConvCache
    need : collection of "x", "w", "b"
        Which gradients to compute; image work asks for ("x",) and never pays for dw.

    Returns
    -------
    Gradients
        dx (N, H, W, C), dw like w, db (O,); None where not needed, db also where b was None.

    Raises
    ------
    ValueError
        If dy has the wrong shape, or dw is wanted of a cache that no longer holds x.
    """
    if dy.shape != _output_shape(cache):
        raise ValueError(f"conv.backward: dy must have the shape of the output, "
                         f"{_output_shape(cache)}, got {dy.shape}")
    if "w" in need and cache.x is None:
        raise ValueError("conv.backward: dw needs the input x, which this cache no longer holds; "
                         "run the forward pass with learn=True")
    dx = _input_gradient(dy, cache) if "x" in need else None
    dw = _weight_gradient(dy, cache) if "w" in need else None
    db = sum_positions(dy) if "b" in need and cache.has_bias else None
    return Gradients(dx, dw, db)


def describe(x, w, b, stride, pad, groups, dilation):
    """The ConvCache of a convolution, once everything is found to fit together."""
    check_image(x, "conv.forward")
    cache = ConvCache(x, x.shape, w, b is not None, pair(stride, "conv stride"),
                      pair(pad, "conv pad"), groups, pair(dilation, "conv dilation"))
    _check(cache, b)
    return cache


def _input_gradient(dy, cache):
    if cuda.usable(dy, cache.w):
        return _gathered(dy, cache)
    xp = array_module(dy)
    (n, height, width, c), (ph, pw) = cache.x_shape, cache.pad
    padded = zeros(xp, (n, height + 2 * ph, width + 2 * pw, c), dy.dtype)

    def compute(tile):
        images, rows = tile
        for channels, outputs in _groups(cache):
            part = dy[images, rows, :, outputs]
            _read_back(padded[images, rows.start * cache.stride[0] :, :, channels],
                       _sent_back(part, outputs, cache), cache)

    span = cache.dilation[0] * (cache.w.shape[0] - 1) + 1
    for tiles in rounds(_tiles(cache, xp), span, cache.stride[0]):
        spread(compute, tiles, xp)
    return padded[:, ph : ph + height, pw : pw + width].copy() if ph or pw else padded


def _gathered(dy, cache):
    """The same where `conv_cuda` can run: each pixel gathers what its windows have for it."""
    xp = array_module(dy)
    dx = xp.zeros(cache.x_shape, dtype=dy.dtype)
    for images, rows in _tiles(cache, xp):
        for channels, outputs in _groups(cache):
            dcols = _sent_back(dy[images, rows, :, outputs], outputs, cache)
            conv_cuda.read_back(dx[images], dcols, cache, rows.start, channels.start)
    return dx


def _sent_back(part, outputs, cache):
    """dcols of some rows of dy: N,OH,OW,O/G -> N,OH,OW,KH,KW,C/G."""
    flat = _matrices(part, part.shape[3])  # N,OH,OW,O/G -> N,OH*OW,O/G
    dcols = flat @ _kernel(cache.w, outputs).T  # (N, ., O/G) @ (O/G, K) -> N,OH*OW,K
    return dcols.reshape(*part.shape[:3], *cache.w.shape[:3])


def _read_back(padded, dcols, cache):
    """Add dcols (N, OH, OW, KH, KW, C) to the pixels it was read from (col2im).

    Row i of all kernels at once; along a row, as many windows as do not overlap. What a window
    row adds to, KW*C numbers, lies side by side in memory.
    """
    kh, kw = cache.w.shape[:2]
    seen = windows(padded, (kh, kw), cache.stride, cache.dilation, dcols.shape[1:3])
    apart = -(-(cache.dilation[1] * (kw - 1) + 1) // cache.stride[1])
    for i in range(kh):
        for first in range(apart):
            pixels = seen[:, :, first::apart, i]
            pixels += dcols[:, :, first::apart, i]


def _weight_gradient(dy, cache):
    xp, seen = array_module(dy), _windows(cache.x, cache)
    dw = xp.zeros(cache.w.shape, dtype=cache.w.dtype)
    for tile in _tiles(cache, xp, 4):
        for channels, outputs in _groups(cache):
            cols = _shared_matrix(seen[tile][..., channels])  # N*OH*OW,K
            seeds = dy[tile][..., outputs]
            flat = seeds.reshape(-1, seeds.shape[3])  # N,OH,OW,O/G -> N*OH*OW,O/G
            grown = product(cols.T, flat)  # (K, N*OH*OW) @ (N*OH*OW, O/G) -> K,O/G
            part = dw[..., outputs]
            part += grown.reshape(part.shape)  # K,O/G -> KH,KW,C/G,O/G
    return dw


def _shared_matrix(part):
    """The same for all images as one matrix, copied out by several threads."""
    cols = empty(array_module(part), part.shape, part.dtype)

    def copy(block):
        cols[block] = part[block]

    spread(copy, row_blocks(part, 4))  # short runs: slower than a plain copy
    return cols.reshape(-1, prod(part.shape[3:]))  # N,OH,OW,KH,KW,C -> N*OH*OW,KH*KW*C


def _windows(x, cache):
    """The window of every output position, zeros around the image: N,OH,OW,KH,KW,C, no copy."""
    padded = pad_image(x, cache.pad, cache.pad, 0) if any(cache.pad) else x
    return windows(padded, cache.w.shape[:2], cache.stride, cache.dilation,
                   _output_shape(cache)[1:3])


def _matrices(part, columns):
    """Positions as the rows of a matrix, a matrix an image (see `_tiles` for why); windows are
    copied for that (im2col). On a GPU all images are rows of one matrix."""
    images = (len(part),) if array_module(part) is np else ()
    return part.reshape(*images, -1, columns)  # N,OH,OW,... -> N,OH*OW,columns (N*OH*OW,columns)


def _tiles(cache, xp, times=1):
    """(images, rows) slices that cut the output into pieces of about `times` TILE entries of
    `cols`, on a GPU of at most GPU_TILE.

    Either some rows of one image, or all rows of one or several. Where an image is cut depends on
    itself alone, and each has its own matrix product: BLAS may round a row otherwise in a longer
    product, and an image is to come out the same in any batch.
    """
    n, oh, ow, _ = _output_shape(cache)
    row, tile = ow * prod(cache.w.shape[:2]) * cache.x_shape[3], times * TILE
    if xp is np:
        work = row * oh * cache.w.shape[3] // cache.groups  # multiplications an image
        rows = min(max(1, tile // row), oh if work < SHARED else -(-oh // 2))
        images = min(max(1, tile // (row * oh)), n if n * work < SHARED else -(-n // 2))
    else:
        rows, images = min(max(1, GPU_TILE // row), oh), max(1, GPU_TILE // (row * oh))
    return [(slice(i, i + images), slice(p, min(p + rows, oh)))
            for i in range(0, n, images) for p in range(0, oh, rows)]


def _groups(cache):
    """(input channels, output channels) of each group, as slices."""
    c, o = cache.w.shape[2], cache.w.shape[3] // cache.groups
    return [(slice(g * c, (g + 1) * c), slice(g * o, (g + 1) * o)) for g in range(cache.groups)]


def _kernel(w, outputs):
    """The kernels of some output channels as a matrix: KH,KW,C/G,O -> KH*KW*C/G,O/G."""
    return w.reshape(-1, w.shape[3])[:, outputs]


def _output_shape(cache):
    sides = [output_size(cache.x_shape[1 + a], cache.w.shape[a], cache.stride[a], cache.pad[a],
                         cache.dilation[a], op="conv.forward") for a in (0, 1)]
    return cache.x_shape[0], *sides, cache.w.shape[3]


def _check(cache, b):
    shape, c, groups = cache.w.shape, cache.x_shape[3], cache.groups
    if len(shape) != 4:
        raise ValueError(f"conv.forward: w must be (KH, KW, C/groups, O), got shape {shape}")
    if groups < 1 or c % groups or shape[3] % groups:
        raise ValueError(f"conv.forward: groups must divide the {c} input channels and the "
                         f"{shape[3]} output channels, got groups={groups}")
    if shape[2] * groups != c:
        raise ValueError(f"conv.forward: x has {c} channels and groups={groups}, so w must be "
                         f"(KH, KW, {c // groups}, O), got {shape}")
    if b is not None and b.shape != shape[3:]:
        raise ValueError(f"conv.forward: b must be ({shape[3]},), one a kernel, got {b.shape}")
