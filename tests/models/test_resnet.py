"""Residual networks: published counts, shapes, and every number against PyTorch."""

import numpy as np
import pytest
import torchvision_twin

from minicnn import models
from minicnn.foreign.convert import convert
from minicnn.network import receptive
from minicnn.network.layers import Add

TRAINED = {"resnet18": 11_689_512, "resnet50": 25_557_032, "resnext50_32x4d": 25_028_904}


@pytest.mark.parametrize("name", TRAINED)
def test_counts_are_the_published_ones(name):
    assert f"Trainable params: {TRAINED[name]:,}" in getattr(models, name)().summary()


def test_sizes():
    for name, channels in (("resnet18", 64), ("resnet50", 256), ("resnext50_32x4d", 256)):
        shapes = getattr(models, name)().shapes
        ends = [("conv1", 112, 64), ("pool1", 56, 64), ("res2b_relu", 56, channels),
                ("res3b_relu", 28, 2 * channels), ("res4b_relu", 14, 4 * channels),
                ("res5b_relu", 7, 8 * channels)]
        assert [shapes[place] for place, _, _ in ends] == [(side, side, c) for _, side, c in ends]


def test_a_block_adds_what_it_computed_to_what_it_read():
    network = models.resnet18()
    assert network["res2b"] == Add() and network.inputs("res2b") == ("res2a_relu",
                                                                     "bn2b_branch2b")
    assert network.inputs("res3a") == ("bn3a_branch1", "bn3a_branch2b")
    assert sum(isinstance(layer, Add) for _, layer, _ in models.resnet50().rows) == 16


def test_receptive_fields_are_those_of_the_widest_path():
    """Araujo, Norris & Sim (2019): 435 pixels for ResNet-18's last block, at a step of 32."""
    field = receptive.field(models.resnet18(), "res5b")
    assert (field.size, field.stride) == ((435, 435), (32, 32))


@pytest.mark.parametrize("name", TRAINED)
def test_scores_and_slopes_are_those_of_torchvision(name, tmp_path):
    """Through a file that torchvision would have saved; the whole architecture, at 32 x 64 pixels."""
    torch = pytest.importorskip("torch")
    twin = torchvision_twin.Twin(torchvision_twin.RESNETS[name], 10, side=32)
    path = tmp_path / "net.pth"
    torch.save({key: torch.from_numpy(np.asarray(value)) for key, value in twin.state.items()},
               path)
    network, _ = convert(path)
    assert network.name == name
    torchvision_twin.check(network, twin, (32, 64))
