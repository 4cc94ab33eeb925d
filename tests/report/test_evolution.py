"""The figure of features at chosen epochs: where each picture is, and what is left empty."""

import numpy as np
import pytest

from minicnn import images
from minicnn.report import evolution as sheets
from minicnn.vis.deconvnet import shown
from minicnn.vis.evolution import Evolution, Feature

RED, BLUE = (200, 0, 0), (0, 0, 200)


def feature(colour, shape=(8, 8)):
    patch = np.broadcast_to(np.uint8(colour), (*shape, 3))
    return Feature(0, "a photo", 1.0, (0, 0), patch, np.ones((*shape, 3), np.float32))


@pytest.fixture
def found():
    """Two layers of one and two channels at two snapshots; one is silent at first."""
    return Evolution(
        epochs=(1, 20), caption="a caption", photos=3,
        features={"relu1": {4: [feature(RED), feature(BLUE)]},
                  "relu2": {0: [None, feature(BLUE, (8, 4))], 7: [feature(RED), feature(RED)]}},
        responses={"relu1": np.array([0.8, 1]), "relu2": np.array([-0.1, 1])},
        weights={"relu1": np.array([1, 0]), "relu2": np.array([np.nan, np.nan])},
        jumps={"relu1": np.array([np.nan, 0.5]), "relu2": np.array([np.nan, 0.9])},
        silent={"relu1": np.zeros(2), "relu2": np.zeros(2)})


def test_labels_that_have_no_room_are_left_out_and_the_last_is_there():
    x = np.array([0.0, 1.0, 9.8, 9.9, 10.0])
    assert sheets._with_room(x, range(5)) == ["0", "1", "", "", "4"]
    assert sheets._with_room(x[:1], [7]) == ["7"]


def count(picture, colour):
    return int((picture == np.uint8(colour)).all(axis=-1).sum())


def test_a_row_for_each_channel_a_column_for_each_epoch(found):
    sheet = sheets.figure(found, tile=100)
    assert count(sheet, RED) == 3 * 10_000 and count(sheet, BLUE) == 10_000 + 5_000  # a narrow one
    alone = sheets.figure(found, patches=False, tile=100)
    assert count(alone, RED) == count(alone, BLUE) == 0
    assert sheet.shape[1] - alone.shape[1] == 2 * 100
    empty = (sheets.EMPTY,) * 3
    assert count(alone, empty) >= 10_000 and count(sheet, empty) - count(alone, empty) >= 10_000
    bright = (shown(np.ones((8, 8, 3), np.float32), sheets.GAMMA)[0, 0])
    assert count(alone, bright) >= 4 * 10_000 + 5_000


def test_some_of_the_epochs(found):
    sheet = sheets.figure(found, at=[20], tile=100)
    assert count(sheet, RED) == 10_000 and count(sheet, BLUE) == 10_000 + 5_000


def test_a_frame_for_each_epoch(found):
    first, second = sheets.frames(found, tile=100)
    assert first.shape == second.shape and (first != second).any()
    assert count(first, (sheets.EMPTY,) * 3) >= 10_000 > count(second, (sheets.EMPTY,) * 3) - 5_000


@pytest.mark.thorough
def test_the_plot(found, tmp_path):
    sheets.plot(tmp_path / "p.png", found)
    np.testing.assert_array_equal(images.load(tmp_path / "p.png"), sheets.draw(found))


def test_each_projection_at_its_own_size(found):
    pictures = sheets.pictures(found)
    assert list(pictures) == [
        "relu1 channel 4 epoch 1", "relu1 channel 4 epoch 20", "relu2 channel 0 epoch 20",
        "relu2 channel 7 epoch 1", "relu2 channel 7 epoch 20"]
    assert pictures["relu2 channel 0 epoch 20"].shape == (8, 4, 3)


def test_a_unit_that_sees_only_padding_has_no_picture(found):
    nothing = feature(RED, (0, 5))
    found.features["relu1"][4][0] = nothing
    assert sheets.figure(found).ndim == 3 and len(sheets.pictures(found)) == 4
