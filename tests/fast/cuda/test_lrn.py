"""Local response normalisation's kernels against the page, and its checks: on the CPU."""

import checks
import cuda_on_cpu
import numpy as np
import pytest
import twins
from checks import normal

from minicnn.fast import cuda, lrn
from minicnn.fast.cuda import lrn as lrn_cuda
from minicnn.ops import lrn as page

CASES = [dict(zip(("size", "alpha", "beta", "k", "convention"), case, strict=False))
         | {"channels": case[5]} for case in checks.LRNS]


def results(x, options):
    y, cache = lrn.forward(x, **options)
    return y, cache.scale, lrn.backward(normal(*y.shape, seed=2).astype(x.dtype), cache)


@twins.used_memory()
def same_as_plain(dtype=np.float64, n=2, channels=8, file=lrn_cuda, **options):
    """AssertionError if the kernels' numbers are others than the page's. Few numbers near 1
    are added, in the same order; a power may differ in its last places, in float32 by 1e-6."""
    x = normal(n, 2, 3, channels).astype(dtype)
    plain = results(x, options)
    with cuda_on_cpu.kernels(file), pytest.MonkeyPatch.context() as patch:
        patch.setattr(lrn, "kernels", file)
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


def test_the_other_rules_are_the_page_s(lrn=lrn):
    x, dy = normal(1, 2, 2, 5), normal(1, 2, 2, 5, seed=2)
    _, cache = lrn.forward(x, alpha=1.0)
    with cuda_on_cpu.kernels(lrn_cuda):
        np.testing.assert_array_equal(lrn.backward(dy, cache, rule="through"), dy)
        np.testing.assert_allclose(lrn.backward(dy, cache, rule="scale"), dy * cache.scale**-0.75)


def test_another_memory_layout(file=lrn_cuda):
    x, dy = (np.asfortranarray(normal(2, 3, 4, 5, seed=seed)) for seed in (1, 2))
    y, cache = lrn.forward(x, alpha=1.0)
    plain = lrn.backward(dy, cache)
    with cuda_on_cpu.kernels(file):
        np.testing.assert_allclose(file.forward(x, 5, 0.2, 0.75, 1.0)[0], y, rtol=1e-12)
        np.testing.assert_allclose(file.backward(dy, *cache), plain, rtol=1e-12, atol=1e-12)


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
    "the window's last channels are left out": (
        "REAL sum = x[i] * x[i];\n        for (INDEX away = 1; away <= size / 2",
        "REAL sum = x[i] * x[i];\n        for (INDEX away = 1; away < size / 2"),
    "the window's last channels are left out on the way back": (
        "beta, i);\n        for (INDEX away = 1; away <= size / 2",
        "beta, i);\n        for (INDEX away = 1; away < size / 2"),
    "half of the numbers": ('"lrn_forward", x.size,', '"lrn_forward", x.size // 2,'),
    "half of the numbers on the way back": ('"lrn_backward", dx.size,',
                                            '"lrn_backward", dx.size // 2,'),
    "beta and k exchanged": ("float(beta), float(k))", "float(k), float(beta))"),
    "x as it lies": ("    x = xp.ascontiguousarray(x)\n", ""),
    "dy as it lies": ("*map(xp.ascontiguousarray, (dy, x, scale))", "dy, x, scale"),
}


def is_the_twin_without_them(file):
    for case in CASES:
        same_as_plain(file=file, **case)
    test_another_memory_layout(file)


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_caught(name):
    twins.is_caught(is_the_twin_without_them, lrn_cuda, MISTAKES[name])


MISTAKES_OF_THE_TWIN = {
    "the gradient by every rule": ('rule == "gradient" and cuda', "cuda"),
    "two kinds of numbers": ("cuda.usable(dy, cache.x, cache.scale)", "cuda.usable(dy)"),
    "alpha as it was given": ("size, a, beta)\n    xp", "size, alpha, beta)\n    xp"),
}


def is_the_page(module):
    """Also where dy is of another kind of numbers than x was, which no kernel takes."""
    test_the_other_rules_are_the_page_s(module)
    with cuda_on_cpu.kernels(lrn_cuda):
        y, cache = module.forward(normal(1, 2, 2, 5).astype(np.float32), alpha=1.0)
        dy = normal(*y.shape)
        np.testing.assert_array_equal(module.backward(dy, cache), page.backward(dy, cache))
        for case in CASES:
            options = {name: value for name, value in case.items() if name != "channels"}
            twins.same_as_page(module, page, [normal(2, 2, 3, case["channels"])], **options)


@pytest.mark.parametrize("name", MISTAKES_OF_THE_TWIN)
def test_a_planted_mistake_in_the_twin_is_caught(name):
    twins.is_caught(is_the_page, lrn, MISTAKES_OF_THE_TWIN[name])
