"""Max pooling's kernels give the bytes of the twin without them; run on the CPU."""

import checks
import cuda_on_cpu
import matrix
import numpy as np
import pytest
from checks import normal

from minicnn.fast import cuda, pool
from minicnn.fast.cuda import pool as pool_cuda


def results(x, values=None, **options):
    """Maxima, switches, and what unpooling makes of `values`."""
    y, cache = pool.forward(x, **options)
    values = normal(*y.shape).astype(x.dtype) if values is None else values
    return y, cache.switches, pool.backward(values, cache)


def same_as_plain(x, **options):
    """AssertionError if the kernels' bytes are others than the twin's without them."""
    plain = results(x, **options)
    with cuda_on_cpu.kernels(pool_cuda):
        ours = results(x, **options)
    for name, a, b in zip(("y", "switches", "dx"), ours, plain, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name, strict=True)


def settings(case):
    return matrix.settings(case, "window", "stride", "pad", "rounding")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("case", matrix.POOL, ids=str)
def test_same_bytes_as_without_them(case, dtype):
    same_as_plain(case.x().astype(dtype), **settings(case))


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


def test_infinities_and_what_is_no_number():
    x = normal(2, 6, 6, 2)
    x[0, 1:3, 1:4, 0], x[1, 2, 2, 1], x[1, 0, 5, 0], x[0, 4, 4, 1] = -np.inf, np.nan, np.nan, np.inf
    same_as_plain(x, window=3, stride=2, pad=1)
    same_as_plain(np.full((1, 3, 3, 1), -np.inf), window=2, stride=1, pad=1)


def test_another_memory_layout():
    x = np.asfortranarray(normal(2, 5, 6, 3))
    y, cache = pool.forward(x, 3, 2)
    values, switches = np.asfortranarray(y), np.asfortranarray(cache.switches)
    plain = pool.unpool(values, switches, *cache[1:])
    same_as_plain(x, window=3, stride=2)
    with cuda_on_cpu.kernels(pool_cuda):
        np.testing.assert_array_equal(pool.unpool(values, switches, *cache[1:]), plain)


MISTAKES = {
    "ties go to the last": ("if (value > best)", "if (value >= best)"),
    "zero padding": ("REAL best = padding", "REAL best = 0"),
    "the first row is left out": ("row < 0 ||", "row <= 0 ||"),
    "no clip at the bottom": ("|| row >= height) continue", "|| row > height) continue"),
    "no clip on the left": ("if (column < 0 || column", "if (column"),
    "pads exchanged": ("top = out.y * stride_down - pad_down", "top = out.y * stride_down - "
                                                               "pad_across"),
    "no number is passed over": ("best = value;\n                }\n            }",
                                 "}\n            }"),
    "place without its row": ("place = a * window_width + b", "place = b"),
    "one window too few": ("p <= last_p", "p < last_p"),
    "only the last window": ("REAL sum = 0;\n        for (INDEX p = first_window(down, "
                             "window_height, stride_down)",
                             "REAL sum = 0;\n        for (INDEX p = last_p"),
    "assigned, not added": ("sum += values[at]", "sum = values[at]"),
    "first image only": ("pixel.n * out_height + p", "p"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_caught(name, monkeypatch):
    right, wrong = MISTAKES[name]
    assert pool_cuda.SOURCE.count(right) == 1
    monkeypatch.setattr(pool_cuda, "SOURCE", pool_cuda.SOURCE.replace(right, wrong))
    with pytest.raises(AssertionError):
        for case in matrix.POOL[:-1]:
            same_as_plain(case.x(), **settings(case))
        test_infinities_and_what_is_no_number()
