"""Average pooling's kernels against the page, and the page's checks: run on the CPU."""

import checks
import cuda_on_cpu
import matrix
import numpy as np
import pytest
from checks import normal

from minicnn.fast import average_pool, cuda
from minicnn.fast.cuda import average_pool as average_pool_cuda
from minicnn.ops.average_pool import BORDERS


def results(x, **options):
    y, cache = average_pool.forward(x, **options)
    return y, average_pool.backward(normal(*y.shape).astype(x.dtype), cache)


def same_as_plain(x, **options):
    """AssertionError if the kernels' numbers are others than the page's. Sums of fewer than
    300 numbers near 1 are in another order, so they may differ by 1e-13, in float32 by 1e-5."""
    plain = results(x, **options)
    with cuda_on_cpu.kernels(average_pool_cuda):
        ours = results(x, **options)
    near = 1e-12 if x.dtype == np.float64 else 1e-5
    for name, a, b in zip(("y", "dx"), ours, plain, strict=True):
        np.testing.assert_allclose(a, b, rtol=near, atol=near, err_msg=name, strict=True)


def settings(case, border):
    return matrix.settings(case, "window", "stride", "pad", "rounding") | {"border": border}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("case", matrix.POOL, ids=str)
def test_same_as_without_it(case, border, dtype):
    same_as_plain(case.x().astype(dtype), **settings(case, border))


@pytest.mark.parametrize("case", matrix.POOL, ids=str)
def test_checks_of_the_page(case):
    with cuda_on_cpu.kernels(average_pool_cuda):
        checks.average_pool(average_pool.forward, average_pool.backward, [case])


@pytest.mark.parametrize("n", [1, 2, 7, 33])
def test_batches_and_indices_of_64_bits(n, monkeypatch):
    x = normal(n, 7, 6, 3)
    same_as_plain(x, window=3, stride=2, pad=1, rounding="ceil")
    monkeypatch.setattr(cuda, "SMALL", 0)
    same_as_plain(x, window=3, stride=2, pad=1, rounding="ceil")


MISTAKES = {
    "the first column is left out": ("column < 0 ||", "column <= 0 ||"),
    "no clip on the right": ("|| column >= width) continue", "|| column > width) continue"),
    "no clip at the top": ("if (row < 0 || row", "if (row"),
    "the area of another window": ("sum / area[out.y * out_width + out.x]", "sum / area[0]"),
    "no area on the way back": (" / area[p * out_width + q]", ""),
    "one window too few": ("q <= last_q", "q < last_q"),
    "strides exchanged": ("last_window(down, stride_down", "last_window(down, stride_across"),
    "first image only": ("out.n * height * width * channels + ", ""),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_caught(name, monkeypatch):
    right, wrong = MISTAKES[name]
    assert average_pool_cuda.SOURCE.count(right) == 1
    monkeypatch.setattr(average_pool_cuda, "SOURCE",
                        average_pool_cuda.SOURCE.replace(right, wrong))
    with pytest.raises(AssertionError):
        for case in matrix.POOL[:-1]:
            same_as_plain(case.x(), **settings(case, "padding"))
