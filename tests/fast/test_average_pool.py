"""The fast average pooling is the page on the CPU; its kernels are tested in cuda/."""

import numpy as np
import pytest
import twins
from checks import normal, refuses

from minicnn.fast import average_pool
from minicnn.gradcheck.judge import matrix
from minicnn.ops import average_pool as page


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("border", page.BORDERS)
@pytest.mark.parametrize("case", matrix.POOL, ids=str)
def test_it_is_the_page(case, border, dtype):
    twins.same_as_page(average_pool, page, [case.x()], dtype, border=border,
                       **matrix.settings(case, "window", "stride", "pad", "rounding"))


def test_same_bytes_in_any_batch():
    twins.same_in_any_batch(average_pool, normal(4, 9, 8, 3).astype(np.float32), window=3, stride=2)


def test_it_refuses_what_the_page_refuses():
    refuses(["average_pool.forward", "padding, image", "'same'"], average_pool.forward,
            normal(1, 5, 6, 2), 2, border="same")


@pytest.mark.thorough
@pytest.mark.parametrize("right, wrong", [("rounding, border)\n    cache", "rounding)\n    cache"),
                                          ("average_pool.backward(dy, cache)", "dy")])
def test_a_planted_mistake_is_caught(right, wrong):
    def test(module):
        for border in page.BORDERS:
            twins.same_as_page(module, page, [normal(1, 5, 6, 2)], window=3, pad=1, border=border)

    twins.is_caught(test, average_pool, (right, wrong))
