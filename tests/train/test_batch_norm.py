"""Batch norms put in for training and folded away after it."""

import nets
import numpy as np
import pytest

from minicnn import models
from minicnn.network import Network
from minicnn.network.layers import BatchNorm, Conv, Dense, MaxPool, ReLU, Softmax
from minicnn.train import batch_norm


def plain():
    return Network("plain", [
        ("conv1", Conv(4, 3, pad=1)), ("relu1", ReLU()), ("pool1", MaxPool(2)),
        ("conv2", Conv(6, 3, pad=1, groups=2)), ("relu2", ReLU()),
        ("fc", Dense(5)), ("prob", Softmax()),
    ], (6, 8, 3), labels=list("abcde"))


@pytest.mark.parametrize("dtype, atol", [
    (np.float64, 1e-12),  # a few roundings of 1e-16, and epsilon held as float32: 1e-13
    (np.float32, 1e-6),   # the same few roundings of 6e-8, on probabilities
])
def test_fold_keeps_the_outputs(dtype, atol):
    network = nets.trained(batch_norm.add(plain()), dtype=dtype)
    folded = batch_norm.fold(network, plain())
    x = nets.images(3, (6, 8, 3), dtype=dtype)
    np.testing.assert_allclose(folded.forward(x).output, network.forward(x).output, atol=atol,
                               rtol=0)
    assert {a.dtype for a in nets.parameters(folded).values()} == {np.dtype(dtype)}


def test_add_puts_one_after_every_convolution():
    network = batch_norm.add(plain())
    assert network.names == ["conv1", "conv1_bn", "relu1", "pool1", "conv2", "conv2_bn", "relu2",
                             "fc", "prob"]
    assert isinstance(network["conv2_bn"], BatchNorm) and network.labels == list("abcde")


@pytest.mark.parametrize("name", ["minivgg", "lecture_mnist", "lenet5", "squeezenet11"])
def test_add_reaches_every_convolution_of_every_model(name):
    network = batch_norm.add(getattr(models, name)())
    kinds = [type(layer) for _, layer, _ in network.rows]
    assert kinds.count(BatchNorm) == kinds.count(Conv) > 0


def test_fold_works_where_the_last_layer_has_parameters():
    cut = plain().until("fc")
    network = nets.trained(batch_norm.add(cut))
    folded = batch_norm.fold(network, cut)
    x = nets.images(1, (6, 8, 3))
    np.testing.assert_allclose(folded.forward(x).output, network.forward(x).output, rtol=1e-11)


def test_fold_leaves_the_trained_network_as_it_was():
    """Also when it is folded into the very network that the batch norms were added to."""
    start = plain()
    network = nets.trained(batch_norm.add(start))
    x = nets.images(1, (6, 8, 3))
    before = network.forward(x).output
    batch_norm.fold(network, start)
    np.testing.assert_array_equal(network.forward(x).output, before)
