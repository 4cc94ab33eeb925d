"""The fast batch normalisation: the page, block by block."""

import checks
import numpy as np
import pytest
import twins
from checks import normal, refuses

from minicnn.fast import batch_norm
from minicnn.ops import batch_norm as page

NEEDS = [{}, *({"need": (name,)} for name in ("x", "gamma", "beta"))]
LARGE = 5 + 2 * normal(3, 70, 60, 24)  # of several blocks


def given(x):
    """The arguments of forward: other scales, shifts and statistics for each channel."""
    channels = x.shape[-1]
    return [x, *(normal(channels, seed=k) for k in (1, 2, 3)), 1 + normal(channels, seed=4) ** 2]


def is_the_page(module, x=LARGE, dtype=np.float64):
    for training in (False, True):
        twins.same_as_page(module, page, given(x), dtype, rules=NEEDS, training=training,
                           epsilon=1e-3)


def statistics_are_the_page_s(module):
    """In training they are what the running averages are made of."""
    inputs = given(LARGE + 100 * np.arange(3)[:, None, None, None])  # unlike in each image
    found, expected = (op.forward(*inputs, training=True)[1] for op in (module, page))
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-12)  # sums in another order
    np.testing.assert_allclose(found.variance, expected.variance, rtol=1e-12)


def test_batch_norm():
    checks.batch_norm(batch_norm.forward, batch_norm.backward)


@pytest.mark.parametrize("x", [LARGE, normal(4, 3), normal(1, 1, 1, 2)], ids=["large", "2d", "1"])
def test_it_is_the_page(x):
    is_the_page(batch_norm, x)


@twins.cut_up()
def test_it_is_the_page_in_float32():
    is_the_page(batch_norm, 5 + normal(2, 7, 3, 4), np.float32)  # few numbers: see twins.NEAR


def test_the_statistics_are_the_page_s():
    statistics_are_the_page_s(batch_norm)


def test_a_gpu_computes_the_page():
    with twins.gpu() as cupy:
        twins.same_as_page(batch_norm, page, given(normal(2, 3, 4, 5)), xp=cupy, rules=NEEDS,
                           training=True)


def test_same_bytes_for_any_number_of_threads_and_any_batch():
    inputs = [array.astype(np.float32) for array in given(LARGE)]
    for training in (False, True):
        twins.same_for_any_number_of_threads(batch_norm, inputs, training=training)
    twins.same_in_any_batch(batch_norm, *inputs)


def test_it_refuses_what_the_page_refuses():
    x, *others = given(normal(4, 3))
    refuses(["batch_norm.forward", "gamma", "(3,)", "(2,)"],
            batch_norm.forward, x, np.ones(2), *others[1:])
    y, cache = batch_norm.forward(x, *others)
    refuses(["batch_norm.backward", "'x', 'gamma', 'beta'", "'w'"], batch_norm.backward, y, cache,
            ("w",))


MISTAKES = {
    "the mean of the first block": ("for more, its_mean, its_squares in parts[1:]",
                                    "for more, its_mean, its_squares in parts[:0]"),
    "variances added without the means' difference": ("its_squares + difference**2 *",
                                                      "its_squares + 0 *"),
    "the mean moved too far": ("difference * (more / (count + more))", "difference * 0.5"),
    "epsilon forgotten": ("np.sqrt(variance + epsilon)", "np.sqrt(variance)"),
    "beta forgotten": ("y[block] += beta", "y[block] += 0"),
    "the mean of g stays": ("dx[block] -= dbeta / count", "dx[block] -= 0"),
    "the part along z stays": ("z[block] * (dgamma / count)", "z[block] * 0"),
    "gamma forgotten on the way back": ("*= cache.gamma * cache.inverse", "*= cache.inverse"),
    "the first block only": ("spread(compute, blocks)\n    return y",
                             "spread(compute, blocks[:1])\n    return y"),
    "the unbiased variance": ("squares / count)", "squares / (count - 1))"),
}


@twins.cut_up()
def is_the_page_in_blocks(module):
    is_the_page(module, 5 + normal(2, 7, 3, 4))
    statistics_are_the_page_s(module)


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_caught(name):
    twins.is_caught(is_the_page_in_blocks, batch_norm, MISTAKES[name])
