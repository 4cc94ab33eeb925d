"""The geometry of windows, against counting them one by one."""

import itertools

import numpy as np
import pytest
from checks import normal, refuses

from minicnn.ops import window


def counted(size, kernel, stride, pad, dilation, rounding):
    """Slide the window from -pad until it no longer belongs: no formula, only the rule."""
    span, start, count = dilation * (kernel - 1) + 1, -pad, 0
    while start + span <= size + pad:
        count, start = count + 1, start + stride
    covered = start - stride + span == size + pad
    return count + 1 if rounding == "ceil" and not covered and start < size else count


# padding is less than the window, as every pooling demands
GRID = itertools.product(range(1, 9), range(1, 5), range(1, 5), range(3), (1, 2), ("floor", "ceil"))


def test_output_size_counts_windows():
    for size, kernel, stride, pad, dilation, rounding in GRID:
        if dilation * (kernel - 1) + 1 > size + 2 * pad or pad >= kernel:
            continue
        got = window.output_size(size, kernel, stride, pad, dilation, rounding)
        setting = (size, kernel, stride, pad, dilation, rounding)
        assert got == counted(*setting), setting


@pytest.mark.parametrize(("value", "expected"), [(3, (3, 3)), ((1, 2), (1, 2)), ([4, 5], (4, 5))])
def test_pair(value, expected):
    assert window.pair(value, "pool stride") == expected


def test_refuses():
    refuses(["pool stride", "pair", "(1, 2, 3)"], window.pair, (1, 2, 3), "pool stride")
    refuses(["pool stride", "'2'"], window.pair, "2", "pool stride")
    refuses(["conv", "spans 5", "3 samples"], window.output_size, 3, 3, 1, 0, 2, op="conv")
    refuses(["floor, ceil", "'up'"], window.output_size, 3, 3, 1, 0, rounding="up")
    refuses(["stride 0"], window.output_size, 3, 3, 0, 0)


def test_views_are_the_samples_of_a_window_one_after_the_other():
    x = normal(2, 9, 8, 2)
    seen = list(window.views(x, (2, 3), (2, 1), (3, 2), (3, 2)))
    assert len(seen) == 6
    for place, view in enumerate(seen):
        i, j = divmod(place, 3)
        assert view.shape == (2, 3, 2, 2) and np.shares_memory(view, x)
        np.testing.assert_array_equal(view[:, 1, 1], x[:, 2 + 3 * i, 1 + 2 * j])


def test_overhang_and_extent_hold_every_window():
    assert window.overhang((1, 5, 5, 1), (2, 2), (2, 2), (0, 1), (3, 3)) == (1, 0)
    assert window.extent((1, 5, 5, 1), (2, 2), (2, 2), (0, 1), (3, 3)) == (6, 6)


def test_an_empty_batch_gets_a_sentence():
    refuses(["op: expected at least one image", "(0, 3, 3, 2)"], window.check_image,
            normal(2, 3, 3, 2)[:0], "op")
    refuses(["op: expected at least one image", "(0, 5)"], window.check_float, normal(2, 5)[:0],
            "op")
