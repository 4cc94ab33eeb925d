"""Heat maps against PyTorch, whose autograd finds activations and slopes."""

import numpy as np
import pytest
import small
import torch_network

from minicnn import vis
from minicnn.foreign.load import load
from minicnn.vis.gradcam import METHODS
from minicnn.vis.saliency import slope

pytest.importorskip("torch")

LAYERS = {"googlenet_bvlc": {"inception_5b/output": "Egyptian cat",
                             "inception_4c/output": "espresso"},
          "squeezenet11": {"relu_conv10": "espresso", "fire9/concat": "Egyptian cat"}}


@pytest.fixture(scope="module", params=LAYERS)
def real(request, shared_data):
    return (load(shared_data / "weights" / f"{request.param}.h5"),
            shared_data / "photos" / "chelsea.png", LAYERS[request.param])


def activation_and_slope(network, x, layer, index):
    """A layer's output, the slope of a class's score there, and at the image: (1, H, W, C)."""
    scores = network.until(network.logits)
    seed = np.zeros((1, *scores.shapes[network.logits]), x.dtype)
    seed.reshape(-1)[index] = 1  # N,1,1,K -> K, or N,K -> K
    activations, slopes, _ = torch_network.gradients(scores, x, {network.logits: seed})
    return activations[layer], slopes[layer], slopes["image"]


def heat(a, g, method):
    """The map at the layer's resolution from PyTorch's numbers, after the ReLU."""
    weights = g.mean(axis=(0, 1, 2))
    if method == "gradcam++":
        alpha = g**2 / (2 * g**2 + a.sum(axis=(1, 2), keepdims=True) * g**3 + 1e-30)
        weights = (alpha * np.maximum(g, 0)).sum(axis=(0, 1, 2))
    return np.maximum((a[0] * weights).sum(axis=2), 0)


@pytest.mark.parametrize("layer", ["relu2", "mix", "pool1"])
@pytest.mark.parametrize("index", range(4))
def test_a_small_network(layer, index):
    network, photo = small.network(), small.photo()
    x = network.prepare(photo).astype(np.float64)
    exact = small.network(dtype=np.float64)
    a, g, _ = activation_and_slope(exact, x, layer, index)
    for method in METHODS:
        raw, expected = vis.gradcam(network, photo, index, layer, method).raw, heat(a, g, method)
        np.testing.assert_allclose(np.maximum(raw, 0), expected, rtol=0,
                                   atol=1e-5 * expected.max())  # float32


def test_real_networks(real):
    """Within 1e-4 of the largest value; two float32 programs are seen to differ by 3e-6."""
    network, photo, layers = real
    for layer, target in layers.items():
        index = network.find_class(target)
        a, g, _ = activation_and_slope(network, network.prepare(photo), layer, index)
        for method in METHODS:
            raw = vis.gradcam(network, photo, target, layer, method).raw
            expected = heat(a, g, method)
            np.testing.assert_allclose(np.maximum(raw, 0), expected, rtol=0,
                                       atol=1e-4 * expected.max())


def test_slopes_at_the_image(real):
    """In float64, where both programs agree which ReLUs are on and where each maximum is."""
    network, photo, layers = real
    exact, x = network.astype(np.float64), network.prepare(photo).astype(np.float64)
    _, w = slope(exact, x, 285)
    *_, expected = activation_and_slope(exact, x, next(iter(layers)), 285)
    np.testing.assert_allclose(w, expected, rtol=0, atol=1e-12 * np.abs(expected).max())
