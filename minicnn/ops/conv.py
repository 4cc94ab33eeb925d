"""Convolution: every output is a weighted sum over a window of the input.

    y[n, p, q, o] = b[o] + sum_{i, j, c}  x[n, S p + D i - P, S q + D j - P, c] * w[i, j, c, o]

over all places i = 0 ... KH-1 and j = 0 ... KW-1 of the kernel and all channels c; outside the
image x is 0. The stride S is the step of the window, the padding P says how many zeros lie around
the image on each side, the dilation D is the spacing of the window's samples; each may differ for
height and width. There are

    OH = floor((H + 2P - D*(KH-1) - 1) / S) + 1

positions p, and OW positions q likewise. As in every deep-learning library this is the
cross-correlation: the kernel is not flipped.

With G groups (Krizhevsky et al. 2012) the output channels are cut into G equal runs, and run g
sees only the g-th run of C/G input channels: c counts 0 ... C/G-1, and channel g C/G + c is read.
`minicnn.naive.conv_forward` computes all of this with nested loops.

Forward
    Copy the window of every output position into one row r of a matrix `cols` (im2col): K =
    KH*KW*C numbers, in the order i, j, c. In the same order w is a matrix W of K rows, a plain
    reshape in N,H,W,C, and so is y. The sum is then a matrix product:

        y = cols @ W + b        (N*OH*OW, K) @ (K, O)

    G groups are G products, each with K = KH*KW*C/G. NumPy multiplies a stack of matrices in one
    call, (G, N*OH*OW, K) @ (G, K, O/G), which is why the axis G is brought to the front below.

Backward
    y[r, o] = sum over k of cols[r, k] W[k, o] + b[o]. By the chain rule the gradient at a factor is
    the sum, over all outputs that contain it, of dy times the other factor:

        dcols[r, k] = sum over o of dy[r, o] W[k, o]          dcols = dy @ W^T
        dW[k, o]    = sum over r of cols[r, k] dy[r, o]       dW = cols^T @ dy
        db[o]       = sum over r of dy[r, o]

    An entry of `cols` is a copy of one pixel, so its gradient goes back to that pixel. A pixel was
    copied into up to KH*KW windows; the gradients from all of them add up (col2im).

    With S = D = G = 1 this is a convolution again: pixel h was read at place i by window p =
    h + P - i, so dx sums dy[h + P - i] w[i], where i runs the other way. It is the convolution of
    dy, padded by KH-1-P and KW-1-P, with the kernels flipped along both axes and their channels C
    and O exchanged: the transposed filters of Zeiler & Fergus (2014).
"""

from typing import Any, NamedTuple

from minicnn.backend import array_module
from minicnn.ops.window import (
    check_image,
    check_need,
    output_size,
    pad_image,
    pair,
    sum_positions,
    views,
)


