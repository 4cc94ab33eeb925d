"""Maximising: a class ends as that class, and what else the picture depends on."""

import functools

import nets
import numpy as np
import pytest
import small

import minicnn
from minicnn import images, vis
from minicnn.images import Preprocessing
from minicnn.network import LayerNameError, Network
from minicnn.network.layers import Conv, ReLU

NETWORK = small.network()


@functools.cache
def minivgg():
    return minicnn.load("minivgg")


def quick(channel=0, layer="relu2", steps=3, **more):
    return vis.maximize(NETWORK, layer, channel, steps=steps, **more)


# ---- what it is for

@pytest.mark.thorough
@pytest.mark.parametrize("index", [0, 20, 41, 62, 83])
def test_a_class_from_a_zero_image_ends_as_that_class(index, tmp_path):
    """99 %, of the picture as it lies in the file: rounded to 8 bits."""
    network = minivgg()
    record = vis.maximize(network, channel=index, preset="none")
    images.save(tmp_path / "class.png", record.image)
    (label, probability), *_ = network.classify(tmp_path / "class.png", size="keep")
    assert label == network.labels[index] and probability >= 0.99
    assert label in record.caption and f"({probability:.2%})" in record.caption


@pytest.mark.parametrize("preset, least", [(None, 0.9), ("none", 0.99)])
def test_googlenet_s_pelican(shared_data, preset, least):
    """By default as an object; the former default is still there."""
    network = minicnn.load(shared_data / "weights" / "googlenet_bvlc.h5")
    record = vis.maximize(network, channel="pelican", preset=preset, steps=30)
    (label, probability), *_ = network.classify(record.image, size="keep")
    assert label == "pelican" and probability >= least
    assert record.settings["preset"] == (preset or "object")
    assert f"the network sees pelican ({probability:.2%})" in record.caption


def at_mean_colour(layer):
    """What each channel of a layer of minivgg says to the image that maximising starts from."""
    a = minivgg().forward(np.zeros((1, 64, 64, 3), np.float32), to=layer).output
    return a.reshape(-1, a.shape[-1]).max(axis=0)  # 1,H,W,C -> C


@pytest.mark.parametrize("layer", ["conv1_1", "relu2_1", "pool3", "conv4_2", "relu5"])
def test_a_channel_of_any_layer_rises(layer):
    a = at_mean_colour(layer)
    weakest = int(np.where(a > 0, a, np.inf).argmin())  # a strong one may like grey best
    record = vis.maximize(minivgg(), layer, weakest, steps=15)
    assert record.trace[-1] > record.trace[0] and record.trace[-1] > 0


@pytest.mark.parametrize("layer", ["relu1_1", "relu3_2", "relu4_2"])
def test_a_channel_that_a_zero_image_leaves_silent_wakes_up(layer):
    silent = np.flatnonzero(at_mean_colour(layer) == 0)
    assert len(silent)
    record = vis.maximize(minivgg(), layer, int(silent[0]), steps=30)
    assert record.trace[0] == 0 and record.trace[-1] > 0


@pytest.mark.parametrize("layer, channel", [("mix/project", 1), ("norm1", 3), ("mix", 7)])
def test_a_layer_on_one_path_a_normalisation_and_a_join(layer, channel):
    record = quick(channel, layer, steps=10)
    assert record.trace[-1] > record.trace[0]


# ---- which channel

def test_a_class_by_number_and_by_name_is_the_same():
    by_name, by_number = (vis.maximize(NETWORK, target=c, steps=2) for c in ("tree frog", 2))
    np.testing.assert_array_equal(by_name.x, by_number.x)
    assert list(by_name.by_term) == ["tree frog", "log p tree frog"]
    several = vis.maximize(NETWORK, target=[2, 3], steps=1)
    assert list(several[0].by_term) == ["2 classes", "log p 2 classes"]
    assert by_name.settings["channel"] == 2 and "fc class tree frog: score" in by_name.caption
    as_channel = vis.maximize(NETWORK, channel=2, steps=2)  # of the class scores, which it is
    np.testing.assert_array_equal(as_channel.x, by_name.x)


