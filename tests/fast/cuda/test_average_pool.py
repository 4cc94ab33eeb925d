"""Average pooling's kernels against the page, and the page's checks: run on the CPU."""

import checks
import cuda_on_cpu
import numpy as np
import pytest
import twins
from checks import normal

from minicnn.fast import average_pool, cuda
from minicnn.fast.cuda import average_pool as average_pool_cuda
from minicnn.gradcheck.judge import matrix
from minicnn.ops import average_pool as page
from minicnn.ops.average_pool import BORDERS


def results(x, **options):
    y, cache = average_pool.forward(x, **options)
    return y, average_pool.backward(normal(*y.shape).astype(x.dtype), cache)


@twins.used_memory()
def same_as_plain(x, file=average_pool_cuda, **options):
    """AssertionError if the kernels' numbers are others than the page's. Sums of fewer than
    300 numbers near 1 are in another order, so they may differ by 1e-13, in float32 by 1e-5."""
    plain = results(x, **options)
    with cuda_on_cpu.kernels(file), pytest.MonkeyPatch.context() as patch:
        patch.setattr(average_pool, "kernels", file)
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


@pytest.mark.thorough
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
    "first image only on the way back": ("pixel.n * out_height + p", "p"),
    "no clip at the bottom": ("|| row >= height) continue", "|| row > height) continue"),
    "pads exchanged": ("out.y * stride_down - pad_down", "out.y * stride_down - pad_across"),
    "one row of windows too few": ("p <= last_p", "p < last_p"),
    "only the last row of windows": ("INDEX p = first_window(down, window_height, stride_down)",
                                     "INDEX p = last_p"),
    "only the last column of windows": (
        "first_q = first_window(across, window_width, stride_across)",
        "first_q = last_window(across, stride_across, out_width)"),
    "as many columns of windows as rows": ("stride_across, out_width)",
                                           "stride_across, out_height)"),
    "half of the numbers": ('"average_pool_forward", y.size,', '"average_pool_forward", '
                                                               "y.size // 2,"),
    "as many pixels as means": ('"average_pool_backward", dx.size,',
                                '"average_pool_backward", dy.size,'),
    "x as it lies": ("xp.ascontiguousarray(x)", "x"),
    "dy as it lies": ("xp.ascontiguousarray(dy)", "dy"),
}


def test_another_memory_layout(file=average_pool_cuda):
    x = np.asfortranarray(normal(2, 5, 6, 3))
    y, cache = average_pool.forward(x, 3, 2)
    plain = average_pool.backward(y, cache)
    same_as_plain(x, file, window=3, stride=2)
    with cuda_on_cpu.kernels(file):
        dx = file.backward(np.asfortranarray(y), *cache)
    np.testing.assert_allclose(dx, plain, rtol=1e-12, atol=1e-12)


def is_the_twin_without_them(file):
    for case in matrix.POOL:
        for border in BORDERS:
            same_as_plain(case.x(), file, **settings(case, border))
    test_another_memory_layout(file)


@pytest.mark.thorough
@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_caught(name):
    twins.is_caught(is_the_twin_without_them, average_pool_cuda, MISTAKES[name])


MISTAKES_OF_THE_TWIN = {
    "always with the padding": ("rounding, border)\n    area", 'rounding, "padding")\n    area'),
    "the window for the stride": ("x, area, *geometry, area", "x, area, geometry[0], geometry[0], "
                                                             "geometry[2], area"),
    "two kinds of numbers": ("cuda.usable(dy, cache.area)", "cuda.usable(dy)"),
}


def is_the_page(module):
    """Also where dy is of another kind of numbers than x was, which no kernel takes."""
    with cuda_on_cpu.kernels(average_pool_cuda):
        y, cache = module.forward(normal(1, 3, 4, 1).astype(np.float32), 2, 1)
        dy = normal(*y.shape)
        np.testing.assert_array_equal(module.backward(dy, cache), page.backward(dy, cache))
        for border in BORDERS:
            for case in matrix.POOL:
                twins.same_as_page(module, page, [case.x()], **settings(case, border))


@pytest.mark.parametrize("name", MISTAKES_OF_THE_TWIN)
def test_a_planted_mistake_in_the_twin_is_caught(name):
    twins.is_caught(is_the_page, average_pool, MISTAKES_OF_THE_TWIN[name])
