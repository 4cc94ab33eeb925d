"""deepDreamImage: MATLAB's examples, its table, and why a linear layer's strength is a straight
line."""

import functools

import interrupted
import nets
import numpy as np
import pytest
import small

from minicnn import models, vis
from minicnn.ascent import optimizers
from minicnn.foreign import labels
from minicnn.images import Preprocessing
from minicnn.network import LayerNameError, Network
from minicnn.network.layers import Conv, Dense, ReLU
from minicnn.vis.deepdream_image import find_layer, first_size, sizes

NETWORK = small.network()
CLASSES = [9, 188, 231, 563, 855, 975]  # as MATLAB counts, from 1
NAMES = ["hen", "Yorkshire terrier", "Shetland sheepdog", "fountain", "theater curtain", "geyser"]


@functools.cache
def alexnet(top="conv3"):
    """Up to a layer, with random weights; those of dense layers alike for all units, to be quick:
    it is the shapes that count."""
    network = models.alexnet_caffe()
    rng = np.random.default_rng(0)
    for name in network.names[: network.names.index(top) + 1]:
        shapes = network.param_shapes.get(name)
        if shapes:
            *fan_in, units = shapes["w"]
            w = np.empty(shapes["w"], np.float32)
            w[:] = rng.standard_normal((*fan_in, 1 if name.startswith("fc") else units),
                                       dtype=np.float32) * np.float32((2 / np.prod(fan_in)) ** 0.5)
            network.params[name] = {"w": w, "b": np.zeros(units, np.float32)}
    return network


def quick(layer="conv2", channels=(0, 3), pyramid_levels=1, iterations=3, **more):
    return vis.deepdream_image(NETWORK, layer, channels, pyramid_levels=pyramid_levels,
                               iterations=iterations, **more)


# ---- the table of the example

def test_a_convolution_of_the_image_gets_stronger_by_the_same_each_iteration():
    """4.80, 40.36, 75.93, ...: 35.57 each time in MATLAB's example with trained weights."""
    found = vis.deepdream_image(alexnet(), "conv1", range(4), pyramid_levels=1)
    strength = found.trace.mean(axis=1)
    added = np.diff(strength)
    assert len(added) == 10 and added.min() > 1
    np.testing.assert_allclose(added, added.mean(), rtol=1e-4)  # float32


def test_why_it_does():
    """The mean of a linear layer has one gradient g everywhere, so each step adds
    <g, normalised g>."""
    network = alexnet().until("conv1")
    start, other = np.random.default_rng(5).normal(0, 40, (2, 1, 43, 43, 3)).astype(np.float32)
    gradients = []
    for x in (start, other):
        run = network.forward(x, to="conv1")
        seed = np.zeros_like(run.output)
        seed[..., 7] = 1 / run.output[..., 7].size
        gradients.append(run.backward({"conv1": seed}))
    np.testing.assert_array_equal(*gradients)  # whatever the image
    g = gradients[0]
    found = vis.deepdream_image(network, "conv1", [7], pyramid_levels=1, iterations=4)
    assert found.x.shape == g.shape
    np.testing.assert_allclose(np.diff(found.trace[:, 0]), (g * optimizers.laplacian(g)).sum(),
                               rtol=1e-4)  # float32


def test_behind_a_relu_it_does_not():
    added = np.diff(quick("relu2", [1], iterations=6).trace[:, 0])
    assert added.max() - added.min() > 0.02 * abs(added.mean())


def test_the_table_is_matlab_s():
    lines = []
    found = quick(pyramid_levels=2, iterations=2, verbose=lines.append)
    rule, first, second = lines[:3]
    assert rule == lines[3] == lines[-1] == "|" + 46 * "=" + "|"
    assert [cell.strip() for cell in first.strip("|").split("|")] == ["Iteration", "Activation",
                                                                      "Pyramid Level"]
    assert "Strength" in second and {len(line) for line in lines} == {48}
    rows = [[float(cell) for cell in line.strip("|").split("|")] for line in lines[4:-1]]
    assert [(i, level) for i, _, level in rows] == [(1, 1), (2, 1), (1, 2), (2, 2)]
    before = found.trace.mean(axis=1)[[0, 1, 3, 4]]  # 2 and 5 are the ends of the levels
    np.testing.assert_allclose([s for _, s, _ in rows], before, atol=0.005)  # two decimals
    np.testing.assert_array_equal(found.levels, [1, 1, 1, 2, 2, 2])


