"""Sheets of activations: where each channel is, what is said of it, and the folder."""

from html.parser import HTMLParser

import numpy as np
import pytest
import small

from minicnn import images, vis
from minicnn.images import display
from minicnn.report import activations as sheets
from minicnn.report.colour_bar import ColourBar, under
from minicnn.report.contact_sheet import caption, contact_sheet
from minicnn.vis.activations import Activations
from minicnn.vis.survey import LayerStatistics

NETWORK, PHOTO = small.network(), small.photo()
FOUND = vis.activations(NETWORK, PHOTO)


def settings(**given):
    return {"maps": None, "scale": "layer", "layers": None, "size": None} | given


@pytest.fixture
def without_bar(monkeypatch):
    """Sheets on which no colour bar has the colours that are looked for."""
    monkeypatch.setattr(sheets, "under", lambda sheet, bar: sheet)


def bright(channels, one, side=48):
    """A layer in which one channel alone is not dark."""
    a = np.zeros((side, side, channels), np.float32)
    a[..., one] = 1
    return Activations(network="net", maps={"relu": a}, settings=settings())


@pytest.mark.parametrize("channel", [0, 15, 16, 37, 39])
def test_a_channel_is_where_its_row_and_column_say(without_bar, channel):
    """Sixteen a row, each 48 pixels with a gap of 2."""
    yellow = display.coloured(np.uint8([255]))[0]
    lit = (sheets.sheet(bright(40, channel), "relu") == yellow).all(axis=2)
    dark = (sheets.sheet(bright(40, channel), "relu") == display.coloured(np.uint8([0]))[0]).all(2)
    top, left = (np.flatnonzero((lit | dark).any(axis=axis))[0] for axis in (1, 0))
    row, column = divmod(channel, 16)
    rows, columns = np.nonzero(lit)
    assert (rows.min() - top, columns.min() - left) == (50 * row, 50 * column)
    assert lit.sum() == 48 * 48 and dark.sum() == 39 * 48 * 48


def test_a_sheet_is_the_layer_s_levels_in_viridis():
    levels = FOUND.levels("mix").transpose(2, 0, 1)
    expected = contact_sheet(
        display.coloured(levels), 9, title="mix, 8x10x9", tile=48, row_labels=["0"],
        column_labels=[f"+{k}" for k in range(9)], blocks=True)
    expected = under(expected,
                     ColourBar("-2", "2", "standard deviations from the channel's mean"))
    np.testing.assert_array_equal(sheets.sheet(FOUND, "mix"),
                                  caption(expected, sheets.describe(FOUND, "mix")))


@pytest.mark.parametrize("scale, layers, bar", [
    ("deviation", ["maps"], ("-2", "2", "standard deviations from the channel's mean")),
    ("deviation", ["units"], ("-2", "2", "standard deviations from the layer's mean")),
    ("range", ["maps"], ("lowest", "highest", "activation of the channel")),
    ("range", ["units"], (1.0, 9.0, "activation")),
    ("layer", ["maps"], (-3.0, 4.0, "activation")),
    ("layer", ["units"], (0.0, 9.0, "activation")),  # 0 stands for zero
    ("layer", ["maps", "units"], ("lowest", "highest", "activation of the layer"))])
def test_the_bar_has_the_numbers_where_all_maps_share_them(monkeypatch, scale, layers, bar):
    maps = {"maps": np.float32([[[-3, 0], [4, 1]]]), "units": np.float32([1, 9])}
    found = Activations(network="net", maps={name: maps[name] for name in layers},
                        settings=settings(scale=scale, maps=2))
    shown = []
    monkeypatch.setattr(sheets, "under", lambda sheet, bar: shown.append(bar) or sheet)
    sheets.first_maps(found) if len(layers) > 1 else sheets.sheet(found, *layers)
    assert shown == [ColourBar(*bar)]


def test_large_maps_are_made_smaller_and_small_ones_larger():
    widths = [sheets.sheet(bright(16, 0, side), "relu").shape[1] for side in (4, 48, 96, 200)]
    assert widths[0] == widths[1] and widths[2] == widths[3] == widths[1] + 16 * 48


def test_units_are_blocks_64_a_row(without_bar):
    values = np.zeros(150, np.float32)
    values[100] = 1
    found = Activations(network="net", maps={"fc": values}, settings=settings())
    sheet = sheets.sheet(found, "fc")
    lit = (sheet == display.coloured(np.uint8([255]))[0]).all(axis=2)
    dark = (sheet == display.coloured(np.uint8([0]))[0]).all(axis=2)
    rows, columns = np.nonzero(lit)
    top, left = (np.flatnonzero((lit | dark).any(axis=axis))[0] for axis in (1, 0))
    assert (rows.min() - top, columns.min() - left) == (14 * 1, 12 * 36)
    assert lit.sum() == 144 and dark.sum() == 149 * 144


