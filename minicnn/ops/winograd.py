"""3x3 convolution with fewer multiplications (Winograd 1980; Lavin & Gray 2016).

The idea, in one dimension
    Four neighbouring outputs of a 3-tap filter g need 12 products when computed one by one. But
    convolution is multiplication of polynomials, and a product of polynomials can be had by
    evaluating both at enough points, multiplying the values, and interpolating. A polynomial of
    3 coefficients times one of 4 has 6 coefficients, so 6 points do: 6 products instead of 12.
    This is Toom and Cook's way to multiply. Read backwards (transposed), it computes not the
    product but the correlation that a convolutional layer wants: from 6 inputs d and 3 taps g, the
    4 outputs

        y = A^T [ (G g) * (B^T d) ]

    where * multiplies entry by entry. G evaluates the filter at the points (each row is a point's
    powers 1, p, p^2, divided by the product of its distances to the other points), B^T is the
    transpose of the interpolation, A^T holds the points' powers up to 3. Called F(4, 3).

In two dimensions
    The same along rows and columns: 6x6 inputs and 3x3 taps give 4x4 outputs for 36 products
    where 144 were needed,

        Y = A^T [ (G g G^T) * (B^T d B) ] A

    Summed over input channels, the products at one of the 36 places, for all tiles, are one matrix
    product (tiles, C) @ (C, O). The transforms are small fixed matrices; in N,H,W,C each is a
    matrix product too, over long runs of contiguous channels.

Which points
    Any distinct points are exact in exact arithmetic. In float32 the error grows with the spread
    of their powers: the usual {0, 1, -1, 2, -2, infinity} errs several times as much as {0, 2/3,
    -2/3, 3/2, -3/2, infinity} at the same cost. Here each point comes with its inverse and its
    negative, so powers stay near 1. On trained weights the error is 2e-7 to 6e-7 of the output's
    deviation in the mean (the plain op: 1e-7 to 3e-7) and below 3e-6 of the largest output at most
    (tests/ops/test_winograd.py). F(2, 3) needs 4 points, {0, 1, -1, infinity}.

Gradients
    At the input: the same computation on dy, with the kernel turned by half a turn and its
    channels exchanged. The weight gradient is left to the plain op.

float64 never comes here: gradient checks see the plain op.
"""

from typing import Any, NamedTuple

import numpy as np

from minicnn.ops import conv
from minicnn.ops.window import pad_image
from minicnn.threads import spread

BLOCK = 1_000_000  # tiles * C * panel: up to here OpenBLAS multiplies without packing, 1.5x faster
PANEL = 64  # output channels multiplied at once


class Matrices(NamedTuple):
    """`size` outputs a side from size + 2 inputs: bt (n, n), g (n, 3), at (size, n), n = size+2."""

    size: int
    bt: Any
    g: Any
    at: Any


def _matrices(size, bt, g, at):
    return Matrices(size, *(np.array(m, np.float64).astype(np.float32) for m in (bt, g, at)))


F4 = _matrices(
    4,
    [[1, 0, -97 / 36, 0, 1, 0],
     [0, -3 / 2, -9 / 4, 2 / 3, 1, 0],
     [0, 3 / 2, -9 / 4, -2 / 3, 1, 0],
     [0, -2 / 3, -4 / 9, 3 / 2, 1, 0],
     [0, 2 / 3, -4 / 9, -3 / 2, 1, 0],
     [0, 1, 0, -97 / 36, 0, 1]],
    [[1, 0, 0],
     [-81 / 130, -27 / 65, -18 / 65],
     [-81 / 130, 27 / 65, -18 / 65],
     [8 / 65, 12 / 65, 18 / 65],
     [8 / 65, -12 / 65, 18 / 65],
     [0, 0, 1]],
    [[1, 1, 1, 1, 1, 0],
     [0, 2 / 3, -2 / 3, 3 / 2, -3 / 2, 0],
     [0, 4 / 9, 4 / 9, 9 / 4, 9 / 4, 0],
     [0, 8 / 27, -8 / 27, 27 / 8, -27 / 8, 1]])
F2 = _matrices(
    2,
    [[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, -1, 0, 1]],
    [[1, 0, 0], [1 / 2, 1 / 2, 1 / 2], [1 / 2, -1 / 2, 1 / 2], [0, 0, 1]],
    [[1, 1, 1, 0], [0, 1, -1, 1]])