class ConvCache(NamedTuple):
    """What `backward` needs; `x` may be None if dw is not wanted."""

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

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(1., 10.).reshape(1, 3, 3, 1)
    >>> w = np.array([[1., 2.], [3., 4.]]).reshape(2, 2, 1, 1)
    >>> y, cache = forward(x, w)
    >>> y[0, :, :, 0]  # 1*1 + 2*2 + 3*4 + 4*5 = 37
    array([[37., 47.],
           [67., 77.]])
    >>> dy = np.array([[1., 0.], [0., 2.]]).reshape(1, 2, 2, 1)
    >>> backward(dy, cache).dx[0, :, :, 0]  # two windows saw the middle pixel: 4*1 + 1*2
    array([[1., 2., 0.],
           [3., 6., 4.],
           [0., 6., 8.]])
    """
    cache = describe(x, w, b, stride, pad, groups, dilation)
    y = _columns(cache) @ matrices(cache)  # (G, N*OH*OW, K) @ (G, K, O/G) -> G,N*OH*OW,O/G
    y = y.transpose(1, 0, 2).reshape(output_shape(cache))  # G,N*OH*OW,O/G -> N,OH,OW,O
    return (y if b is None else y + b), cache


def backward(dy, cache, need=("x", "w", "b")):
    """Gradients of a convolution.

    Parameters
    ----------
    dy : array (N, OH, OW, O)
    cache : ConvCache
    need : collection of "x", "w", "b"
        Which gradients to compute; ("x",) is enough for a picture of what a network sees.

    Returns
    -------
    Gradients
        dx (N, H, W, C), dw like w, db (O,); None where not needed, db also where b was None.

    Raises
    ------
    ValueError
        If dy has the wrong shape, `need` names another gradient, or dw is wanted but the cache no
        longer holds x.
    """
    check_backward(dy, cache, need)
    groups, (kh, kw, cg, o) = cache.groups, cache.w.shape
    rows = dy.reshape(-1, groups, o // groups).transpose(1, 0, 2)  # N,OH,OW,O -> G,N*OH*OW,O/G
    dx = dw = db = None
    if "x" in need:
        dcols = rows @ matrices(cache).transpose(0, 2, 1)  # @ (G, O/G, K) -> G,N*OH*OW,K
        dx = _read_back(dcols.reshape(groups, -1, kh * kw, cg), cache)  # K -> KH*KW,C/G
    if "w" in need:
        dw = _columns(cache).transpose(0, 2, 1) @ rows  # (G, K, N*OH*OW) @ ... -> G,K,O/G
        dw = dw.transpose(1, 0, 2).reshape(cache.w.shape)  # G,K,O/G -> KH,KW,C/G,O
    if "b" in need and cache.has_bias:
        db = sum_positions(dy)  # N,OH,OW,O -> O
    return Gradients(dx, dw, db)


def _columns(cache):
    """im2col: the windows of all output positions as the rows of a matrix, one for each group."""
    (kh, kw, cg, _), (_, *out, _) = cache.w.shape, output_shape(cache)
    padded = pad_image(cache.x, before=cache.pad, after=cache.pad, value=0)
    places = views(padded, (kh, kw), cache.stride, out, cache.dilation)
    cols = array_module(padded).stack([*places], axis=3)  # N,OH,OW,KH*KW,C
    cols = cols.reshape(-1, kh * kw, cache.groups, cg)  # -> N*OH*OW,KH*KW,G,C/G
    cols = cols.transpose(2, 0, 1, 3)  # -> G,N*OH*OW,KH*KW,C/G
    return cols.reshape(cache.groups, -1, kh * kw * cg)  # -> G,N*OH*OW,K


def matrices(cache):
    """The kernels of each group as a matrix W."""
    o = cache.w.shape[3] // cache.groups
    w = cache.w.reshape(-1, cache.groups, o)  # KH,KW,C/G,O -> K,G,O/G
    return w.transpose(1, 0, 2)  # -> G,K,O/G


def _read_back(dcols, cache):
    """col2im: add each entry of `dcols` (G, N*OH*OW, KH*KW, C/G) to the pixel it was read from."""
    (n, h, w, c), (ph, pw), (_, *out, _) = cache.x_shape, cache.pad, output_shape(cache)
    padded = array_module(dcols).zeros((n, h + 2 * ph, w + 2 * pw, c), dcols.dtype)
    places = views(padded, cache.w.shape[:2], cache.stride, out, cache.dilation)
    for number, pixels in enumerate(places):
        part = dcols[:, :, number].transpose(1, 0, 2)  # G,N*OH*OW,C/G -> N*OH*OW,G,C/G
        # N,OH,OW,C; `pixels` is a view, so this adds into `padded`; no pixel occurs in it twice
        pixels += part.reshape(n, *out, c)
    return padded[:, ph : ph + h, pw : pw + w].copy()  # without the padding


def describe(x, w, b, stride, pad, groups, dilation):
    """Check that the arguments fit together; return the ConvCache of a convolution."""
    check_image(x, "conv.forward")
    cache = ConvCache(x, x.shape, w, b is not None, pair(stride, "conv stride"),
                      pair(pad, "conv pad"), groups, pair(dilation, "conv dilation"))
    check(cache, b)
    return cache


def check_backward(dy, cache, need):
    """Raise ValueError unless dy has the right shape and the cache holds what `need` requires."""
    check_need(need, ("x", "w", "b"), "conv.backward")
    if dy.shape != output_shape(cache):
        raise ValueError(f"conv.backward: dy must have the shape of the output, "
                         f"{output_shape(cache)}, got {dy.shape}")
    if "w" in need and cache.x is None:
        raise ValueError("conv.backward: dw needs the input x, which this cache no longer holds; "
                         "in a network, run forward(..., learn=True)")


def output_shape(cache):
    """(N, OH, OW, O)."""
    sides = [output_size(cache.x_shape[1 + a], cache.w.shape[a], cache.stride[a], cache.pad[a],
                         cache.dilation[a], op="conv.forward") for a in (0, 1)]
    return cache.x_shape[0], *sides, cache.w.shape[3]


def check(cache, b):
    """Raise ValueError unless the kernels and b fit the images and groups."""
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
        raise ValueError(f"conv.forward: b must be ({shape[3]},), one per kernel, got {b.shape}")
