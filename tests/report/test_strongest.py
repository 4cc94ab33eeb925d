"""The figure: every patch beside its projection, in its place, with words that explain it."""

from types import SimpleNamespace

import numpy as np
import pytest
import small

from minicnn import images, vis
from minicnn.report import strongest as sheets
from minicnn.vis.deconvnet import region, shown

NETWORK = small.network()
NETWORK.params["conv2"]["b"][3] = -1e3  # channel 3 of relu2 is silent
PHOTOS = [small.photo(seed=k) for k in range(6)]
LAYERS = {"relu1": [5, 0], "mix/relu_3x3": [2, 0, 3], "relu2": [1, 3]}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return vis.strongest(NETWORK, PHOTOS, tmp_path_factory.mktemp("found"), LAYERS, count=4).patches


@pytest.fixture
def words(monkeypatch):
    """What is written: the caption, and the labels of the channels."""
    said = {}
    caption, contact_sheet = sheets.caption, sheets.contact_sheet
    monkeypatch.setattr(sheets, "caption", lambda sheet, text: (
        said.update(caption=text), caption(sheet, text))[1])

    def listening(pictures, columns=None, labels=None, **settings):
        if labels:
            said.update(labels=labels)
        return contact_sheet(pictures, columns, labels, **settings)

    monkeypatch.setattr(sheets, "contact_sheet", listening)
    return said


def places(sheet, picture):
    """Top left corners of all places where `picture` is, pixel for pixel."""
    windows = np.lib.stride_tricks.sliding_window_view(sheet, picture.shape)[:, :, 0]
    return np.argwhere((windows == picture).all(axis=(2, 3, 4)))


def test_patches_are_right_of_their_projections_strongest_first(found):
    """Drawn in their own size: frames of 13x13."""
    one = found.channel("relu2", 1)
    assert one.frame == (13, 13) and len(one.values) == 4
    sheet = sheets.figure(found, "relu2", [1], tile=13)
    corners = []
    for pictures in (map(shown, one.projections), one.patches):
        for k, picture in enumerate(pictures):
            (place,) = places(sheet, picture)
            corners.append(place - one.corners[k])
    left, right = np.array(corners[:4]), np.array(corners[4:])
    for half in (left, right):  # 2 x 2, row by row
        np.testing.assert_array_equal(half - half[0], [(0, 0), (0, 15), (15, 0), (15, 15)])
    shift = right[0] - left[0]
    assert shift[0] == 0 and shift[1] > 2 * 13


def test_beyond_the_photo_s_border_it_is_grey(found):
    one = found.channel("relu1", 5)
    at_the_border = [k for k, corner in enumerate(one.corners) if corner != (0, 0)]
    assert at_the_border
    k = at_the_border[0]
    frame = np.full((3, 3, 3), 128, np.uint8)
    (top, left), (h, w) = one.corners[k], one.patches[k].shape[:2]
    frame[top : top + h, left : left + w] = one.patches[k]
    assert len(places(sheets.figure(found, "relu1", [5], tile=3), frame))


def test_zoomed_it_is_what_the_projections_reach_to(found, words):
    """One window for all places of a channel, in the units' own coordinates."""
    one = found.channel("relu2", 1)
    for projection in one.projections:
        projection[:3] = projection[:, -2:] = 0
    found = SimpleNamespace(about=found.about, channels=lambda layer, channels: [one])
    regions = []
    for projection, (row, column) in zip(one.projections, one.corners, strict=True):
        top, bottom, left, right = region(projection[None])
        regions.append((top + row, bottom + row, left + column, right + column))
    firsts, lasts = np.min(regions, axis=0)[::2], np.max(regions, axis=0)[1::2]
    side = max(lasts - firsts)
    assert side < 13
    sheet = sheets.figure(found, "relu2", [1], zoom=True, tile=side)
    for k in range(4):
        top, left = np.maximum(firsts - one.corners[k], 0)
        bottom, right = lasts - one.corners[k]
        assert len(places(sheet, one.patches[k][top:bottom, left:right]))
        assert len(places(sheet, shown(one.projections[k])[top:bottom, left:right]))
    h, w = lasts - firsts
    assert f"where the projections are not faint, up to {h}x{w} pixels" in words["caption"]


