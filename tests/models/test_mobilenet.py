"""MobileNet v1: the published count, the paper's table, and every number against PyTorch."""

import nets
import numpy as np
import pytest
import torch_network

from minicnn import models

WIDTHS = [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024]  # the paper's table 1
STEPS = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1]


def test_the_count_is_the_published_one():
    assert "Trainable params: 4,231,976" in models.mobilenet_v1().summary()


def test_each_channel_is_filtered_by_itself_and_then_all_are_mixed():
    network, channels = models.mobilenet_v1(), 32
    names = [name for name in network.names if name.endswith(("/dw", "/sep")) and "conv" in name]
    for deep, mix, filters, step in zip(names[::2], names[1::2], WIDTHS, STEPS, strict=True):
        assert (network[deep].groups, network[deep].stride) == (channels, step)
        assert network.param_shapes[deep]["w"] == (3, 3, 1, channels)
        assert network.param_shapes[mix]["w"] == (1, 1, channels, filters)
        channels = filters
    assert network.shapes["relu6/sep"] == (7, 7, 1024)


def test_scores_and_slopes_are_pytorchs():
    """The same architecture once more in PyTorch's functions, in float64, at 32 x 64 pixels."""
    torch = pytest.importorskip("torch")
    network = nets.trained(models.mobilenet_v1(10))
    arrays = {name: torch.tensor(value, requires_grad=name.endswith(("w", "gamma")))
              for name, value in nets.parameters(network).items()}

    def step(x, name, stride, pad, groups):
        p = {key: arrays[f"{name}/bn/{key}"] for key in ("mean", "variance", "gamma", "beta")}
        w = arrays[f"{name}/w"].permute(3, 2, 0, 1)  # KH,KW,C/G,O -> O,C/G,KH,KW
        y = torch.nn.functional.conv2d(x, w, None, stride, pad, 1, groups)
        return torch.relu(torch.nn.functional.batch_norm(y, *p.values(), eps=1e-5))

    x = nets.images(1, (32, 64, 3))
    image = torch.tensor(x.transpose(0, 3, 1, 2).copy(), requires_grad=True)
    y, names = step(image, "conv1", 2, 1, 1), ["conv2_1", "conv2_2", "conv3_1", "conv3_2",
                                               "conv4_1", "conv4_2", "conv5_1", "conv5_2",
                                               "conv5_3", "conv5_4", "conv5_5", "conv5_6", "conv6"]
    for name, stride in zip(names, STEPS, strict=True):
        y = step(y, f"{name}/dw", stride, 1, y.shape[1])
        y = step(y, f"{name}/sep", 1, 0, 1)
    scores = y.mean((2, 3)) @ arrays["fc7/w"] + arrays["fc7/b"]
    run = network.forward(x, to="fc7")
    seed = nets.like(run.output)
    scores.backward(torch.tensor(seed))
    # 1e-9 is float64's 1e-16 through 28 layers
    np.testing.assert_allclose(run.output, scores.detach().numpy(), rtol=1e-9)
    dx = image.grad.numpy().transpose(0, 2, 3, 1)  # N,C,H,W -> N,H,W,C
    assert np.abs(run.backward({"fc7": seed}) - dx).max() < 1e-9 * np.abs(dx).max()


def test_weight_gradients_are_pytorchs():
    """While learning, at every array of the whole network."""
    pytest.importorskip("torch")
    network, x = nets.trained(models.mobilenet_v1(10)), nets.images(2, (64, 96, 3))
    run = network.forward(x, to="fc7", learn=True)
    seed = {"fc7": nets.like(run.output)}
    weights = torch_network.gradients(network.until("fc7"), x, seed, learn=True)[2]
    expected = nets.parameters_of(weights)
    found = nets.parameters_of(run.weight_gradients(seed))
    assert found.keys() == expected.keys()
    for place, dw in found.items():
        # float64 through 28 layers whose batch norms divide by deviations
        assert np.abs(dw - expected[place]).max() < 1e-8 * np.abs(expected[place]).max(), place