def test_every_so_many_iterations():
    lines = []
    quick(iterations=7, verbose=lines.append, verbose_frequency=3)
    assert [line.split("|")[1].strip() for line in lines[4:-1]] == ["1", "4", "7"]


# ---- the examples, small

@pytest.mark.parametrize("layer, name, side", [
    (2, "conv1", 43), (6, "conv2", 115), (10, "conv3", 227)])
def test_the_examples_of_the_convolutions(layer, name, side):
    found = vis.deepdream_image(alexnet(), layer, [0, 1], pyramid_levels=1, iterations=1)
    assert found.settings["layer"] == name and found.images.shape == (2, side, side, 3)
    assert found.images.dtype == np.float32


def test_the_example_of_the_classes(shared_data):
    network = alexnet("fc8")
    network.labels = labels.read(shared_data / "weights" / "synset_words.txt")
    found = vis.deepdream_image(network, 23, [CLASSES[0] - 1], iterations=1,
                                pyramid_levels=1)
    assert found.settings["layer"] == "fc8" and found.images.shape == (1, 227, 227, 3)
    assert found.names == NAMES[:1]
    assert [network.label(k - 1).split(",")[0] for k in CLASSES] == NAMES


def test_layers_are_counted_as_in_matlab_s_listing():
    network = models.alexnet_caffe()
    listing = {line.split()[0]: line.split("'")[1] for line in
               network.summary("matlab").splitlines() if "'" in line}
    for number in (2, 6, 10, 12, 14, 17, 20, 23):
        assert find_layer(network, number) == listing[str(number)]
    assert find_layer(network) == "fc8" and find_layer(network, "pool5") == "pool5"


def test_the_first_size():
    """What 9 x 9 units see, no more than the network's own; that for dense layers."""
    network = models.alexnet_caffe()
    assert [first_size(network, layer) for layer in ("conv1", "conv2", "conv5", "fc7")] == [
        (43, 43), (115, 115), (227, 227), (227, 227)]  # 11 + 8 * 4, 51 + 8 * 8


def test_the_pyramid_s_sizes():
    assert sizes(np.zeros((1, 227, 200, 3)), 3, 1.4) == [(227, 200), (318, 280), (445, 392)]
    found = quick("fc", [1], pyramid_levels=3, pyramid_scale=1.5, iterations=1)
    assert found.images.shape == (1, 36, 45, 3) and len(found.trace) == 6


# ---- what it returns

def test_each_channel_is_on_its_own():
    """As if it were alone, but for rounding in larger products."""
    x = small.photo(20, 24)
    both = quick(channels=[0, 3], initial_image=x, pyramid_levels=2)
    for k, channel in enumerate((0, 3)):
        alone = quick(channels=[channel], initial_image=x, pyramid_levels=2)
        np.testing.assert_allclose(both.x[k], alone.x[0], atol=1e-5)
        np.testing.assert_allclose(both.trace[:, k], alone.trace[:, 0], rtol=1e-4, atol=1e-5)
    assert np.abs(both.x[0] - both.x[1]).max() > 0.01


def test_output_scaling():
    linear, none = quick(), quick(output_scaling="none")
    np.testing.assert_array_equal(linear.images.min(axis=(1, 2, 3)), 0)
    np.testing.assert_array_equal(linear.images.max(axis=(1, 2, 3)), 1)
    np.testing.assert_array_equal(none.images, none.x[..., ::-1])  # BGR to RGB
    np.testing.assert_array_equal(none.x, linear.x)
    low = none.images.min(axis=(1, 2, 3), keepdims=True)
    span = none.images.max(axis=(1, 2, 3), keepdims=True) - low
    np.testing.assert_allclose(linear.images, (none.images - low) / span, atol=1e-6)


def test_it_begins_with_noise_of_one_grey_level():
    found = quick(iterations=1, size=60, output_scaling="none", seed=3)
    start = np.random.default_rng(3).normal(0, 1 / 50, (2, 60, 60, 3)).astype(np.float32)
    run = NETWORK.forward(start, to="conv2")
    np.testing.assert_allclose(found.trace[0], run.output[..., [0, 3]][[0, 1], ..., [0, 1]].mean(
        axis=(1, 2)), rtol=1e-4)
    assert found.x.tobytes() != quick(iterations=1, size=60, seed=4).x.tobytes()


