"""Dense layers as convolutions: the same numbers, and larger images."""

import nets
import numpy as np
import pytest
import small

import minicnn
from minicnn import models
from minicnn.images import Preprocessing
from minicnn.network import LayerNameError, Network
from minicnn.network.layers import Conv, Dense, Flatten, GlobalAveragePool, ReLU, Softmax
from minicnn.vis.convolutional import convolutional

SMALL = small.network(dtype=np.float64)


def images(h, w, count=2):
    return np.random.default_rng(0).standard_normal((count, h, w, 3))


def no_padding(*top):
    """Without padding a place of a large image sees exactly a small image."""
    return nets.trained(Network("bare", [
        ("conv", Conv(4, 3)), ("relu", ReLU()), *top], (6, 7, 3), Preprocessing((6, 7))))


@pytest.mark.parametrize("layer", ["fc", "prob", "relu2"])
def test_at_the_network_s_own_size_it_is_the_network(layer):
    x = images(16, 20)
    y = convolutional(SMALL, layer).forward(x, to=layer).output
    expected = SMALL.forward(x, to=layer).output
    np.testing.assert_allclose(y.reshape(expected.shape), expected, rtol=1e-12)  # other sums


@pytest.mark.parametrize("top", [
    [("fc", Dense(5)), ("relu2", ReLU()), ("top", Dense(3))],
    [("flat", Flatten()), ("fc", Dense(5, bias=False)), ("relu2", ReLU()), ("top", Dense(3))]],
    ids=["dense", "flattened"])
def test_each_place_of_a_larger_image_is_the_network_there(top):
    network = no_padding(*top)
    x = images(8, 10)
    wide = convolutional(network, "top")
    assert list(wide.param_shapes["fc"]) == list(network.param_shapes["fc"])
    y = wide.forward(x, to="top").output
    assert y.shape == (2, 3, 4, 3)
    for row in range(3):
        for column in range(4):
            there = network.forward(x[:, row : row + 6, column : column + 7], to="top").output
            np.testing.assert_allclose(y[:, row, column], there, rtol=1e-10)


def test_behind_a_global_average_a_dense_layer_stays():
    network = no_padding(("mean", GlobalAveragePool()), ("fc", Dense(3)))
    wide, x = convolutional(network, "fc"), images(9, 11)
    assert wide["fc"] is network["fc"]
    np.testing.assert_array_equal(wide.forward(x, to="fc").output,
                                  network.forward(x, to="fc").output)


def test_weights_are_shared_and_the_network_is_untouched():
    before = SMALL.summary()
    wide = convolutional(SMALL, "fc")
    assert np.shares_memory(wide.params["fc"]["w"], SMALL.params["fc"]["w"])
    assert SMALL.summary() == before and wide.names == SMALL.names[: SMALL.names.index("fc") + 1]


def test_a_layer_of_one_path_comes_without_the_others():
    wide = convolutional(SMALL, "mix/3x3")
    assert wide.names == ["conv1", "relu1", "norm1", "pool1", "mix/3x3"]
    x = images(16, 20)
    np.testing.assert_array_equal(wide.forward(x).output, SMALL.forward(x)["mix/3x3"])


def test_layers_of_several_paths_come_together():
    goals, x = ["mix/relu_3x3", "mix/relu_1x1"], images(16, 20)
    wide = convolutional(SMALL, goals)
    assert set(wide.names) == set(SMALL.until(goals[0]).names) | set(SMALL.until(goals[1]).names)
    run, expected = wide.forward(x, to=goals), SMALL.forward(x, to=goals)
    for name in goals:
        np.testing.assert_array_equal(run[name], expected[name])


@pytest.mark.parametrize("join", [nets.joined, nets.summed])
def test_dense_layers_on_several_paths_are_each_a_convolution(join):
    """Also where a Flatten stands on one of them, and where all read what was flattened."""
    network = no_padding(*join(
        "top", "relu", [("left", Dense(3))], [("flat", Flatten()), ("right", Dense(3))]),
        ("fc", Dense(2)))
    wide, x = convolutional(network, "fc"), images(8, 9)
    y = wide.forward(x).output
    assert y.shape == (2, 3, 3, 2)
    for row, column in np.ndindex(3, 3):
        there = network.forward(x[:, row : row + 6, column : column + 7]).output
        np.testing.assert_allclose(y[:, row, column], there, rtol=1e-10)


def test_the_real_ones():
    wide = convolutional(models.alexnet_caffe(), "fc8")
    assert wide.shapes["fc6"] == (1, 1, 4096) and wide.shapes["fc8"] == (1, 1, 1000)
    assert wide.param_shapes["fc6"]["w"] == (6, 6, 256, 4096)
    wide = convolutional(models.googlenet(), models.googlenet().logits)
    assert wide.shapes[wide.names[-1]] == (1, 1, 1000)


def test_the_shipped_net_classifies_alike():
    network = minicnn.load("minivgg")
    x = images(64, 64).astype(np.float32)
    scores = convolutional(network, "fc6").forward(x, to="fc6").output
    np.testing.assert_allclose(scores[:, 0, 0], network.forward(x, to="fc6").output, rtol=0,
                               atol=1e-4)  # float32, scores around 10


def test_no_such_layer():
    with pytest.raises(LayerNameError, match="no layer 'fcc'; near it: fc"):
        convolutional(SMALL, "fcc")


def test_softmax_stays_a_softmax_at_each_place():
    network = no_padding(("fc", Dense(4)), ("prob", Softmax()))
    p = convolutional(network, "prob").forward(images(8, 8), to="prob").output
    np.testing.assert_allclose(p.sum(axis=3), 1, rtol=1e-12)