def test_where_a_unit_sees_further_than_the_photo_the_photo_is_the_place(found, tmp_path):
    """relu2 sees 13 pixels each way, here of 11 rows: those stand where they are in the photo."""
    flat = vis.strongest(NETWORK, PHOTOS, tmp_path, {"relu2": [1]}, count=3, size=(11, 16)).patches
    one = flat.channel("relu2", 1)
    sheet = sheets.figure(flat, "relu2", [1], tile=13)
    for patch, (top, _, left, _), corner in zip(one.patches, one.boxes, one.corners, strict=True):
        frame = np.full((11, 13, 3), 128, np.uint8)
        frame[top : top + patch.shape[0], corner[1] : corner[1] + patch.shape[1]] = patch
        assert len(places(sheet, frame)), left


def test_a_silent_channel_is_an_empty_place_that_says_so(found, words):
    sheet = sheets.figure(found, "relu2", [3], tile=20)
    empty = np.full((20, 20, 3), sheets.EMPTY, np.uint8)
    assert len(places(sheet, empty)) == 8
    assert words["labels"] == ["channel 3: silent"]
    assert "1 silent: no photo makes them active" in words["caption"]


@pytest.mark.parametrize("limits, side", [((5, 8), 8), ((5, 50), 13), ((20, 50), 20)])
def test_a_tile_is_as_large_as_what_is_shown_within_limits(found, monkeypatch, limits, side):
    """Of channel 3 of relu2, which sees 13x13 pixels, the empty places are easily found."""
    monkeypatch.setattr(sheets, "TILES", limits)
    sheet = sheets.figure(found, "relu2", [3])
    for larger, count in ((0, 8), (1, 0)):
        empty = np.full((side + larger, side + larger, 3), sheets.EMPTY, np.uint8)
        assert len(places(sheet, empty)) == count


def test_the_words(found, words):
    sheets.figure(found, "mix/relu_3x3", [2, 3])
    first, *_, last = found.channel("mix/relu_3x3", 2).values
    assert words["labels"][0] == f"channel 2: {first:.3g} to {last:.3g}"
    for part in ("small mix/relu_3x3", "the 4 photos of 6", "rule deconvnet, LRN gradient",
                 "up to 9x9 pixels", "zero is grey"):
        assert part in words["caption"], part
    assert "silent" not in words["caption"]


def test_all_channels_of_a_layer_in_the_order_of_the_file(found, words):
    sheets.figure(found, "relu1")
    assert [label.split(":")[0] for label in words["labels"]] == ["channel 5", "channel 0"]


def test_a_unit_that_sees_nothing_but_padding_is_drawn():
    one = vis_channel(patches=[np.zeros((0, 2, 3), np.uint8)],
                      projections=[np.zeros((0, 2, 3), np.float32)])
    about = {"count": 1, "size": (8, 8)}
    for zoom in (False, True):
        assert sheets._block(one, about, zoom, 10).dtype == np.uint8


def vis_channel(patches, projections):
    from minicnn.files.patches import Channel

    return Channel("l", 0, [1.0], ["a"], [0], [(0, 0)], [(0, 0, 0, 2)], patches, projections,
                   [(0, 0)], (3, 3))


def test_a_picture_for_every_layer_and_page(found, tmp_path, monkeypatch):
    monkeypatch.setattr(sheets, "PAGE", 2)
    made = list(sheets.save(found, tmp_path / "new"))
    assert [path.name for path in made] == ["relu1.png", "mix_relu_3x3_2-0.png",
                                            "mix_relu_3x3_3-3.png", "relu2.png"]
    np.testing.assert_array_equal(images.load(made[1]),
                                  sheets.figure(found, "mix/relu_3x3", [2, 0]))


def test_some_layers_and_channels_only(found, tmp_path):
    made = list(sheets.save(found, tmp_path, ["relu2"], [3]))
    assert [path.name for path in made] == ["relu2.png"]
    np.testing.assert_array_equal(images.load(made[0]), sheets.figure(found, "relu2", [3]))


def test_what_is_not_in_the_file(found, tmp_path):
    with pytest.raises(ValueError, match="there is no layer 'relu9'"):
        list(sheets.save(found, tmp_path, ["relu9"]))
    with pytest.raises(ValueError, match="channel 4 of relu1 is not in it"):
        list(sheets.save(found, tmp_path, ["relu1"], [4]))
    assert list(tmp_path.iterdir()) == []
