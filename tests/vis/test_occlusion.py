"""Occlusion against one photo at a time with a square painted into its pixels."""

import nets
import numpy as np
import pytest
import small

from minicnn import images, vis
from minicnn.foreign.load import load
from minicnn.network import Network
from minicnn.network.layers import Conv, Dense, ReLU, Softmax
from minicnn.vis.occlusion import covered, look, nearest, per_pixel, starts

NETWORK, PHOTO = small.network(), small.photo()
X = NETWORK.prepare(PHOTO)
TOPS, LEFTS = [0, 4, 8, 10], [0, 4, 8, 12, 14]  # squares of 6, 4 apart, on 16 x 20
SWEEP = {"square": 6, "stride": 4}


def painted(top, left, value):
    photo = PHOTO.copy()
    photo[top:top + 6, left:left + 6] = value
    return photo


# ---- the three maps

@pytest.mark.parametrize("value", [128, 0, (10, 200, 30)])
@pytest.mark.parametrize("batch", [1, 7, 100])
def test_each_place_is_the_photo_with_a_square_painted_on(value, batch):
    """One at a time, each in a fresh copy: no square stays behind, colours are red first."""
    record = vis.occlusion(NETWORK, PHOTO, 1, value=value, batch=batch, **SWEEP)
    np.testing.assert_array_equal(record.tops, TOPS)
    np.testing.assert_array_equal(record.lefts, LEFTS)
    channel = record.settings["channel"]
    for i, top in enumerate(TOPS):
        for j, left in enumerate(LEFTS):
            run = NETWORK.forward(NETWORK.prepare(painted(top, left, value)))
            p = run.output[0]
            assert record.probability[i, j] == pytest.approx(p[1], rel=1e-5)  # float32
            assert record.activation[i, j] == pytest.approx(run["relu2"][0, ..., channel].sum(),
                                                            rel=1e-5)
            assert record.winner[i, j] == p.argmax()


def test_the_square_is_the_mean_colour_where_none_is_given():
    """That is zero after the preprocessing; (120, 110, 100) in the photo, red first."""
    expected = vis.occlusion(NETWORK, PHOTO, 1, value=(120, 110, 100), **SWEEP)
    record = vis.occlusion(NETWORK, PHOTO, 1, **SWEEP)
    np.testing.assert_allclose(record.probability, expected.probability, rtol=1e-5)
    assert "square of the mean colour" in record.caption
    assert "square of colour (120, 110, 100)" in expected.caption


def test_the_photo_without_a_square():
    record = vis.occlusion(NETWORK, PHOTO, 1, **SWEEP)
    run = NETWORK.forward(X)
    probability, activation, winner = record.whole
    assert probability == pytest.approx(run.output[0, 1], rel=1e-5)
    assert winner == run.output.argmax()
    totals = run["relu2"][0].sum(axis=(0, 1))
    assert record.settings["channel"] == totals.argmax()  # the map that responds most
    assert activation == pytest.approx(totals.max(), rel=1e-5)


@pytest.mark.parametrize("layer, channel", [("mix", 4), ("relu1", 0), ("mix/relu_3x3", 2)])
def test_any_feature_map_can_be_watched(layer, channel):
    record = vis.occlusion(NETWORK, PHOTO, 1, layer, channel, value=9, **SWEEP)
    run = NETWORK.forward(NETWORK.prepare(painted(8, 14, 9)), to=layer)
    assert record.activation[2, 4] == pytest.approx(run.output[0, ..., channel].sum(), rel=1e-5)
    assert f"{layer} channel {channel}: total activation " in record.caption


def test_the_probability_changes_only_where_the_one_pixel_that_counts_is_covered():
    """Rows are rows and columns are columns, and no border is left out."""
    for row, column in [(0, 0), (3, 17), (15, 19), (12, 2)]:
        network = Network("pixel", [("conv", Conv(3, 1)), ("fc", Dense(2)), ("prob", Softmax())],
                          (16, 20, 3), NETWORK.preprocessing)
        w = np.zeros((16, 20, 3, 2), np.float32)
        w[row, column, :, 0] = 3
        network.params["conv"] = {"w": np.eye(3, dtype=np.float32)[None, None],
                                  "b": np.zeros(3, np.float32)}
        network.params["fc"] = {"w": w.reshape(-1, 2), "b": np.zeros(2, np.float32)}
        photo = np.full((16, 20, 3), 200, np.uint8)
        record = vis.occlusion(network, photo, 0, **SWEEP)
        for i, top in enumerate(TOPS):
            for j, left in enumerate(LEFTS):
                hit = 0 <= row - top < 6 and 0 <= column - left < 6
                assert (record.probability[i, j] < 0.6) == hit
        dark = record.image[..., 0] < 0.6 * 255
        assert dark[row, column] and not dark[(row + 8) % 16].any()


