"""3x3 and 5x5 convolution with fewer multiplications (Winograd 1980; Lavin & Gray 2016).

The idea, in one dimension
    Four neighbouring outputs of a 3-tap filter g need 12 products when computed one by one. But
    convolution is multiplication of polynomials, and two polynomials can be multiplied by
    evaluating both at enough points, multiplying the values, and interpolating. A polynomial with
    3 coefficients times one with 4 has 6 coefficients, so 6 points suffice: 6 products instead of
    12. This is Toom-Cook multiplication. Transposed, it computes not the product but the
    correlation that a convolutional layer needs: from 6 inputs d and 3 taps g, the 4 outputs

        y = A^T [ (G g) * (B^T d) ]

    where * multiplies entry by entry. G evaluates the filter at the points: each row holds the
    powers 1, p, p^2 of a point p, divided by the product of its distances to the other points.
    B^T is the transposed interpolation, and A^T holds the points' powers up to 3. This is F(4, 3).

In two dimensions
    The same along rows and columns: 6x6 inputs and 3x3 taps give 4x4 outputs with 36 products
    instead of 144,

        Y = A^T [ (G g G^T) * (B^T d B) ] A

    At each of the 36 places, the products of all tiles, summed over input channels, are one matrix
    product (tiles, C) @ (C, O). The transforms are small fixed matrices; in N,H,W,C each is also a
    matrix product, over long runs of contiguous channels.

Which points
    In exact arithmetic any distinct points give the exact result. In float32 the error grows with
    the spread of their powers: at the same cost the usual {0, 1, -1, 2, -2, infinity} has several
    times the error of {0, 2/3, -2/3, 3/2, -3/2, infinity}. Here each point comes with its inverse
    and its negative, so powers stay near 1. On trained weights the mean error is 2e-7 to 6e-7 of
    the output's deviation (the page: 1e-7 to 3e-7), and the largest error is below 3e-6 of the
    largest output (tests/fast/test_winograd.py). F(2, 3) needs 4 points, {0, 1, -1, infinity}. The
    six points also serve F(2, 5), two outputs of 5 taps: 36 products instead of 100.

    The outputs of a tile are sums of different terms. So a flat area, whose outputs are equal in
    exact arithmetic, gets outputs that differ in their last bits, and no longer ties in a pooling
    (`minicnn.ops.pool`, Decisions).

Gradients
    Input gradient: the same computation on dy, with the kernel rotated by 180 degrees and its
    input and output channels exchanged. Weight gradient: Y is linear in g, so dY goes back through
    the transposes of the three steps. It becomes A dY A^T at the products, is multiplied by the
    transformed inputs at each place, and

        dg = G^T [ sum over images and tiles of (B^T d B) * (A dY A^T) ] G

    where the sum for all channels at one place is again a matrix product, (C, tiles) @ (tiles, O).

With groups, each run of outputs is multiplied with its own run of input channels. float64 is never
computed here: gradient checks use the page, or `tiles`.

Transformed weights are kept
    Transforming the weights takes a large part of the time for one image, and weights seldom
    change. So the transforms are kept from one pass to the next, together with an exact copy of
    the weights they were computed from. Weights are ordinary arrays that can be written to at any
    time: every forward pass compares all their bits with the copy, and transforms them again if
    one differs. A pass stores copy and transforms in its cache, so its backward pass uses the same
    weights as its forward pass. They are freed when the array of weights is freed or has changed.
"""

from collections import namedtuple
from math import prod
from threading import RLock
from typing import Any, NamedTuple
from weakref import ref

import numpy as np

from minicnn.fast import tiles
from minicnn.fast.threads import SHARED, spread
from minicnn.fast.window import pad_image
from minicnn.fast.workspace import empty, zeros
from minicnn.ops.conv import ConvCache, Gradients, check_backward, describe
from minicnn.ops.window import sum_positions

