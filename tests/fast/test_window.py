"""Padding in memory that is used again, and blocks of windows that share no pixel."""

import numpy as np
import pytest
from checks import normal

from minicnn.fast import window
from minicnn.fast.workspace import Workspace
from minicnn.ops.window import pad_image


@pytest.mark.parametrize("before, after", [((0, 0), (0, 0)), ((1, 2), (0, 3)), ((2, 0), (1, 0))])
@pytest.mark.parametrize("value", [0, -np.inf])
def test_pad_image_is_the_page_s_also_in_used_memory(before, after, value):
    x, workspace = normal(2, 40, 50, 6), Workspace()
    with workspace:
        for _ in range(2):
            padded = window.pad_image(x, before, after, value)
            np.testing.assert_array_equal(padded, pad_image(x, before, after, value), strict=True)
            padded[...] = np.nan


def test_cover_is_the_image_itself_where_the_windows_stay_inside():
    x = normal(1, 5, 5, 2)
    assert window.cover(x, (3, 3), (2, 2), (0, 0), (2, 2), 0) is x
    assert window.cover(x, (2, 2), (2, 2), (0, 0), (3, 3), 0).shape == (1, 6, 6, 2)


@pytest.mark.parametrize("groups", [1, 2])
def test_windows(groups):
    x = normal(2, 7, 8, 4)
    seen = window.windows(x, (2, 3), (2, 1), (3, 2), (2, 4), groups)
    assert seen.shape == (2, 2, 4, 2, 3, groups, 4 // groups)
    for n, p, q, i, j in np.ndindex(seen.shape[:5]):
        np.testing.assert_array_equal(seen[n, p, q, i, j].ravel(), x[n, 2 * p + 3 * i, q + 2 * j])


@pytest.mark.parametrize("span, stride, rows", [
    (3, 1, 1), (9, 1, 2), (3, 2, 1), (2, 2, 3), (11, 4, 1), (1, 3, 2), (5, 2, 4)])
def test_windows_of_one_group_share_no_row_of_pixels(span, stride, rows):
    blocks = [(slice(n, n + 1), slice(p, min(p + rows, 13)))
              for n in range(2) for p in range(0, 13, rows)]
    sorted_out = window.apart(blocks, span, stride)
    assert sorted(map(str, sum(sorted_out, []))) == sorted(map(str, blocks))
    for together in sorted_out:
        taken = set()
        for images, out in together:
            covered = {(images.start, pixel) for row in range(out.start, out.stop)
                       for pixel in range(row * stride, row * stride + span)}
            assert not taken & covered
            taken |= covered
