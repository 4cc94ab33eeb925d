"""The fast dense layer: the page, its products cut into runs for several threads."""

import checks
import numpy as np
import pytest
import twins
from checks import normal, refuses

from minicnn.fast import dense
from minicnn.ops import dense as page


def test_dense():
    checks.dense(dense.forward, dense.backward)


def is_the_page(module, dtype=np.float64):
    for x, o in [(normal(3, 4), 3), (normal(2, 2, 3, 2), 3), (normal(1, 5), 1),
                 (normal(33, 7, 7, 40), 600)]:  # the last is cut into runs
        w = normal(x[0].size, o, seed=2) / np.sqrt(x[0].size)
        for bias in ([normal(o, seed=3)], []):
            twins.same_as_page(module, page, [x, w, *bias], dtype, rules=twins.NEEDS)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_it_is_the_page(dtype):
    is_the_page(dense, dtype)


def test_same_bytes_for_any_number_of_threads():
    twins.same_for_any_number_of_threads(
        dense, [a.astype(np.float32) for a in (normal(33, 1960), normal(1960, 600), normal(600))])


def test_need_and_what_it_refuses():
    y, cache = dense.forward(normal(2, 3), normal(3, 4), normal(4))
    for name in ("x", "w", "b"):
        only = dense.backward(y, cache, need=(name,))
        assert [field for field in only._fields if getattr(only, field) is not None] == [f"d{name}"]
    assert dense.backward(y, cache._replace(x=None), need=("x",)).dx.shape == (2, 3)
    refuses(["dense.backward", "input x"], dense.backward, y, cache._replace(x=None))
    refuses(["dense.forward", "(3, O)", "(2, 4)"], dense.forward, normal(2, 3), normal(2, 4))


MISTAKES = {
    "no bias": ("y if b is None else y + b", "y"),
    "the bias twice": ("y if b is None else y + b", "y if b is None else y + b + b"),
    "dx in a row": ("reshape(cache.x_shape)", "reshape(len(dy), -1)"),
    "the mean of dw over the images": ("len(dy), -1).T, dy)", "len(dy), -1).T, dy) / len(dy)"),
    "a dx nobody needs": (' if "x" in need else None', ""),
    "a dw nobody needs": (' if "w" in need else None', ""),
    "a db nobody needs": ('"b" in need and cache.has_bias', "cache.has_bias"),
    "a db without a bias": ('"b" in need and cache.has_bias', '"b" in need'),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_caught(name):
    twins.is_caught(is_the_page, dense, MISTAKES[name])
