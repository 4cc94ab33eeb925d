"""Heat maps on their photo: what is hot, what is left alone, what the sheets hold."""

from dataclasses import replace

import numpy as np
import pytest
import small

from minicnn import vis
from minicnn.images import display
from minicnn.report import heatmaps
from minicnn.report.contact_sheet import caption, contact_sheet
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

def test_saliency():
    record = vis.saliency(NETWORK, PHOTO, 1, "guided")
    expected = contact_sheet([record.photo, record.image, record.signed], 3, tile=60,
                             labels=["photo", "guided, magnitude", "signed, zero is grey"])
    np.testing.assert_array_equal(heatmaps.saliency(record, 60), caption(expected, record.caption))


@pytest.mark.parametrize("guided", [False, True])
def test_gradcam(guided):
    record = vis.gradcam(NETWORK, PHOTO, 3, guided=guided)
    record = replace(record, raw=-3 * record.raw)  # as if more spoke against the class than for it
    lit = heatmaps.overlay(record.photo, record.map, np.abs(record.raw).max())
    pictures = [record.photo, lit, display.signed_to_uint8(record.raw)]
    labels = ["photo", "evidence", "raw map, zero is grey"]
    if guided:
        pictures, labels = [*pictures, record.signed], [*labels, "guided Grad-CAM"]
    expected = caption(contact_sheet(pictures, len(pictures), labels, tile=60), record.caption)
    np.testing.assert_array_equal(heatmaps.gradcam(record, 60), expected)


def test_gradcam_without_evidence_shows_the_photo_in_plain_grey_and_says_so():
    record = vis.gradcam(NETWORK, PHOTO, 3)
    nothing = replace(record, raw=-np.abs(record.raw), map=np.zeros_like(record.map))
    sheet = heatmaps.gradcam(nothing, tile=60)
    shown = sheet[8:8 + 48, 8 + 62:8 + 122]  # the second tile, each pixel 3 x 3
    np.testing.assert_allclose(shown[1::3, 1::3], GREY, atol=0.51)  # rounding
    pictures = [record.photo, np.rint(GREY).astype(np.uint8),
                display.signed_to_uint8(nothing.raw)]
    labels = ["photo", "no positive evidence", "raw map, zero is grey"]
    np.testing.assert_array_equal(sheet, caption(contact_sheet(pictures, 3, labels, tile=60),
                                                 record.caption))


def swept(**more):
    return vis.occlusion(NETWORK, PHOTO, 1, square=6, stride=4, **more)


def tiles(sheet):
    """The four pictures of an occlusion sheet with tiles of 60: (4, 48, 60, 3)."""
    return np.stack([sheet[8:8 + 48, 8 + k * 62:8 + k * 62 + 60] for k in range(4)])


def test_occlusion_shows_the_worst_square_and_three_maps():
    record = swept()
    example, activation, probability, winner = tiles(heatmaps.occlusion(record, 60))
    np.testing.assert_array_equal(example[1::3, 1::3], record.example)
    for shown, values in ((activation, record.activation), (probability, record.probability)):
        heat = per_pixel(values, record.tops, record.lefts, 6, (16, 20))
        lowest, highest = display.coloured(np.array([0, 255], np.uint8))
        assert (shown[1::3, 1::3][heat == heat.min()] == lowest).all()
        assert (shown[1::3, 1::3][heat == heat.max()] == highest).all()
    assert len(np.unique(winner.reshape(-1, 3), axis=0)) == len(record.names)


def test_the_labels_say_what_the_numbers_of_occlusion_are(monkeypatch):
    record, sheets = swept(), []
    monkeypatch.setattr(heatmaps, "contact_sheet", lambda pictures, columns, labels, **more: (
        sheets.append(labels) or contact_sheet(pictures, columns, labels, **more)))
    heatmaps.occlusion(record, 60)
    total, p = (f"{m.min():.4g} .. {m.max():.4g}" for m in (record.activation, record.probability))
    assert sheets[0] == ["most damaging square", f"total activation {total}", f"probability {p}",
                         "likeliest class"]


def test_each_class_has_a_colour_and_a_name_the_most_frequent_first():
    winner = np.array([[3, 3, 3, 3, 3], [1, 1, 1, 1, 3], [1, 0, 0, 3, 3], [3, 3, 3, 3, 3]])
    record = replace(swept(), winner=winner, names={0: "zero", 1: "one", 3: "three"})
    colours = display.coloured(np.arange(3, dtype=np.uint8), "tab10")
    shown = tiles(heatmaps.occlusion(record, 60))[3][1::3, 1::3]
    np.testing.assert_array_equal(shown[0, 0], colours[0])  # three: 13 of 20
    np.testing.assert_array_equal(shown[6, 2], colours[1])  # one: 5 of 20
    np.testing.assert_array_equal(shown[10, 9], colours[2])
    sheet = heatmaps.occlusion(record, 60)
    below = sheet[8 + 48 + 20:]
    for colour in colours:  # each has its swatch
        assert (below == colour).all(axis=2).sum() >= 12 * 40
    other = heatmaps.occlusion(replace(record, names={0: "zero", 1: "uno", 3: "three"}), 60)
    assert not np.array_equal(other, sheet)  # the names are on it


def test_more_classes_than_colours_share_a_grey():
    winner = np.arange(20).reshape(4, 5)
    record = replace(swept(), winner=winner, names={k: f"class {k}" for k in range(20)})
    shown = tiles(heatmaps.occlusion(record, 60))[3]
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) == 7
    assert (shown == 127).all(axis=2).any()


def test_what_was_not_done_is_blank():
    record = swept()
    undone = np.s_[2:]
    probability, activation, winner = (getattr(record, name).copy()
                                       for name in ("probability", "activation", "winner"))
    probability[undone], activation[undone], winner[undone] = np.nan, np.nan, -1
    record = replace(record, probability=probability, activation=activation, winner=winner)
    for shown in tiles(heatmaps.occlusion(record, 60))[1:]:
        assert (shown[30:] == 255).all()
        assert (shown[:24] != 255).any(axis=2).all()
