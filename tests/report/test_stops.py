"""The stops of the tour: each makes its pictures with the shipped network."""

import inspect

import pytest
import small

import minicnn
from minicnn.course import lessons
from minicnn.network import Network
from minicnn.network.layers import Conv, ReLU
from minicnn.report import stops


@pytest.mark.parametrize("stop", stops.STOPS, ids=lambda stop: stop.make.__name__)
def test_it_says_what_one_sees(stop):
    heading, _, text = inspect.getdoc(stop.make).partition("\n\n")
    assert "\n" not in heading and 1 <= text.count(". ") + text.endswith(".") <= 4
    assert lessons.lesson(stop.lesson).number == stop.lesson


def test_layers_evenly_apart():
    net = minicnn.load("minivgg")
    assert stops.spread(net, 4) == ["relu1_1", "relu2_1", "relu3_2", "relu4_2"]
    assert stops.spread(net, 99) == stops.rectified(net)
    assert (stops.middle(net), stops.deep(net), stops.last(net)) == (
        "relu3_1", "relu4_1", "relu4_2")


def test_what_branches_join_is_rectified_too():
    """In GoogLeNet and SqueezeNet all but the first layers are branches."""
    assert stops.rectified(small.network()) == ["relu1", "mix", "relu2"]


def test_classes_that_a_network_lacks():
    net = minicnn.load("minivgg")
    assert [net.label(k) for k in stops.recognised(net)] == list(stops.SHOWN)
    net.labels = [f"class {k}" for k in range(100)]
    assert stops.recognised(net) == [0, 14, 28, 42, 56, 70, 84, 99]


def test_a_network_without_class_scores():
    net = Network("cut", [("conv", Conv(4, 3)), ("relu", ReLU())], (16, 20, 3))
    with pytest.raises(ValueError, match="network cut ends at relu, before any class scores"):
        stops.recognised(net)
