"""Sheets of filters: every picture in its place, with its words."""

import numpy as np
import pytest
import small

from minicnn import vis
from minicnn.report import filters as sheets
from minicnn.vis.filters import Filters, LayerFilters

NETWORK = small.network()
WORDS = {"order": "number", "size": (8, 8)}


@pytest.fixture
def drawn(monkeypatch):
    """What the contact sheet and the caption were asked for."""
    asked = {}

    def contact_sheet(images, columns=None, labels=None, **more):
        asked.update(more, images=list(images), columns=columns, labels=labels)
        return whole["contact_sheet"](images, columns, labels, **more)

    def caption(image, text):
        asked["caption"] = text
        return whole["caption"](image, text)
    whole = {name: getattr(sheets, name) for name in ("contact_sheet", "caption")}
    for function in (contact_sheet, caption):
        monkeypatch.setattr(sheets, function.__name__, function)
    return asked


def row(layer, channels, made=None):
    made = len(channels) if made is None else made
    pictures = np.full((made, 8, 8, 3), 7, np.uint8) * np.arange(made, dtype=np.uint8)[
        :, None, None, None]
    return LayerFilters(layer, channels, pictures, np.arange(made) / 2, None)


def found(layers, **settings):
    return Filters(caption="words", settings=WORDS | settings, layers=layers)


def test_a_row_a_layer_and_a_column_a_filter(drawn):
    rows = [row("conv1", [0, 1, 2]), row("conv2", [0, 1])]
    sheet = sheets.sheet(found(rows), tile=50)
    assert drawn["row_labels"] == ["conv1", "conv2"] and drawn["column_labels"] == ["0", "1", "2"]
    assert (drawn["columns"], drawn["labels"], drawn["caption"]) == (3, None, "words")
    assert [picture[0, 0, 0] for picture in drawn["images"]] == [0, 7, 14, 0, 7, 255]
    assert sheet.dtype == np.uint8 and sheet.shape[1] > 3 * 50


@pytest.mark.parametrize("size, tile", [((8, 8), 128), ((100, 144), 144), ((224, 224), 160)])
def test_a_tile_is_as_large_as_the_pictures_within_limits(drawn, size, tile):
    sheets.sheet(found([row("a", [0]), row("b", [0])], size=size))
    assert drawn["tile"] == tile


def test_what_was_interrupted_stays_white(drawn):
    sheets.sheet(found([row("a", [0, 1], 1), row("b", [0, 1], 0)]))
    assert [picture[0, 0, 0] for picture in drawn["images"]] == [0, 255, 255, 255]


def test_the_best_have_number_and_value_below(drawn):
    sheets.sheet(found([row("a", [9, 4]), row("b", [3, 1])], order="value"))
    assert drawn["tile"] == 128
    assert drawn["labels"] == ["9: 0", "4: 0.5", "3: 0", "1: 0.5"]
    assert drawn["column_labels"] is None and drawn["row_labels"] == ["a", "b"]
    assert drawn["caption"] == "words; below each, its number and the objective reached"


def test_one_layer_is_near_square(drawn):
    sheets.sheet(found([row("a", list(range(9)))]))
    assert drawn["columns"] is None and drawn["row_labels"] is None and drawn["tile"] == 256
    assert drawn["labels"][2] == "2: 1"


def test_classes_side_by_side_with_their_names(drawn):
    records = vis.maximize(NETWORK, channel=[2, 0], steps=1)
    sheets.side_by_side(NETWORK, records)
    assert drawn["labels"] == ["tree frog", "red fox"]
    assert drawn["caption"] == "\n".join(record.caption for record in records)
    np.testing.assert_array_equal(drawn["images"][1], records[1].image)


def test_channels_side_by_side_have_numbers(drawn):
    sheets.side_by_side(NETWORK, vis.maximize(NETWORK, "relu2", [3], steps=1))
    assert drawn["labels"] == ["3"]


def test_the_pictures_by_layer_and_number():
    found = vis.filters(NETWORK, ["relu2"], count=3, order="value", steps=1)
    row, = found.layers
    made = sheets.pictures(found)
    assert list(made) == [f"relu2_{channel}" for channel in row.channels]
    assert all((made[f"relu2_{channel}"] == picture).all()
               for channel, picture in zip(row.channels, row.pictures, strict=True))