BLOCK = 1_000_000  # tiles * C * panel: up to this OpenBLAS multiplies without packing, 1.5x faster
PANEL = 64  # output channels multiplied at once
LEAST = 16  # channels: with fewer the transforms cost more than the products they save;
LEAST_OF_5 = 1 << 24  # for 5x5 kernels so do fewer multiplications per image than this
TILES = 256  # tiles the weight gradient takes at once, if there are as many: for long products
DW_TILES, DW_CHANNELS = 100, 64  # with fewer, the weight gradient of `tiles` is faster


class Matrices(NamedTuple):
    """Matrices for `size` outputs per side from n = size + r - 1 inputs and r taps: bt (n, n),
    g (n, r), at (size, n)."""

    size: int
    bt: Any
    g: Any
    at: Any


def _matrices(size, bt, g, at):
    return Matrices(size, *(np.array(m, np.float64).astype(np.float32) for m in (bt, g, at)))


SIX_POINTS = [[1, 0, -97 / 36, 0, 1, 0],
              [0, -3 / 2, -9 / 4, 2 / 3, 1, 0],
              [0, 3 / 2, -9 / 4, -2 / 3, 1, 0],
              [0, -2 / 3, -4 / 9, 3 / 2, 1, 0],
              [0, 2 / 3, -4 / 9, -3 / 2, 1, 0],
              [0, 1, 0, -97 / 36, 0, 1]]
