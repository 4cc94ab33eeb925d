"""The sheet beside a view: which pictures, where the cross is."""

import numpy as np
import pytest
import small

from minicnn import vis
from minicnn.report import hypercolumns as sheets
from minicnn.report.colour_bar import ColourBar
from minicnn.report.contact_sheet import caption, contact_sheet

NETWORK, PHOTO = small.network(), small.photo()


def record(view):
    return vis.hypercolumns(NETWORK, PHOTO, ["relu1", "relu2"], view=view, clusters=3)


@pytest.mark.parametrize("view", ["mean", "components"])
def test_the_photo_and_the_view(view):
    made = record(view)
    bars = [None, ColourBar(made.x.min(), made.x.max(), "mean activation")]
    expected = contact_sheet([PHOTO, made.image], 2, ["photo", view], tile=60,
                             bars=bars if view == "mean" else None)
    np.testing.assert_array_equal(sheets.sheet(made, 60), caption(expected, made.caption))


def test_segments_are_also_laid_over_the_photo():
    made = record("segments")
    both = (PHOTO.astype(int) // 2 + made.image.astype(int) // 2).astype(np.uint8)
    expected = contact_sheet([PHOTO, made.image, both], 3, ["photo", "segments", "both"], tile=60,
                             blocks=[False, True, True])
    np.testing.assert_array_equal(sheets.sheet(made, 60), caption(expected, made.caption))


def test_the_pixel_of_a_similarity_is_marked():
    made = record("similarity")
    expected = contact_sheet([sheets.marked(PHOTO, 8, 10), made.image], 2,
                             ["photo", "similarity"], tile=60,
                             bars=[None, ColourBar(made.x.min(), made.x.max(), "cosine")])
    np.testing.assert_array_equal(sheets.sheet(made, 60), caption(expected, made.caption))


def test_a_cross_of_four_arms_that_leaves_the_pixel_to_be_seen():
    photo = np.zeros((16, 20, 3), np.uint8)
    drawn = (sheets.marked(photo, 8, 10) == sheets.FRAME).all(axis=2)
    expected = np.zeros((16, 20), bool)
    expected[[5, 6, 7, 9, 10, 11], 10] = expected[8, [7, 8, 9, 11, 12, 13]] = True
    np.testing.assert_array_equal(drawn, expected)
    assert not photo.any()


@pytest.mark.parametrize("row, column", [(0, 0), (0, 19), (15, 0), (15, 19), (0, 10), (8, 0)])
def test_at_the_border_the_arms_end_there(row, column):
    """None comes in again at the other side."""
    photo = np.zeros((16, 20, 3), np.uint8)
    drawn = (sheets.marked(photo, row, column) == sheets.FRAME).all(axis=2)
    rows, columns = np.nonzero(drawn)
    assert len(rows) >= 6 and not drawn[row, column]
    assert (np.abs(rows - row) <= 3).all() and (np.abs(columns - column) <= 3).all()


def test_what_is_left_of_an_arm_is_drawn():
    drawn = (sheets.marked(np.zeros((16, 20, 3), np.uint8), 1, 10) == sheets.FRAME).all(axis=2)
    assert np.flatnonzero(drawn[:, 10]).tolist() == [0, 2, 3, 4]


def test_in_the_corner_of_a_large_photo_two_arms_are_seen():
    drawn = (sheets.marked(np.zeros((600, 400, 3), np.uint8), 0, 0) == sheets.FRAME).all(axis=2)
    rows, columns = np.nonzero(drawn)
    assert rows.max() < 40 > columns.max()
    assert drawn[10:30, 0].all() and drawn[0, 10:30].all()


def test_on_a_large_photo_the_arms_are_thicker():
    drawn = (sheets.marked(np.zeros((600, 400, 3), np.uint8), 300, 200) == sheets.FRAME).all(axis=2)
    for line in (drawn[310], drawn[290], drawn[:, 210], drawn[:, 190]):
        assert line.sum() == 4
    assert not drawn[295:306, 195:206].any()


def test_the_pictures_by_name():
    assert list(sheets.pictures(record("segments"))) == ["photo", "segments", "both"]
    made = record("similarity")
    pictures = sheets.pictures(made)
    np.testing.assert_array_equal(pictures["photo"], sheets.marked(PHOTO, 8, 10))
    assert list(pictures) == ["photo", "similarity"] and pictures["similarity"] is made.image
