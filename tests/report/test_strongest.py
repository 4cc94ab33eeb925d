"""The figure: every patch beside its projection, in its place, with words that explain it."""

from types import SimpleNamespace

import numpy as np
import pytest
import small

from minicnn import images, vis
from minicnn.files.patches import Channel
from minicnn.report import strongest as sheets
from minicnn.vis.deconvnet import shown

NETWORK = small.network()
NETWORK.params["conv2"]["b"][3] = -1e3  # channel 3 of relu2 is silent
PHOTOS = [small.photo(seed=k) for k in range(6)]
ABOUT = {"network": "small", "photos": 9}
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
    some = np.s_[:: max(1, len(picture) // 3), :: max(1, picture.shape[1] // 3)]
    nearly = np.argwhere((windows[:, :, *some] == picture[some]).all(axis=(2, 3, 4)))  # quick
    found = [at for at in nearly if (windows[tuple(at)] == picture).all()]
    return np.array(found, int).reshape(-1, 2)


def drawn(one, k, part, tile):
    """(projection, patch) of place k as they should be drawn: the part `part` of what is stored."""
    pictures = shown(one.projections[k][part], 0.8), one.patches[k][part]
    h, w = pictures[0].shape[:2]
    size = (tile, max(1, round(w * tile / h))) if h > w else (max(1, round(h * tile / w)), tile)
    return [images.resize(picture, size, "lanczos") for picture in pictures]


def test_patches_are_right_of_their_projections_strongest_first(found):
    """All that a unit of relu2 sees: 13x13 pixels, at the border moved into the photo."""
    one = found.channel("relu2", 1)
    assert [patch.shape for patch in one.patches] == [(13, 13, 3)] * 4
    sheet = sheets.figure(found, "relu2", [1], view="whole", tile=26)
    corners = [places(sheet, picture) for k in range(4)
               for picture in drawn(one, k, np.s_[:, :], 26)]
    assert [len(found) for found in corners] == [1] * 8
    left, right = np.array(corners[::2])[:, 0], np.array(corners[1::2])[:, 0]
    for half in (left, right):  # 2 x 2, row by row
        np.testing.assert_array_equal(half - half[0], [(0, 0), (0, 28), (28, 0), (28, 28)])
    shift = right[0] - left[0]
    assert shift[0] == 0 and shift[1] > 2 * 26


def channel(projections, side=30):
    """A Channel of units that see side x side pixels."""
    rng, count = np.random.default_rng(0), len(projections)
    boxes = [(0, side, 0, side)] * count
    return Channel("l", 0, [1.0] * count, ["a"] * count, [0] * count, [(0, 0)] * count, boxes,
                   [rng.integers(0, 256, p.shape).astype(np.uint8) for p in projections],
                   projections, boxes, (side, side))


def blob(row, column, reach, side=30):
    """A projection that is 1 in a square around its centre."""
    projection = np.zeros((side, side, 3), np.float32)
    projection[row - reach : row + reach + 1, column - reach : column + reach + 1] = 1
    return projection


def holding(one):
    return SimpleNamespace(about=ABOUT | {"count": len(one.values)},
                           rules=lambda layer: ("guided", None),
                           channels=lambda layer, channels: [one])


def test_the_core_is_one_square_for_a_channel_around_each_projection(words):
    """Of blobs of 5x5, 9x9 and 5x5 the median reach is 2; 2 pixels more are shown around it."""
    one = channel([blob(10, 12, 2), blob(15, 14, 4), blob(20, 9, 2)])
    sheet = sheets.figure(holding(one), "l", tile=27)
    for k, (row, column) in enumerate([(10, 12), (15, 14), (20, 9)]):
        for picture in drawn(one, k, np.s_[row - 4 : row + 5, column - 4 : column + 5], 27):
            assert len(places(sheet, picture))
    assert "90 % of a projection's energy, up to 9x9 pixels" in words["caption"]


def test_at_the_border_the_square_is_moved_inwards():
    one = channel([blob(2, 27, 2)])
    sheet = sheets.figure(holding(one), "l", tile=27)
    for picture in drawn(one, 0, np.s_[0:9, 21:30], 27):
        assert len(places(sheet, picture)) == 1


def test_zoomed_it_is_what_the_projections_reach_to_and_never_more_than_the_photo(words):
    faint = blob(15, 14, 4)
    faint[15, 0:30] = 0.06  # not faint: above 5 % of the largest
    one = channel([blob(10, 12, 2), faint])
    sheet = sheets.figure(holding(one), "l", view="zoom", tile=45)
    for k, part in enumerate([np.s_[6:15, :], np.s_[11:20, :]]):  # 9 rows, all 30 columns
        for picture in drawn(one, k, part, 45):
            assert len(places(sheet, picture)) == 1
    assert "where the projections are not faint, up to 9x30 pixels" in words["caption"]


def test_a_photo_smaller_than_what_a_unit_sees_is_shown_as_it_is(tmp_path):
    """relu2 sees 13 pixels each way, here of 11 rows."""
    flat = vis.strongest(NETWORK, PHOTOS, tmp_path, {"relu2": [1]}, count=3, size=(11, 16)).patches
    one = flat.channel("relu2", 1)
    for view in sheets.VIEWS:
        assert sheets.figure(flat, "relu2", [1], view, tile=26).dtype == np.uint8
    sheet = sheets.figure(flat, "relu2", [1], view="whole", tile=26)
    assert one.patches[0].shape == (11, 13, 3)
    assert len(places(sheet, drawn(one, 0, np.s_[:, :], 26)[1])) == 1


def test_a_view_that_there_is_not(found):
    with pytest.raises(ValueError, match="view must be one of core, zoom, whole, got 'all'"):
        sheets.figure(found, "relu2", view="all")


def test_a_silent_channel_is_an_empty_place_that_says_so(found, words):
    sheet = sheets.figure(found, "relu2", [3], tile=20)
    empty = np.full((20, 20, 3), sheets.EMPTY, np.uint8)
    assert len(places(sheet, empty)) == 8
    assert words["labels"] == ["channel 3: silent"]
    assert "Silent channels: 1, which no photo activates." in words["caption"]


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
    assert words["labels"][0] == f"channel 2: activations {first:.3g} to {last:.3g}"
    for part in ("small mix/relu_3x3", "the 4 of 6 images", "rule deconvnet, LRN through",
                 "90 % of a projection's energy, up to 9x9 pixels", "zero is grey",
                 "What the channel is for is what its patches share; a projection tells where"):
        assert part in words["caption"], part
    assert "silent" not in words["caption"].lower()


@pytest.mark.parametrize("values, fades", [((9.0, 4.4), True), ((9.0, 4.5), False),
                                           ((9.0,), False)])
def test_channels_whose_activations_fall_below_half_are_named(words, values, fades):
    one = channel([blob(15, 14, 2)] * len(values))._replace(values=list(values))
    sheets.figure(holding(one), "l")
    named = f"The last activation is below half of the first in {one.channel}: the last patches"
    assert (named in words["caption"]) == fades


def test_all_channels_of_a_layer_in_the_order_of_the_file(found, words):
    sheets.figure(found, "relu1")
    assert [label.split(":")[0] for label in words["labels"]] == ["channel 5", "channel 0"]


def test_a_unit_that_sees_nothing_but_padding_is_an_empty_place():
    """As files of version 1 have them; here the patch holds what is beside the padding."""
    one = channel([blob(10, 12, 2)])._replace(
        values=[2.0, 1.0], patches=[np.zeros((0, 2, 3), np.uint8), np.ones((30, 30, 3), np.uint8)],
        projections=[np.zeros((0, 2, 3), np.float32), blob(10, 12, 2)])
    for view in sheets.VIEWS:
        sheet = sheets.figure(holding(one), "l", view=view, tile=20)
        assert len(places(sheet, np.full((20, 20, 3), sheets.EMPTY, np.uint8))) == 2


def test_nine_shifts_are_told(words):
    found = holding(channel([blob(10, 12, 2)]))
    found.about["shifts"] = 9
    sheets.figure(found, "l")
    assert "rule guided, mean of 9 shifts; zero is grey" in words["caption"]


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