def test_several_classes_and_a_class_at_another_layer():
    records = vis.maximize(NETWORK, target=["frog", 0], steps=1)
    assert [record.settings["channel"] for record in records] == [3, 0]
    with pytest.raises(ValueError, match="target names a class, found at fc; leave layer 'relu2'"):
        vis.maximize(NETWORK, "relu2", target=1)


@pytest.mark.parametrize("name, index", [
    ("grey fox", 1), ("Urocyon", 1), ("RED FOX ", 0), ("frog", 3), ("tree", 2)])
def test_a_whole_name_goes_before_a_part_of_one(name, index):
    assert vis.maximize(NETWORK, target=name, steps=1).settings["channel"] == index


@pytest.mark.parametrize("name, words", [
    ("fox", "several classes are called 'fox': 0 red fox; 1 grey fox, Urocyon"),
    ("tree forg", "has no class 'tree forg'; near it: tree frog"),
    ("zebra", "has no class 'zebra'")])
def test_a_name_of_several_classes_or_of_none(name, words):
    with pytest.raises(ValueError, match=words) as caught:
        vis.maximize(NETWORK, target=name)
    assert "\n" not in str(caught.value)


def test_a_class_name_at_another_layer_is_refused():
    """Class 2's name would otherwise pick channel 2 of whatever layer there is."""
    with pytest.raises(ValueError, match="relu2"):
        quick("tree frog")


@pytest.mark.parametrize("channel", [5, -1])
def test_a_channel_that_is_not_there(channel):
    with pytest.raises(ValueError, match=f"relu2 has 5 channels, .* no {channel}"):
        quick(channel)


@pytest.mark.parametrize("channel", [1.5, None, True, [0, 1.5]])
def test_a_channel_that_is_no_number(channel):
    with pytest.raises(ValueError, match=r"relu2 has 5 channels, .* there is no (1.5|None|True)"):
        quick(channel)


def test_a_layer_that_is_not_there():
    with pytest.raises(LayerNameError, match="no layer 'relu3'; near it: .*relu2"):
        quick(layer="relu3")


# ---- several at once

@pytest.mark.parametrize("layer, channels, more", [
    ("relu2", [4, 0, 1, 3, 2, 1, 0], {"jitter": 2}),  # more than go in one pass
    ("mix/relu_3x3", range(3), {"start": "noise", "l2": 1e-5}),
    ("fc", ["frog", 2], {"sure": 10.0}),
    ("relu2", [1, 3], {"preset": "lucid"}),
    ("relu2", [1, 3], {"preset": "yosinski-4"}),
], ids=str)
def test_each_of_several_comes_out_as_it_would_alone(layer, channels, more):
    """To the last bit: picture, trace, caption and settings."""
    records = vis.maximize(NETWORK, layer, channels, steps=6, **more)
    assert [r.settings["channel"] for r in records] == [3 if c == "frog" else c for c in channels]
    for channel, record in zip(channels, records, strict=True):
        alone = vis.maximize(NETWORK, layer, channel, steps=6, **more)
        np.testing.assert_array_equal(record.x, alone.x)
        np.testing.assert_array_equal(record.trace, alone.trace)
        assert (record.caption, record.settings) == (alone.caption, alone.settings)


@pytest.mark.parametrize("layer, channels", [("relu4_2", [5, 9]), (None, [20, 41])])
def test_also_on_a_real_network(layer, channels):
    """Dense layers round otherwise for two images than for one; 15 steps would show it."""
    records = vis.maximize(minivgg(), layer, channels, steps=15)
    for channel, record in zip(channels, records, strict=True):
        alone = vis.maximize(minivgg(), layer, channel, steps=15)
        np.testing.assert_array_equal(record.x, alone.x)


def test_a_list_of_one_is_a_list_and_of_none_is_refused():
    for one in ([1], np.array([1])):
        (record,) = quick(one)
        np.testing.assert_array_equal(record.x, quick(1).x)
        assert type(record.settings["channel"]) is int
    with pytest.raises(ValueError, match="channel is an empty list"):
        quick([])
    with pytest.raises(ValueError, match="no 7"):
        quick([1, 7])


# ---- where it starts