def test_probabilities_at_several_positions_are_averaged():
    network = nets.trained(Network("wide", [("conv", Conv(3, 3)), ("prob", Softmax())], (6, 7, 3)))
    x = nets.images(2, (6, 7, 3))
    run = network.forward(x)
    p, totals = look(network, x, "conv")
    np.testing.assert_allclose(p, run["prob"].mean(axis=(1, 2)), rtol=1e-12)
    np.testing.assert_allclose(totals, run["conv"].sum(axis=(1, 2)), rtol=1e-12)


# ---- where the squares are

@pytest.mark.parametrize("side, square, stride, expected", [
    (16, 6, 4, TOPS), (20, 6, 4, LEFTS), (20, 20, 5, [0]), (10, 4, 3, [0, 3, 6]),
    (11, 4, 3, [0, 3, 6, 7]), (5, 1, 1, [0, 1, 2, 3, 4]), (6, 5, 5, [0, 1])])
def test_squares_lie_inside_and_the_last_is_flush(side, square, stride, expected):
    found = starts(side, square, stride)
    assert found.tolist() == expected
    assert set(range(side)) == {p for start in found for p in range(start, start + square)}


def test_a_square_and_a_stride_of_their_own():
    record = vis.occlusion(NETWORK, PHOTO, 1)
    assert record.settings["square"] == 4 and record.settings["stride"] == 1  # 16 // 4, 4 // 4
    assert record.probability.shape == (13, 17)


def test_covered_copies():
    x, patch = nets.images(1, (5, 6, 3)), nets.images(1, (5, 6, 3), seed=8)
    before = x.copy()
    copies = covered(x, patch, [(0, 1), (3, 4)], 2)
    for copy, (top, left) in zip(copies, [(0, 1), (3, 4)], strict=True):
        expected = x[0].copy()
        expected[top:top + 2, left:left + 2] = patch[0, top:top + 2, left:left + 2]
        np.testing.assert_array_equal(copy, expected)
    np.testing.assert_array_equal(x, before)


# ---- maps for the eye

def test_per_pixel_is_the_mean_over_the_squares_that_cover_it():
    values = nets.images(1, (4, 5, 1))[0, :, :, 0]
    values[1, 2] = np.nan
    found = per_pixel(values, np.array(TOPS), np.array(LEFTS), 6, (16, 20))
    for row, column in np.ndindex(16, 20):
        over = [values[i, j] for i, top in enumerate(TOPS) for j, left in enumerate(LEFTS)
                if top <= row < top + 6 and left <= column < left + 6]
        assert over
        known = [v for v in over if not np.isnan(v)]
        if known:
            assert found[row, column] == pytest.approx(np.mean(known))
        else:
            assert np.isnan(found[row, column])


def test_per_pixel_is_nan_where_nothing_is_known():
    values = np.full((4, 5), np.nan)
    values[0] = 2
    found = per_pixel(values, np.array(TOPS), np.array(LEFTS), 6, (16, 20))
    assert (found[:6] == 2).all() and np.isnan(found[6:]).all()


def test_nearest_is_the_square_whose_middle_is_nearest():
    values = np.arange(20).reshape(4, 5)
    found = nearest(values, np.array(TOPS), np.array(LEFTS), 6, (16, 20))
    for row, column in np.ndindex(16, 20):
        i = min(range(4), key=lambda i: abs(TOPS[i] + 3 - row - 0.5))
        j = min(range(5), key=lambda j: abs(LEFTS[j] + 3 - column - 0.5))
        assert found[row, column] == values[i, j]


# ---- what comes back

def test_the_record():
    record = vis.occlusion(NETWORK, PHOTO, "tree frog", **SWEEP)
    least, most = record.probability.min(), record.probability.max()
    i, j = np.unravel_index(record.probability.argmin(), (4, 5))
    settings, (probability, activation, _) = record.settings, record.whole
    ends = {one.name: f"{one.bar.low:.4g} to {one.bar.high:.4g}" for one in record.views()[1:]}
    assert record.caption == (
        f"small fc 2 (tree frog): probability {probability:.4g}; with a 6x6 square of the mean "
        f"colour, moved in steps of 4 pixels: {least:.4g} to {most:.4g}, lowest with the "
        f"square's top left at ({TOPS[i]}, {LEFTS[j]}). relu2 channel {settings['channel']}: total "
        f"activation {activation:.4g}; with the square {record.activation.min():.4g} to "
        f"{record.activation.max():.4g}. Each pixel: mean over the squares on it, "
        f"{ends['probability']}; {ends['activation']}")
    expected = per_pixel(record.probability, record.tops, record.lefts, 6, (16, 20))
    np.testing.assert_allclose(record.image[..., 1], 255 * expected, atol=0.51)  # rounding
    assert record.winner.dtype.kind == "i" and not record.interrupted
    assert record.names == {k: NETWORK.labels[k].partition(",")[0]
                            for k in np.unique(record.winner)}
    np.testing.assert_array_equal(record.photo, NETWORK.restore(X)[0])
    np.testing.assert_array_equal(record.example, painted(TOPS[i], LEFTS[j], (120, 110, 100)))
    again = vis.occlusion(NETWORK, PHOTO, **record.settings)
    np.testing.assert_array_equal(again.probability, record.probability)
    assert "\n" not in repr(record) and len(repr(record)) < 350


