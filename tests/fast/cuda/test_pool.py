"""Max pooling's kernels give the bytes of the twin without them; run on the CPU."""

import checks
import cuda_on_cpu
import numpy as np
import pytest
import twins
from checks import normal, refuses

from minicnn.fast import cuda, pool
from minicnn.fast.cuda import pool as pool_cuda
from minicnn.gradcheck.judge import matrix
from minicnn.ops import pool as page


def results(x, values=None, **options):
    """Maxima, switches, and what unpooling makes of `values`."""
    y, cache = pool.forward(x, **options)
    values = normal(*y.shape).astype(x.dtype) if values is None else values
    return y, cache.switches, pool.backward(values, cache)


@twins.used_memory()
def same_as_plain(x, file=pool_cuda, **options):
    """AssertionError if the kernels' bytes are others than the twin's without them."""
    plain = results(x, **options)
    with cuda_on_cpu.kernels(file), pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "kernels", file)
        ours = results(x, **options)
    for name, a, b in zip(("y", "switches", "dx"), ours, plain, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name, strict=True)


def settings(case):
    return matrix.settings(case, "window", "stride", "pad", "rounding")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("case", matrix.POOL, ids=str)
def test_same_bytes_as_without_them(case, dtype):
    same_as_plain(case.x().astype(dtype), **settings(case))


@pytest.mark.thorough
@pytest.mark.parametrize("case", matrix.POOL, ids=str)
def test_checks_of_the_page(case):
    with cuda_on_cpu.kernels(pool_cuda):
        checks.pool(pool.forward, pool.backward, [case])
        checks.unpool(pool.unpool, [case])


@pytest.mark.parametrize("n", [1, 2, 7, 33])
def test_batches_and_indices_of_64_bits(n, monkeypatch):
    x = normal(n, 7, 6, 3)
    same_as_plain(x, window=3, stride=2, pad=1, rounding="ceil")
    monkeypatch.setattr(cuda, "SMALL", 0)
    same_as_plain(x, window=3, stride=2, pad=1, rounding="ceil")


def test_switches_of_four_bytes():
    """A window of more than 65536 pixels."""
    same_as_plain(normal(1, 257, 256, 1), window=(257, 256))


def test_infinities_and_what_is_no_number(file=pool_cuda):
    x = normal(2, 6, 6, 2)
    x[0, 1:3, 1:4, 0], x[1, 2, 2, 1], x[1, 0, 5, 0], x[0, 4, 4, 1] = -np.inf, np.nan, np.nan, np.inf
    same_as_plain(x, file, window=3, stride=2, pad=1)
    same_as_plain(np.full((1, 3, 3, 1), -np.inf), file, window=2, stride=1, pad=1)


def test_another_memory_layout(file=pool_cuda):
    x = np.asfortranarray(normal(2, 5, 6, 3))
    y, cache = pool.forward(x, 3, 2)
    values, switches = np.asfortranarray(y), np.asfortranarray(cache.switches)
    plain = pool.unpool(values, switches, *cache[1:])
    same_as_plain(x, file, window=3, stride=2)
    with cuda_on_cpu.kernels(file):
        np.testing.assert_array_equal(file.unpool(values, switches, *cache[1:]), plain)


