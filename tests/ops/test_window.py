"""The geometry of windows, against counting them one by one."""

import itertools

import pytest
from checks import refuses

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


@pytest.mark.parametrize("span, stride, rows", [
    (3, 1, 1), (9, 1, 2), (3, 2, 1), (2, 2, 3), (11, 4, 1), (1, 3, 2), (5, 2, 4)])
def test_windows_of_one_round_share_no_row_of_pixels(span, stride, rows):
    blocks = [(slice(n, n + 1), slice(p, min(p + rows, 13)))
              for n in range(2) for p in range(0, 13, rows)]
    sorted_out = window.rounds(blocks, span, stride)
    assert sorted(map(str, sum(sorted_out, []))) == sorted(map(str, blocks))
    for together in sorted_out:
        taken = set()
        for images, out in together:
            covered = {(images.start, pixel) for row in range(out.start, out.stop)
                       for pixel in range(row * stride, row * stride + span)}
            assert not taken & covered
            taken |= covered