def test_the_likeliest_class_where_none_is_given():
    assert vis.occlusion(NETWORK, PHOTO, **SWEEP).settings["target"] == NETWORK.probabilities(
        X).argmax()


def test_photo_and_network_stay_as_they_were():
    photo, before = PHOTO.copy(), {k: v.copy() for k, v in nets.parameters(NETWORK).items()}
    vis.occlusion(NETWORK, photo, 1, **SWEEP)
    np.testing.assert_array_equal(photo, PHOTO)
    for place, value in nets.parameters(NETWORK).items():
        np.testing.assert_array_equal(value, before[place])


@pytest.mark.parametrize("name", ["googlenet_bvlc", "squeezenet11"])
def test_espresso_is_in_the_cup(shared_data, name):
    """A box drawn by hand around the cup; the photo is squeezed into the network's square."""
    network = load(shared_data / "weights" / f"{name}.h5")
    side = network.input_shape[0]
    photo = images.load(shared_data / "photos" / "coffee.png")
    box = np.zeros_like(photo)
    box[18:285, 170:425] = 255
    cup = images.resize(box, (side, side))[..., 0] > 127
    record = vis.occlusion(network, images.resize(photo, (side, side)), "espresso", square=56,
                           stride=42, size="keep")
    place = record.tops, record.lefts, 56, (side, side)
    for values in (record.probability, record.activation):
        heat = per_pixel(values, *place)
        spread = heat.max() - heat.min()
        assert heat[cup].mean() < heat[~cup].mean() - 0.2 * spread
        i, j = np.unravel_index(values.argmin(), values.shape)
        assert cup[record.tops[i] + 28, record.lefts[j] + 28]  # the middle of the worst square


# ---- Ctrl-C

def interrupted_at(call, monkeypatch):
    calls = []
    plain = vis.occlusion.look

    def pressed(*arguments):
        calls.append(1)
        if len(calls) == call:
            raise KeyboardInterrupt
        return plain(*arguments)

    monkeypatch.setattr(vis.occlusion, "look", pressed)


def test_interrupted_keeps_the_squares_so_far(monkeypatch):
    whole = vis.occlusion(NETWORK, PHOTO, 1, batch=3, **SWEEP)
    interrupted_at(4, monkeypatch)  # the photo itself, two batches, and then
    record = vis.occlusion(NETWORK, PHOTO, 1, batch=3, **SWEEP)
    assert record.interrupted
    for name in ("probability", "activation"):
        found, expected = getattr(record, name).ravel(), getattr(whole, name).ravel()
        np.testing.assert_array_equal(found[:6], expected[:6])
        assert np.isnan(found[6:]).all()
    np.testing.assert_array_equal(record.winner.ravel()[:6], whole.winner.ravel()[:6])
    assert (record.winner.ravel()[6:] == -1).all() and -1 not in record.names


def test_interrupted_with_nothing_to_show(monkeypatch):
    interrupted_at(2, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        vis.occlusion(NETWORK, PHOTO, 1, **SWEEP)


# ---- what is refused

@pytest.mark.parametrize("settings, words", [
    ({"square": 17}, "a square of 17 does not fit the photo, 16x20 pixels; give a side of 1 to 16"),
    ({"square": 0}, "square must be a whole number of at least 1, got 0"),
    ({"square": 4, "stride": 5}, "a stride of 5 would leave pixels uncovered by squares of 4"),
    ({"stride": 0}, "stride must be a whole number of at least 1, got 0"),
    ({"batch": 0}, "batch must be a whole number of at least 1, got 0"),
    ({"channel": 5}, "relu2 has 5 channels, counted from 0; there is no 5"),
    ({"channel": -1}, "relu2 has 5 channels"), ({"target": 4}, "small has 4 classes"),
    ({"layer": "fc"}, "fc has no feature maps"), ({"layer": "prob"}, "prob comes after the class"),
    ({"value": 256}, r"a colour is a number or \(R, G, B\) in 0..255, got 256")])
def test_what_is_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        vis.occlusion(NETWORK, PHOTO, **settings)


def test_a_network_without_probabilities():
    with pytest.raises(ValueError, match="small ends at layer fc and does not output class prob"):
        vis.occlusion(NETWORK.until("fc"), PHOTO)
    with pytest.raises(ValueError, match="has no layer that computes feature maps"):
        flat = nets.trained(Network("flat", [("fc", Dense(2)), ("relu", ReLU()),
                                             ("prob", Softmax())], (16, 20, 3),
                                    NETWORK.preprocessing))
        vis.occlusion(flat, PHOTO)
