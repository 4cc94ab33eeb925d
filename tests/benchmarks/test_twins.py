"""PyTorch's networks compute the same numbers as ours: else their times would mean nothing."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import tasks  # noqa: E402
import twins  # noqa: E402
from tasks import (  # noqa: E402
    ALL_GRADIENTS,
    FORWARD,
    IMAGE_GRADIENT,
    INPUT_GRADIENT,
    TRAINING_STEP,
    WEIGHT_GRADIENT,
)

from minicnn import models  # noqa: E402
from minicnn.network import Network  # noqa: E402
from minicnn.network.layers import Conv, Dense, MaxPool, ReLU, Softmax  # noqa: E402

SMALL = {  # every network of the benchmark, with fewer classes or smaller images where it can be
    "vgg16": (lambda: models.vgg16(10, size=32), 32),
    "vgg16_convolutions": (tasks.NETWORKS["vgg16_convolutions"], 32),
    "vgg16_pooled": (tasks.NETWORKS["vgg16_pooled"], 32),
    "alexnet_caffe": (lambda: models.alexnet_caffe().until("pool5"), 99),
    "googlenet": (lambda: models.googlenet(10), 224),
    "squeezenet11": (tasks.NETWORKS["squeezenet11"], 67),
    "minivgg": (tasks.NETWORKS["minivgg"], 64),
    "vgg19_conv4_1": (tasks.NETWORKS["vgg19_conv4_1"], 16),
}
LAYERS = [("minivgg", "conv2_1"), ("alexnet_caffe", "conv2"), ("minivgg", "pool2"),
          ("alexnet_caffe", "pool1"), ("googlenet", "inception_3a/pool"),
          ("googlenet", "pool5/7x7_s1"), ("alexnet_caffe", "norm1"), ("minivgg", "relu2_1"),
          ("minivgg", "fc5"), ("minivgg", "fc6")]


def pair(network, dtype=np.float64):
    """A network and its twin with the same weights."""
    network = network.initialize(0)
    module = twins.twin(network).eval().requires_grad_(False)
    for (w, b), theirs in zip(weights(network), trained(module), strict=True):
        theirs.weight.copy_(torch.from_numpy(w.copy()))
        theirs.bias.copy_(torch.from_numpy(b))
    return network.astype(dtype), module.to(getattr(torch, np.dtype(dtype).name))


def trained(module):
    return [m for m in module.modules() if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear))]


def weights(network):
    """(w, b) of every layer in PyTorch's layout."""
    return [(theirs(network, name, params["w"]), params["b"]) for name in network.param_shapes
            for params in [network.params[name]]]


def theirs(network, name, w):
    """A weight array, or its gradient, in PyTorch's layout."""
    if w.ndim == 2:
        w = w.reshape(*network.input_shapes[name], -1)  # H*W*C,O -> H,W,C,O, or D,O
    last = (3, 2, 0, 1) if w.ndim == 4 else (1, 0)
    w = w.transpose(last)  # KH,KW,C,O -> O,C,KH,KW; H,W,C,O -> O,C,H,W; D,O -> O,D
    return w if len(network.param_shapes[name]["w"]) == 4 else w.reshape(len(w), -1)


def ours_layout(y):
    y = y.detach().numpy()
    return y.transpose(0, 2, 3, 1) if y.ndim == 4 else y  # N,C,H,W -> N,H,W,C


def photos(side):
    """Numbers as large as pixels, so that LRN is more than a multiplication by 1."""
    return 100 * tasks.numbers((1, side, side, 3))


def close(got, expected, tolerance):
    assert got.shape == expected.shape
    assert abs(got - expected).max() <= tolerance * abs(expected).max()


def test_every_network_of_the_benchmark_is_here():
    assert set(SMALL) == set(tasks.NETWORKS)


@pytest.mark.parametrize("name", SMALL)
def test_the_twin_computes_the_same_scores_and_gradient_at_the_image(name):
    """The gradient in float64: in float32 a ReLU or a pooling may switch over, and it with it."""
    make, side = SMALL[name]
    network, module = pair(make(), np.float32)
    x = photos(side)
    expected = tasks.NETWORK_PASSES[FORWARD](network, x)()
    got = ours_layout(twins.PASSES[FORWARD](module, twins.tensor(x))())
    close(got, expected, 1e-4)  # two float32 programs, up to 57 convolutions deep
    network, module, x = network.astype(np.float64), module.double(), x.astype(np.float64)
    expected = tasks.NETWORK_PASSES[IMAGE_GRADIENT](network, x)()
    got = ours_layout(twins.PASSES[IMAGE_GRADIENT](module, twins.tensor(x))())
    close(got, expected, 1e-9)


def trainable():
    """(network, module, x, x as a tensor) without dropout, which no two libraries draw alike."""
    network, module = pair(Network("trainable", [
        ("conv1", Conv(6, 3, pad=1)),
        ("relu1", ReLU()),
        ("pool1", MaxPool(2)),
        ("conv2", Conv(4, 3, groups=2)),
        ("fc3", Dense(7)),
        ("relu3", ReLU()),
        ("fc4", Dense(5)),
        ("prob", Softmax()),
    ], (10, 12, 3)))
    x = tasks.numbers((2, 10, 12, 3)).astype(np.float64)
    return network, module, x, twins.tensor(x)


