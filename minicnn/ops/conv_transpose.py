"""Transposed convolution: every number of the input sends its kernel, scaled, to the output.

    y = b, and then for every position (p, q), place (i, j) and pair of channels c, o

    y[n, S p + D i - P, S q + D j - P, c]  +=  x[n, p, q, o] * w[i, j, c, o]

What falls outside the image is cut off. These are the transposed filters of Zeiler & Fergus
(2014), which carry a feature map back towards the image, and the layer that enlarges images in
generators and in segmentation.

Forward
    A convolution reads pixel (S p + D i - P, ...) with weight w[i, j, c, o] for output (p, q). Here
    the same product goes the other way, so this is the backward pass of `conv` to its input: x has
    the shape of a convolution's output, (N, OH, OW, O), and y that of its input, (N, H, W, C). The
    kernels are those of that convolution, with the same shape.

Backward
    y is linear in x, and the matrix between them is the transpose of the convolution's. So the
    gradient at x is the convolution itself, of dy; and each product x * w that reached y sends
    dy * x to w. The convolution's dw is the sum of (its dy) * (its x) over the same places: here
    x stands where its dy stood, and dy where its x stood.

The size of x does not always determine that of y: with a stride of 2 and 3x3 kernels, images of
height 5 and of height 6 both become 2 high. `size` says which of them is meant.
"""

from typing import Any, NamedTuple

from minicnn.ops import conv
from minicnn.ops.window import check_image, check_need, pair, sum_positions


class ConvTransposeCache(NamedTuple):
    """What `backward` needs; `x` may be None if dw is not wanted.

    `along` is the ConvCache, without its input, of the convolution that goes from y to x.
    """

    x: Any
    along: conv.ConvCache
    has_bias: bool


def forward(x, w, b=None, stride=1, pad=0, groups=1, dilation=1, size=None):
    """Spread images with kernels.

    Parameters
    ----------
    x : array (N, OH, OW, O)
    w : array (KH, KW, C/groups, O)
        As for `minicnn.ops.conv.forward`, which goes from C channels to O.
    b : array (C,), optional
    stride, pad, groups, dilation
        Those of that convolution.
    size : (H, W), optional
        Size of y; by default the smallest that the convolution maps to (OH, OW).

    Returns
    -------
    y : array (N, H, W, C)
    cache : ConvTransposeCache

    Raises
    ------
    ValueError
        If shapes or settings do not fit together, or no image of `size` becomes (OH, OW).

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[1., 10.]]).reshape(1, 1, 2, 1)
    >>> w = np.array([[1., 2., 3.]]).reshape(1, 3, 1, 1)
    >>> forward(x, w, stride=2)[0].ravel()
    array([ 1.,  2., 13., 20., 30.])
    """
    along = describe(x, w, b, stride, pad, groups, dilation, size)
    y = conv.backward(x, along, need=("x",)).dx  # N,OH,OW,O -> N,H,W,C
    return (y if b is None else y + b), ConvTransposeCache(x, along, b is not None)


def backward(dy, cache, need=("x", "w", "b")):
    """Gradients of a transposed convolution.

    Parameters
    ----------
    dy : array (N, H, W, C)
    cache : ConvTransposeCache
    need : collection of "x", "w", "b"

    Returns
    -------
    conv.Gradients
        dx (N, OH, OW, O), dw like w, db (C,); None where not needed, db also where b was None.

    Raises
    ------
    ValueError
        If dy has the wrong shape, `need` names another gradient, or dw is wanted but the cache no
        longer holds x.
    """
    along = cache.along
    check_need(need, ("x", "w", "b"), "conv_transpose.backward")
    if dy.shape != along.x_shape:
        raise ValueError(f"conv_transpose.backward: dy must have the shape of the output, "
                         f"{along.x_shape}, got {dy.shape}")
    if "w" in need and cache.x is None:
        raise ValueError("conv_transpose.backward: dw needs the input x, which this cache no "
                         "longer holds")
    settings = along.stride, along.pad, along.groups, along.dilation
    dx = conv.forward(dy, along.w, None, *settings)[0] if "x" in need else None  # -> N,OH,OW,O
    dw = conv.backward(cache.x, along._replace(x=dy), ("w",)).dw if "w" in need else None  # like w
    db = sum_positions(dy) if "b" in need and cache.has_bias else None  # N,H,W,C -> C
    return conv.Gradients(dx, dw, db)


def describe(x, w, b, stride, pad, groups, dilation, size):
    """Check that the arguments fit together; return the ConvCache of the convolution y -> x."""
    check_image(x, "conv_transpose.forward")
    if w.ndim != 4 or w.shape[3] != x.shape[3]:
        raise ValueError(f"conv_transpose.forward: x has {x.shape[3]} channels, so w must be (KH, "
                         f"KW, C/groups, {x.shape[3]}), got shape {w.shape}")
    stride, pad = pair(stride, "conv_transpose stride"), pair(pad, "conv_transpose pad")
    dilation = pair(dilation, "conv_transpose dilation")
    if size is None:
        size = [stride[a] * (x.shape[1 + a] - 1) + dilation[a] * (w.shape[a] - 1) + 1 - 2 * pad[a]
                for a in (0, 1)]
    image = (len(x), *pair(size, "conv_transpose size"), w.shape[2] * groups)
    if min(image[1:3]) < 1:
        raise ValueError(f"conv_transpose.forward: padding {pad} cuts off all of y, whose size "
                         f"would be {image[1:3]}; use less padding")
    along = conv.ConvCache(None, image, w, False, stride, pad, groups, dilation)
    conv.check(along, None)
    if b is not None and b.shape != image[3:]:
        raise ValueError(f"conv_transpose.forward: b must be ({image[3]},), one per channel of y, "
                         f"got {b.shape}")
    if conv.output_shape(along) != x.shape:
        raise ValueError(f"conv_transpose.forward: a convolution of images of size {image[1:3]} "
                         f"gives {conv.output_shape(along)}, but x has shape {x.shape}")
    return along