def test_zeros_are_the_mean_colour():
    record = quick(steps=1, rate=1e-3, diffuse=0)
    # one step of 0.001 grey levels on average: the picture is still the mean, BGR turned round
    assert (record.image == (120, 110, 100)).all()


def test_noise_is_around_the_mean_by_10_grey_levels():
    x = quick(steps=1, start="noise", rate=1e-6, diffuse=0).x
    levels = x / np.float32(NETWORK.preprocessing.scale)
    # 960 numbers: the mean is known to 10 / sqrt(960) = 0.3, the deviation to 0.2; 4 of those
    assert abs(levels.mean()) < 1.3 and abs(levels.std() - 10) < 0.9


def test_a_start_may_be_given_and_stays_as_it_was():
    start = NETWORK.prepare(small.photo())
    before = start.copy()
    record = quick(start=start, steps=1, rate=1e-6, diffuse=0)
    np.testing.assert_array_equal(start, before)
    assert np.abs(record.x - start).max() < 1e-4
    assert not np.array_equal(record.x, quick(steps=1).x)


def test_grey_noise_is_even_between_128_and_148():
    x = quick(steps=1, start="grey-noise", rate=1e-6, diffuse=0).x
    levels = x / np.float32(NETWORK.preprocessing.scale) + np.float32(NETWORK.preprocessing.mean)
    assert levels.min() > 127.9 and levels.max() < 148.1  # a step of 1e-6, in float32
    assert abs(levels.mean() - 138) < 0.8  # 960 numbers: known to 20 / sqrt(12 * 960) = 0.19


def test_the_mean_is_mid_grey_where_nothing_is_subtracted():
    bare = nets.trained(Network("bare", [("conv", Conv(2, 3)), ("relu", ReLU())], (6, 6, 3),
                                Preprocessing((6, 6), scale=1 / 255)), dtype=np.float32)
    settings = {"steps": 1, "rate": 1e-3, "diffuse": 0}
    assert (abs(vis.maximize(bare, "relu", start="mean", **settings).image - 127.5) <= 0.5).all()
    assert (vis.maximize(bare, "relu", start="zeros", **settings).image == 0).all()
    np.testing.assert_array_equal(quick(start="mean").x, quick(start="zeros").x)


def test_a_photo_to_start_from(tmp_path):
    path = small.picture_file(tmp_path)
    by_path, by_pixels, prepared = (
        quick(start=start) for start in (path, small.photo(), NETWORK.prepare(path)))
    np.testing.assert_array_equal(by_path.x, by_pixels.x)
    np.testing.assert_array_equal(by_path.x, prepared.x)
    assert by_path.settings["start"] == str(path)


def test_an_image_for_each_of_several():
    starts = np.concatenate([NETWORK.prepare(small.photo(seed=s)) for s in (1, 2)])
    for k, record in enumerate(quick([3, 1], start=starts)):
        np.testing.assert_array_equal(record.x, quick([3, 1][k], start=starts[k : k + 1]).x)
        again = vis.maximize(NETWORK, **record.settings)
        np.testing.assert_array_equal(record.x, again.x)
    with pytest.raises(ValueError, match="start must be one prepared image .* for 3"):
        quick([0, 1, 2], start=starts)


def test_a_start_that_is_no_start():
    with pytest.raises(ValueError, match="start must be one of zeros, .* or an array .* 'ones'"):
        quick(start="ones")


def test_another_size_where_no_dense_layer_is_below():
    record = quick(size=(21, 30))
    assert record.image.shape == (21, 30, 3) and record.x.shape == (1, 21, 30, 3)
    with pytest.raises(ValueError, match="dense"):
        quick(layer="fc", size=(21, 30))


# ---- what it depends on