def test_all_gradients_are_the_same():
    network, module, x, tensor = trainable()
    gradients = tasks.NETWORK_PASSES[ALL_GRADIENTS](network, x)()
    twins.PASSES[ALL_GRADIENTS](module, tensor)()
    assert list(gradients)[::-1] == list(network.param_shapes)
    for name, of_theirs in zip(network.param_shapes, trained(module), strict=True):
        close(of_theirs.weight.grad.numpy(), theirs(network, name, gradients[name]["w"]), 1e-9)
        close(of_theirs.bias.grad.numpy(), gradients[name]["b"], 1e-9)


def test_two_training_steps_lead_to_the_same_weights():
    network, module, x, tensor = trainable()
    before = weights(network)
    steps = (tasks.NETWORK_PASSES[TRAINING_STEP](network, x),
             twins.PASSES[TRAINING_STEP](module, tensor))
    for step in (*steps, *steps):
        step()
    for old, new, of_theirs in zip(before, weights(network), trained(module), strict=True):
        for was, now, parameter in zip(old, new, (of_theirs.weight, of_theirs.bias), strict=True):
            close(parameter.detach().numpy() - was, now - was, 1e-6)  # steps of 1e-5 from near 1


def test_all_gradients_make_again_what_comes_from_the_weights():
    """As a training step must; or Winograd's transforms would be had for nothing."""
    network, _, x, _ = trainable()
    run = tasks.NETWORK_PASSES[ALL_GRADIENTS](network, x)
    run()
    first = network.params["conv2"]["w"]
    run()
    assert network.params["conv2"]["w"] is not first
    assert np.shares_memory(network.params["conv2"]["w"], first)


@pytest.mark.parametrize(("network", "layer"), LAYERS)
def test_a_layer_alone_does_the_same(network, layer):
    task = tasks.Task(network, FORWARD, 2, layer)
    alone, module = pair(tasks.build(task))
    x = tasks.images(task, alone).astype(np.float64)
    if "norm" in layer:
        x *= 100  # else it is nearly a multiplication by 1
    tensor = twins.tensor(x)
    y, _ = tasks.LAYER_PASSES[FORWARD](alone[layer], x)()
    close(ours_layout(twins.PASSES[FORWARD](module, tensor)()), y, 1e-10)
    dx, _ = tasks.LAYER_PASSES[INPUT_GRADIENT](alone[layer], x)()
    close(ours_layout(twins.PASSES[INPUT_GRADIENT](module, tensor)()[0]), dx, 1e-10)
    if alone.param_shapes:
        _, gradients = tasks.LAYER_PASSES[WEIGHT_GRADIENT](alone[layer], x)()
        dw, db = twins.PASSES[WEIGHT_GRADIENT](module, tensor.detach())()
        close(dw.numpy(), theirs(alone, layer, gradients["w"]), 1e-10)
        close(db.numpy(), gradients["b"], 1e-10)


def test_only_the_gradient_that_is_asked_for_is_computed():
    """The other one would count in PyTorch's time."""
    task = tasks.Task("minivgg", INPUT_GRADIENT, 1, "conv2_1")
    _, module = pair(tasks.build(task), np.float32)
    x = twins.tensor(tasks.images(task, tasks.build(task)))
    assert len(twins.PASSES[INPUT_GRADIENT](module, x)()) == 1
    assert not any(p.requires_grad for p in module.parameters())
    x = x.detach()
    assert len(twins.PASSES[WEIGHT_GRADIENT](module, x)()) == 2 and not x.requires_grad


@pytest.mark.parametrize("layer", ["conv2_1", "pool2"])
def test_channels_last_is_that(layer):
    """A pooling has no weights: there it shows that the image is laid out so too."""
    task = tasks.Task("minivgg", FORWARD, 2, layer)
    run = twins.torchs(task, torch.channels_last)
    assert run().is_contiguous(memory_format=torch.channels_last)
    assert twins.torchs(task)().is_contiguous()


def test_steps_towards_a_texture_lead_to_the_same_image():
    """Three of Adam's, in float64: ours yields the image that it looks at, PyTorch's the next."""
    make, side = SMALL["vgg19_conv4_1"]
    network, module = pair(make())
    x = photos(side).astype(np.float64)
    step = tasks.NETWORK_PASSES[tasks.GRAM_STEP](network, x)
    theirs = twins._gram_step(module, twins.tensor(x), tasks.gram_layers(network))
    start = step().image
    for _ in range(3):
        got, expected = ours_layout(theirs()), step().image
    close(got - start, expected - start, 1e-6)  # Adam divides by roots: digits are lost there
    assert abs(expected - start).max() > 1


def test_the_card_s_own_tasks_do_what_is_counted():
    for what in (tasks.COPY, tasks.PRODUCT):
        task = tasks.Task(tasks.CARD, what, side=8)
        a, b = tasks.matrices(task)
        got, expected = twins.torchs(task)().numpy(), tasks.ours(task)()
        np.testing.assert_allclose(got, a if expected is None else expected, rtol=1e-5, atol=1e-6)
        assert expected is None or np.allclose(expected, a @ b)
