"""Convolution by whichever way is the fastest: the twin of `minicnn.ops.conv`.

==============  ==================================================================================
`winograd`      float32 on the CPU, 3x3 and 5x5 kernels of stride 1, 16 channels or more
`depthwise`     on the CPU, a kernel a channel
`tiles`         everything else, and all on a GPU
==============  ==================================================================================
"""

from minicnn.fast import depthwise, tiles, winograd
from minicnn.ops.conv import Gradients, check_backward, describe
from minicnn.ops.window import sum_positions


def forward(x, w, b=None, stride=1, pad=0, groups=1, dilation=1):
    """As `minicnn.ops.conv.forward`; the cache may be `winograd`'s, which has the same fields."""
    cache = describe(x, w, b, stride, pad, groups, dilation)
    algorithm = winograd.choose(x, w, stride, pad, groups, dilation)
    if algorithm != "direct":
        return winograd.convolved(cache, b, algorithm)
    return (depthwise if depthwise.suits(cache) else tiles).forward(cache, b), cache


def backward(dy, cache, need=("x", "w", "b")):
    """As `minicnn.ops.conv.backward`."""
    if isinstance(cache, winograd.WinogradCache):
        return winograd.backward(dy, cache, need)
    check_backward(dy, cache, need)
    way = depthwise if depthwise.suits(cache) else tiles
    dx = way.input_gradient(dy, cache) if "x" in need else None
    dw = way.weight_gradient(dy, cache) if "w" in need else None
    db = sum_positions(dy) if "b" in need and cache.has_bias else None
    return Gradients(dx, dw, db)
