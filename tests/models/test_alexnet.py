"""The three AlexNets: counts, orders of layers, and the sizes that ceil rounding gives."""

import nets
import numpy as np
import pytest

from minicnn import models
from minicnn.network import Network
from minicnn.network.layers import LRN, Conv, MaxPool


def fed(model, size):
    """The convolutional part of a model for images of another size."""
    return Network(model.name, model.until("pool5").rows, (size, size, 3))


def sides(network):
    return [network.shapes[name][0] for name in ("conv1", "pool1", "pool2", "pool5")]


@pytest.mark.parametrize("name, count", [
    ("alexnet_caffe", 60_965_224), ("caffenet", 60_965_224), ("alexnet_torch", 61_100_840)])
def test_counts_are_the_published_ones(name, count):
    network = getattr(models, name)()
    assert network.count() == count and network.logits == "fc8"


@pytest.mark.parametrize("name", ["alexnet_caffe", "caffenet"])
def test_ceil_rounding_shows_at_224_only(name):
    model = getattr(models, name)()
    assert sides(fed(model, 227)) == [55, 27, 13, 6]
    assert sides(fed(model, 224)) == [54, 27, 13, 6]


def test_floor_rounding_would_give_other_sizes():
    """The test above can fail: with floor 224 shrinks to 54, 26, 12, 5."""
    rows = [(name, MaxPool(3, 2) if isinstance(layer, MaxPool) else layer)
            for name, layer, _ in models.alexnet_caffe().until("pool5").rows]
    assert sides(Network("floor", rows, (224, 224, 3))) == [54, 26, 12, 5]


def test_the_sizes_computed_are_the_sizes_foretold():
    network = nets.trained(fed(models.alexnet_caffe(), 224).until("pool2"), dtype=np.float32)
    run = network.forward(nets.images(1, (224, 224, 3), dtype=np.float32), keep=["pool1"])
    assert run["pool1"].shape == (1, 27, 27, 96) and run.output.shape == (1, 13, 13, 256)


def test_the_order_of_normalisation_and_pooling():
    assert models.alexnet_caffe().names[:8] == [
        "conv1", "relu1", "norm1", "pool1", "conv2", "relu2", "norm2", "pool2"]
    assert models.caffenet().names[:8] == [
        "conv1", "relu1", "pool1", "norm1", "conv2", "relu2", "pool2", "norm2"]
    assert not any("norm" in name for name in models.alexnet_torch().names)


def test_settings_of_the_caffe_nets():
    network = models.alexnet_caffe()
    assert [network[f"conv{i}"].groups for i in range(1, 6)] == [1, 2, 1, 2, 2]
    for name in ("norm1", "norm2"):
        assert network[name] == LRN(5, alpha=1e-4, beta=0.75, k=1.0, convention="caffe")
    p = network.preprocessing
    assert (p.size, p.order, p.rule, p.resize_to) == ((227, 227), "BGR", "squash", 256)
    assert tuple(p.mean) == (104.00698793, 116.66876762, 122.67891434)


def test_torchvision_s_kernels():
    network = models.alexnet_torch()
    assert [network.param_shapes[f"conv{i}"]["w"] for i in range(1, 6)] == [
        (11, 11, 3, 64), (5, 5, 64, 192), (3, 3, 192, 384), (3, 3, 384, 256), (3, 3, 256, 256)]
    assert network.param_shapes["fc6"]["w"] == (9216, 4096)
    assert all(layer.groups == 1 for _, layer, _ in network.rows if isinstance(layer, Conv))
    assert sides(network) == [55, 27, 13, 6]


def test_torchvision_s_numbers_for_a_grey_photo():
    p = models.alexnet_torch().preprocessing
    expected = (128 / 255 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    x = models.alexnet_torch().prepare(np.full((300, 300, 3), 128, np.uint8))
    # float32 pixels up to 255 with a mean subtracted: 1e-5 of a standard deviation
    np.testing.assert_allclose(x[0, 100, 100], expected, atol=1e-5)
    assert p.order == "RGB" and p.resample == "bilinear"
