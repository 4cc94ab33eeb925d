"""The sheet of inversions: the photo first, what layer, how near; a row a start."""

import numpy as np
import pytest
import small

from minicnn.report import invert as sheets
from minicnn.report.contact_sheet import caption, contact_sheet
from minicnn.vis.invert import Inversion

GREY = np.full((6, 8, 3), 128, np.uint8)


def inversions(layers, seeds=(0,)):
    return [Inversion(image=GREY + 10 * k, photo=small.photo(), psnr=20.0 + k, error=0.1,
                      settings={"layers": f"conv{k}", "seed": seed})
            for seed in seeds for k in range(layers)]


def test_the_photo_comes_first_and_each_says_its_layer_and_how_near_it_is():
    labels = ["photo", "conv0: 20.0 dB, 10%", "conv1: 21.0 dB, 10%"]
    expected = contact_sheet([small.photo(), GREY, GREY + 10], 3, labels, tile=64)
    np.testing.assert_array_equal(sheets.sheet(inversions(2), 64), caption(expected, sheets.WORDS))


@pytest.mark.parametrize("layers, seeds, rows, columns", [
    (1, (0,), 1, 2), (7, (0,), 1, 8), (8, (0,), 2, 5), (13, (0,), 2, 7), (1, (3, 4, 5), 3, 2),
    (9, (0, 1), 2, 10)])
def test_one_row_while_it_is_short_else_a_row_a_start_or_rows_alike(layers, seeds, rows, columns,
                                                                   monkeypatch):
    told = []
    monkeypatch.setattr(sheets, "contact_sheet", lambda pictures, columns, labels, tile: (
        told.append((len(pictures), columns)), GREY)[1])
    sheets.sheet(inversions(layers, seeds))
    ((count, have),) = told
    assert have == columns and -(-count // columns) == rows
    assert count == len(seeds) * (layers + 1)


def test_what_ctrl_c_left_out_is_left_out():
    found = inversions(3, (0, 1))[:4]
    assert sheets.sheet(found, 64).shape[1] > 4 * 64
