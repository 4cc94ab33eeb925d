"""Batch normalisation in blocks of rows on several threads: the twin of `minicnn.ops.batch_norm`.

The page passes over all numbers a dozen times. Here every pass over a block of rows finds it in a
core's cache. Means and variances of two blocks of n and m rows are joined as Chan, Golub & LeVeque
(1983) do: with d the difference of the means,

    mean = mean_n + d m / (n + m)        n v_n + m v_m + d^2 n m / (n + m) = (n + m) v

in the order of the blocks, so the result is the same for any number of threads. A GPU computes the
page.
"""

import numpy as np

from minicnn.backend import array_module
from minicnn.fast import threads
from minicnn.fast.threads import spread
from minicnn.fast.workspace import empty
from minicnn.ops import batch_norm
from minicnn.ops.batch_norm import BatchNormCache, Gradients
from minicnn.ops.window import check_need

PASSES = 6  # passes over every number of a block


def forward(x, gamma, beta, mean, variance, epsilon=1e-5, training=False):
    """Like `minicnn.ops.batch_norm.forward`."""
    if array_module(x) is not np:
        return batch_norm.forward(x, gamma, beta, mean, variance, epsilon, training)
    batch_norm.check_forward(x, gamma, beta, mean, variance)
    blocks = _blocks(x)
    if training:
        mean, variance = _statistics(x, blocks)
    inverse = 1 / np.sqrt(variance + epsilon)
    z = empty(np, x.shape, np.result_type(x, inverse))
    y = empty(np, x.shape, np.result_type(z, gamma, beta))

    def compute(block):
        z[block] = x[block] - mean
        z[block] *= inverse
        np.multiply(z[block], gamma, out=y[block])
        y[block] += beta

    spread(compute, blocks)
    return y, BatchNormCache(z, gamma, inverse, mean, variance, training)


def backward(dy, cache, need=("x", "gamma", "beta")):
    """Like `minicnn.ops.batch_norm.backward`."""
    if array_module(dy) is not np:
        return batch_norm.backward(dy, cache, need)
    check_need(need, ("x", "gamma", "beta"), "batch_norm.backward")
    z, blocks, count = cache.z, _blocks(dy), dy.size // dy.shape[-1]
    sums = [None] * len(blocks)

    def add(k):
        g, rows = _rows(dy[blocks[k]]), _rows(z[blocks[k]])
        sums[k] = np.ones(len(g), g.dtype) @ g, np.einsum("rc,rc->c", g, rows)

    if cache.training or {"gamma", "beta"} & set(need):
        spread(add, range(len(blocks)))
        dbeta, dgamma = (np.sum(part, axis=0) for part in zip(*sums, strict=True))
    dx = empty(np, dy.shape, np.result_type(dy, z, cache.gamma)) if "x" in need else None

    def compute(block):
        dx[block] = dy[block]
        if cache.training:  # the page's dx, with gamma / sqrt(v + epsilon) put outside
            dx[block] -= dbeta / count
            dx[block] -= z[block] * (dgamma / count)
        dx[block] *= cache.gamma * cache.inverse

    if dx is not None:
        spread(compute, blocks)
    return Gradients(dx, dgamma if "gamma" in need else None, dbeta if "beta" in need else None)


def _blocks(x):
    """`threads.row_blocks`, or several images a block where they are small."""
    images = threads.BLOCK // max(1, x[:1].size)
    blocks = threads.row_blocks(x, PASSES)
    return blocks if images < 2 or len(blocks) == 1 else [
        (slice(n, n + images),) for n in range(0, len(x), images)]


def _rows(x):
    return x.reshape(-1, x.shape[-1])  # ...,C -> rows,C


def _statistics(x, blocks):
    """The mean and the (biased) variance of each channel."""
    parts = [None] * len(blocks)

    def measure(k):
        rows = _rows(x[blocks[k]])
        mean = np.ones(len(rows), x.dtype) @ rows / len(rows)
        away = rows - mean
        parts[k] = len(rows), mean, np.einsum("rc,rc->c", away, away)

    spread(measure, range(len(blocks)))
    count, mean, squares = parts[0]
    exact = np.result_type(x, np.float64)
    mean, squares = mean.astype(exact), squares.astype(exact)
    for more, its_mean, its_squares in parts[1:]:
        difference = its_mean - mean
        squares += its_squares + difference**2 * (count * more / (count + more))
        mean += difference * (more / (count + more))
        count += more
    return mean.astype(x.dtype), (squares / count).astype(x.dtype)
