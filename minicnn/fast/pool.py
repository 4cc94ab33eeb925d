"""Max pooling on several threads, or by CUDA kernels: the twin of `minicnn.ops.pool`.

The output is cut into blocks of rows. The pixels under a block stay in a core's cache while they
are read once for each place in the window. Unpooling writes each value once, at the pixel of its
switch, where the page makes a pass over all values for each place.
"""

import numpy as np

from minicnn.backend import array_module
from minicnn.fast import cuda
from minicnn.fast.cuda import pool as kernels
from minicnn.fast.threads import row_blocks, spread
from minicnn.fast.window import cover
from minicnn.fast.workspace import empty, zeros
from minicnn.ops import pool
from minicnn.ops.pool import PoolCache
from minicnn.ops.window import extent, pool_geometry, views


def forward(x, window, stride=None, pad=0, rounding="floor"):
    """Like `minicnn.ops.pool.forward`."""
    window, stride, pad, out = pool_geometry(x, window, stride, pad, rounding, "pool.forward")
    if cuda.usable(x):
        y, switches = kernels.forward(x, window, stride, pad, out)
        return y, PoolCache(switches, x.shape, window, stride, pad)
    xp = array_module(x)
    covered = cover(x, window, stride, pad, out, -xp.inf)
    y = empty(xp, (len(x), *out, x.shape[3]), x.dtype)
    switches = zeros(xp, y.shape, xp.min_scalar_type(window[0] * window[1] - 1))
    if any(pad):
        switches += pool.first_inside(xp, window, stride, pad, out).astype(switches.dtype)

    def compute(block):
        best, switch = y[block], switches[block]
        pixels = _under(covered, block, stride)
        places = views(pixels, window, stride, best.shape[1:3])
        best[...] = next(places)
        for place, candidate in enumerate(places, start=1):
            # switch[candidate > best] = place, without a masked copy (2.5 times faster): places
            # increase, so the largest is the latest winner; ">" keeps the first of equals
            won = (candidate > best).view(xp.uint8) * switches.dtype.type(place)
            xp.maximum(switch, won, out=switch)
            xp.maximum(best, candidate, out=best)
        if xp is not np or np.isnan(best).any():  # rare; a GPU does not wait for the answer
            for place, candidate in enumerate(views(pixels, window, stride, best.shape[1:3])):
                lost = xp.isnan(candidate).view(xp.uint8) * switches.dtype.type(place)
                xp.maximum(switch, lost, out=switch)  # after a NaN no other place has won

    spread(compute, row_blocks(y, 4 * window[0] * window[1]))
    return y, PoolCache(switches, x.shape, window, stride, pad)


def backward(dy, cache):
    """Like `minicnn.ops.pool.backward`."""
    return unpool(dy, *cache)


def unpool(values, switches, x_shape, window, stride, pad):
    """Like `minicnn.ops.pool.unpool`."""
    pool.check_switches(values, switches)
    if cuda.usable(values):
        return kernels.unpool(values, switches, x_shape, window, stride, pad)
    if array_module(values) is not np:  # there `add.at` would add in any order
        return pool.unpool(values, switches, x_shape, window, stride, pad)
    out = values.shape[1:3]
    (n, h, w, c), (height, width) = x_shape, extent(x_shape, window, stride, pad, out)
    covered = zeros(np, (n, height, width, c), values.dtype)
    rows, columns = (np.arange(out[a]) * stride[a] for a in (0, 1))
    corners = ((rows[:, None] * width + columns)[..., None] * c + np.arange(c))  # -> OH,OW,C
    inside = (np.arange(window[0])[:, None] * width + np.arange(window[1])).ravel() * c  # -> KH*KW
    for k in range(n):
        places = inside.take(switches[k])
        places += corners  # OH,OW,C: index into the flat image at which each value is added
        np.add.at(covered[k].reshape(-1), places.reshape(-1), values[k].reshape(-1))  # -> H*W*C
    image = covered[:, pad[0] : pad[0] + h, pad[1] : pad[1] + w]
    return covered if image.shape == covered.shape else image.copy()


def _under(covered, block, stride):
    """The padded images from the first row under a block of output rows downwards."""
    if block == (...,):
        return covered
    images, rows = block
    return covered[images, rows.start * stride[0] :]
