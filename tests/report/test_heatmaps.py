"""Heat maps on their photo: what is hot, what is left alone, what the sheets hold."""

from dataclasses import replace

import numpy as np
import pytest
import small

from minicnn import images, vis
from minicnn.images import display
from minicnn.report import heatmaps
from minicnn.report.canvas import Canvas, line_height, text_width
from minicnn.report.colour_bar import ColourBar, signed, strip
from minicnn.report.contact_sheet import caption, contact_sheet
from minicnn.vis.deconvnet import limit
from minicnn.vis.occlusion import per_pixel

NETWORK, PHOTO = small.network(), small.photo()
GREY = np.repeat(0.7 * PHOTO.mean(axis=2, keepdims=True), 3, axis=2)


# ---- the overlay

@pytest.mark.parametrize("heat", [np.zeros((16, 20)), -np.ones((16, 20))])
def test_no_heat_leaves_the_photo_in_dim_grey(heat):
    np.testing.assert_allclose(heatmaps.overlay(PHOTO, heat), GREY, atol=0.51)  # rounding


def test_heat_glows_where_it_is_and_in_the_right_order_of_colours():
    heat = np.zeros((16, 20))
    heat[3, 17], heat[10, 4] = 2, 1
    shown = heatmaps.overlay(np.full((16, 20, 3), 100, np.uint8), heat).astype(int)
    lit = (shown != 70).any(axis=2)
    assert sorted(zip(*np.nonzero(lit), strict=True)) == [(3, 17), (10, 4)]
    red, green, blue = shown[10, 4]
    assert red > green and red > blue + 20  # hot is red and yellow; were it BGR it would be blue
    assert shown[3, 17].sum() > shown[10, 4].sum()
    np.testing.assert_allclose(shown[3, 17], 0.2 * 70 + 0.8 * np.array([252, 255, 164]), atol=1.5)


def test_heat_is_shown_against_what_is_called_high():
    heat = np.full((16, 20), 0.25)
    np.testing.assert_array_equal(heatmaps.overlay(PHOTO, heat, high=1),
                                  heatmaps.overlay(PHOTO, heat + 1e-9, high=1))
    faint, full = (heatmaps.overlay(PHOTO, heat, high).astype(int) for high in (100, 0.25))
    assert np.abs(faint - GREY).max() < 2 and np.abs(full - GREY).max() > 100
    np.testing.assert_allclose(heatmaps.overlay(PHOTO, heat, opacity=0), GREY, atol=0.51)


def test_the_photo_is_not_drawn_upon():
    photo = PHOTO.copy()
    heatmaps.overlay(photo, np.ones((16, 20)))
    np.testing.assert_array_equal(photo, PHOTO)


def test_what_does_not_fit():
    with pytest.raises(ValueError, match=r"heat map \(20, 16\) and the photo \(16, 20, 3\)"):
        heatmaps.overlay(PHOTO, np.ones((20, 16)))
    with pytest.raises(ValueError, match="opacity is within 0..1, got 1.5"):
        heatmaps.overlay(PHOTO, np.ones((16, 20)), opacity=1.5)


# ---- the sheets

def test_the_pictures_of_the_sheets_at_their_own_size():
    cam = vis.gradcam(NETWORK, PHOTO, 3, guided=True)
    made = heatmaps.gradcam_pictures(cam)
    assert list(made) == ["photo", "evidence", "raw", "guided"]
    assert made["raw"].shape == (*cam.raw.shape, 3)  # a pixel a cell
    assert made["evidence"].shape == PHOTO.shape and made["guided"] is cam.signed
    assert "guided" not in heatmaps.gradcam_pictures(vis.gradcam(NETWORK, PHOTO, 3))
    record = vis.saliency(NETWORK, PHOTO, 1, "guided")
    made = heatmaps.saliency_pictures(record)
    assert made["magnitude"] is record.image and made["signed"] is record.signed
    made = heatmaps.occlusion_pictures(swept())
    assert list(made) == ["square", "activation", "probability", "class"]
    assert all(picture.shape == PHOTO.shape for picture in made.values())


