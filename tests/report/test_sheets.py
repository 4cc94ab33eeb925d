"""The sheet beside a projection: which pictures, where the frame is."""

import numpy as np
import small

from minicnn import vis
from minicnn.report import sheets
from minicnn.report.contact_sheet import caption, contact_sheet
from minicnn.vis.deconvnet import region

NETWORK, PHOTO = small.network(), small.photo()


def bright(top, bottom, left, right):
    """A record whose projection is as strong as can be in one rectangle."""
    x = np.zeros((1, 16, 20, 3), np.float32)
    x[0, top:bottom, left:right] = 1
    picture = np.full((16, 20, 3), 128, np.uint8)
    picture[top:bottom, left:right] = 255
    return vis.Record(picture, "a caption", {}, x)


def frame(record):
    """Where the frame is on a black photo, (H, W) bool: the sheet's first tile, not enlarged."""
    photo = np.zeros((16, 20, 3), np.uint8)
    tile = sheets.projection(photo, record, tile=20)[8 : 8 + 16, : 8 + 44].astype(int)
    drawn = (tile == sheets.FRAME).all(axis=-1)
    columns = np.flatnonzero((drawn | ~tile.any(axis=-1)).any(axis=0))
    assert len(columns) == 20
    return drawn[:, columns]


def test_a_frame_is_drawn_just_outside_the_unit_s_part():
    expected = np.zeros((16, 20), bool)
    expected[[3, 9], 6:15] = True
    expected[4:9, [5, 15]] = True
    np.testing.assert_array_equal(frame(bright(4, 9, 6, 15)), expected)


def test_at_the_border_the_frame_lies_on_it():
    expected = np.zeros((16, 20), bool)
    expected[[0, 15]] = expected[:, [0, 19]] = True
    np.testing.assert_array_equal(frame(bright(0, 16, 0, 20)), expected)


def test_the_photo_is_not_drawn_upon():
    photo = PHOTO.copy()
    sheets.projection(photo, bright(4, 9, 6, 15))
    np.testing.assert_array_equal(photo, PHOTO)


def test_the_other_three_pictures_and_the_caption():
    record = vis.deconvnet(NETWORK, PHOTO, "relu2", 1)
    top, bottom, left, right = region(record.x)
    sheet = sheets.projection(PHOTO, record, tile=60)
    four = [PHOTO, PHOTO[top:bottom, left:right], record.image,
            record.image[top:bottom, left:right]]
    expected = caption(contact_sheet(four, columns=4, tile=60, labels=[
        "photo", "the unit's part of it", "projection", "its part enlarged"]), record.caption)
    np.testing.assert_array_equal(sheet[:, 8 + 60 :], expected[:, 8 + 60 :])
    other = sheets.projection(PHOTO, vis.Record(record.image, "other words", {}, record.x), 60)
    assert not np.array_equal(sheet[-20:], other[-20:])  # the caption is on it


def test_a_projection_of_nothing_shows_the_whole_photo():
    record = vis.Record(np.full((16, 20, 3), 128, np.uint8), "silent", {},
                        np.zeros((1, 16, 20, 3), np.float32))
    sheet = sheets.projection(PHOTO, record, tile=40)
    assert sheet.dtype == np.uint8 and sheet.shape[1] > 4 * 40
