"""What a tour shows of a network."""

import pytest
import small

import minicnn
from minicnn.network import Network
from minicnn.network.layers import Conv, ReLU
from minicnn.report import chosen


def test_layers_evenly_apart():
    net = minicnn.load("minivgg")
    assert chosen.spread(net, 4) == ["relu1_1", "relu2_1", "relu3_2", "relu4_2"]
    assert chosen.spread(net, 99) == chosen.rectified(net)
    assert (chosen.middle(net), chosen.deep(net), chosen.last(net)) == (
        "relu3_1", "relu4_1", "relu4_2")


def test_what_branches_join_is_rectified_too():
    """In GoogLeNet and SqueezeNet all but the first layers are branches."""
    assert chosen.rectified(small.network()) == ["relu1", "mix", "relu2"]


def test_classes_that_a_network_lacks():
    net = minicnn.load("minivgg")
    assert [net.label(k) for k in chosen.recognised(net)] == list(chosen.SHOWN)
    net.labels = [f"class {k}" for k in range(100)]
    assert chosen.recognised(net) == [0, 14, 28, 42, 56, 70, 84, 99]


def test_a_network_without_class_scores():
    net = Network("cut", [("conv", Conv(4, 3)), ("relu", ReLU())], (16, 20, 3))
    with pytest.raises(ValueError, match="network cut ends at relu, before any class scores"):
        chosen.recognised(net)
