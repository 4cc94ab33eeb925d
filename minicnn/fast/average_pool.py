"""Average pooling: the twin of `minicnn.ops.average_pool`; CUDA kernels, the page on the CPU."""

from minicnn.fast import cuda
from minicnn.fast.cuda import average_pool as kernels
from minicnn.ops import average_pool


def forward(x, window, stride=None, pad=0, rounding="floor", border="padding"):
    """Like `minicnn.ops.average_pool.forward`."""
    if not cuda.usable(x):
        return average_pool.forward(x, window, stride, pad, rounding, border)
    cache = average_pool.describe(x, window, stride, pad, rounding, border)
    area, _, *geometry = cache
    return kernels.forward(x, area, *geometry, area.shape[1:3]), cache


def backward(dy, cache):
    """Like `minicnn.ops.average_pool.backward`."""
    if cuda.usable(dy, cache.area):
        return kernels.backward(dy, *cache)
    return average_pool.backward(dy, cache)
