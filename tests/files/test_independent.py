"""PyTorch's numbers beside ours, for every layer and setting; and a machine without PyTorch."""

import sys

import nets
import numpy as np
import pytest
import small

from minicnn.files import fingerprint, independent
from minicnn.images import Preprocessing, prepare
from minicnn.network import Network
from minicnn.network.layers import (
    LRN,
    AveragePool,
    BatchNorm,
    Branches,
    Conv,
    Dense,
    Dropout,
    Flatten,
    MaxPool,
    ReLU,
    Sigmoid,
    Softmax,
)


def both(layers, shape=(9, 11, 4), seed=0, weights=None):
    """(layer, PyTorch's output, ours) of one image in float64."""
    pytest.importorskip("torch")
    network = nets.trained(Network("n", layers, shape), seed)
    x = nets.images(1, shape)
    run = network.forward(x)
    weights = None if weights is None else weights(network)
    return [(name, y, run[name]) for name, y in independent.activations(network, x, weights)]


SETTINGS = {
    "conv": Conv(6, (3, 2), stride=(2, 1), pad=(1, 2), dilation=(1, 2)),
    "groups": Conv(6, 3, pad=1, groups=2, bias=False),
    "max, ceil": MaxPool(3, 2, rounding="ceil"), "max, padded": MaxPool((3, 2), 2, (1, 1), "ceil"),
    "mean, padding": AveragePool(3, 2, 1, "ceil"),
    "mean, image": AveragePool(3, 2, 1, "ceil", "image"),
    "mean, floor": AveragePool((2, 3), 1), "lrn, caffe": LRN(3, 0.9, 0.6, 2.0),
    "lrn, paper": LRN(3, 0.9, 0.6, 2.0, "paper"), "norm": BatchNorm(1e-3),
    "norm without gamma": BatchNorm(scale=False), "dense": Dense(5), "no bias": Dense(5, False),
    "sigmoid": Sigmoid(), "flat": Flatten(), "dropout": Dropout(0.7), "softmax": Softmax(),
}


@pytest.mark.parametrize("layer", SETTINGS.values(), ids=SETTINGS.keys())
def test_each_layer(layer):
    for _, theirs, ours in both([("it", layer)]):
        assert theirs.dtype == np.float64 and theirs.shape == ours.shape
        np.testing.assert_allclose(theirs, ours, rtol=1e-9, atol=1e-12)  # 1e-16, some sums


@pytest.mark.parametrize("size", [(8, 10), (9, 11), (10, 8), (7, 7)])
def test_ceil_rounding_at_sizes_where_it_matters_and_where_not(size):
    layers = [("a", MaxPool(3, 2, 1, "ceil")), ("b", AveragePool(2, 2, 1, "ceil")),
              ("c", MaxPool(2, 2, 0, "ceil"))]
    for name, theirs, ours in both(layers, (*size, 3)):
        np.testing.assert_allclose(theirs, ours, rtol=1e-12, err_msg=name)


@pytest.mark.parametrize("layers", [
    [("fc", Dense(5))], [("flat", Flatten()), ("fc", Dense(5))],
    [("flat", Flatten()), ("drop", Dropout()), ("relu", ReLU()), ("fc", Dense(5)),
     ("fc2", Dense(3))]], ids=["above the image", "flat", "through rows"])
def test_a_dense_layer_reads_an_image_in_the_order_that_its_weights_have(layers):
    for name, theirs, ours in both(layers):
        np.testing.assert_allclose(theirs, ours, rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("build", [nets.everything, nets.smooth])
def test_whole_networks_with_branches(build):
    pytest.importorskip("torch")
    network, x = build(), nets.images(1)
    run = network.forward(x)
    found = dict(independent.activations(network, x))
    assert list(found) == network.names
    for name, y in found.items():
        np.testing.assert_allclose(y, run[name], rtol=1e-9, atol=1e-12, err_msg=name)


def torchs_layout(network):
    """The weights as PyTorch keeps them, as if they had come from a file of its."""
    found = {}
    for place, w in nets.parameters(network).items():
        name = place.rpartition("/")[0]
        image = network.input_shapes[name]
        if w.ndim == 4:
            w = w.transpose(3, 2, 0, 1)
        elif w.ndim == 2:
            w = (w.reshape(*image, -1).transpose(3, 2, 0, 1).reshape(w.shape[::-1])
                 if len(image) == 3 else w.T)
        found[place] = w
    return found


def test_arrays_as_they_lie_in_pytorch_s_files():
    layers = [("conv", Conv(6, 3, groups=2)), ("norm", BatchNorm()), ("fc1", Dense(5)),
              ("fc2", Dense(3))]
    for name, theirs, ours in both(layers, weights=torchs_layout):
        np.testing.assert_allclose(theirs, ours, rtol=1e-9, err_msg=name)


def test_pieces_and_bands_are_the_same(monkeypatch):
    layers = [("conv", Conv(6, (3, 2), stride=(2, 1), pad=(1, 2), dilation=(1, 2))),
              ("fc", Dense(7))]
    monkeypatch.setattr(independent, "BAND", 200)
    monkeypatch.setattr(independent, "PIECE", 800)
    for weights in (None, torchs_layout):
        for name, theirs, ours in both(layers, weights=weights):
            np.testing.assert_allclose(theirs, ours, rtol=1e-9, err_msg=name)


MEAN = np.random.default_rng(0).uniform(90, 130, (19, 23, 3))


@pytest.mark.parametrize("preprocessing", [
    Preprocessing((16, 20), "BGR", (100, 110, 120), 1 / 50),
    Preprocessing((16, 20), "RGB", (100, 110, 120), (1 / 50, 1 / 60, 1 / 70)),
    Preprocessing((16, 20), "L", 33, 1 / 255), Preprocessing((16, 20), "BGR", MEAN),
    Preprocessing((12, 12), "BGR", MEAN),
], ids=["BGR", "RGB", "grey", "mean image", "its mean pixel"])
def test_photos_are_prepared_as_by_the_library(preprocessing):
    picture = small.photo(16, 20)
    ours = prepare(picture, preprocessing, "keep")
    theirs = independent.prepared(picture, preprocessing)
    assert theirs.dtype == np.float64 and theirs.shape == ours.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-4)  # float32 of numbers to 255


def test_without_preprocessing():
    picture = fingerprint.picture(8, 9)
    np.testing.assert_allclose(independent.prepared(picture, None, 4),
                               fingerprint.neutral(picture, 4))


def test_a_setting_that_pytorch_lacks_is_named():
    with pytest.raises(independent.NotComputed, match="^p: pad"):
        both([("p", MaxPool(3, 1, 2))])  # more than half the window


def test_a_layer_inside_a_branch_is_named():
    with pytest.raises(independent.NotComputed, match="^inner: "):
        both([("mix", Branches([[("inner", MaxPool(3, 1, 2)), ("c", Conv(2, 1))], [
            ("wide", Conv(2, 1, pad=1))]]))])


def test_without_pytorch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)  # then importing it fails
    assert independent.version() is None
    with pytest.raises(independent.NotComputed, match="cannot be imported"):
        list(independent.activations(nets.smooth(), nets.images(1)))
