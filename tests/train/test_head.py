"""Another head: the trunk is shared, the head is new and empty."""

import nets
import numpy as np
import pytest

from minicnn.network import Network
from minicnn.network.layers import Conv, Dense, GlobalAveragePool, Softmax
from minicnn.train import head


def test_the_trunk_is_shared_and_the_head_is_new():
    network = nets.classifier().initialize(0)
    other = head.replace(network, 3, ["a", "b", "c"])
    assert other.params["conv1"] is network.params["conv1"]
    assert other.empty() == ["fc"] and network.empty() == []
    assert other.shapes[other.logits] == (3,) and other.labels == ["a", "b", "c"]
    p = other.initialize(1).probabilities(np.zeros((1, *network.input_shape), np.float32))
    assert p.shape == (1, 3) and network.shapes["fc"] == (10,)


def test_a_network_of_one_dense_layer():
    one = Network("n", [("fc", Dense(4)), ("prob", Softmax())], (2, 2, 1)).initialize(0)
    assert head.replace(one, 2).shapes["fc"] == (2,) and head.replace(one, 2).empty() == ["fc"]


def test_scores_of_another_layer_are_refused():
    network = Network("n", [("conv", Conv(4, 1)), ("mean", GlobalAveragePool()),
                            ("prob", Softmax())], (2, 2, 1))
    with pytest.raises(ValueError, match="from layer mean.*expected a dense layer"):
        head.replace(network, 2)