@pytest.mark.parametrize("start", ["zeros", "noise"])
def test_same_seed_same_bytes_other_seed_other_bytes(start):
    first, again, other = (quick(start=start, seed=s, jitter=2).x.tobytes() for s in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize("change", [{"rate": 4.0}, {"momentum": 0.9}, {"jitter": 0},
                                    {"diffuse": 0.9}, {"steps": 4}, {"settle": 0.5},
                                    {"measure": "squares"}, {"l2": 1e-3}, {"optimizer": "adam",
                                    "momentum": 0}, {"normalize": "std"}, {"moves": "yosinski-1"},
                                    {"transforms": "lucid"}, {"basis": "laplacian", "diffuse": 0},
                                    {"preset": "simonyan"}, {"transforms": "affine"},
                                    {"transforms": "crops"}, {"noise": 5.0}, {"looks": 2},
                                    {"basis": "fourier", "diffuse": 0, "mask": 0.9}], ids=repr)
def test_every_setting_changes_the_picture(change):
    assert quick(**change).x.tobytes() != quick().x.tobytes()


def test_the_rate_is_the_mean_change_of_a_step_in_grey_levels():
    record = quick(steps=1, rate=3.0, diffuse=0)
    levels = np.abs(record.x) / np.float32(NETWORK.preprocessing.scale)
    assert levels.mean() == pytest.approx(3.0, rel=1e-3)  # float32, and a small constant below


def test_the_picture_stays_between_black_and_white():
    record = quick(steps=20, rate=60.0)
    low, high = images.bounds(NETWORK.preprocessing, record.x.shape)
    assert (record.x >= low).all() and (record.x <= high).all()
    # what is shown is what was optimised, to half a grey level
    shown = NETWORK.prepare(record.image, "keep")
    np.testing.assert_allclose(shown, record.x, atol=0.51 / 50)


def test_the_record():
    record = quick(1, steps=4, seed=7, jitter=0)
    assert record.trace.shape == (5, 1) and not record.interrupted
    assert (f"small relu2 channel 1: mean activation {record.trace[0, 0]:.4g} -> "
            f"{record.trace[-1, 0]:.4g} in 4 steps") in record.caption
    assert "sum of squared activations" in quick(1, measure="squares").caption
    np.testing.assert_array_equal(record.image, NETWORK.restore(record.x)[0])
    values = NETWORK.forward(record.x, to="relu2").output[0, ..., 1]
    assert values.mean() == pytest.approx(record.trace[-1, 0], rel=1e-6) and values.any()  # float32


def test_the_network_stays_as_it_was():
    before = {k: v.copy() for k, v in nets.parameters(NETWORK).items()}
    quick()
    for place, value in nets.parameters(NETWORK).items():
        np.testing.assert_array_equal(value, before[place])


def test_ctrl_c_gives_the_picture_so_far(monkeypatch):
    from minicnn.ascent.optimizers import SGD

    steps, step = [], SGD.step

    def stop_at_third(self, *arguments):
        steps.append(1)
        if len(steps) == 3:
            raise KeyboardInterrupt
        return step(self, *arguments)

    monkeypatch.setattr(SGD, "step", stop_at_third)
    record = quick(steps=50)
    assert record.interrupted and record.trace.shape == (3, 1) and "in 2 steps" in record.caption
    monkeypatch.undo()
    np.testing.assert_array_equal(record.x, quick(steps=2).x)


def test_a_network_that_does_not_prepare_photos_says_so():
    network = nets.trained(Network("bare", [("conv", Conv(2, 3))], (6, 6, 3)), dtype=np.float32)
    with pytest.raises(ValueError, match="Preprocessing"):
        vis.maximize(network, "conv", 0, steps=1)


@pytest.mark.parametrize("setting", [
    {"jitter": -1}, {"diffuse": 1.5}, {"diffuse": -0.1}, {"size": 0}, {"preset": "lucide"},
    {"measure": "max"}, {"optimizer": "lbfgs"}, {"normalize": "l3"}, {"basis": "wavelets"},
    {"transforms": "all"}, {"moves": "yosinski-5"}, {"settle": 1.1}, {"sure": -1}, {"l2": -1},
    {"steps": 0}, {"rate": float("nan")}, {"looks": 0}, {"noise": -1}, {"turn": -1}, {"zoom": (1,)},
    {"shift": -0.1}, {"decay": -1}, {"mask": 0}, {"chroma": -1}, {"display": "grey"}], ids=repr)
def test_a_setting_out_of_range_is_named(setting):
    (name,) = setting
    with pytest.raises(ValueError, match=name):
        quick(**setting)
