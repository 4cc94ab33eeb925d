"""Local response normalisation's kernels against the page, and its checks: on the CPU."""

import checks
import cuda_on_cpu
import numpy as np
import pytest
from checks import normal

from minicnn.fast import cuda, lrn
from minicnn.fast.cuda import lrn as lrn_cuda

CASES = [dict(zip(("size", "alpha", "beta", "k", "convention"), case, strict=False))
         | {"channels": case[5]} for case in checks.LRNS]


def results(x, options):
    y, cache = lrn.forward(x, **options)
    return y, cache.scale, lrn.backward(normal(*y.shape, seed=2).astype(x.dtype), cache)


def same_as_plain(dtype=np.float64, n=2, channels=8, **options):
    """AssertionError if the kernels' numbers are others than the page's. Few numbers near 1
    are added, in the same order; a power may differ in its last places, in float32 by 1e-6."""
    x = normal(n, 2, 3, channels).astype(dtype)
    plain = results(x, options)
    with cuda_on_cpu.kernels(lrn_cuda):
        ours = results(x, options)
    near = 1e-12 if dtype == np.float64 else 1e-5
    for name, a, b in zip(("y", "scale", "dx"), ours, plain, strict=True):
        np.testing.assert_allclose(a, b, rtol=near, atol=near, err_msg=name, strict=True)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_same_as_without_it(case, dtype):
    same_as_plain(dtype, **case)


@pytest.mark.parametrize("case", checks.LRNS, ids=str)
def test_checks_of_the_page(case):
    with cuda_on_cpu.kernels(lrn_cuda):
        checks.lrn(lrn.forward, lrn.backward, [case])


@pytest.mark.parametrize("n", [1, 2, 7, 33])
def test_batches_and_indices_of_64_bits(n, monkeypatch):
    same_as_plain(n=n, alpha=1.0)
    monkeypatch.setattr(cuda, "SMALL", 0)
    same_as_plain(n=n, alpha=1.0)


def test_the_other_rules_are_the_page_s():
    x, dy = normal(1, 2, 2, 5), normal(1, 2, 2, 5, seed=2)
    _, cache = lrn.forward(x, alpha=1.0)
    with cuda_on_cpu.kernels(lrn_cuda):
        np.testing.assert_array_equal(lrn.backward(dy, cache, rule="through"), dy)
        np.testing.assert_allclose(lrn.backward(dy, cache, rule="scale"), dy * cache.scale**-0.75)


def test_another_memory_layout():
    x, dy = (np.asfortranarray(normal(2, 3, 4, 5, seed=seed)) for seed in (1, 2))
    y, cache = lrn.forward(x, alpha=1.0)
    plain = lrn.backward(dy, cache)
    with cuda_on_cpu.kernels(lrn_cuda):
        np.testing.assert_allclose(lrn.forward(x, alpha=1.0)[0], y, rtol=1e-12)
        np.testing.assert_allclose(lrn.backward(dy, cache), plain, rtol=1e-12, atol=1e-12)


MISTAKES = {
    "into the pixel before": ("if (c - away >= 0) sum += x", "sum += x"),
    "the first channel is left out": ("if (c - away >= 0) sum += c", "if (c - away > 0) sum += c"),
    "the last channel is left out": ("if (c + away < channels) sum += x",
                                     "if (c + away < channels - 1) sum += x"),
    "into the pixel behind": ("if (c + away < channels) sum += c",
                              "if (c + away <= channels) sum += c"),
    "no k": ("k + a * sum", "a * sum"),
    "s of the wrong channel": ("* x[i] / scale[i]", "* x[i]"),
    "no 2": ("- 2 * a * beta", "- a * beta"),
    "the other sign": ("- 2 * a * beta", "+ 2 * a * beta"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_caught(name, monkeypatch):
    right, wrong = MISTAKES[name]
    assert lrn_cuda.SOURCE.count(right) == 1
    monkeypatch.setattr(lrn_cuda, "SOURCE", lrn_cuda.SOURCE.replace(right, wrong))
    with pytest.raises(AssertionError):
        for case in CASES:
            same_as_plain(**case)