MISTAKES = {
    "ties go to the last": ("if (value > best", "if (value >= best"),
    "zero padding": ("REAL best = padding", "REAL best = 0"),
    "the first row is left out": ("row < 0 ||", "row <= 0 ||"),
    "no clip at the bottom": ("|| row >= height) continue", "|| row > height) continue"),
    "no clip on the left": ("if (column < 0 || column", "if (column"),
    "pads exchanged": ("top = out.y * stride_down - pad_down", "top = out.y * stride_down - "
                                                               "pad_across"),
    "no number is passed over": (" || value != value", ""),
    "minus infinity in the padding": ("(left < 0 ? -left : 0)", "0"),
    "place without its row": ("place = a * window_width + b", "place = b"),
    "one window too few": ("p <= last_p", "p < last_p"),
    "only the last window": ("REAL sum = 0;\n        for (INDEX p = first_window(down, "
                             "window_height, stride_down)",
                             "REAL sum = 0;\n        for (INDEX p = last_p"),
    "assigned, not added": ("sum += values[at]", "sum = values[at]"),
    "first image only": ("pixel.n * out_height + p", "p"),
    "first image only on the way there": ("out.n * height * width * channels + ", ""),
    "no clip on the right": ("|| column >= width) continue", "|| column > width) continue"),
    "one column of windows too few": ("q <= last_q", "q < last_q"),
    "only the last column of windows": (
        "first_q = first_window(across, window_width, stride_across)",
        "first_q = last_window(across, stride_across, out_width)"),
    "windows as tall as wide": ("(down, window_height, stride_down)",
                                "(down, window_width, stride_down)"),
    "stride across for stride down": ("last_window(down, stride_down,",
                                      "last_window(down, stride_across,"),
    "as many rows of windows as columns": ("stride_down, out_height)", "stride_down, out_width)"),
    "a place counted by columns": ("a * window_width + b) sum", "a * window_height + b) sum"),
    "half of the numbers": ('"pool_forward", y.size,', '"pool_forward", y.size // 2,'),
    "as many pixels as values": ('"pool_unpool", x.size,', '"pool_unpool", values.size,'),
    "padded with zeros": ('float("-inf")', "0.0"),
    "switches of two bytes for 256 places": ("window[1] - 1)", "window[1])"),
    "switches as if windows were as high as wide": ("(window[0] * window[1] - 1)",
                                                    "(window[1] * window[1] - 1)"),
    "switches of one byte": ("SWITCH=SWITCHES[kind.name]", 'SWITCH="unsigned char"'),
    "switches of one byte on the way back": ("SWITCH=SWITCHES[switches.dtype.name]",
                                             'SWITCH="unsigned char"'),
    "x as it lies": ("xp.ascontiguousarray(x)", "x"),
    "values as they lie": ("xp.ascontiguousarray(values)", "values"),
    "switches as they lie": ("xp.ascontiguousarray(switches)", "switches"),
}


def is_the_twin_without_them(file):
    for case in matrix.POOL:
        same_as_plain(case.x(), file, **settings(case))
    for window in (16, (20, 13), (13, 20)):  # 256 and 260 places
        same_as_plain(normal(1, 20, 20, 1), file, window=window, stride=1)
    test_infinities_and_what_is_no_number(file)
    test_another_memory_layout(file)


@pytest.mark.thorough
@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_caught(name):
    twins.is_caught(is_the_twin_without_them, pool_cuda, MISTAKES[name])


MISTAKES_OF_THE_TWIN = {
    "a cache without padding": ("stride, pad)\n    xp = array_module(x)",
                                "stride, (0, 0))\n    xp = array_module(x)"),
    "unpooled with the window for the stride": (
        "kernels.unpool(values, switches, x_shape, window, stride, pad)",
        "kernels.unpool(values, switches, x_shape, window, window, pad)"),
    "any switches": ("    pool.check_switches(values, switches)\n", ""),
}


def is_the_page(module):
    with cuda_on_cpu.kernels(pool_cuda):
        for case in matrix.POOL:
            twins.same_as_page(module, page, [case.x()], **settings(case))
        y, cache = module.forward(normal(1, 5, 6, 2), 2)
        refuses(["pool.unpool", "(1, 2, 3, 1)"], module.unpool, y[..., :1], *cache)


@pytest.mark.parametrize("name", MISTAKES_OF_THE_TWIN)
def test_a_planted_mistake_in_the_twin_is_caught(name):
    twins.is_caught(is_the_page, pool, MISTAKES_OF_THE_TWIN[name])
