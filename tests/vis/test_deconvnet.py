"""The deconvnet: rules, seeds, records, and what is refused.

That its numbers are the paper's is shown in test_deconvnet_literal.py, the way down layer by layer
in test_deconvnet_stages.py.
"""

import nets
import numpy as np
import pytest
import small

from minicnn import images, vis
from minicnn.network import LayerNameError, Network
from minicnn.network.layers import Conv, ReLU
from minicnn.ops import lrn, relu
from minicnn.vis.deconvnet import core, limit, region, signed_picture

NETWORK, PHOTO = small.network(), small.photo()
EXACT = small.network(dtype=np.float64)  # the same weights


# ---- the other rules, and what the way down leaves alone

@pytest.mark.parametrize("relu_rule", relu.RULES)
@pytest.mark.parametrize("lrn_rule", lrn.RULES)
def test_a_rule_is_that_of_run_backward(relu_rule, lrn_rule):
    record = vis.deconvnet(NETWORK, PHOTO, "relu2", 1, (1, 2), relu=relu_rule, lrn=lrn_rule)
    run = NETWORK.forward(NETWORK.prepare(PHOTO), to="relu2")
    seed = np.zeros_like(run["relu2"])
    seed[0, 1, 2, 1] = run["relu2"][0, 1, 2, 1]
    np.testing.assert_array_equal(record.x, run.backward({"relu2": seed}, relu_rule, lrn_rule))


def test_the_gradient_rule_is_the_unit_times_its_slope():
    """A unit's activation times its derivative: central differences of half its square."""
    x = EXACT.prepare(PHOTO).astype(np.float64)

    def energy(x):
        return float(EXACT.forward(x, to="relu2").output[0, 1, 2, 1]) ** 2 / 2

    direction, h = nets.like(x), 1e-6
    slope = (energy(x + h * direction) - energy(x - h * direction)) / (2 * h)
    projection = vis.deconvnet(NETWORK, PHOTO, "relu2", 1, (1, 2), relu="gradient").x
    assert slope != 0
    assert float((projection * direction).sum()) == pytest.approx(slope, rel=1e-4)  # float32


def test_biases_play_no_part_on_the_way_down():
    """One convolution and a ReLU: the projection is the kernel, times the unit's activation."""
    network = nets.trained(Network("one", [("conv", Conv(2, 3)), ("relu", ReLU())], (7, 8, 3),
                                   NETWORK.preprocessing), dtype=np.float32)
    network.params["conv"]["b"][:] = 100
    record = vis.deconvnet(network, PHOTO, "relu", 1, (2, 3), size="keep")
    value = network.forward(network.prepare(PHOTO, "keep")).output[0, 2, 3, 1]
    np.testing.assert_allclose(record.x[0, 2:5, 3:6], value * network.params["conv"]["w"][..., 1],
                               rtol=1e-6)  # float32
    assert value > 50


def receptive_field(position):
    """Rows and columns of the image that a unit of relu2 can see, from the layers' settings."""
    spans = []
    for p, size in zip(position, (16, 20), strict=True):
        low, high = p, p  # conv2 3/2, then 3x3 around (a pooling too), pool1 3/2, conv1 pad 1
        for stride, pad, kernel in [(2, 0, 3), (1, 1, 3), (2, 0, 3), (1, 1, 3)]:
            low, high = low * stride - pad, high * stride - pad + kernel - 1
        spans.append(slice(max(low, 0), min(high, size - 1) + 1))
    return tuple(spans)


@pytest.mark.parametrize("position", [(0, 0), (1, 2), (2, 3)])
@pytest.mark.parametrize("rule", relu.RULES)
def test_only_pixels_in_the_receptive_field_are_not_zero(position, rule):
    run = NETWORK.forward(NETWORK.prepare(PHOTO), to="relu2")
    channel = int(run["relu2"][0][position].argmax())
    x = vis.deconvnet(NETWORK, PHOTO, "relu2", channel, position, relu=rule).x[0]
    rows, columns = receptive_field(position)
    assert x[rows, columns].any()
    x[rows, columns] = 0
    assert not x.any()


# ---- a whole feature map

def test_all_positions_keep_one_map_as_it_is_and_set_the_others_to_zero():
    run = NETWORK.forward(NETWORK.prepare(PHOTO), to="relu2")
    seed = np.zeros_like(run["relu2"])
    seed[..., 3] = run["relu2"][..., 3]
    record = vis.deconvnet(NETWORK, PHOTO, "relu2", 3, "all", lrn="scale")
    np.testing.assert_array_equal(record.x, run.backward({"relu2": seed}, "deconvnet", "scale"))
    assert record.settings["position"] == "all"
    assert record.caption == (f"small relu2 channel 3, all positions: largest activation "
                              f"{seed.max():.4g}, rule deconvnet, LRN scale")


def test_by_the_gradient_a_whole_map_is_the_sum_of_its_units():
    record = vis.deconvnet(EXACT, PHOTO, "relu2", 1, "all", relu="gradient")
    units = [vis.deconvnet(EXACT, PHOTO, "relu2", 1, position, relu="gradient").x
             for position in np.ndindex(3, 4)]
    assert units[0].any() and units[-1].any()
    np.testing.assert_allclose(record.x, sum(units), rtol=0, atol=1e-12 * np.abs(units).max())