ALGORITHMS = {"winograd4": F4, "winograd2": F2}


class WinogradCache(NamedTuple):
    """The plain op's cache, and what is particular to this one."""

    plain: conv.ConvCache
    algorithm: str
    kept: dict


def choose(x, w, stride=1, pad=0, groups=1, dilation=1):
    """The algorithm that pays for this convolution: a key of ALGORITHMS, or "direct".

    It is for float32 on the CPU, 3x3 kernels, stride, dilation and groups 1, padding up to 2, and
    pays from 64 channels on; for outputs of under 20 a side smaller tiles waste less.
    """
    kh, kw, c, o = w.shape
    plain = (kh, kw, stride, groups, dilation) == (3, 3, 1, 1, 1) and pad in (0, 1, 2)
    if not (plain and isinstance(x, np.ndarray) and x.dtype == w.dtype == np.float32
            and min(c, o) >= 64):
        return "direct"
    return "winograd4" if min(x.shape[1:3]) + 2 * pad - 2 >= 20 else "winograd2"


def forward(x, w, b=None, stride=1, pad=0, groups=1, dilation=1, algorithm="winograd4", kept=None):
    """Convolve float32 images with 3x3 kernels at stride 1; see `minicnn.ops.conv.forward`.

    Parameters
    ----------
    x, w, b, stride, pad, groups, dilation
        As there; stride, groups and dilation can only be 1, pad 0, 1 or 2.
    algorithm : {"winograd4", "winograd2"}
        4x4 or 2x2 outputs a tile.
    kept : dict, optional
        Where transformed weights stay from one call to the next; whoever gives it takes a new one
        when w changes.

    Returns
    -------
    y : array (N, H + 2 pad - 2, W + 2 pad - 2, O)
    cache : WinogradCache
    """
    if algorithm not in ALGORITHMS:
        raise ValueError(f"winograd.forward: algorithm must be one of {', '.join(ALGORITHMS)}, "
                         f"got {algorithm!r}")
    if (w.shape[:2], stride, groups, dilation) != ((3, 3), 1, 1, 1) or pad not in (0, 1, 2):
        raise ValueError("winograd.forward: only for 3x3 kernels, stride, groups, dilation 1 and "
                         f"padding 0, 1 or 2; got kernels {w.shape[:2]}, stride {stride}, groups "
                         f"{groups}, dilation {dilation}, pad {pad}; use conv.forward")
    if not x.dtype == w.dtype == np.float32:
        raise ValueError(f"winograd.forward: only for float32, got {x.dtype} and {w.dtype}; use "
                         "conv.forward")
    cache = WinogradCache(conv.describe(x, w, b, stride, pad, groups, dilation), algorithm,
                          {} if kept is None else kept)
    y = _convolve(x, w, pad, cache, "y")
    if b is not None:
        y += b
    return y, cache


def backward(dy, cache, need=("x", "w", "b")):
    """Gradients, as `minicnn.ops.conv.backward` gives them (which does dw and db)."""
    plain, others = cache.plain, [name for name in need if name != "x"]
    _, dw, db = conv.backward(dy, plain, others)
    dx = _convolve(dy, _turned(plain.w), 2 - plain.pad[0], cache, "dx") if "x" in need else None
    return conv.Gradients(dx, dw, db)


def _convolve(x, w, pad, cache, result):
    matrices, key = ALGORITHMS[cache.algorithm], (cache.algorithm, result)
    if key not in cache.kept:  # one layer may take both algorithms, for images of two sizes
        cache.kept[key] = transform_weights(w, matrices)
    return convolve(x, cache.kept[key], w.shape[3], (pad, pad), matrices)


def _turned(w):
    """The kernels of the input gradient: turned by half a turn, channels in and out exchanged."""
    return w[::-1, ::-1].transpose(0, 1, 3, 2)  # KH,KW,C,O -> KH,KW,O,C


