"""The convolution's kernel against the way back without it, and the page's checks: on the CPU."""

import checks
import cuda_on_cpu
import matrix
import numpy as np
import pytest
import twins
from checks import normal

from minicnn.fast import cuda, tiles
from minicnn.fast.cuda import conv as conv_cuda

CONV = twins.as_op(tiles)
# `tiles` adds to a pixel in another order; sums of up to some hundred numbers near 1.
TOLERANCE = {np.float64: 1e-12, np.float32: 1e-4}


def same_as_plain(dtype, inputs, **options):
    """AssertionError if the kernel's dx is another than without it, or has other bytes when
    computed again."""
    y, cache = CONV.forward(*(a.astype(dtype) for a in inputs), **options)
    dy = normal(*y.shape).astype(dtype)
    plain = CONV.backward(dy, cache, need=("x",)).dx
    with cuda_on_cpu.kernels(conv_cuda):
        ours, again = (CONV.backward(dy, cache, need=("x",)).dx for _ in range(2))
    assert ours.dtype == plain.dtype and ours.tobytes() == again.tobytes()
    np.testing.assert_allclose(ours, plain, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


@pytest.mark.parametrize("tile", [1, 60, tiles.TILE])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("case", matrix.CONV, ids=str)
def test_same_as_without_it(case, dtype, tile, monkeypatch):
    """Also in pieces of some rows, and of some images."""
    monkeypatch.setattr(tiles, "TILE", tile)
    options = matrix.settings(case, "stride", "pad", "groups", "dilation")
    same_as_plain(dtype, matrix.conv_inputs(case).values(), **options)


@pytest.mark.parametrize("case", matrix.CONV, ids=str)
def test_checks_of_the_page(case):
    with cuda_on_cpu.kernels(conv_cuda):
        checks.conv(CONV.forward, CONV.backward, [case])


@pytest.mark.parametrize("n", [1, 2, 7, 33])
def test_batches_and_indices_of_64_bits(n, monkeypatch):
    inputs, options = (normal(n, 7, 6, 4), normal(3, 2, 2, 6)), {"stride": (2, 1), "pad": (1, 0),
                                                                 "groups": 2, "dilation": (1, 2)}
    same_as_plain(np.float64, inputs, **options)
    monkeypatch.setattr(cuda, "SMALL", 0)
    same_as_plain(np.float64, inputs, **options)