def test_before_its_relu_a_map_keeps_its_negative_values():
    maps = EXACT.forward(EXACT.prepare(PHOTO), to="conv2").output
    channel = next(c for c in range(5) if maps[..., c].max() > 0 > maps[..., c].min())
    whole = vis.deconvnet(EXACT, PHOTO, "conv2", channel, "all", relu="gradient").x
    positive = sum(vis.deconvnet(EXACT, PHOTO, "conv2", channel, place, relu="gradient").x
                   for place in np.ndindex(3, 4) if maps[(0, *place, channel)] > 0)
    assert np.abs(whole - positive).max() > 0.01 * np.abs(whole).max()


def test_all_positions_of_a_dense_layer_s_channel_are_its_one_unit():
    whole, unit = (vis.deconvnet(NETWORK, PHOTO, "fc", 1, p) for p in ("all", None))
    np.testing.assert_array_equal(whole.x, unit.x)


# ---- what comes back

def test_the_record():
    record = vis.deconvnet(NETWORK, PHOTO, "relu2", 1)
    activation = NETWORK.forward(NETWORK.prepare(PHOTO))["relu2"]
    position = record.settings["position"]
    assert activation[0][position][1] == activation[..., 1].max()
    assert f"relu2 channel 1 at {position}" in record.caption and "rule deconvnet" in record.caption
    assert record.image.shape == (16, 20, 3) and record.image.dtype == np.uint8
    assert record.trace is None and not record.interrupted


def test_the_caption_names_the_rule_at_lrn_only_where_there_is_one():
    record = vis.deconvnet(NETWORK, PHOTO, "relu2", 1, (1, 2), lrn="through")
    value = NETWORK.forward(NETWORK.prepare(PHOTO))["relu2"][0, 1, 2, 1]
    assert record.caption == (f"small relu2 channel 1 at (1, 2): activation {value:.4g}, "
                              "rule deconvnet, LRN through")
    assert vis.deconvnet(NETWORK, PHOTO, "relu1", lrn="through").caption.endswith("rule deconvnet")


def test_the_picture_is_red_first_with_zero_as_grey():
    """The network is BGR: the picture's planes are the projection's in reverse."""
    record = vis.deconvnet(NETWORK, PHOTO, "relu2", 1)
    flipped = record.x[0, ..., ::-1]
    assert (record.image[flipped == 0] == 128).all()
    assert (record.image[flipped > 0] >= 128).all() and (record.image[flipped < 0] <= 128).all()
    assert record.image.max() > 200 or record.image.min() < 56  # the strongest are near full


def test_a_photo_and_the_network_stay_as_they_were():
    photo, before = PHOTO.copy(), {k: v.copy() for k, v in nets.parameters(NETWORK).items()}
    vis.deconvnet(NETWORK, photo, "relu2", 1)
    np.testing.assert_array_equal(photo, PHOTO)
    for place, value in nets.parameters(NETWORK).items():
        np.testing.assert_array_equal(value, before[place])


def test_a_photo_file_gives_the_same_as_its_pixels(tmp_path):
    images.save(tmp_path / "p.png", PHOTO)
    records = [vis.deconvnet(NETWORK, p, "relu2", 1) for p in (PHOTO, tmp_path / "p.png")]
    np.testing.assert_array_equal(records[0].x, records[1].x)


def test_several_units_after_one_pass_up(monkeypatch):
    run = NETWORK.forward(NETWORK.prepare(PHOTO), to=["relu1", "relu2"], keep=())
    expected = {layer: vis.deconvnet(NETWORK, PHOTO, layer, 1, lrn="scale")
                for layer in ("relu1", "relu2")}
    monkeypatch.setattr(Network, "forward", None)
    for layer, record in expected.items():
        again = vis.deconvnet(NETWORK, run, layer, 1, lrn="scale")
        assert nets.same(again.x, record.x) and nets.same(again.photo, record.photo)
        assert again.caption == record.caption and again.settings == record.settings


def test_the_way_down_can_be_watched():
    stages = []
    record = vis.deconvnet(NETWORK, PHOTO, "relu2", 1, watch=stages.append)
    assert stages[0].operation == "all others to zero" and nets.same(stages[-1].array, record.x)


# ---- helpers

def test_region_is_the_rectangle_of_what_is_not_faint():
    x = np.zeros((1, 6, 7, 3))
    assert region(x) == (0, 6, 0, 7)  # nothing there: the whole picture
    x[0, 2, 5, 1], x[0, 4, 3, 0], x[0, 5, 6, 2] = -0.1, 1, 1e-9
    assert region(x) == (2, 5, 3, 6)
    assert region(x, share=0) == (2, 6, 3, 7)
    assert region(x, share=0.5) == (4, 5, 3, 4)


# ---- what is refused

