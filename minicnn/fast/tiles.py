"""Convolution by matrix products, one tile of the output at a time; it fits every convolution.

`cols` (see `minicnn.ops.conv`) is KH*KW times as large as the image, so it is made for a few rows
of the output at a time: such a tile stays in the processor's cache, the whole `cols` would not.
The tiles are divided among the processor's cores (`minicnn.fast.threads`). One copy lays out the
windows of a tile as a stack of matrices, one for each image and group, and one call multiplies
them all.

On a GPU every call costs time and no such cache exists. There the tiles are as large as memory
allows, and all images of a tile are rows of one matrix: one call of cuBLAS. A CUDA kernel
(`minicnn.fast.cuda.conv`) adds the gradients to the pixels: one call for KH*KW sums.
"""

from math import prod

import numpy as np

from minicnn.backend import array_module
from minicnn.fast import cuda
from minicnn.fast.cuda import conv as kernels
from minicnn.fast.threads import SHARED, multiply, product, row_blocks, spread
from minicnn.fast.window import apart, pad_image, windows
from minicnn.fast.workspace import empty, zeros
from minicnn.ops.conv import matrices, output_shape

TILE = 1 << 19  # entries of `cols` made at once: 2 MB in float32
GPU_TILE = 1 << 28  # the same on a GPU: 1 GB