def test_saliency():
    record = vis.saliency(NETWORK, PHOTO, 1, "guided")
    bars = [None, ColourBar(0, np.quantile(record.map, 0.99), "arbitrary unit", "gray"),
            signed(limit(record.x), "arbitrary unit")]
    expected = contact_sheet([record.photo, record.image, record.signed], 3, tile=60, gap=12,
                             labels=["photo", "magnitude", "signed, zero is grey"],
                             bars=bars)
    np.testing.assert_array_equal(heatmaps.saliency(record, 60), caption(expected, record.caption))


def test_on_a_phone_labels_and_captions_can_be_read():
    """Where three pictures side by side are shown 390 pixels wide their letters have 10 or so."""
    record = vis.gradcam(NETWORK, PHOTO, 3)
    sheet = heatmaps.gradcam(record)
    height, width, _ = sheet.shape
    views, size = record.views(), round(10 * width / 390)
    assert width > 3 * heatmaps.TILE and height < width
    label = Canvas(line_height(size), heatmaps.TILE, 255)
    label.label(views[0].label, 0, 0, heatmaps.TILE, "middle", size)
    assert any((sheet[y:y + line_height(size), 8:8 + heatmaps.TILE] == label.pixels()).all()
               for y in range(height - line_height(size)))
    assert max(text_width(one.label, size) for one in views) < heatmaps.TILE


@pytest.mark.parametrize("guided", [False, True])
def test_gradcam(guided):
    record = vis.gradcam(NETWORK, PHOTO, 3, guided=guided)
    record = replace(record, raw=-3 * record.raw)  # as if more spoke against the class than for it
    high = np.abs(record.raw).max()
    lit = heatmaps.overlay(record.photo, record.map, high)
    pictures = [record.photo, lit, display.signed_to_uint8(record.raw)]
    labels = ["photo", "evidence", "raw map, zero is grey"]
    bars = [None, ColourBar(0, high, "units of the score", "inferno"),
            signed(high, "units of the score")]
    if guided:
        pictures, labels = [*pictures, record.signed], [*labels, "guided Grad-CAM"]
        bars.append(signed(limit(record.x), "arbitrary unit"))
    expected = contact_sheet(pictures, 2 if guided else 3, labels, tile=60, gap=12, bars=bars,
                             blocks=[False, False, True, False][:len(pictures)])
    expected = caption(expected, record.caption)
    np.testing.assert_array_equal(heatmaps.gradcam(record, 60), expected)


def test_gradcam_without_evidence_shows_the_photo_in_plain_grey_and_says_so():
    record = vis.gradcam(NETWORK, PHOTO, 3)
    nothing = replace(record, raw=-np.abs(record.raw), map=np.zeros_like(record.map))
    sheet, high = heatmaps.gradcam(nothing, tile=60), np.abs(record.raw).max()
    pictures = [record.photo, np.rint(GREY).astype(np.uint8),
                display.signed_to_uint8(nothing.raw)]
    labels = ["photo", "no positive evidence", "raw map, zero is grey"]
    bars = [None, ColourBar(0, high, "units of the score", "inferno"),
            signed(high, "units of the score")]
    expected = contact_sheet(pictures, 3, labels, tile=60, gap=12, bars=bars,
                             blocks=[False, False, True])
    np.testing.assert_array_equal(sheet, caption(expected, record.caption))


def swept(**more):
    return vis.occlusion(NETWORK, PHOTO, 1, square=6, stride=4, **more)


def contested():
    """Another class wins at the first place."""
    record = swept()
    winner = record.winner.copy()
    winner[0, 0] = other = (winner[0, 0] + 1) % 4
    return replace(record, winner=winner, names=record.names | {int(other): "another"})


def tiles(record):
    """The four pictures of its sheet with tiles of 60: (4, 48, 60, 3)."""
    sheet = heatmaps.occlusion(record, 60)
    below = len(strip(ColourBar(0, 1, "sum over the map"), 60)) + 4 + 16 + 6 + 12  # bar, label, gap
    return np.stack([sheet[y:y + 48, x:x + 60] for y in (8, 8 + 48 + below) for x in (8, 8 + 72)])


