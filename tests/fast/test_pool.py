"""The fast max pooling: the page's numbers and switches, in blocks, for any number of threads."""

import checks
import numpy as np
import pytest
import twins
from checks import normal, refuses

from minicnn.fast import pool
from minicnn.gradcheck.judge import matrix
from minicnn.ops import pool as page


def settings(case):
    return matrix.settings(case, "window", "stride", "pad", "rounding")


@pytest.mark.parametrize("case", matrix.POOL, ids=str)
def test_pool(case):
    checks.pool(pool.forward, pool.backward, [case])
    checks.unpool(pool.unpool, [case])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("case", matrix.POOL, ids=str)
def test_it_is_the_page(case, dtype):
    twins.same_as_page(pool, page, [case.x()], dtype, **settings(case))


LARGE = [{"window": 3, "stride": 2, "rounding": "ceil"}, {"window": 3, "stride": 1, "pad": 1},
         {"window": 2}, {"window": (2, 3), "stride": (3, 1), "pad": (1, 2)}]


def of_several_blocks(module):
    """Large enough to be cut into blocks of rows, some of which are shorter."""
    x = normal(3, 150, 90, 24).round(1)  # with ties
    for how in LARGE:
        twins.same_as_page(module, page, [x], np.float32, **how)


def test_blocks_of_rows_are_the_page():
    of_several_blocks(pool)


@pytest.mark.parametrize("how", LARGE, ids=str)
def test_same_bytes_for_any_number_of_threads_and_any_batch(how):
    x = normal(3, 150, 90, 24).astype(np.float32)
    twins.same_for_any_number_of_threads(pool, [x], **how)
    twins.same_in_any_batch(pool, x, **how)


def infinities_and_what_is_no_number(module):
    x = normal(2, 6, 6, 2)
    x[0, 1:3, 1:4, 0], x[1, 2, 2, 1], x[1, 0, 5, 0], x[0, 4, 4, 1] = -np.inf, np.nan, np.nan, np.inf
    twins.same_as_page(module, page, [x], window=3, stride=2, pad=1)
    twins.same_as_page(module, page, [np.full((1, 3, 3, 1), -np.inf)], window=2, stride=1, pad=1)


def test_infinities_and_what_is_no_number():
    infinities_and_what_is_no_number(pool)


def test_it_refuses_what_the_page_refuses():
    x = normal(1, 5, 6, 2)
    refuses(["pool.forward", "spans 6", "5 samples"], pool.forward, x, 6)
    y, cache = pool.forward(x, 2)
    refuses(["pool.unpool", "(1, 2, 3, 1)"], pool.unpool, y[..., :1], *cache)


MISTAKES = {
    "a block begins a row too low": ("rows.start * stride[0] :]", "rows.start * stride[0] + 1 :]"),
    "the first block's pixels under every block": ("rows.start * stride[0] :]", ":]"),
    "the first image's pixels under every image": ("covered[images, rows.start",
                                                   "covered[:1, rows.start"),
    "ties to the last": ("(candidate > best).view", "(candidate >= best).view"),
    "the smallest place of all winners": ("xp.maximum(switch, won, out=switch)",
                                          "xp.maximum(switch, won // 2, out=switch)"),
    "the switch of no number is another's": ("isnan(best).any()", "isnan(best).all()"),
    "minus infinity in the padding": ("if any(pad):", "if False:"),
    "padded with zeros": ("out, -xp.inf)", "out, 0)"),
    "rows and columns of an overlap": ("* width + columns)", "* height + columns)"),
    "assigned, not added": ("np.add.at(covered[k].reshape(-1), places.reshape(-1), "
                            "values[k].reshape(-1))",
                            "covered[k].reshape(-1)[places.reshape(-1)] = values[k].reshape(-1)"),
    "the first image's pixels under a whole batch": ("return covered\n", "return covered[:1]\n"),
    "the first block only": ("4 * window[0] * window[1])", "4 * window[0] * window[1])[:1]"),
    "old numbers as switches": ("zeros(xp, y.shape,", "empty(xp, y.shape,"),
    "the second place is called the first": ("start=1", "start=0"),
    "switches of two bytes for 256 places": ("window[1] - 1)", "window[1])"),
    "switches as if windows were as high as wide": ("(window[0] * window[1] - 1)",
                                                    "(window[1] * window[1] - 1)"),
    "a number after what is no number": ("xp.maximum(best,", "xp.fmax(best,"),
    "old numbers where nothing belongs": ("covered = zeros(", "covered = empty("),
    "stride down for stride across": ("* stride[a]", "* stride[0]"),
    "the last image is left out": ("for k in range(n)", "for k in range(max(1, n - 1))"),
    "the first image's switches": ("switches[k]", "switches[0]"),
    "as many columns in a window as rows": ("width + np.arange(window[1])",
                                            "width + np.arange(window[0])"),
    "the padding is cut off at the wrong end": ("pad[0] : pad[0] + h, pad[1] : pad[1] + w",
                                                ":h, :w"),
    "what overhangs stays": ("if image.shape == covered.shape else", "if not any(pad) else"),
    "on a GPU, the window for the stride": (
        "return pool.unpool(values, switches, x_shape, window, stride, pad)",
        "return pool.unpool(values, switches, x_shape, window, window, pad)"),
}


@twins.cut_up()
def is_the_page(module):
    """In blocks of few rows, and on a GPU."""
    for case in matrix.POOL:
        twins.same_as_page(module, page, [case.x()], **settings(case))
    for how in LARGE:
        twins.same_as_page(module, page, [normal(3, 15, 9, 4).round(1)], **how)  # with ties
    for window in (16, (20, 13), (13, 20)):  # 256 and 260 places
        twins.same_as_page(module, page, [normal(1, 20, 20, 1)], window=window, stride=1)
    infinities_and_what_is_no_number(module)
    with twins.gpu() as xp:
        for how in LARGE:
            twins.same_as_page(module, page, [normal(3, 15, 9, 4)], xp=xp, **how)


@pytest.mark.thorough
@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_caught(name):
    twins.is_caught(is_the_page, pool, MISTAKES[name])


