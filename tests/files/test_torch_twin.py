"""PyTorch's numbers and gradients beside ours, for every layer and setting and whole networks; and
a machine without PyTorch."""

import sys

import nets
import numpy as np
import pytest
import small
import torch_network

from minicnn.files import fingerprint, torch_twin
from minicnn.images import Preprocessing, prepare
from minicnn.network import Network
from minicnn.network.layers import (
    KINDS,
    LRN,
    AveragePool,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool,
    MaxPool,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)


def both(layers, shape=(9, 11, 4), seed=0, weights=None):
    """(layer, PyTorch's output, ours) of one image in float64."""
    pytest.importorskip("torch")
    network = nets.trained(Network("n", layers, shape), seed)
    x = nets.images(1, shape)
    run = network.forward(x)
    weights = None if weights is None else weights(network)
    return [(name, y, run[name]) for name, y in torch_twin.activations(network, x, weights)]


SETTINGS = {
    "conv": Conv(6, (3, 2), stride=(2, 1), pad=(1, 2), dilation=(1, 2)),
    "groups": Conv(6, 3, pad=1, groups=2, bias=False),
    "max, ceil": MaxPool(3, 2, rounding="ceil"),
    "max, padded": MaxPool((3, 2), 2, pad=(1, 1), rounding="ceil"),
    "mean, padding": AveragePool(3, 2, pad=1, rounding="ceil"),
    "mean, image": AveragePool(3, 2, pad=1, rounding="ceil", border="image"),
    "mean, floor": AveragePool((2, 3), 1), "mean of all": GlobalAveragePool(),
    "lrn, caffe": LRN(3, alpha=0.9, beta=0.6, k=2.0),
    "lrn, paper": LRN(3, alpha=0.9, beta=0.6, k=2.0, convention="paper"),
    "norm": BatchNorm(epsilon=1e-3),
    "norm without gamma": BatchNorm(scale=False), "dense": Dense(5),
    "no bias": Dense(5, bias=False), "relu": ReLU(), "sigmoid": Sigmoid(), "tanh": Tanh(),
    "flat": Flatten(), "dropout": Dropout(0.7), "softmax": Softmax(),
}


def test_every_kind_of_layer_is_there():
    joining = {"Concat", "Add"}  # in the whole networks below
    assert set(torch_twin.COMPUTED) == set(KINDS)
    assert {type(layer).__name__ for layer in SETTINGS.values()} | joining == set(KINDS)


@pytest.mark.parametrize("layer", SETTINGS.values(), ids=SETTINGS.keys())
def test_each_layer(layer):
    for _, theirs, ours in both([("it", layer)]):
        assert theirs.dtype == np.float64 and theirs.shape == ours.shape
        np.testing.assert_allclose(theirs, ours, rtol=1e-9, atol=1e-12)  # 1e-16, some sums


@pytest.mark.parametrize("layer", SETTINGS.values(), ids=SETTINGS.keys())
def test_the_gradients_of_each_layer(layer):
    """While learning; but for dropout, which no two libraries draw alike."""
    learn = not isinstance(layer, Dropout)
    agrees(nets.trained(Network("n", [("it", layer)], (9, 11, 4))), nets.images(2, (9, 11, 4)),
           learn)


def agrees(network, x, learn):
    """Every activation, and the gradients at every layer, the image and every array."""
    pytest.importorskip("torch")
    run = network.forward(x, learn=learn)
    seeds = {network.names[-1]: nets.like(run.output)}
    activations, slopes, weights = torch_network.gradients(network, x, seeds, learn)
    close = {"rtol": 1e-9, "atol": 1e-12}  # float64, sums of some hundred numbers
    for name, y in activations.items():
        np.testing.assert_allclose(y, run[name], **close, err_msg=name)
    for name, slope in slopes.items():
        np.testing.assert_allclose(slope, run.backward(seeds, to=name), **close, err_msg=name)
    assert list(slopes) == ["image", *network.names]
    if learn:
        ours, theirs = map(nets.parameters_of, (run.weight_gradients(seeds), weights))
        assert ours.keys() == theirs.keys()
        for place, d in theirs.items():
            np.testing.assert_allclose(d, ours[place], **close, err_msg=place)


@pytest.mark.parametrize("learn", [False, True])
@pytest.mark.parametrize("build", [nets.everything, nets.smooth])
def test_the_gradients_of_whole_networks(build, learn):
    network = build()
    rows = [row._replace(layer=Dropout(0.0)) if isinstance(row.layer, Dropout) else row
            for row in network.rows]
    agrees(nets.trained(Network("n", rows, network.input_shape)), nets.images(2), learn)


def test_dropout_while_learning():
    """At the rate given, and what stays is scaled up; the generator is PyTorch's own."""
    torch = pytest.importorskip("torch")
    network, x = Network("n", [("drop", Dropout(0.25))], (8, 8, 4)), torch.ones(50, 4, 8, 8)
    [(_, y)] = torch_twin.forward(network, x, {}, learn=True)
    assert set(y.unique().tolist()) == {0.0, np.float32(4 / 3)}
    assert abs((y == 0).double().mean() - 0.25) < 0.02  # 12800 draws: 5 deviations
    [(_, y)] = torch_twin.forward(network, x, {})
    assert y is x or torch.equal(y, x)