@pytest.mark.parametrize("layer, channel, position, words", [
    ("relu3", 0, None, "small has no layer 'relu3'; near it: .*relu2"),
    ("relu2", 5, None, "relu2 has 5 channels, counted from 0; there is no 5"),
    ("relu2", -1, (0, 0), "relu2 has 5 channels, counted from 0; there is no -1"),
    ("relu2", 0, (3, 0), r"relu2 has 3x4 positions, counted from 0; there is no \(3, 0\)"),
    ("relu2", 0, (0, -1), r"relu2 has 3x4 positions, .* no \(0, -1\)"),
    ("relu2", 0, (1,), r"relu2 has 3x4 positions"),
    ("relu2", 0, (1.0, 2), r"relu2 has 3x4 positions"),
    ("relu2", 0, "every", r"position must be \(row, column\) or 'all', got 'every'"),
    ("relu2", 0, 3, r"position must be \(row, column\) or 'all', got 3"),
    ("relu2", "fox", None, r"relu2 has 5 channels, counted from 0; there is no fox"),
    ("relu2", 1.5, "all", r"relu2 has 5 channels, counted from 0; there is no 1.5"),
    ("fc", 4, "all", r"fc has 4 channels, counted from 0; there is no 4"),
    ("fc", 0, (0, 0), r"fc has no positions")])
def test_a_unit_that_is_not_there(layer, channel, position, words):
    with pytest.raises(ValueError, match=words):
        vis.deconvnet(NETWORK, PHOTO, layer, channel, position)


@pytest.mark.parametrize("position", [None, (0, 0), "all"])
def test_a_run_of_several_photos(position):
    run = NETWORK.forward(np.repeat(NETWORK.prepare(PHOTO), 2, axis=0), to="relu2")
    with pytest.raises(ValueError, match="one photo; this run has 2. Run forward on one of them"):
        vis.deconvnet(NETWORK, run, "relu2", 1, position)


def test_a_wrong_layer_is_a_layer_name_error():
    with pytest.raises(LayerNameError):
        vis.deconvnet(NETWORK, PHOTO, "nowhere", 0)


def test_a_silent_unit_is_named():
    network = small.network()
    network.params["conv2"]["b"][3] = -1e3
    with pytest.raises(ValueError, match="channel 3 of relu2 is silent there .*; choose another"):
        vis.deconvnet(network, PHOTO, "relu2", 3)
    with pytest.raises(ValueError, match="channel 3 of relu2 is silent everywhere .*; choose"):
        vis.deconvnet(network, PHOTO, "relu2", 3, "all")


@pytest.mark.parametrize("rules", [{"relu": "leaky"}, {"lrn": "skip"}])
def test_an_unknown_rule_is_named(rules):
    with pytest.raises(ValueError, match="(relu|lrn) must be one of .*, .* '(leaky|skip)'"):
        vis.deconvnet(NETWORK, PHOTO, "relu2", 1, **rules)


@pytest.mark.parametrize("layer", ["relu2", "mix", "fc"])
def test_the_most_active_channel_is_taken_where_none_is_given(layer):
    activation = NETWORK.forward(NETWORK.prepare(PHOTO), to=layer).output[0]
    channel = int(activation.reshape(-1, activation.shape[-1]).max(axis=0).argmax())
    record = vis.deconvnet(NETWORK, PHOTO, layer)
    assert record.settings["channel"] == channel
    np.testing.assert_array_equal(record.x, vis.deconvnet(NETWORK, PHOTO, layer, channel).x)


def test_the_core_holds_nine_tenths_of_the_energy():
    """One number of 3 and a ring of 1s, 2 away: 9 of 9 + 8 is not enough, the ring is."""
    x = np.zeros((1, 11, 13, 2))
    x[0, 5, 7, 1], x[0, 3:8:2, 5:10:2, 0] = 3, 1
    x[0, 5, 7, 0] = 0
    assert core(x) == (5, 7, 2) and core(x, share=0.5) == (5, 7, 0)
    x[0, 0, 0] = 0.5  # a faint corner moves neither
    assert core(x) == (5, 7, 2)
    for row, column in ((0, 12), (10, 0)):
        one = np.zeros((1, 11, 13, 1))
        one[0, row, column] = -2
        assert core(one) == (row, column, 0)
    assert core(np.zeros((1, 11, 13, 1))) == (5, 6, 6)


def test_signed_pictures_are_red_first_with_zero_as_grey():
    x = np.zeros((1, 4, 5, 3))
    x[0, 1, 2, 0], x[0, 3, 4, 2] = 2, -2  # the network is BGR: blue up, red down
    picture = signed_picture(x, NETWORK.preprocessing)
    np.testing.assert_array_equal(picture[1, 2], [128, 128, 255])
    np.testing.assert_array_equal(picture[3, 4], [1, 128, 128])
    assert (picture == 128).sum() == 4 * 5 * 3 - 2
    assert (signed_picture(np.zeros_like(x), NETWORK.preprocessing) == 128).all()


def test_the_limit_leaves_two_in_a_thousand_beyond():
    x = np.concatenate([np.zeros(500), np.arange(1, 1001), [-1e9]])
    assert 990 < limit(x) < 1001 and limit(np.zeros(3)) == 0
