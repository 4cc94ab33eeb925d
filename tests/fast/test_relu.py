"""The fast ReLU: the page under all three rules, block by block."""

import checks
import numpy as np
import pytest
import twins
from checks import normal, refuses

from minicnn.fast import relu
from minicnn.ops import relu as page

RULES = [{"rule": rule} for rule in page.RULES]
SIGNS = np.array([[-2.0, 0.0, 1.5, -0.0], [0.0, 3.0, -np.inf, np.inf]])
LARGE = normal(3, 150, 90, 60)  # of several blocks


def test_relu():
    checks.relu(relu.forward, relu.backward)


def is_the_page(module, dtype=np.float64):
    for x in (normal(2, 3, 4, 2), normal(5), SIGNS, LARGE):
        twins.same_as_page(module, page, [x], dtype, rules=RULES)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_it_is_the_page(dtype):
    is_the_page(relu, dtype)


def test_same_bytes_for_any_number_of_threads_and_any_batch():
    x = LARGE.astype(np.float32)
    twins.same_for_any_number_of_threads(relu, [x])
    twins.same_in_any_batch(relu, x)


def test_it_refuses_what_the_page_refuses():
    y, cache = relu.forward(normal(2, 3))
    refuses(["relu.backward", "'Guided'"], relu.backward, y, cache, rule="Guided")
    refuses(["relu.backward", "(2, 3)", "(3,)"], relu.backward, y[0], cache)
    refuses(["relu.forward", "floating", "int"], relu.forward, np.arange(3))


MISTAKES = {
    "zero passes": ("xp.greater(x[block]", "xp.greater_equal(x[block]"),
    "clipped at 6": ("0, xp.inf, out", "0, 6, out"),
    "the whole dy in every block": ("xp.multiply(dy[block],", "xp.multiply(dy[:1, :1],"),
    "the gradient whatever the rule": ("RULES[rule]", 'RULES["gradient"]'),
    "the first block only": ("row_blocks(x, 2)", "row_blocks(x, 2)[:1]"),
    "the first block only on the way back": ("row_blocks(dy, 2)", "row_blocks(dy, 2)[:1]"),
    "the first block's signs in every block": ("cache.positive[block]", "cache.positive[:1, :1]"),
}


@twins.cut_up()
def is_the_page_in_blocks(module):
    for x in (normal(3, 7, 5, 4), SIGNS, normal(5)):
        twins.same_as_page(module, page, [x], rules=RULES)


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_caught(name):
    twins.is_caught(is_the_page_in_blocks, relu, MISTAKES[name])
