"""Where in a pass numbers are not finite."""

import nets
import numpy as np
import pytest

from minicnn import vis
from minicnn.network import Network, NotFiniteError
from minicnn.network.layers import Conv, Dense, MaxPool, ReLU, Softmax

X = nets.images(2, (6, 6, 3))


def network():
    return nets.trained(Network("net", [
        ("conv1", Conv(4, 3, pad=1)), ("relu1", ReLU()), ("pool1", MaxPool(2)),
        ("fc2", Dense(5)), ("prob", Softmax())], (6, 6, 3)))


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("plain", [False, True])
def test_the_input(number, plain):
    x = X.copy()
    x[1, 2, 3, 0] = number
    net = network().using("plain") if plain else network()
    with pytest.raises(NotFiniteError, match="network net: the image has 1 of 216 numbers not "
                                             f"finite, the first {number}$"):
        net.forward(x)


@pytest.mark.parametrize("name, key, shape", [("conv1", "w", 108), ("conv1", "b", 4),
                                              ("fc2", "w", 180), ("fc2", "b", 5)])
def test_the_first_layer_whose_array_has_one(name, key, shape):
    net = network()
    net.params[name][key].flat[1] = np.nan
    for learn in (False, True):
        with pytest.raises(NotFiniteError, match=f"the output of layer {name} has .* numbers not "
                           f"finite.*; its array {key} has 1 of {shape} numbers not finite"):
            net.forward(X, learn=learn)
    with pytest.raises(NotFiniteError, match=f"layer {name}"):
        net.probabilities(X)


def test_what_is_not_asked_for_is_not_computed():
    net = network()
    net.params["fc2"]["w"][0] = np.nan
    assert np.isfinite(net.forward(X, to="pool1").output).all()


def test_numbers_that_become_too_large():
    net = network().astype(np.float32)
    net.params["conv1"]["w"] *= np.float32(1e38)
    with (np.errstate(all="ignore"),
          pytest.raises(NotFiniteError, match="layer conv1 .*its input is finite, so it became too "
                                              "large")):
        net.forward(np.full((1, 6, 6, 3), 1e3, np.float32))


def test_a_gradient():
    net = network()
    run = net.forward(X, to="fc2")
    net.params["conv1"]["w"][0, 0, 0, 0] = np.inf
    with np.errstate(invalid="ignore"), pytest.raises(
            NotFiniteError, match="backward from layer conv1, the gradient at its input has"):
        run.backward({"fc2": np.ones((2, 5))})
    with np.errstate(invalid="ignore"), pytest.raises(NotFiniteError, match="layer fc2"):
        run.backward({"fc2": np.full((2, 5), np.nan)})


def test_an_empty_batch_gets_a_sentence():
    with pytest.raises(ValueError, match=r"net: expected at least one image, got an empty batch"):
        network().forward(X[:0])


@pytest.mark.parametrize("method", [vis.occlusion, vis.saliency, vis.gradcam])
def test_methods_stop_at_the_first(method):
    import small

    net = small.network()
    last = list(net.param_shapes)[-1]
    net.params[last]["b"][0] = np.nan
    with pytest.raises(NotFiniteError, match=f"layer {last} .* its array b has 1 of"):
        method(net, small.photo())
