"""PyTorch's networks compute the same numbers as ours: else their times would mean nothing."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import tasks  # noqa: E402
import torch_tasks  # noqa: E402
from tasks import (  # noqa: E402
    ALL_GRADIENTS,
    FORWARD,
    IMAGE_GRADIENT,
    INPUT_GRADIENT,
    TRAINING_STEP,
    WEIGHT_GRADIENT,
)

from minicnn import models  # noqa: E402
from minicnn.files import torch_twin  # noqa: E402
from minicnn.files.torch_twin import to_numpy, to_torch  # noqa: E402
from minicnn.network import Network  # noqa: E402
from minicnn.network.layers import Conv, Dense, MaxPool, ReLU, Softmax  # noqa: E402
from minicnn.train import batch_norm  # noqa: E402

SMALL = {  # every network of the benchmark, with fewer classes or smaller images where it can be
    "vgg16": (lambda: models.vgg16(10, size=32), 32),
    "vgg16_convolutions": (tasks.NETWORKS["vgg16_convolutions"], 32),
    "vgg16_pooled": (tasks.NETWORKS["vgg16_pooled"], 32),
    "alexnet_caffe": (lambda: models.alexnet_caffe().until("pool5"), 99),
    "googlenet": (lambda: models.googlenet(10), 224),
    "squeezenet11": (tasks.NETWORKS["squeezenet11"], 67),
    "minivgg": (tasks.NETWORKS["minivgg"], 64),
    "minivgg_bn": (tasks.NETWORKS["minivgg_bn"], 64),
    "resnet18": (tasks.NETWORKS["resnet18"], 64),
    "mobilenet_v1": (tasks.NETWORKS["mobilenet_v1"], 64),
    "vgg19_conv4_1": (tasks.NETWORKS["vgg19_conv4_1"], 16),
}
LAYERS = [("minivgg", "conv2_1"), ("alexnet_caffe", "conv2"), ("minivgg", "pool2"),
          ("alexnet_caffe", "pool1"), ("googlenet", "inception_3a/pool"),
          ("googlenet", "pool5/7x7_s1"), ("mobilenet_v1", "conv4_1/dw"),
          ("alexnet_caffe", "norm1"), ("minivgg", "relu2_1"), ("minivgg", "fc5"),
          ("minivgg", "fc6")]


def pair(network, dtype=np.float64):
    """A network with random weights, and its twin with the same."""
    network = network.initialize(0).astype(dtype)
    return network, torch_tasks.Twin(network, torch_twin.arrays(network))


def weights(arrays):
    """Every array that learns, in order, from some in PyTorch's layout."""
    return [w for named in arrays.values() for key, w in named.items()
            if key not in ("mean", "variance")]


def photos(side):
    """Numbers as large as pixels, so that LRN is more than a multiplication by 1."""
    return 100 * tasks.numbers((1, side, side, 3))


def close(got, expected, tolerance, nothing=0.0):
    assert got.shape == expected.shape
    assert abs(got - expected).max() <= tolerance * abs(expected).max() + nothing


def test_every_network_of_the_benchmark_is_here():
    assert set(SMALL) == set(tasks.NETWORKS)


@pytest.mark.parametrize("name", SMALL)
def test_the_twin_computes_the_same_scores_and_gradient_at_the_image(name):
    """The gradient in float64: in float32 a ReLU or a pooling may switch over, and it with it."""
    make, side = SMALL[name]
    network, twin = pair(make(), np.float32)
    x = photos(side)
    expected = tasks.NETWORK_PASSES[FORWARD](network, x)()
    got = to_numpy(torch_tasks.PASSES[FORWARD](twin, to_torch(x))())
    close(got, expected, 1e-4)  # two float32 programs, up to 57 convolutions deep
    (network, twin), x = pair(make()), x.astype(np.float64)
    expected = tasks.NETWORK_PASSES[IMAGE_GRADIENT](network, x)()
    got = to_numpy(torch_tasks.PASSES[IMAGE_GRADIENT](twin, to_torch(x))())
    close(got, expected, 1e-9)


def trainable(change=lambda network: network):
    """(network, its twin, x, x as a tensor) without dropout, which no two libraries draw alike."""
    network, twin = pair(change(Network("trainable", [
        ("conv1", Conv(6, 3, pad=1)),
        ("relu1", ReLU()),
        ("pool1", MaxPool(2)),
        ("conv2", Conv(4, 3, groups=2)),
        ("fc3", Dense(7)),
        ("relu3", ReLU()),
        ("fc4", Dense(5)),
        ("prob", Softmax()),
    ], (10, 12, 3))))
    x = tasks.numbers((2, 10, 12, 3)).astype(np.float64)
    return network, twin, x, to_torch(x)


def test_all_gradients_are_the_same():
    network, twin, x, tensor = trainable()
    gradients = tasks.NETWORK_PASSES[ALL_GRADIENTS](network, x)()
    torch_tasks.PASSES[ALL_GRADIENTS](twin, tensor)()
    assert list(gradients)[::-1] == list(network.param_shapes)
    for name, named in twin.arrays.items():
        for key, w in named.items():
            expected = torch_twin.turned(torch.tensor(gradients[name][key]),
                                         network.input_shapes[name])
            close(w.grad.numpy(), expected.numpy(), 1e-9)


