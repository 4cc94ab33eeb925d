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
        assert (preset.steps, preset.rate) == (row.steps, row.rate)
        assert (preset.normalize == "progress") == (row.progress is not None)


def test_the_lecture_s_and_lucid_s_numbers():
    lecture, lucid = presets.PRESETS["keras-lecture"], presets.PRESETS["lucid"]
    assert (lecture.steps, lecture.start, lecture.rate) == (40, "grey-noise", 1.0)
    assert (lucid.steps, lucid.rate, lucid.optimizer) == (512, 0.05, "adam")
    assert (lucid.basis, lucid.transforms) == ("fourier", "lucid")


@pytest.mark.parametrize("preset", [None, *presets.PRESETS])
def test_a_preset_is_the_arguments_it_stands_for(preset):
    """All of them given by hand, without its name, make the same picture; settings list them."""
    size = {} if presets.of(preset).size is None else {"size": 40}
    record = vis.maximize(NETWORK, "relu2", 1, preset, steps=3, **size)
    spelt = {name: record.settings[name] for name in presets.OWN.settings()}
    again = vis.maximize(NETWORK, "relu2", 1, **spelt)
    np.testing.assert_array_equal(again.x, record.x)
    assert set(record.settings) == set(inspect.signature(vis.maximize).parameters) - {
        "network", "target", "progress", "watch"}
    assert (f"preset {preset}" in record.caption) == (preset not in (None, "none"))


def test_every_preset_is_a_set_of_all_options():
    parameters = inspect.signature(vis.maximize).parameters
    for options in [presets.OWN, *presets.PRESETS.values()]:
        assert isinstance(options, presets.MaximizeOptions)
        assert set(options.settings()) <= set(parameters)


def test_what_is_given_wins():
    settings = vis.maximize(NETWORK, "relu2", 1, "lucid", steps=2, rate=0.2, jitter=1).settings
    assert (settings["steps"], settings["rate"], settings["jitter"]) == (2, 0.2, 1)
    assert settings["basis"] == "fourier"


@pytest.mark.parametrize("preset", presets.PRESETS)
def test_each_preset_raises_a_class_and_stays_between_black_and_white(preset):
    """Its steps do; blurring and turning an image of 20 pixels may well outdo a dozen of them."""
    network = small.network(seed=3)
    record = vis.maximize(network, channel=2, preset=preset, steps=12, moves="none",
                          transforms="none", noise=0, looks=1, size=(16, 20))
    assert record.trace[-1, 0] > record.trace[0, 0]
    low, high = images.bounds(network.preprocessing, record.x.shape)
    assert (record.x >= low - 1e-5).all() and (record.x <= high + 1e-5).all()  # float32


