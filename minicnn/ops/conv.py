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

With G groups all this is done for each group; the G products are one stack of matrices.
"""

from typing import Any, NamedTuple

from minicnn.backend import array_module
from minicnn.ops.window import check_image, output_size, pad_image, pair, sum_positions, views


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
    check_backward(dy, cache, need)
    groups, (kh, kw, c, o) = cache.groups, cache.w.shape
    rows = dy.reshape(-1, groups, o // groups).transpose(1, 0, 2)  # N,OH,OW,O -> G,N*OH*OW,O/G
    dx = dw = db = None
    if "x" in need:
        dcols = rows @ matrices(cache).transpose(0, 2, 1)  # (., O/G) @ (G, O/G, K) -> G,N*OH*OW,K
        dx = _read_back(dcols.reshape(groups, -1, kh * kw, c), cache)  # K -> KH*KW,C/G
    if "w" in need:
        dw = _columns(cache).transpose(0, 2, 1) @ rows  # (G, K, .) @ (G, N*OH*OW, O/G) -> G,K,O/G
        dw = dw.transpose(1, 0, 2).reshape(cache.w.shape)  # G,K,O/G -> KH,KW,C/G,O
    if "b" in need and cache.has_bias:
        db = sum_positions(dy)  # N,OH,OW,O -> O
    return Gradients(dx, dw, db)


def _columns(cache):
    """im2col: the window of every output position as a row of a matrix, a matrix a group."""
    xp, (kh, kw, c, _), out = array_module(cache.x), cache.w.shape, output_shape(cache)[1:3]
    padded = pad_image(cache.x, cache.pad, cache.pad, 0)
    cols = xp.stack([*views(padded, (kh, kw), cache.stride, out, cache.dilation)])
    cols = cols.reshape(kh * kw, -1, cache.groups, c)  # KH*KW,N,OH,OW,C -> KH*KW,N*OH*OW,G,C/G
    cols = cols.transpose(2, 1, 0, 3)  # -> G,N*OH*OW,KH*KW,C/G
    return cols.reshape(cache.groups, -1, kh * kw * c)  # -> G,N*OH*OW,K


def matrices(cache):
    """The kernels of each group as a matrix."""
    o = cache.w.shape[3] // cache.groups
    w = cache.w.reshape(-1, cache.groups, o)  # KH,KW,C/G,O -> K,G,O/G
    return w.transpose(1, 0, 2)  # K,G,O/G -> G,K,O/G


def _read_back(dcols, cache):
    """col2im: add each entry of `dcols` (G, N*OH*OW, KH*KW, C/G) to the pixel it was read from."""
    (n, h, w, c), (ph, pw), (_, *out, _) = cache.x_shape, cache.pad, output_shape(cache)
    padded = array_module(dcols).zeros((n, h + 2 * ph, w + 2 * pw, c), dcols.dtype)
    targets = views(padded, cache.w.shape[:2], cache.stride, out, cache.dilation)
    for place, target in enumerate(targets):
        part = dcols[:, :, place].transpose(1, 0, 2)  # G,N*OH*OW,C/G -> N*OH*OW,G,C/G
        target += part.reshape(n, *out, c)  # -> N,OH,OW,C
    return padded[:, ph : ph + h, pw : pw + w].copy()


def describe(x, w, b, stride, pad, groups, dilation):
    """The ConvCache of a convolution, once everything is found to fit together."""
    check_image(x, "conv.forward")
    cache = ConvCache(x, x.shape, w, b is not None, pair(stride, "conv stride"),
                      pair(pad, "conv pad"), groups, pair(dilation, "conv dilation"))
    check(cache, b)
    return cache


def check_backward(dy, cache, need):
    """Raise ValueError if dy has the wrong shape, or dw is wanted of a cache without x."""
    if dy.shape != output_shape(cache):
        raise ValueError(f"conv.backward: dy must have the shape of the output, "
                         f"{output_shape(cache)}, got {dy.shape}")
    if "w" in need and cache.x is None:
        raise ValueError("conv.backward: dw needs the input x, which this cache no longer holds; "
                         "run the forward pass with learn=True")


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
        raise ValueError(f"conv.forward: b must be ({shape[3]},), one a kernel, got {b.shape}")
