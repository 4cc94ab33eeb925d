"""Against an independent implementation: its numbers for the same weights and the same inputs.

What the golden files hold, as found by comparing: the standard deviations are with N - 1; the
slices are the first 4 channels of the upper left 8x8 corner (the first 8 numbers of a vector);
and each name of a convolution means its output before the ReLU (GoogLeNet's conv1/7x7_s2, VGG's
conv1_1...), though Caffe's ReLUs work in place, but for SqueezeNet's conv10, which is after it.
"""

import json

import numpy as np
import pytest
import torch_network

from minicnn.foreign.load import load
from minicnn.network.layers import MaxPool

WEIGHTS = {"googlenet": "googlenet_bvlc", "squeezenet11": "squeezenet11",
           "vgg19norm": "vgg19_norm_to_conv4_1", "vgg16conv": "vgg16_conv"}
CASES = [f"{net}_{photo}" for net in ("googlenet", "squeezenet11")
         for photo in ("chelsea", "coffee", "rocket")]
CASES += ["vgg19norm_coffee", "vgg19norm_tubingen", "vgg16conv_chelsea", "vgg16conv_coffee"]
SQUARED = {"vgg19norm": "relu4_1", "vgg16conv": "relu5_3"}  # half their sum is the objective
RENAMED = {("squeezenet11", "conv10"): "relu_conv10", ("squeezenet11", "logits"): "pool10"}


@pytest.fixture(scope="module", params=["fast", "plain"])
def networks(request, shared_data):
    """By the twins, and all of it again by the pages."""
    return {name: trained(shared_data, name).using(request.param) for name in WEIGHTS}


def trained(shared_data, name):
    """A network as far as its golden numbers go: VGG-16's file ends before the last pooling."""
    network = load(shared_data / "weights" / f"{WEIGHTS[name]}.h5")
    return network.extended("vgg16", [("pool5", MaxPool(2))]) if name == "vgg16conv" else network


@pytest.fixture(scope="module", params=CASES)
def case(request, shared_data, networks):
    """(net's name, what was recorded, our run on the same input)."""
    name = request.param.partition("_")[0]
    golden, x = read(shared_data, request.param)
    return name, golden, networks[name].forward(x)


def read(shared_data, name):
    """(what was recorded, the input) of a golden file."""
    with np.load(shared_data / "golden" / f"{name}.npz") as file:
        golden = dict(file)
    return golden, np.ascontiguousarray(golden["input_bgr"].transpose(1, 2, 0)[None])  # -> 1,H,W,C


def recorded(golden):
    """The names of the layers that a golden file tells of."""
    return [key.removeprefix("mean:") for key in golden if key.startswith("mean:")]


def ours(name, layer, run):
    return run[RENAMED.get((name, layer), layer)][0]


def test_logits(case):
    name, golden, run = case
    if "logits" in golden:
        np.testing.assert_allclose(run[run.network.logits].ravel(), golden["logits"], atol=1e-3,
                                   rtol=0)  # float32: 1e-5 is seen
    else:
        assert SQUARED[name] in run.network.names and not run.network.classifies


def test_every_layer_s_mean_and_deviation(case):
    """Within 1e-4 of the deviation; two float32 programs are seen to differ by 2e-7 of it."""
    name, golden, run = case
    assert len(recorded(golden)) >= 9
    for layer in recorded(golden):
        y, std = ours(name, layer, run).astype(np.float64), golden[f"std:{layer}"]
        assert abs(y.mean() - golden[f"mean:{layer}"]) < 1e-4 * std, layer
        assert abs(y.std(ddof=1) - std) < 1e-4 * std, layer


def test_every_layer_s_slice(case):
    """Single numbers: within 1e-4 of the layer's deviation; 1e-5 of it is seen."""
    name, golden, run = case
    for layer in recorded(golden):
        y, expected = ours(name, layer, run), golden[f"slice:{layer}"]
        part = y[:8] if y.ndim == 1 else y[:8, :8, :4].transpose(2, 0, 1)  # H,W,C -> C,H,W
        np.testing.assert_allclose(part, expected, rtol=0, atol=1e-4 * golden[f"std:{layer}"],
                                   err_msg=layer)


def objective(name, golden, run):
    """(its value, the gradient at the layer that it looks at)."""
    if name in SQUARED:
        a = run[SQUARED[name]]
        return (a.astype(np.float64) ** 2).sum() / 2, {SQUARED[name]: a}
    scores = run[run.network.logits]
    seed = np.zeros_like(scores)
    seed.reshape(-1)[golden["unit"]] = 1  # 1,K or 1,1,1,K -> K
    assert scores.argmax() == golden["unit"]
    return scores.max(), {run.network.logits: seed}


def test_the_objective_and_its_gradient_at_the_image(case):
    """2 % in norm: where ReLU and pooling switches flip, two float32 programs differ."""
    name, golden, run = case
    value, seeds = objective(name, golden, run)
    assert value == pytest.approx(float(golden["objective"]), rel=1e-5)  # float32
    dx = run.backward(seeds)[0].transpose(2, 0, 1)  # H,W,C -> C,H,W
    expected = golden["image_gradient"]
    assert np.linalg.norm(dx - expected) < 0.02 * np.linalg.norm(expected)


@pytest.mark.parametrize("name", WEIGHTS)
def test_autograd_finds_the_same_gradient_at_the_image(shared_data, networks, name):
    """To 1e-12, in float64: there both agree which ReLUs are on; 7e-16 is seen."""
    pytest.importorskip("torch")
    golden, x = read(shared_data, f"{name}_coffee")
    network, x = networks[name].astype(np.float64), x.astype(np.float64)
    run = network.forward(x, keep=(SQUARED.get(name, network.logits),))
    _, seeds = objective(name, golden, run)
    expected, got = torch_network.gradients(network, x, seeds)[1]["image"], run.backward(seeds)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


TOP_5 = pytest.mark.parametrize("name", ["googlenet", "squeezenet11"])


@pytest.mark.thorough
@TOP_5
def test_top_5_of_the_imagenet_samples(shared_data, networks, name):
    """On the pages, which take ten times as long, of every tenth; of all in the slow test."""
    are_right(shared_data, networks[name], name,
              10 if networks[name].choice.otherwise == "plain" else 1)


@pytest.mark.slow
@TOP_5
def test_top_5_of_all_of_them_on_the_pages(shared_data, name):
    are_right(shared_data, trained(shared_data, name).using("plain"), name)


def are_right(shared_data, network, name, every=1):
    """97 of 100: another resampling of the photo may tip a tie."""
    golden = json.loads((shared_data / "golden" / f"top5_{name}.json").read_text())
    assert len(golden) == 100
    photos = [*golden.items()][::every]
    right = 0
    for photo, expected in photos:
        p = network.probabilities(network.prepare(shared_data / "imagenet-samples" / photo))[0]
        right += np.argsort(-p, kind="stable")[:5].tolist() == expected
    assert right >= 0.97 * len(photos)


def test_coffee_is_espresso_with_the_golden_probability(shared_data, networks):
    label, p = networks["googlenet"].classify(shared_data / "photos" / "coffee.png", top=1)[0]
    with np.load(shared_data / "golden" / "googlenet_coffee.npz") as golden:
        e = np.exp(golden["logits"].astype(np.float64) - golden["logits"].max())
    assert label == "espresso" and round(p, 3) == round((e / e.sum()).max(), 3)