def forward(cache, b=None):
    """y (N, OH, OW, O) of the convolution that a ConvCache describes."""
    x, w = cache.x, cache.w
    xp, weights = array_module(x), matrices(cache)
    y = empty(xp, output_shape(cache), xp.result_type(x, w, *([] if b is None else [b])))
    seen = _windows(_padded(x, cache), cache)

    def compute(tile):
        part, cols = y[tile], _stacked(seen[tile], prod(w.shape[:3]))
        rows = _stacked(_grouped(part, cache), w.shape[3] // cache.groups)  # a view of y
        multiply(cols, weights, rows)  # (N, G, OH*OW, K) @ (G, K, O/G) -> N,G,OH*OW,O/G
        if b is not None:
            part += b

    spread(compute, _tiles(cache, xp), xp)
    return y


def input_gradient(dy, cache):
    """dx (N, H, W, C)."""
    xp, weights = array_module(dy), matrices(cache).swapaxes(1, 2)  # G,K,O/G -> G,O/G,K
    if cuda.usable(dy, cache.w):
        dx = xp.zeros(cache.x_shape, dtype=dy.dtype)
        for images, rows in _tiles(cache, xp):
            dcols = _sent_back(dy[images, rows], weights, cache)
            kernels.read_back(dx[images], dcols, cache, rows.start)
        return dx
    (n, height, width, c), (ph, pw) = cache.x_shape, cache.pad
    padded = zeros(xp, (n, height + 2 * ph, width + 2 * pw, c), dy.dtype)
    seen = _windows(padded, cache)

    def compute(tile):
        _read_back(seen[tile], _sent_back(dy[tile], weights, cache), cache)

    span = cache.dilation[0] * (cache.w.shape[0] - 1) + 1
    for tiles in apart(_tiles(cache, xp), span, cache.stride[0]):
        spread(compute, tiles, xp)
    return padded[:, ph : ph + height, pw : pw + width].copy() if ph or pw else padded


def weight_gradient(dy, cache):
    """dw (KH, KW, C/G, O)."""
    xp, o = array_module(dy), cache.w.shape[3] // cache.groups
    seen = _windows(_padded(cache.x, cache), cache)
    dw = xp.zeros((cache.groups, prod(cache.w.shape[:3]), o), xp.result_type(cache.x, dy))
    for tile in _tiles(cache, xp, 4):
        cols = _laid_out(seen[tile])  # G,N*OH*OW,K
        rows = dy[tile].reshape(-1, cache.groups, o).swapaxes(0, 1)  # N,OH,OW,O -> G,N*OH*OW,O/G
        dw += product(cols.swapaxes(1, 2), rows)  # (G, K, .) @ (G, N*OH*OW, O/G) -> G,K,O/G
    return dw.swapaxes(0, 1).reshape(cache.w.shape)  # G,K,O/G -> KH,KW,C/G,O


def _sent_back(dy, weights, cache):
    """The gradient at `cols` for some rows of dy: N,OH,OW,O -> N,OH,OW,KH,KW,G,C/G."""
    (kh, kw, c, o), groups = cache.w.shape, cache.groups
    rows = _stacked(_grouped(dy, cache), o // groups)  # N,OH,OW,O -> N,G,OH*OW,O/G
    dcols = multiply(rows, weights)  # (N, G, OH*OW, O/G) @ (G, O/G, K) -> N,G,OH*OW,K
    images = dcols.ndim - 3  # 1, and 0 on a GPU
    shape = (*dy.shape[:images], groups, *dy.shape[images:3], kh, kw, c)
    return array_module(dy).moveaxis(dcols.reshape(shape), images, -2)  # -> N,OH,OW,KH,KW,G,C/G


def _read_back(seen, dcols, cache):
    """Add dcols (N, OH, OW, KH, KW, G, C/G) to the pixels from which `cols` was read (col2im).

    Row i of all kernels is added at once, for every `apart`-th window: these do not overlap. The
    KW*C numbers that one row of a window adds to are contiguous in memory.
    """
    kh, kw = cache.w.shape[:2]
    apart = -(-(cache.dilation[1] * (kw - 1) + 1) // cache.stride[1])
    for i in range(kh):
        for first in range(apart):
            pixels = seen[:, :, first::apart, i]
            pixels += dcols[:, :, first::apart, i]


def _laid_out(part):
    """Windows N,OH,OW,KH,KW,G,C/G as one matrix per group, copied by several threads."""
    xp, (*places, groups, c) = array_module(part), part.shape
    cols = empty(xp, (groups, *places, c), part.dtype)
    target = xp.moveaxis(cols, 0, -2)  # G,N,OH,OW,KH,KW,C/G -> N,OH,OW,KH,KW,G,C/G

    def copy(block):
        target[block] = part[block]

    spread(copy, row_blocks(part, 4))  # short runs: slower than a plain copy
    return cols.reshape(groups, prod(places[:3]), -1)  # -> G,N*OH*OW,K


def _padded(x, cache):
    return pad_image(x, cache.pad, cache.pad, 0) if any(cache.pad) else x


def _windows(padded, cache):
    """The window of every output position, as a view N,OH,OW,KH,KW,G,C/G."""
    return windows(padded, cache.w.shape[:2], cache.stride, cache.dilation,
                   output_shape(cache)[1:3], cache.groups)


def _grouped(part, cache):
    return part.reshape(*part.shape[:3], cache.groups, -1)  # N,OH,OW,O -> N,OH,OW,G,O/G


def _stacked(part, columns):
    """Positions as the rows of matrices: N,OH,OW,...,G,c -> N,G,OH*OW,columns.

    One matrix per image (see `_tiles` for the reason) and group; windows are copied for this
    (im2col). On a GPU all images are rows of one matrix: -> G,N*OH*OW,columns.
    """
    images, group = 1 if array_module(part) is np else 0, part.ndim - 2
    by_group = part.transpose(*range(images), group, *range(images, group), -1)
    return by_group.reshape(*part.shape[:images], part.shape[group], -1, columns)


def _tiles(cache, xp, times=1):
    """(images, rows) slices that cut the output into pieces of about `times` TILE entries of
    `cols`, on a GPU of at most GPU_TILE.

    A piece is some rows of one image, or all rows of one or several images. On the CPU the cuts
    within an image depend on that image only, and each image has its own matrix product: in a
    longer product BLAS may round a row differently, but an image's result must not depend on its
    batch.
    """
    n, oh, ow, _ = output_shape(cache)
    row, tile = ow * prod(cache.w.shape[:2]) * cache.x_shape[3], times * TILE
    if xp is np:
        work = row * oh * cache.w.shape[3] // cache.groups  # multiplications per image
        rows = min(max(1, tile // row), oh if work < SHARED else -(-oh // 2))
        images = min(max(1, tile // (row * oh)), n if n * work < SHARED else -(-n // 2))
    else:
        rows, images = min(max(1, GPU_TILE // row), oh), max(1, GPU_TILE // (row * oh))
    return [(slice(i, i + images), slice(p, min(p + rows, oh)))
            for i in range(0, n, images) for p in range(0, oh, rows)]
