"""Convolution by the fastest algorithm for its sizes: the twin of `minicnn.ops.conv`.

==============  ==================================================================================
`winograd`      float32 on the CPU, 3x3 and 5x5 kernels of stride 1, 16 channels or more
`depthwise`     on the CPU, one kernel per channel
`tiles`         everything else, and everything on a GPU
==============  ==================================================================================
"""

from minicnn.fast import depthwise, tiles, winograd
from minicnn.ops.conv import Gradients, check_backward, describe
from minicnn.ops.window import sum_positions


def forward(x, w, b=None, stride=1, pad=0, groups=1, dilation=1):
    """Like `minicnn.ops.conv.forward`; a cache of `winograd` has the same fields and two more."""
    cache = describe(x, w, b, stride, pad, groups, dilation)
    algorithm = winograd.choose(x, w, stride, pad, groups, dilation)
    if algorithm != "direct" and (b is None or b.dtype == x.dtype):
        return winograd.convolved(cache, b, algorithm)
    return (depthwise if depthwise.suits(cache) else tiles).forward(cache, b), cache


def backward(dy, cache, need=("x", "w", "b")):
    """Like `minicnn.ops.conv.backward`."""
    if isinstance(cache, winograd.WinogradCache):
        return winograd.backward(dy, cache, need)
    check_backward(dy, cache, need)
    way = depthwise if depthwise.suits(cache) else tiles
    dx = way.input_gradient(dy, cache) if "x" in need else None
    dw = way.weight_gradient(dy, cache) if "w" in need else None
    db = sum_positions(dy) if "b" in need and cache.has_bias else None
    return Gradients(dx, dw, db)