def test_the_caption_has_the_figures():
    a = np.zeros((2, 2, 4), np.float32)
    a[..., 1], a[0, 0, 2] = [[1, 2], [3, 4]], 0.5
    found = Activations(network="net", maps={"relu": a, "fc": a[0, 0]},
                        settings=settings(maps=3, scale="deviation"))
    assert sheets.describe(found, "relu") == (
        "net relu: 4 channels of 2x2 positions, the first 3 shown; grey level 128 + 64 (a - mean) "
        "/ std of each channel; activations from 0 to 4; 50.0% of the channels are blank, 68.8% of "
        "the activations are zero")
    assert sheets.describe(found, "fc") == (
        "net fc: 4 channels, one number each, the first 3 shown; grey level 128 + 64 (a - mean) / "
        "std over all channels; activations from 0 to 1; 50.0% of the channels are blank, 50.0% of "
        "the activations are zero")


def test_first_maps_have_a_column_a_layer_and_a_row_a_channel():
    found = vis.activations(NETWORK, PHOTO, ["image", "relu1", "mix/project", "fc"], maps=3,
                            scale="range")
    white = np.full((1, 1, 3), 255, np.uint8)
    tiles = []
    for k in range(3):
        for layer in found.maps:
            few = k >= found.maps[layer].shape[-1]
            tiles.append(white if few else
                         display.coloured(np.atleast_2d(found.levels(layer)[..., k])))
    expected = contact_sheet(tiles, 4, column_labels=list(found.maps), row_labels=["0", "1", "2"],
                             tile=96, blocks=True)
    expected = under(expected, ColourBar("lowest", "highest", "activation of the channel"))
    said = ("small: channels 0 to 2 of image, relu1, mix/project, fc; each channel from its "
            "smallest activation (dark) to its largest (bright)")
    np.testing.assert_array_equal(sheets.first_maps(found), caption(expected, said))
    np.testing.assert_array_equal(sheets.picture(found), sheets.first_maps(found))


def test_one_picture_has_the_sheets_one_above_the_other():
    found = vis.activations(NETWORK, PHOTO, ["relu1", "fc"])
    one, two = (sheets.sheet(found, layer) for layer in found.maps)
    picture = sheets.picture(found)
    assert picture.shape == (len(one) + len(two), max(one.shape[1], two.shape[1]), 3)
    np.testing.assert_array_equal(picture[: len(one), : one.shape[1]], one)
    np.testing.assert_array_equal(picture[len(one) :, : two.shape[1]], two)


def test_too_many_channels_for_one_picture():
    many = {f"a{k}": np.zeros((1, 1, 3000), np.float32) for k in range(2)}
    with pytest.raises(ValueError, match="6,000 channels of 2 layers are too many .* a folder"):
        sheets.picture(Activations(network="net", maps=many, settings=settings()))


# ---- the folder

class Pictures(HTMLParser):
    """What a page shows and says."""

    def __init__(self, path):
        super().__init__()
        self.shown, self.headings, self.tag = [], [], None
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.tag = tag
        self.shown += [dict(attrs)["src"]] if tag == "img" else []

    def handle_data(self, data):
        if self.tag == "h2" and data.strip():
            self.headings.append(data)


def test_a_folder_has_a_sheet_a_layer_and_a_page_that_shows_them(tmp_path):
    index = sheets.folder(FOUND, tmp_path / "a" / "b", "minicnn activations x.png")
    page = Pictures(index)
    assert index == tmp_path / "a" / "b" / "index.html"
    assert page.headings == ["The photo", *NETWORK.names]
    assert sorted(page.shown) == sorted(p.name for p in index.parent.glob("*.png"))
    assert page.shown[:2] == ["photo.png", "01_conv1.png"] and "05_mix_1x1.png" in page.shown
    for number, layer in [("02", "relu1"), ("13", "conv2")]:
        np.testing.assert_array_equal(images.load(index.parent / f"{number}_{layer}.png"),
                                      sheets.sheet(FOUND, layer))
    text = index.read_text(encoding="utf-8")
    assert "minicnn activations x.png --layers relu1 --out 02_relu1.png" in text
    assert sheets.describe(FOUND, "relu2").replace("'", "&#x27;") in text


def test_ctrl_c_leaves_a_page_of_what_there_is(tmp_path, monkeypatch):
    make, seen = sheets.sheet, []

    def interrupted(found, layer):
        seen.append(layer)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return make(found, layer)

    monkeypatch.setattr(sheets, "sheet", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sheets.folder(FOUND, tmp_path)
    assert Pictures(tmp_path / "index.html").headings == ["The photo", "conv1", "relu1"]


# ---- the table

def test_the_table():
    rows = [LayerStatistics("conv1", (4, 5, 20), 0.05, 0.25, (7,)),
            LayerStatistics("fc", (12,), 0.0, 1.0, tuple(range(12)))]
    assert sheets.table(rows, 30).splitlines() == [
        "layer  shape   blank channels  zero activations  channels silent in all 30 photos",
        "conv1  4x5x20            5.0%             25.0%  1 of 20: 7",
        "fc     12                0.0%            100.0%  12 of 12: 0, 1, 2, 3, 4, 5, 6, 7, ..."]
    assert sheets.table(rows).splitlines()[0].endswith("channels silent in 1 photo")
    none = [LayerStatistics("a", (3,), 0.0, 0.0, ())]
    assert sheets.table(none).splitlines()[1].endswith("0 of 3")
