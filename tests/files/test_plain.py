"""The plain pass in float64: the layers' own operations, without Winograd and without rounding."""

import nets
import numpy as np
import pytest

from minicnn import models
from minicnn.files import plain
from minicnn.network import Network
from minicnn.network.layers import Dense


@pytest.mark.parametrize("build", [nets.everything, nets.smooth])
def test_it_is_the_network_s_pass_in_float64(build):
    network, x = build(), nets.images(1, dtype=np.float64)
    run = network.forward(x)
    names = []
    for name, y in plain.activations(network, x):
        np.testing.assert_allclose(y, run[name], rtol=1e-10, atol=1e-12)  # 1e-16, a few layers
        names.append(name)
    assert names == network.names


def test_float32_weights_are_widened_before_anything_is_summed():
    network = nets.everything(dtype=np.float32)
    x = nets.images(1, dtype=np.float32)
    exact = nets.everything(dtype=np.float32).astype(np.float64).forward(x.astype(np.float64))
    for name, y in plain.activations(network, x):
        assert y.dtype == np.float64
        np.testing.assert_allclose(y, exact[name], rtol=1e-10, atol=1e-12)
    assert network.params["fc"]["w"].dtype == np.float32  # the network's own stay as they are


def test_no_winograd(monkeypatch):
    from minicnn.fast import winograd

    def refuse(*_):
        raise AssertionError("Winograd was asked")
    monkeypatch.setattr(winograd, "convolved", refuse)
    network = models.minivgg().initialize(0)
    assert len(list(plain.activations(network, nets.images(1, (64, 64, 3))))) == len(network.names)


@pytest.mark.parametrize("bias", [True, False])
def test_a_dense_layer_in_pieces_is_the_same(bias, monkeypatch):
    network = nets.trained(Network("d", [("fc", Dense(7, bias=bias))], (2, 3, 4)))
    x = nets.images(1, (2, 3, 4))
    monkeypatch.setattr(plain, "PIECE", 24 * 3)  # 3, 3 and 1 outputs
    [(_, y)] = plain.activations(network, x)
    np.testing.assert_allclose(y, network.forward(x).output, rtol=1e-12)  # float64
