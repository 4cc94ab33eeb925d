"""The fast LRN: the page, block by block."""

import checks
import numpy as np
import pytest
import twins
from checks import normal, refuses

from minicnn.fast import lrn
from minicnn.ops import lrn as page

NAMES = ("size", "alpha", "beta", "k", "convention")
RULES = [{"rule": rule} for rule in page.RULES]


@pytest.mark.parametrize("case", checks.LRNS, ids=str)
def test_lrn(case):
    checks.lrn(lrn.forward, lrn.backward, [case])


def is_the_page(module, dtype=np.float64):
    for *values, channels in checks.LRNS:
        twins.same_as_page(module, page, [normal(2, 2, 3, channels)], dtype, rules=RULES,
                           **dict(zip(NAMES, values, strict=True)))
    twins.same_as_page(module, page, [LARGE], dtype, rules=RULES, alpha=1.0)


LARGE = normal(3, 70, 60, 24)  # of several blocks


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_it_is_the_page(dtype):
    is_the_page(lrn, dtype)


def test_same_bytes_for_any_number_of_threads_and_any_batch():
    x = LARGE.astype(np.float32)
    twins.same_for_any_number_of_threads(lrn, [x], alpha=1.0)
    twins.same_in_any_batch(lrn, x, alpha=1.0)


def test_it_refuses_what_the_page_refuses():
    x = normal(1, 2, 2, 5)
    refuses(["lrn.forward", "odd", "4"], lrn.forward, x, size=4)
    y, cache = lrn.forward(x)
    refuses(["lrn.backward", "gradient, through, scale", "'guided'"],
            lrn.backward, y, cache, rule="guided")


MISTAKES = {
    "the scale of the last block only": ("scale[block] = cache.scale",
                                         "scale[...] = cache.scale[:1, :1]"),
    "settings forgotten": ("lrn.forward(x[block], size, alpha, beta, k, convention)",
                           "lrn.forward(x[block], size, alpha, beta)"),
    "x of the first block": ("x=cache.x[block]", "x=cache.x[:1, :len(cache.x[block][0])]"),
    "rule forgotten": ("lrn.backward(dy[block], part, rule)", "lrn.backward(dy[block], part)"),
    "the scale of all blocks": (", scale=cache.scale[block])", ")"),
    "the first block only": ("row_blocks(x, PASSES)", "row_blocks(x, PASSES)[:1]"),
    "the first block only on the way back": ("row_blocks(dy, PASSES)",
                                             "row_blocks(dy, PASSES)[:1]"),
    "alpha as it was given": ("PASSES))\n    return y, LrnCache(x, scale, size, a,",
                              "PASSES))\n    return y, LrnCache(x, scale, size, alpha,"),
}


@twins.cut_up()
def is_the_page_in_blocks(module):
    for *values, channels in checks.LRNS:
        twins.same_as_page(module, page, [normal(2, 7, 3, channels)], rules=RULES,
                           **dict(zip(NAMES, values, strict=True)))


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_caught(name):
    twins.is_caught(is_the_page_in_blocks, lrn, MISTAKES[name])
