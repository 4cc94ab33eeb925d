"""The sheet of kernels: one block a weight, numbered."""

import numpy as np
import pytest
import small

from minicnn import vis
from minicnn.report import kernels as sheets
from minicnn.report.colour_bar import ColourBar, signed, under
from minicnn.report.contact_sheet import caption, contact_sheet
from minicnn.vis.kernels import Kernels

NETWORK = small.network()


def test_filters_in_colour_with_their_numbers():
    found = vis.kernels(NETWORK, filters=[4, 0], scale="layer")
    expected = contact_sheet(found.pictures, tile=48, labels=["4", "0"], blocks=True)
    expected = under(expected, signed(np.abs(found.w).max(), "weight"))
    np.testing.assert_array_equal(sheets.sheet(found), caption(expected, found.caption))


def test_planes_have_a_row_a_filter_and_a_column_an_input():
    found = vis.kernels(NETWORK, "conv2", filters=[4, 0, 2], inputs=[8, 1])
    expected = contact_sheet(found.pictures, 2, tile=48, column_labels=["in 8", "in 1"],
                             row_labels=["filter 4", "filter 0", "filter 2"], blocks=True)
    expected = under(expected, ColourBar("-1", "1", "weight / the filter's largest", "gray"))
    np.testing.assert_array_equal(sheets.sheet(found), caption(expected, found.caption))


@pytest.mark.parametrize("size, block", [((7, 7), 8), ((3, 3), 16), ((5, 11), 8), ((1, 1), 48)])
def test_a_weight_is_a_block_of_whole_pixels(size, block):
    black = Kernels(pictures=np.zeros((1, *size, 3), np.uint8), filters=[0], inputs=None,
                    caption="caption", w=np.ones(1), settings={"scale": "layer"})
    height, width = size[0] * block, size[1] * block
    tile = (sheets.sheet(black)[8 : 8 + height] == 0).all(axis=2)
    assert tile.any(axis=0).sum() == width and tile.all(axis=0).sum() == width
