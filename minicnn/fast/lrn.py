"""LRN on several threads, or by CUDA kernels: the twin of `minicnn.ops.lrn`.

Blocks of rows are independent of each other. Each is handed to the page, so that all the page's
passes over the block find it in a core's cache.
"""

from minicnn.backend import array_module
from minicnn.fast import cuda
from minicnn.fast.cuda import lrn as kernels
from minicnn.fast.threads import row_blocks, spread
from minicnn.fast.workspace import empty
from minicnn.ops import lrn
from minicnn.ops.lrn import LrnCache

PASSES = 20  # passes over every number, forward and backward; a power counts for many


def forward(x, size=5, alpha=1e-4, beta=0.75, k=1.0, convention="caffe"):
    """Like `minicnn.ops.lrn.forward`."""
    a = lrn.checked(x, size, alpha, convention)
    if cuda.usable(x):
        y, scale = kernels.forward(x, size, a, beta, k)
        return y, LrnCache(x, scale, size, a, beta)
    xp = array_module(x)
    y, scale = empty(xp, x.shape, x.dtype), empty(xp, x.shape, x.dtype)

    def compute(block):
        y[block], cache = lrn.forward(x[block], size, alpha, beta, k, convention)
        scale[block] = cache.scale

    spread(compute, row_blocks(x, PASSES))
    return y, LrnCache(x, scale, size, a, beta)


def backward(dy, cache, rule="gradient"):
    """Like `minicnn.ops.lrn.backward`."""
    lrn.check_backward(dy, cache, rule)
    if rule == "gradient" and cuda.usable(dy, cache.x, cache.scale):
        return kernels.backward(dy, *cache)
    dx = empty(array_module(dy), dy.shape, dy.dtype)

    def compute(block):
        part = cache._replace(x=cache.x[block], scale=cache.scale[block])
        dx[block] = lrn.backward(dy[block], part, rule)

    spread(compute, row_blocks(dy, PASSES))
    return dx
