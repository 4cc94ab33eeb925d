"""Residual networks: published counts, shapes, and every number against PyTorch."""

import nets
import numpy as np
import pytest
import torch_network
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
    """Through a file that torchvision would have saved, at 32 x 40 pixels."""
    torch = pytest.importorskip("torch")
    twin = torchvision_twin.Twin(torchvision_twin.RESNETS[name], 10, side=32)
    path = tmp_path / "net.pth"
    torch.save({key: torch.from_numpy(np.asarray(value)) for key, value in twin.state.items()},
               path)
    network, _ = convert(path)
    assert network.name == name
    torchvision_twin.check(network, twin, (32, 40))


@pytest.mark.parametrize("name, end", [("resnet18", "fc1000"), ("resnet50", "fc1000"),
                                       ("resnext50_32x4d", "res3b_relu")])
def test_weight_gradients_are_pytorchs(name, end):
    """While learning, at every array; of ResNeXt its first six blocks, for PyTorch's convolutions
    of 32 groups in float64 take a tenth of a second each."""
    pytest.importorskip("torch")
    network = nets.trained(getattr(models, name)(10)).until(end)
    x = nets.images(2, (64, 96, 3))
    run = network.forward(x, learn=True)
    seed = {end: nets.like(run.output)}
    _, slopes, weights = torch_network.gradients(network, x, seed, learn=True)
    found = run.weight_gradients(seed)
    assert found.keys() == weights.keys()
    for place, dw in nets.parameters_of(found).items():
        expected = nets.parameters_of(weights)[place]
        # float64 through 50 layers whose batch norms divide by deviations
        assert np.abs(dw - expected).max() < 1e-8 * np.abs(expected).max(), place
    dx = run.backward(seed)
    assert np.abs(dx - slopes["image"]).max() < 1e-8 * np.abs(dx).max()
