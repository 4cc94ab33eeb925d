"""The sheet of a zoom: frames in order, the first and the last among them."""

import numpy as np
import pytest

from minicnn.report import zoom as sheets
from minicnn.report.contact_sheet import caption, contact_sheet
from minicnn.vis.zoom import Zoom


def zoom(count, side=20):
    frames = np.stack([np.full((side, side + 4, 3), 5 * k, np.uint8) for k in range(count)])
    return Zoom(frames=frames, image=frames[-1], caption="some dreams", trace=np.arange(count))


@pytest.mark.parametrize("count, most, chosen", [
    (3, 25, [0, 1, 2]), (9, 3, [0, 4, 8]), (40, 4, [0, 13, 26, 39]), (1, 25, [0])])
def test_frames_evenly_chosen_with_their_numbers(count, most, chosen):
    found = zoom(count)
    expected = contact_sheet(found.frames[chosen], labels=[str(k + 1) for k in chosen], tile=160)
    np.testing.assert_array_equal(sheets.sheet(found, most), caption(expected, "some dreams"))


@pytest.mark.parametrize("side", [20, 400])
def test_frames_of_any_size_have_tiles_of_one_size(side):
    assert 2 * 160 < sheets.sheet(zoom(2, side)).shape[1] < 2 * 180
