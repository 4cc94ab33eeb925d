"""Presets: the published numbers, in a network's own units, and what wins over them."""

import inspect

import nets
import numpy as np
import pytest
import small

from minicnn import images, vis
from minicnn.ascent import regularizers
from minicnn.images import Preprocessing
from minicnn.network import Network
from minicnn.network.layers import Conv, ReLU
from minicnn.vis import presets

NETWORK = small.network()


def linear(scale=1.0):
    """One channel whose response is twice the image's first colour, seen as grey levels."""
    network = Network("linear", [("conv", Conv(1, 1))], (4, 4, 3),
                      Preprocessing((4, 4), mean=100.0, scale=scale))
    network.params["conv"] = {"w": np.array([2, 0, 0], np.float32).reshape(1, 1, 3, 1) / scale,
                              "b": np.zeros(1, np.float32)}
    return network


def levels(record, network):
    """The picture's difference from the mean colour, in grey levels."""
    return record.x / np.float32(network.preprocessing.scale)


def gradient():
    """Of `linear`'s mean by grey levels: 2 / 16 at the first colour of each pixel."""
    g = np.zeros((1, 4, 4, 3))
    g[..., 0] = 2 / 16
    return g


@pytest.mark.parametrize("scale", [1.0, 1 / 64])
@pytest.mark.parametrize("preset, step", [
    ("keras-lecture", lambda g: g / ((g * g).mean() ** 0.5 + 1e-5)),
    ("yosinski-2", lambda g: 0.7 * 100 * g),  # decay follows the step; no pixel is less than others
    ("simonyan", lambda g: 57.63 * 25 / (224 * 224 * 3) ** 0.5 * g / (g * g).mean() ** 0.5),
    ("wolfram", np.sign),
])
def test_one_step_is_the_published_one_in_any_network_s_numbers(preset, step, scale):
    network = linear(scale)
    record = vis.maximize(network, "conv", preset=preset, steps=1, start="zeros", measure="mean")
    # float32, and the small constants that keep zero gradients zero: 1e-5 of 0.07 is 1.4e-4
    np.testing.assert_allclose(levels(record, network), step(gradient()), rtol=2e-4, atol=1e-6)


def test_l2_pulls_to_the_mean_colour():
    """With the score out of the way the image shrinks: d(-l2 |I|^2) = -2 l2 I, in grey levels."""
    network = linear(1 / 64)
    network.params["conv"]["w"][:] = 0
    start = network.prepare(np.full((4, 4, 3), 150, np.uint8))
    record = vis.maximize(network, "conv", start=start, preset="wolfram", steps=1, l2=0.01,
                          optimizer="sgd", normalize="none")
    np.testing.assert_allclose(levels(record, network), 50 - 2 * 0.01 * 50, rtol=1e-5)  # float32


def test_progress_raises_the_objective_by_two():
    record = vis.maximize(linear(), "conv", preset="yosinski-4", start="mean", moves="none",
                          steps=1)
    assert record.trace[1, 0] - record.trace[0, 0] == pytest.approx(2, rel=1e-4)  # float32


def test_yosinski_is_the_third_and_his_table_is_where_moves_are():
    assert presets.PRESETS["yosinski"] == presets.PRESETS["yosinski-3"]
    for k, row in regularizers.SETTINGS.items():
        preset = presets.PRESETS[f"yosinski-{k}"]
        assert (preset["steps"], preset["rate"]) == (row.steps, row.rate)
        assert (preset["normalize"] == "progress") == (row.progress is not None)


def test_the_lecture_s_and_lucid_s_numbers():
    lecture, lucid = presets.PRESETS["keras-lecture"], presets.PRESETS["lucid"]
    assert (lecture["steps"], lecture["start"], lecture["rate"]) == (40, "grey-noise", 1.0)
    assert (lucid["steps"], lucid["rate"], lucid["optimizer"]) == (512, 0.05, "adam")
    assert (lucid["basis"], lucid["transforms"]) == ("fourier", "lucid")


@pytest.mark.parametrize("preset", [None, *presets.PRESETS])
def test_a_preset_is_the_arguments_it_stands_for(preset):
    """All of them given by hand, without its name, make the same picture; settings list them."""
    record = vis.maximize(NETWORK, "relu2", 1, preset, steps=3)
    spelt = {name: record.settings[name] for name in presets.OWN}
    again = vis.maximize(NETWORK, "relu2", 1, **spelt)
    np.testing.assert_array_equal(again.x, record.x)
    assert set(record.settings) == set(inspect.signature(vis.maximize).parameters) - {
        "network", "progress", "watch"}
    assert (f"preset {preset}" in record.caption) == (preset is not None)


def test_every_preset_has_every_argument():
    parameters = inspect.signature(vis.maximize).parameters
    for settings in [presets.OWN, *presets.PRESETS.values()]:
        assert set(settings) == set(presets.OWN) <= set(parameters)


def test_what_is_given_wins():
    settings = vis.maximize(NETWORK, "relu2", 1, "lucid", steps=2, rate=0.2, jitter=1).settings
    assert (settings["steps"], settings["rate"], settings["jitter"]) == (2, 0.2, 1)
    assert settings["basis"] == "fourier"


@pytest.mark.parametrize("preset", presets.PRESETS)
def test_each_preset_raises_a_class_and_stays_between_black_and_white(preset):
    """Its steps do; blurring and turning an image of 20 pixels may well outdo a dozen of them."""
    network = small.network(seed=3)
    record = vis.maximize(network, channel=2, preset=preset, steps=12, moves="none",
                          transforms="none")
    assert record.trace[-1, 0] > record.trace[0, 0]
    low, high = images.bounds(network.preprocessing, record.x.shape)
    assert (record.x >= low - 1e-5).all() and (record.x <= high + 1e-5).all()  # float32


@pytest.mark.parametrize("given, words", [
    ({"preset": "lucid", "diffuse": 0.1}, "diffuse and moves change pixels"),
    ({"preset": "lucid", "moves": "yosinski-1"}, "diffuse and moves change pixels"),
    ({"preset": "wolfram", "momentum": 0.5}, "Adam has its own momentum"),
    ({"optimizer": "adam", "momentum": 0, "normalize": "progress"}, "its own length of steps")],
    ids=str)
def test_what_does_not_go_together(given, words):
    with pytest.raises(ValueError, match=words):
        vis.maximize(NETWORK, "relu2", 0, steps=1, **given)


def test_lucid_serves_networks_with_dense_layers_and_others():
    bare = nets.trained(Network("bare", [("conv", Conv(2, 3)), ("relu", ReLU())], (6, 6, 3),
                                Preprocessing((6, 6))), dtype=np.float32)
    wide = vis.maximize(bare, "relu", size=(9, 12), preset="lucid", steps=2)
    assert wide.x.shape == (1, 9, 12, 3)
    assert vis.maximize(NETWORK, preset="lucid", steps=2).x.shape == (1, 16, 20, 3)