def test_an_initial_image_keeps_its_size_or_takes_another(photo):
    assert quick(initial_image=small.photo(22, 31)).images.shape == (2, 22, 31, 3)
    assert quick(initial_image=small.photo(22, 31), size=24).images.shape == (2, 24, 24, 3)
    assert quick(initial_image=photo).settings["initial_image"] == str(photo)
    far = quick(initial_image=np.full((22, 31, 3), 250, np.uint8), output_scaling="none")
    assert far.images.mean() > 2  # (250 - 110) / 50: it is where the ascent began


def test_the_settings_make_the_same_again():
    found = quick("fc", ["tree frog", 1], pyramid_levels=2, seed=3)
    again = vis.deepdream_image(NETWORK, **found.settings)
    assert again.images.tobytes() == found.images.tobytes() and again.settings == found.settings
    assert found.channels == [2, 1] and found.names == ["tree frog", "grey fox"]
    assert found.image.shape == (22, 2 * 28, 3)  # 16 x 20, times 1.4, side by side


def test_in_tiles_it_is_the_same():
    whole, tiled = (quick("conv2", size=50, iterations=2, tile=tile) for tile in (None, 20))
    np.testing.assert_allclose(tiled.x, whole.x, atol=1e-5)  # float32
    np.testing.assert_allclose(tiled.trace, whole.trace, rtol=1e-4)


def test_one_channel_and_a_caption():
    found = quick(channels=3)
    assert found.channels == [3] and found.names == ["3"]
    assert found.caption.startswith("small conv2, each channel's mean activation maximised on "
                                    f"its own: on average {found.trace[0, 0]:.4g} -> ")
    assert "in 3 iterations on 1 pyramid level, " in found.caption


def test_ctrl_c_keeps_the_pictures_so_far(monkeypatch):
    interrupted.at_step(monkeypatch, 6)
    lines = []
    found = quick(pyramid_levels=3, iterations=4, verbose=lines.append)
    assert len(lines) == 4 + 4 + 2 and "=" not in lines[-1]  # the table is not closed
    assert found.interrupted and found.levels.tolist() == 5 * [1] + 2 * [2]
    assert found.images.shape[1:3] == sizes(np.zeros((1, *first_size(NETWORK, "conv2"), 3)), 2,
                                            1.4)[1]
    assert "in 5 iterations on 2 pyramid levels" in found.caption


# ---- what cannot be

@pytest.mark.parametrize("settings, words", [
    ({"layer": 1}, "network small has layers 2 to 17, 1 being the image; there is no layer 1"),
    ({"layer": 18}, "there is no layer 18"), ({"channels": [5]}, "conv2 has 5 channels, counted"),
    ({"channels": []}, "channels is empty"), ({"channels": [-1]}, "there is no -1"),
    ({"channels": "fox"}, "the channels of conv2 have no names"),
    ({"pyramid_levels": 0}, "pyramid_levels must be a whole number of at least 1, got 0"),
    ({"iterations": 2.5}, "iterations must be a whole number"),
    ({"pyramid_scale": 1}, "pyramid_scale must be a number above 1, got 1"),
    ({"output_scaling": "log"}, "output_scaling must be one of linear, none, got 'log'"),
    ({"verbose_frequency": 0}, "verbose_frequency must be"),
    ({"tile": 0}, "tile must be a whole number of at least 1, got 0"),
    ({"layer": "fc", "tile": 8, "channels": 0, "initial_image": small.photo(8, 8)}, "fit")])
def test_one_clear_line(settings, words):
    with pytest.raises(ValueError, match=words) as caught:
        quick(**settings)
    assert "\n" not in str(caught.value)


def test_a_wrong_layer_name_shows_the_near_ones():
    with pytest.raises(LayerNameError, match="no layer 'convv2'; near it: conv2"):
        quick("convv2")


def test_a_grey_network():
    network = nets.trained(Network("grey", [("conv", Conv(4, 3)), ("relu", ReLU()),
                                            ("fc", Dense(2))], (8, 8, 1),
                                   Preprocessing((8, 8), "L", 128)), dtype=np.float32)
    assert vis.deepdream_image(network, "fc", [0, 1], iterations=1).images.shape[3] == 3