@pytest.mark.parametrize("change", [lambda network: network, batch_norm.add])
def test_two_training_steps_lead_to_the_same_weights(change):
    network, twin, x, tensor = trainable(change)
    before = weights(torch_twin.arrays(network))
    steps = (tasks.NETWORK_PASSES[TRAINING_STEP](network, x),
             torch_tasks.PASSES[TRAINING_STEP](twin, tensor))
    for step in (*steps, *steps):
        step()
    after = weights(torch_twin.arrays(network)), weights(twin.arrays)
    for old, ours, theirs in zip(before, *after, strict=True):
        # 1e-5 from near 1; a bias in front of a batch norm has no gradient but rounding, 1e-14
        close((theirs.detach() - old).numpy(), (ours - old).numpy(), 1e-6, 1e-14 * tasks.RATE)


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
    alone, twin = pair(tasks.build(task))
    x = tasks.images(task, alone).astype(np.float64)
    if "norm" in layer:
        x *= 100  # else it is nearly a multiplication by 1
    tensor = to_torch(x)
    y, _ = tasks.LAYER_PASSES[FORWARD](alone, x)()
    close(to_numpy(torch_tasks.PASSES[FORWARD](twin, tensor)()), y, 1e-10)
    dx, _ = tasks.LAYER_PASSES[INPUT_GRADIENT](alone, x)()
    close(to_numpy(torch_tasks.PASSES[INPUT_GRADIENT](twin, tensor)()[0]), dx, 1e-10)
    if alone.param_shapes:
        _, gradients = tasks.LAYER_PASSES[WEIGHT_GRADIENT](alone, x)()
        dw, *db = torch_tasks.PASSES[WEIGHT_GRADIENT](twin, tensor.detach())()
        expected = torch_twin.turned(torch.tensor(gradients["w"]), alone.input_shape)
        close(dw.numpy(), expected.numpy(), 1e-10)
        assert len(db) == ("b" in gradients)
        for theirs in db:
            close(theirs.numpy(), gradients["b"], 1e-10)


def test_random_arrays_are_like_those_of_the_network():
    network = tasks.build(tasks.Task("minivgg", FORWARD)).initialize(0)
    drawn, ours = torch_tasks.drawn(network), torch_twin.arrays(network)
    assert list(drawn) == list(ours)
    for name, named in ours.items():
        for key, w in named.items():
            got = drawn[name][key]
            assert got.shape == w.shape and got.dtype == w.dtype
            assert got.std() == pytest.approx(float(w.std()), rel=0.2)  # 864 numbers or more: 5 %


def test_only_the_gradient_that_is_asked_for_is_computed():
    """The other one would count in PyTorch's time."""
    task = tasks.Task("minivgg", INPUT_GRADIENT, 1, "conv2_1")
    _, twin = pair(tasks.build(task), np.float32)
    x = to_torch(tasks.images(task, tasks.build(task)))
    assert len(torch_tasks.PASSES[INPUT_GRADIENT](twin, x)()) == 1
    assert not any(w.requires_grad for w in twin.arrays["conv2_1"].values())
    x = x.detach()
    assert len(torch_tasks.PASSES[WEIGHT_GRADIENT](twin, x)()) == 2 and not x.requires_grad


@pytest.mark.parametrize("layer", ["conv2_1", "pool2"])
def test_channels_last_is_that(layer):
    """A pooling has no weights: there it shows that the image is laid out so too."""
    task = tasks.Task("minivgg", FORWARD, 2, layer)
    run = torch_tasks.torchs(task, torch.channels_last)
    assert run().is_contiguous(memory_format=torch.channels_last)
    assert torch_tasks.torchs(task)().is_contiguous()


def test_steps_towards_a_texture_lead_to_the_same_image():
    """Three of Adam's, in float64: ours yields the image that it looks at, PyTorch's the next."""
    make, side = SMALL["vgg19_conv4_1"]
    network, twin = pair(make())
    x = photos(side).astype(np.float64)
    step = tasks.NETWORK_PASSES[tasks.GRAM_STEP](network, x)
    theirs = torch_tasks.PASSES[tasks.GRAM_STEP](twin, to_torch(x))
    start = step().image
    for _ in range(3):
        got, expected = to_numpy(theirs()), step().image
    close(got - start, expected - start, 1e-6)  # Adam divides by roots: digits are lost there
    assert abs(expected - start).max() > 1


def test_the_card_s_own_tasks_do_what_is_counted():
    for what in (tasks.COPY, tasks.PRODUCT):
        task = tasks.Task(tasks.CARD, what, side=8)
        a, b = tasks.matrices(task)
        got, expected = torch_tasks.torchs(task)().numpy(), tasks.ours(task)()
        np.testing.assert_allclose(got, a if expected is None else expected, rtol=1e-5, atol=1e-6)
        assert expected is None or np.allclose(expected, a @ b)