@pytest.mark.parametrize("given, words", [
    ({"preset": "lucid", "diffuse": 0.1}, "diffuse and moves change pixels"),
    ({"preset": "lucid", "moves": "yosinski-1"}, "diffuse and moves change pixels"),
    ({"preset": "wolfram", "momentum": 0.5}, "Adam sets its own momentum"),
    ({"optimizer": "adam", "momentum": 0, "normalize": "progress"},
     "its own momentum and step length"),
    ({"mask": 0.9}, "decay, mask and chroma belong to an image .* other numbers than pixels"),
    ({"preset": "wolfram", "chroma": 1.4}, "decay, mask and chroma belong to an image"),
    ({"preset": "maco", "start": "zeros"}, "with basis phases an image can only begin as noise"),
    ({"preset": "zoom-crops", "start": small.photo()}, "with basis standardized an image can only"),
    ({"preset": "object", "zoom": (1.6, 0.9)}, "zoom must be two numbers above 0, the smaller")],
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


@pytest.mark.parametrize("preset", ["object", "object-64", "zoom-crops", "maco"])
def test_a_window_serves_any_size_of_image(preset):
    """Dense layers see it in the network's own size, others in that or the image's if smaller."""
    seen = []
    for layer, size in [("fc", (24, 32)), ("relu2", (24, 32)), ("relu2", (12, 14))]:
        record = vis.maximize(NETWORK, layer, 1, preset, steps=2, size=size)
        assert record.image.shape == (*size, 3) and len(record.trace) == 3
        seen.append(record)
    assert seen[0].settings["size"] == (24, 32)
    again = vis.maximize(NETWORK, **seen[0].settings)
    np.testing.assert_array_equal(again.image, seen[0].image)


def test_object_has_the_numbers_that_were_found():
    found = presets.PRESETS["object"]
    assert (found.steps, found.rate, found.optimizer, found.sure) == (128, 0.05, "adam", 1.0)
    assert (found.basis, found.decay, found.mask, found.chroma) == ("fourier", 1.35, 0.95, 1.4)
    assert (found.transforms, found.zoom, found.turn, found.shift, found.looks) == (
        "affine", (0.9, 1.6), 10.0, 0.1, 1)
    small = presets.PRESETS["object-64"]
    assert (small.size, small.decay, small.chroma, small.noise) == (128, 1.7, 1.0, 10.0)


def test_horama_s_numbers():
    for name, basis in [("zoom-crops", "standardized"), ("maco", "phases")]:
        found = presets.PRESETS[name]
        assert (found.steps, found.size, found.rate, found.optimizer, found.looks) == (
            1000, 1280, 1.0, "nadam", 6)
        assert (found.basis, found.transforms, found.zoom) == (basis, "crops", (0.25, 0.30))
    assert presets.PRESETS["zoom-crops"].decay == 1.5


class Asked:
    """What `usual` looks at of a network."""

    logits = "fc"

    def __init__(self, side, classifies=True):
        self.input_shape, self.classifies = (side, side, 3), classifies


@pytest.mark.parametrize("network, asked, preset", [
    ((224,), {"target": 3}, "object"), ((224,), {}, "object"),
    ((224,), {"layer": "fc", "channel": 3}, "object"), ((224,), {"layer": "conv"}, None),
    ((224, False), {}, None), ((64,), {"target": 3}, "object-64"),
    ((28,), {"target": 3}, None)], ids=str)
def test_where_no_preset_is_named(network, asked, preset):
    assert presets.usual(Asked(*network), **asked) == preset


def test_a_class_of_a_large_network_is_shown_as_an_object_unless_another_preset_is_named(
        monkeypatch):
    monkeypatch.setattr(presets, "LARGE", 16)
    monkeypatch.setattr(presets, "SMALL", 16)
    usual, named, former = (vis.maximize(NETWORK, target=1, steps=2, **more)
                            for more in ({}, {"preset": "object"}, {"preset": "none"}))
    np.testing.assert_array_equal(usual.x, named.x)
    assert usual.settings == named.settings and usual.settings["preset"] == "object"
    assert "preset object" in usual.caption and "preset" not in former.caption
    monkeypatch.undo()
    np.testing.assert_array_equal(former.x, vis.maximize(NETWORK, target=1, steps=2).x)
    again = vis.maximize(NETWORK, **usual.settings)
    np.testing.assert_array_equal(again.x, usual.x)


def test_the_lecture_s_picture_has_its_own_contrast():
    """Mean 1/2 and deviation 1/10 of the range, whatever the network saw; x is what it saw."""
    made = {display: vis.maximize(NETWORK, "relu2", 1, "keras-lecture", display=display)
            for display in ("standardized", "seen")}
    lecture, seen = made["standardized"], made["seen"]
    np.testing.assert_array_equal(lecture.x, seen.x)
    np.testing.assert_array_equal(seen.image, NETWORK.restore(seen.x)[0])
    levels = NETWORK.restore(lecture.x)[0].astype(float)  # rounded to whole levels
    expected = ((levels - levels.mean()) / levels.std() / 10 + 0.5) * 255
    assert np.abs(lecture.image - expected.clip(0, 255)).max() < 4
    assert abs(lecture.image.mean() - 127) < 1.5 and abs(lecture.image.std() - 25.5) < 1.5
    assert presets.PRESETS["keras-lecture"].display == "standardized"
    (row,) = vis.filters(NETWORK, "relu2", count=1, preset="keras-lecture", steps=3).layers
    one = vis.maximize(NETWORK, "relu2", 0, "keras-lecture", steps=3)
    np.testing.assert_array_equal(row.pictures[0], one.image)


def test_the_table_of_presets_has_their_numbers():
    """What the file's docstring says in figures is what the presets have."""
    table = " ".join(presets.__doc__.split())
    for preset, words in [("wolfram", "{steps} steps from {start}"),
                          ("keras-lecture", "{steps} steps of {rate:g} grey level"),
                          ("zoom-crops", "{size} pixels, {steps} steps"),
                          ("zoom-crops", "{looks} looks at windows"),
                          ("object", "score + {sure:g} log-probability")]:
        told = words.format(**presets.PRESETS[preset].settings())
        assert told in table, told
    assert all(f" {name} " in f" {table} " for name in presets.PRESETS
               if not name.startswith("yosinski-"))
