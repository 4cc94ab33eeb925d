"""The sheet of deepDreamImage's pictures: thumbnails with names."""

from dataclasses import replace

import numpy as np

from minicnn.report import deepdream_image as sheets
from minicnn.report.contact_sheet import caption, contact_sheet
from minicnn.vis.deepdream_image import DeepDreamImage

PICTURES = np.random.default_rng(0).uniform(0, 1, (3, 12, 10, 3)).astype(np.float32)


def found(pictures, scaling):
    return DeepDreamImage(
        images=pictures, channels=[8, 187, 230], names=["hen", "terrier", "sheepdog"], levels=None,
        caption="three classes", settings={"layer": "fc8", "output_scaling": scaling})


def test_linear_is_shown_as_it_is():
    pixels = np.rint(255 * PICTURES).astype(np.uint8)
    tiles = contact_sheet(pixels, labels=["hen", "terrier", "sheepdog"], tile=48,
                          title="Layer fc8 features")
    np.testing.assert_array_equal(sheets.sheet(found(PICTURES, "linear"), 48),
                                  caption(tiles, "three classes"))


def test_none_is_shown_around_grey_on_one_scale():
    raw = 40 * (PICTURES - 0.5)
    raw[0], raw[1, 0, 0, 0] = 0, -100
    pixels = np.rint(128 + 127 * raw / 100).astype(np.uint8)
    tiles = contact_sheet(pixels, labels=["hen", "terrier", "sheepdog"], tile=256,
                          title="Layer fc8 features")
    np.testing.assert_array_equal(sheets.sheet(found(raw, "none")), caption(tiles, "three classes"))


def test_the_pictures_by_layer_channel_and_class():
    made = replace(found(PICTURES, "linear"), names=["hen", "187", "sheepdog"],
                   settings={"layer": "fc8", "output_scaling": "linear"})
    assert list(sheets.pictures(made)) == ["fc8_8_hen", "fc8_187", "fc8_230_sheepdog"]
    for picture, expected in zip(sheets.pictures(made).values(), sheets.shown(made), strict=True):
        np.testing.assert_array_equal(picture, expected)


def test_the_pictures_as_the_sheet_shows_them():
    np.testing.assert_array_equal(sheets.shown(found(PICTURES, "linear")), np.rint(255 * PICTURES))
    signed = sheets.shown(found(PICTURES - PICTURES.max(), "none"))  # zero is grey, on one scale
    assert signed.dtype == np.uint8 and (signed.min(), signed.max()) == (1, 128)