F4 = _matrices(
    4, SIX_POINTS,
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
F2_OF_5 = _matrices(
    2, SIX_POINTS,
    [[1, 0, 0, 0, 0],
     [-81 / 130, -27 / 65, -18 / 65, -12 / 65, -8 / 65],
     [-81 / 130, 27 / 65, -18 / 65, 12 / 65, -8 / 65],
     [8 / 65, 12 / 65, 18 / 65, 27 / 65, 81 / 130],
     [8 / 65, -12 / 65, 18 / 65, -27 / 65, 81 / 130],
     [0, 0, 0, 0, 1]],
    [[1, 1, 1, 1, 1, 0],
     [0, 2 / 3, -2 / 3, 3 / 2, -3 / 2, 1]])

ALGORITHMS = ("winograd4", "winograd2")  # 4x4 or 2x2 outputs per tile
MATRICES = {("winograd4", (3, 3)): F4, ("winograd2", (3, 3)): F2, ("winograd2", (5, 5)): F2_OF_5}


class Kept:
    """An exact copy `w` of some weights, and the transforms computed from it so far, by name."""

    def __init__(self, w):
        self.order, lying = _as_they_lie(w)
        self.bytes = bytearray(lying)
        self.w = np.frombuffer(self.bytes, w.dtype).reshape(lying.shape).transpose(
            np.argsort(self.order))
        self.w.flags.writeable = False  # of the copy only
        self.transforms = {}

    def is_of(self, w):
        """Whether `w` has exactly the bits of the copy: -0 differs from 0, and NaN equals itself.
        Python compares bytes faster than NumPy compares numbers."""
        order, lying = _as_they_lie(w)
        return (w.shape == self.w.shape and order == self.order
                and self.bytes == memoryview(lying))


def _as_they_lie(w):
    """The axes of an array from the longest stride to the shortest, and the array with its axes in
    that order, contiguous: a view or a copy."""
    order = sorted(range(w.ndim), key=lambda axis: -abs(w.strides[axis]))
    return order, np.ascontiguousarray(w.transpose(order))


WinogradCache = namedtuple("WinogradCache", [*ConvCache._fields, "algorithm", "kept"])
WinogradCache.__doc__ = "A ConvCache whose `w` is the copy in `kept` (a Kept)."
_KEPT = {}  # id(w): (weak reference to w, Kept)
_LOCK = RLock()  # reentrant: garbage collection may call `forget` in the thread that holds it


def choose(x, w, stride=1, pad=0, groups=1, dilation=1):
    """The fastest algorithm for this convolution: one of ALGORITHMS, or "direct".

    Winograd needs float32 on the CPU, 3x3 or 5x5 kernels, stride and dilation 1, and padding below
    the kernel's side; it pays from 16 channels per group on. With few outputs smaller tiles waste
    less, and with many kernels their transforms take less than half the memory. The number of
    images plays no part, so that an image gives the same result in any batch.
    """
    c, o, kernel = w.shape[2], w.shape[3] // groups, w.shape[:2]
    known = kernel in ((3, 3), (5, 5)) and stride == dilation == 1 and pad in range(kernel[0])
    if not (known and isinstance(x, np.ndarray) and x.dtype == w.dtype == np.float32
            and min(c, o) >= LEAST):
        return "direct"
    if kernel == (5, 5):
        return "winograd2" if prod(x.shape[1:3]) * w.size >= LEAST_OF_5 else "direct"
    side = min(x.shape[1:3]) + 2 * pad - 2
    few = side < 6 or (side < 20 and c * o > 1 << 17)
    return "winograd2" if few else "winograd4"


def forward(x, w, b=None, stride=1, pad=0, groups=1, dilation=1, algorithm="winograd4"):
    """Convolve float32 images at stride 1; see `minicnn.ops.conv.forward`.

    Parameters
    ----------
    x, w, b, stride, pad, groups, dilation
        As there; kernels 3x3 or 5x5, stride and dilation 1, pad an int below the kernel's side.
    algorithm : {"winograd4", "winograd2"}
        4x4 or 2x2 outputs per tile; 5x5 kernels have only the latter.

    Returns
    -------
    y : array (N, H + 2 pad - K + 1, W + 2 pad - K + 1, O)
    cache : WinogradCache
    """
    _check(x, w, stride, pad, dilation, algorithm)
    return convolved(describe(x, w, b, stride, pad, groups, dilation), b, algorithm)


def convolved(plain, b, algorithm):
    """`forward` for the convolution that a ConvCache describes, without checks."""
    kept = keep(plain.w)
    cache = WinogradCache(*plain._replace(w=kept.w), algorithm, kept)
    return _convolve(plain.x, plain.pad[0], cache, "y", b), cache


def backward(dy, cache, need=("x", "w", "b")):
    """The Gradients, like `minicnn.ops.conv.backward`."""
    plain, far = ConvCache(*cache[: len(ConvCache._fields)]), cache.w.shape[0] - 1
    check_backward(dy, plain, need)
    dx = _convolve(dy, far - plain.pad[0], cache, "dx") if "x" in need else None
    dw = None
    if "w" in need:
        by_tiles = _pays_for_weights(dy, plain)
        dw = _weight_gradient(dy, plain, F4) if by_tiles else tiles.weight_gradient(dy, plain)
    db = sum_positions(dy) if "b" in need and plain.has_bias else None
    return Gradients(dx, dw, db)


def keep(w):
    """The Kept of an array of weights: the stored one if they are unchanged, else a new one."""
    reference, kept = _KEPT.get(id(w), (None, None))
    if kept is not None and reference() is w and kept.is_of(w):
        return kept
    key, kept = id(w), Kept(w)

    def forget(gone):
        with _LOCK:  # by now another array may have the id
            if _KEPT.get(key, (None,))[0] is gone:
                del _KEPT[key]

    with _LOCK:
        _KEPT[key] = (ref(w, forget), kept)
    return kept


def _pays_for_weights(dy, plain):
    (n, oh, ow, o), c = dy.shape, plain.w.shape[2]
    return (plain.w.shape[0] == 3 and min(c, o // plain.groups) >= DW_CHANNELS
            and n * (oh // F4.size) * (ow // F4.size) >= DW_TILES)


def _convolve(x, pad, cache, result, b=None):
    w, groups, transforms = cache.w, cache.groups, cache.kept.transforms
    matrices, key = MATRICES[cache.algorithm, w.shape[:2]], (cache.algorithm, result)
    if key not in transforms:  # images of two sizes may need both algorithms for one array
        kernels = w if result == "y" else _turned(w, groups)
        transforms[key] = transform_weights(kernels, matrices, groups)
    outputs = w.shape[3] if result == "y" else w.shape[2] * groups
    return convolve(x, transforms[key], outputs, (pad, pad), matrices, groups, b)


def _turned(w, groups):
    """The kernels of the input gradient: rotated by 180 degrees, input and output exchanged."""
    k, _, c, o = w.shape
    w = w[::-1, ::-1].reshape(k, k, c, groups, o // groups)  # KH,KW,C/G,O -> KH,KW,C/G,G,O/G
    return w.transpose(0, 1, 4, 3, 2).reshape(k, k, o // groups, groups * c)  # -> KH,KW,O/G,C


def transform_weights(w, matrices, groups=1):
    """G g G^T for all kernels: (r, r, C/G, O) -> (n*n, panels, C/G, O/panels)."""
    (n, r), (_, _, c, o), panels = matrices.g.shape, w.shape, _panels(w.shape[3], groups)
    u = np.empty((n * n, panels, c, o // panels), np.float32)
    for panel in range(panels):  # one by one: the intermediate arrays are 4 times as large
        part = w[..., panel * o // panels : (panel + 1) * o // panels]
        rows = matrices.g @ part.reshape(r, -1)  # (n, r) @ (r, r*C*O/p) -> n,r*C*O/p
        both = matrices.g @ rows.reshape(n, r, -1)  # (n, r) @ (n, r, C*O/p) -> n,n,C*O/p
        u[:, panel] = both.reshape(n * n, c, -1)  # n,n,C*O/p -> n*n,C,O/p
    return u


def convolve(x, u, outputs, pad, matrices, groups=1, b=None):
    """Convolve images with transformed kernels at stride 1.

    Parameters
    ----------
    x : float32 array (N, H, W, C)
    u : array
        `transform_weights` of the kernels.
    outputs : int
        Output channels, O.
    pad : (vertical, horizontal)
    matrices : Matrices
    groups : int
    b : float32 array (O,), optional

    Returns
    -------
    y : float32 array (N, H + 2P - r + 1, W + 2P - r + 1, O)
    """
    n, size = len(x), matrices.size
    padded, (oh, ow), down, across = _tiled(x, pad, matrices)
    whole = (oh, ow) == (down * size, across * size)
    y = empty(np, (n, down * size, across * size, outputs), np.float32)
    places, _, c, panel = u.shape
    blocks = _blocks(n, down, across * x.shape[3] * panel, places * across * c * outputs)

    def compute(block):
        image, top, bottom = block
        v = _transform_inputs(padded[image, top * size :], bottom - top, across, matrices)
        strip = y[image, top * size : bottom * size]
        _transform_outputs(v, u, strip, matrices, groups)
        if b is not None:
            strip += b

    spread(compute, blocks)
    return y if whole else y[:, :oh, :ow].copy()


def _tiled(x, pad, matrices):
    """x padded to whole tiles, (height, width) of the output, number of tiles down and across."""
    (_, h, w, _), (size, taps) = x.shape, (matrices.size, matrices.g.shape[1])
    oh, ow = h + 2 * pad[0] - taps + 1, w + 2 * pad[1] - taps + 1
    down, across = -(-oh // size), -(-ow // size)  # the last ones may reach beyond the output
    padded = pad_image(x, pad, (pad[0] + down * size - oh, pad[1] + across * size - ow), 0)
    return padded, (oh, ow), down, across


def _blocks(images, down, row, products):
    """Equal blocks of rows of tiles as (image, first row, end row), of about BLOCK in size.

    A row of tiles has size `row` and takes `products` multiplications. The cuts within an image
    depend on that image only, so that it gives the same result in any batch.
    """
    rows = max(1, BLOCK // row)
    if products * down >= SHARED:
        rows = min(rows, -(-down // 2))  # two blocks at least
    rows = -(-down // -(-down // rows))
    return [(image, top, min(top + rows, down)) for image in range(images)
            for top in range(0, down, rows)]


def _transform_inputs(x, down, across, matrices):
    """B^T d B for a block of tiles: rows of an image (H, W, C) -> (n, n, tiles, C)."""
    n, size, bt = len(matrices.bt), matrices.size, matrices.bt
    (sh, sw, sc), (_, w, c) = x.strides, x.shape
    strips = np.lib.stride_tricks.as_strided(x, (down, n, w * c), (size * sh, sh, sc))
    rows = empty(np, (down, n, w * c), np.float32)
    np.matmul(bt, strips, out=rows)  # (n, n) @ (TH, n, W*C)
    rows = rows.reshape(down, n, w, c)  # TH,n,W*C -> TH,n,W,C
    sd, sn, sw, sc = rows.strides
    tiles = np.lib.stride_tricks.as_strided(
        rows, (n, down, across, n, c), (sn, sd, size * sw, sw, sc))  # n,TH,TW,n,C
    v = empty(np, (n, n, down, across, c), np.float32)
    np.matmul(bt, tiles, out=v.transpose(0, 2, 3, 1, 4))  # (n, n) @ (n,TH,TW, n, C)
    return v.reshape(n * n, down * across, c)  # n,n,TH,TW,C -> n*n,T,C


def _transform_outputs(v, u, y, matrices, groups):
    """A^T [v @ u] A, written to a strip y (TH*size, W, O) of the output."""
    n, size, at = len(matrices.bt), matrices.size, matrices.at
    _, panels, c, width = u.shape
    down, across = y.shape[0] // size, y.shape[1] // size
    v = v.reshape(n * n, -1, groups, 1, c).transpose(0, 2, 3, 1, 4)  # n*n,T,C -> n*n,G,1,T,C/G
    u = u.reshape(n * n, groups, -1, c, width)  # n*n,p,C/G,O/p -> n*n,G,p/G,C/G,O/p
    m = empty(np, (*u.shape[:3], v.shape[3], width), np.float32)
    np.matmul(v, u, out=m)  # (n*n,G,1, T, C/G) @ (n*n,G,p/G, C/G, O/p) -> n*n,G,p/G,T,O/p
    m = m.reshape(n, n, -1).transpose(1, 0, 2)  # -> n(columns),n(rows),p*T*O/p
    z = empty(np, (n, size, m.shape[2]), np.float32)
    np.matmul(at, m, out=z)  # (size, n) @ (n, n, .)
    z = z.reshape(n, size, panels, down, across, width)  # n,size,. -> n,size,p,TH,TW,O/p
    z = z.transpose(1, 2, 3, 4, 0, 5)  # -> size(rows),p,TH,TW,n(columns),O/p
    out = y.reshape(down, size, across, size, panels, width)  # a view: TH*size,W,O is contiguous
    np.matmul(at, z, out=out.transpose(1, 4, 0, 2, 3, 5))  # (size, n) @ (..., n, O/p)


def _weight_gradient(dy, plain, matrices):
    """dw by tiles: the sum over tiles and images at each place, then G^T [sums] G."""
    (r, _, c, o), groups, size = plain.w.shape, plain.groups, matrices.size
    n, (padded, (oh, ow), down, across) = len(matrices.bt), _tiled(plain.x, plain.pad, matrices)
    dy = pad_image(dy, (0, 0), (down * size - oh, across * size - ow), 0)
    at_once = min(len(dy), -(-TILES // (down * across)))  # images
    v = empty(np, (n * n, at_once, down, across, groups * c), np.float32)
    m = empty(np, (n * n, at_once, down, across, o), np.float32)
    products = zeros(np, (n * n, groups, c, o // groups), np.float32)
    for first in range(0, len(dy), at_once):
        images = min(at_once, len(dy) - first)

        def transform(block, first=first):
            image, top, bottom = block
            x, seeds = (a[first + image, top * size :] for a in (padded, dy))
            v[:, image, top:bottom] = _by_rows(_transform_inputs, x, bottom - top, across, matrices)
            m[:, image, top:bottom] = _by_rows(_transform_seeds, seeds, bottom - top, across,
                                               matrices)

        def multiply(place, images=images):
            a = v[place, :images].reshape(-1, groups, c)  # N,TH,TW,C -> T,G,C/G
            b = m[place, :images].reshape(-1, groups, o // groups)  # N,TH,TW,O -> T,G,O/G
            # (G, C/G, T) @ (G, T, O/G) -> G,C/G,O/G
            products[place] += a.transpose(1, 2, 0) @ b.transpose(1, 0, 2)

        row = across * (groups * c + o)
        spread(transform, _blocks(images, down, row * PANEL, row * n * n * 2 * n))
        spread(multiply, range(n * n))
    dw = np.empty((r, r, c * o), np.float32)

    def gather(run):  # G^T . G, for some of all pairs of channels
        sums = products.reshape(n, n, -1)[..., run]  # n*n,G,C/G,O/G -> n,n,pairs
        rows = np.tensordot(matrices.g.T, sums, 1)  # (r, n) @ (n, n, pairs) -> r,n,pairs
        np.matmul(matrices.g.T, rows, out=dw[..., run])  # (r, n) @ (r, n, pairs) -> r,r,pairs

    pairs = dw.shape[2]
    spread(gather, [slice(k, k + 8192) for k in range(0, pairs, 8192)])
    dw = dw.reshape(r, r, groups, c, o // groups).transpose(0, 1, 3, 2, 4)  # -> r,r,C/G,G,O/G
    return dw.reshape(plain.w.shape)  # -> KH,KW,C/G,O


def _by_rows(transform, a, down, across, matrices):
    transformed = transform(a, down, across, matrices)
    return transformed.reshape(len(transformed), down, across, -1)  # n*n,T,C -> n*n,TH,TW,C


def _transform_seeds(dy, down, across, matrices):
    """A dY A^T for a block of tiles: rows of dy (H, W, O) -> (n*n, tiles, O)."""
    (size, n), (_, w, o) = matrices.at.shape, dy.shape
    strips = dy[: down * size].reshape(down, size, w * o)  # TH*size,W,O -> TH,size,W*O
    rows = np.matmul(matrices.at.T, strips)  # (n, size) @ (TH, size, W*O) -> TH,n,W*O
    tiles = rows.reshape(down, n, across, size, o).transpose(1, 0, 2, 3, 4)  # -> n,TH,TW,size,O
    m = empty(np, (n, n, down, across, o), np.float32)
    np.matmul(matrices.at.T, tiles, out=m.transpose(0, 2, 3, 1, 4))  # (n, size) @ (.., size, O)
    return m.reshape(n * n, down * across, o)  # n,n,TH,TW,O -> n*n,T,O


def _panels(outputs, groups=1):
    """The number of equal panels that the outputs are cut into, none across two groups: each of 32
    to PANEL channels if a group can be divided so, else a whole group."""
    outputs //= groups
    counts = [k for k in range(1, outputs + 1) if outputs % k == 0 and outputs // k >= 32]
    return groups * next((k for k in counts if outputs // k <= PANEL), 1)


def _check(x, w, stride, pad, dilation, algorithm):
    if algorithm not in ALGORITHMS:
        raise ValueError(f"winograd.forward: algorithm must be one of {', '.join(ALGORITHMS)}, "
                         f"got {algorithm!r}")
    if not isinstance(x, np.ndarray):
        raise ValueError("winograd.forward: only for the CPU, but x is on a GPU; use "
                         "fast.conv")
    known = (algorithm, w.shape[:2]) in MATRICES
    if not (known and stride == dilation == 1 and pad in range(w.shape[0])):
        raise ValueError(
            "winograd.forward: only for 3x3 kernels, or 5x5 with winograd2, stride and dilation 1, "
            f"and a padding below the kernel's side; got {algorithm}, kernels {w.shape[:2]}, "
            f"stride {stride}, dilation {dilation}, pad {pad}; use fast.conv")
    if not x.dtype == w.dtype == np.float32:
        raise ValueError(f"winograd.forward: only for float32, got {x.dtype} and {w.dtype}; use "
                         "fast.conv")