def test_a_pass_goes_as_far_as_it_is_asked_to_and_changes_nothing():
    torch = pytest.importorskip("torch")
    network, x = nets.everything(), torch_twin.to_torch(nets.images(2))
    given, before = torch_twin.arrays(network), torch_twin.arrays(network)
    names = [name for name, _ in torch_twin.forward(network, x, given, True, "mix/relu_1x1")]
    assert names == network.until("mix/relu_1x1").names
    assert all(torch.equal(w, before[name][key]) for name, named in given.items()
               for key, w in named.items())
    given["fc"]["b"][:] = 9
    assert (network.params["fc"]["b"] != 9).all()  # copies: a training step of PyTorch's is its own


@pytest.mark.parametrize("memory_format", ["contiguous_format", "channels_last"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_and_memory_format_are_those_of_what_comes_in(dtype, memory_format):
    torch = pytest.importorskip("torch")
    kept = getattr(torch, memory_format)
    network = nets.everything(dtype=dtype)
    x = torch_twin.to_torch(nets.images(2, dtype=dtype)).contiguous(memory_format=kept)
    for name, y in torch_twin.forward(network, x, torch_twin.arrays(network)):
        assert y.dtype == getattr(torch, dtype)
        assert y.ndim == 2 or y.is_contiguous(memory_format=kept), name


@pytest.mark.parametrize("size", [(8, 10), (9, 11), (10, 8), (7, 7)])
def test_ceil_rounding_at_sizes_where_it_matters_and_where_not(size):
    layers = [("a", MaxPool(3, 2, pad=1, rounding="ceil")),
              ("b", AveragePool(2, 2, pad=1, rounding="ceil")),
              ("c", MaxPool(2, 2, pad=0, rounding="ceil"))]
    for name, theirs, ours in both(layers, (*size, 3)):
        np.testing.assert_allclose(theirs, ours, rtol=1e-12, err_msg=name)


@pytest.mark.parametrize("layers", [
    [("fc", Dense(5))], [("flat", Flatten()), ("fc", Dense(5))],
    [("flat", Flatten()), ("drop", Dropout()), ("relu", ReLU()), ("fc", Dense(5)),
     ("square", Dense(5)), ("fc2", Dense(3))]], ids=["above the image", "flat", "through rows"])
@pytest.mark.parametrize("file", [False, True], ids=["own", "a file's"])
def test_a_dense_layer_reads_an_image_in_the_order_that_its_weights_have(layers, file):
    for name, theirs, ours in both(layers, weights=torchs_layout if file else None):
        np.testing.assert_allclose(theirs, ours, rtol=1e-9, err_msg=name)


def test_what_reads_flattened_rows_reads_all_their_numbers():
    layers = [("flat", Flatten()), ("norm", BatchNorm()), ("prob", Softmax())]
    for name, theirs, ours in both(layers):
        np.testing.assert_allclose(theirs, ours, rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("build", [nets.everything, nets.smooth])
def test_whole_networks(build):
    pytest.importorskip("torch")
    network, x = build(), nets.images(1)
    run = network.forward(x)
    found = dict(torch_twin.activations(network, x))
    assert list(found) == network.names
    for name, y in found.items():
        np.testing.assert_allclose(y, run[name], rtol=1e-9, atol=1e-12, err_msg=name)


def torchs_layout(network):
    """The weights as PyTorch keeps them, as if they had come from a file of its: the first dense
    layer reads an image C,H,W, flattened or not."""
    found = {}
    for place, w in nets.parameters(network).items():
        name = place.rpartition("/")[0]
        flat = name == "fc" and "flat" in network.names
        image = network.input_shapes["flat" if flat else name]
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
    monkeypatch.setattr(torch_twin, "BAND", 200)
    monkeypatch.setattr(torch_twin, "PIECE", 800)
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
    theirs = torch_twin.prepared(picture, preprocessing)
    assert theirs.dtype == np.float64 and theirs.shape == ours.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-4)  # float32 of numbers to 255


def test_without_preprocessing():
    picture = fingerprint.picture(8, 9)
    np.testing.assert_allclose(torch_twin.prepared(picture, None, 4),
                               fingerprint.neutral(picture, 4))


def test_a_setting_that_pytorch_lacks_is_named():
    with pytest.raises(torch_twin.NotComputed, match="^p: pad"):
        both([("p", MaxPool(3, 1, pad=2))])  # more than half the window


def test_the_layer_is_named_wherever_it_is():
    with pytest.raises(torch_twin.NotComputed, match="^inner: "):
        both(nets.joined("mix", "image", [("inner", MaxPool(3, 1, pad=2)), ("c", Conv(2, 1))],
                         [("wide", Conv(2, 1, pad=1))]))


def test_without_pytorch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)  # then importing it fails
    assert torch_twin.version() is None
    with pytest.raises(torch_twin.NotComputed, match="cannot be imported"):
        list(torch_twin.activations(nets.smooth(), nets.images(1)))