def transform_weights(w, matrices):
    """G g G^T for all kernels: (3, 3, C, O) -> (n*n, panels, C, O/panels), ready to multiply."""
    n, (_, _, c, o) = len(matrices.bt), w.shape
    rows = matrices.g @ w.reshape(3, -1)  # (n, 3) @ (3, 3*C*O) -> n,3*C*O
    u = matrices.g @ rows.reshape(n, 3, c * o)  # (n, 3) @ (n, 3, C*O) -> n,n,C*O
    panels = _panels(o)
    return np.ascontiguousarray(
        u.reshape(n * n, c, panels, o // panels).transpose(0, 2, 1, 3))  # -> n*n,panels,C,O/panels


def convolve(x, u, outputs, pad, matrices):
    """Convolve images with transformed 3x3 kernels at stride 1.

    Parameters
    ----------
    x : float32 array (N, H, W, C)
    u : array
        `transform_weights` of the kernels.
    outputs : int
        Output channels, O.
    pad : (vertical, horizontal)
    matrices : Matrices
        F4 or F2.

    Returns
    -------
    y : float32 array (N, H + 2P - 2, W + 2P - 2, O)
    """
    n, h, w, _ = x.shape
    size, oh, ow = matrices.size, h + 2 * pad[0] - 2, w + 2 * pad[1] - 2
    down, across = -(-oh // size), -(-ow // size)  # tiles, the last ones perhaps sticking out
    whole = (oh, ow) == (down * size, across * size)
    padded = pad_image(x, pad, (pad[0] + down * size - oh, pad[1] + across * size - ow), 0)
    y = np.empty((n, down * size, across * size, outputs), np.float32)
    rows = max(1, BLOCK // (across * x.shape[3] * (outputs // _panels(outputs))))
    rows = -(-down // -(-down // rows))  # equal blocks
    blocks = [(image, top, min(top + rows, down)) for image in range(n)
              for top in range(0, down, rows)]

    def compute(block):
        image, top, bottom = block
        v = _transform_inputs(padded[image, top * size :], bottom - top, across, matrices)
        _transform_outputs(v, u, y[image, top * size : bottom * size], matrices)

    spread(compute, blocks)
    return y if whole else y[:, :oh, :ow].copy()


def _transform_inputs(x, down, across, matrices):
    """B^T d B for a block of tiles: rows of an image (H, W, C) -> (n, n, tiles, C)."""
    n, size, bt = len(matrices.bt), matrices.size, matrices.bt
    (sh, sw, sc), (_, w, c) = x.strides, x.shape
    strips = np.lib.stride_tricks.as_strided(x, (down, n, w * c), (size * sh, sh, sc))
    rows = np.matmul(bt, strips).reshape(down, n, w, c)  # (n, n) @ (TH, n, W*C) -> TH,n,W,C
    sd, sn, sw, sc = rows.strides
    tiles = np.lib.stride_tricks.as_strided(
        rows, (n, down, across, n, c), (sn, sd, size * sw, sw, sc))  # n,TH,TW,n,C
    v = np.empty((n, n, down, across, c), np.float32)
    np.matmul(bt, tiles, out=v.transpose(0, 2, 3, 1, 4))  # (n, n) @ (n,TH,TW, n, C)
    return v.reshape(n, n, down * across, c)  # n,n,TH,TW,C -> n,n,T,C


def _transform_outputs(v, u, y, matrices):
    """A^T [v @ u] A, written to a strip y (TH*size, W, O) of the output."""
    n, size, at = len(matrices.bt), matrices.size, matrices.at
    _, panels, c, width = u.shape
    down, across = y.shape[0] // size, y.shape[1] // size
    m = np.matmul(v.reshape(n * n, 1, -1, c), u)  # (n*n,1, T, C) @ (n*n,p, C, O/p) -> n*n,p,T,O/p
    m = m.reshape(n, n, -1).transpose(1, 0, 2)  # n*n,p,T,O/p -> n(columns),n(rows),p*T*O/p
    z = np.matmul(at, m).reshape(n, size, panels, down, across, width)  # (size, n) @ (n, n, .)
    z = z.transpose(1, 2, 3, 4, 0, 5)  # -> size(rows),p,TH,TW,n(columns),O/p
    out = y.reshape(down, size, across, size, panels, width)  # a view: TH*size,W,O is contiguous
    np.matmul(at, z, out=out.transpose(1, 4, 0, 2, 3, 5))  # (size, n) @ (..., n, O/p)


def _panels(outputs):
    """Into how many equal runs of at most PANEL channels, but not of under 32, outputs are cut."""
    counts = [k for k in range(1, outputs + 1) if outputs % k == 0 and outputs // k >= 32]
    return next((k for k in counts if outputs // k <= PANEL), 1)