def test_occlusion_shows_the_worst_square_and_three_maps():
    record = contested()
    example, activation, probability, winner = tiles(record)
    np.testing.assert_array_equal(example, images.resize(record.example, (48, 60), "lanczos"))
    for shown, values in ((activation, record.activation), (probability, record.probability)):
        heat = per_pixel(values, record.tops, record.lefts, 6, (16, 20))
        lowest, highest = display.coloured(np.array([0, 255], np.uint8))
        assert (shown[1::3, 1::3][heat == heat.min()] == lowest).all()
        assert (shown[1::3, 1::3][heat == heat.max()] == highest).all()
    assert len(np.unique(winner.reshape(-1, 3), axis=0)) == len(record.names)


def test_the_bars_say_what_the_colours_of_occlusion_are(monkeypatch):
    record, bars = contested(), []
    monkeypatch.setattr(heatmaps, "contact_sheet", lambda *pictures, **more: (
        bars.append(more.get("bars")) or contact_sheet(*pictures, **more)))
    heatmaps.occlusion(record, 60)
    total, p = (per_pixel(values, record.tops, record.lefts, 6, (16, 20))
                for values in (record.activation, record.probability))
    assert bars[0] == [None, ColourBar(total.min(), total.max(), "sum over the map"),
                       ColourBar(p.min(), p.max()), None]


def test_each_class_has_a_colour_and_a_name_the_most_frequent_first():
    winner = np.array([[3, 3, 3, 3, 3], [1, 1, 1, 1, 3], [1, 0, 0, 3, 3], [3, 3, 3, 3, 3]])
    record = replace(swept(), winner=winner, names={0: "zero", 1: "one", 3: "three"})
    colours = display.coloured(np.arange(3, dtype=np.uint8), "tab10")
    shown = tiles(record)[3][1::3, 1::3]
    np.testing.assert_array_equal(shown[0, 0], colours[0])  # three: 13 of 20
    np.testing.assert_array_equal(shown[6, 2], colours[1])  # one: 5 of 20
    np.testing.assert_array_equal(shown[10, 9], colours[2])
    sheet = heatmaps.occlusion(record, 60)
    for colour in colours:  # each has its swatch
        assert (sheet == colour).all(axis=2).sum() >= 12 * heatmaps.SWATCH
    other = heatmaps.occlusion(replace(record, names={0: "zero", 1: "uno", 3: "three"}), 60)
    assert not np.array_equal(other, sheet)  # the names are on it


def test_more_classes_than_colours_share_a_grey():
    winner = np.arange(20).reshape(4, 5)
    record = replace(swept(), winner=winner, names={k: f"class {k}" for k in range(20)})
    shown = tiles(record)[3]
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) == 7
    assert (shown == 127).all(axis=2).any()


def test_a_class_that_always_wins_is_a_sentence_and_no_map(monkeypatch):
    record, told = swept(), []
    monkeypatch.setattr(heatmaps, "caption", lambda sheet, words, size: told.append((sheet, words)))
    heatmaps.occlusion(record, 60)
    (sheet, words), name = told[0], record.names[record.winner[0, 0]]
    assert (record.winner == record.winner[0, 0]).all()
    assert words == f"{record.caption} Wherever the square is, the likeliest class stays {name}."
    assert sheet.shape[1] == 3 * (60 + 12) + 4  # three tiles of 60 in a row


def test_what_was_not_done_is_blank():
    record = contested()
    undone = np.s_[2:]
    probability, activation, winner = (getattr(record, name).copy()
                                       for name in ("probability", "activation", "winner"))
    probability[undone], activation[undone], winner[undone] = np.nan, np.nan, -1
    record = replace(record, probability=probability, activation=activation, winner=winner)
    for shown in tiles(record)[1:]:
        assert (shown[30:] == 255).all()
        assert (shown[:24] != 255).any(axis=2).all()
