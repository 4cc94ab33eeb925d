"""Memory counted without numbers: a ledger like the workspace, passes like the network's."""

import gc

import nets
import numpy as np
import pytest

from minicnn.fast.workspace import LEAST, Workspace
from minicnn.network import Network
from minicnn.network.layers import (
    LRN,
    Add,
    AveragePool,
    Concat,
    Conv,
    Dense,
    Flatten,
    MaxPool,
    ReLU,
    Softmax,
)
from minicnn.network.memory import Dry, Ledger

MB = 1 << 20


def test_a_ledger_counts_what_is_alive_and_the_most_there_was():
    ledger = Ledger()
    a, b = ledger.array(MB), ledger.array(2, MB, size=1)
    assert ledger.held == ledger.peak == 6 * MB
    view = a.reshape(MB, -1)
    del a
    assert ledger.held == 6 * MB
    del view, b
    assert (ledger.held, ledger.peak) == (0, 6 * MB)


def test_memory_is_reused_as_the_workspace_does_it():
    """The same arrays made and freed in the same order: as many bytes are written to."""
    rng, ledger, workspace, alive = np.random.default_rng(0), Ledger(), Workspace(), []
    written = {}  # by address of a workspace's memory, as far as an array once reached
    with ledger, workspace:
        for _ in range(300):
            count = int(rng.integers(LEAST // 4, 40 * LEAST))
            array = workspace.empty((count,), np.dtype(np.float32))
            written[array.ctypes.data] = max(written.get(array.ctypes.data, 0), 4 * count)
            alive.append((ledger.array(count, reused=True), array))
            while len(alive) > rng.integers(1, 9):
                alive.pop(int(rng.integers(len(alive))))
            del array
            assert ledger.held == sum(written.values())
    assert ledger.peak == ledger.held


def chain():
    return Network("chain", [("conv1", Conv(32, 3, pad=1)), ("relu1", ReLU()),
                             ("conv2", Conv(32, 3, pad=1)), ("relu2", ReLU()),
                             ("pool2", MaxPool(2))], (64, 64, 16))


def test_only_what_is_kept_or_still_read_is_alive_after_a_pass():
    """float32 outputs; for the way back one byte for each ReLU input and each switch."""
    ledger, size = Ledger(), 64 * 64 * 32
    dry = Dry(chain(), ledger)
    weights = (16 + 32) * 32 * (9 + 36) * 4  # copies of the weights and F(4, 3)'s transforms
    x = ledger.array(1, 64, 64, 16)
    run = dry.forward(x, ["pool2"], caches=False)
    outputs = x.shape[1] * x.shape[2] * 16 * 4 + size // 4 * 4
    assert ledger.held == outputs + weights
    del run
    run = dry.forward(x, ["pool2"])
    assert ledger.held == outputs + weights + 2 * size + size // 4
    run = dry.forward(x, ["pool2"], keep=["conv1", "relu1", "conv2", "relu2"])
    assert ledger.held == outputs + weights + 2 * size + size // 4 + 4 * 4 * size
    del run


def test_the_way_back_makes_the_transforms_of_the_turned_weights_and_ends_at_the_image():
    ledger = Ledger()
    dry, x = Dry(chain(), ledger), ledger.array(1, 64, 64, 16)
    run = dry.forward(x, ["pool2"])
    before = ledger.held
    dx = dry.backward(run, {"pool2": ledger.array(*run["pool2"].shape)})
    assert dx.shape == x.shape
    assert ledger.held == before + (16 + 32) * 32 * 36 * 4 + 64 * 64 * 16 * 4


def test_every_kind_of_layer_goes_up_and_down():
    network = Network("all", [
        ("conv1", Conv(6, 3, stride=2, pad=1)), ("relu1", ReLU()), ("norm1", LRN()),
        ("pool1", MaxPool(3, 2, rounding="ceil")), ("a", Conv(4, 1), "pool1"),
        ("b", Conv(4, 3, pad=1), "pool1"), ("sum", Add(), ("a", "b")),
        ("both", Concat(), ("sum", "a")), ("pool2", AveragePool(2)), ("flat", Flatten()),
        ("fc", Dense(3)), ("prob", Softmax())], (32, 32, 3))
    ledger = Ledger()
    dry, x = Dry(network, ledger), ledger.array(2, 32, 32, 3)
    run = dry.forward(x, ["prob"], keep=network.names)
    real = network.initialize().forward(nets.images(2, (32, 32, 3)).astype(np.float32))
    assert {name: run[name].shape for name in network.names} == {
        name: real[name].shape for name in network.names}
    assert dry.backward(run, {"prob": ledger.array(2, 3)}).shape == (2, 32, 32, 3)
    del run
    gc.collect()
    assert ledger.held >= 0


@pytest.mark.parametrize("side, algorithm", [(64, "winograd4"), (6, "winograd2")])
def test_a_convolution_takes_the_algorithm_that_it_would_take(side, algorithm):
    network = Network("one", [("conv", Conv(512, 3, pad=1))], (side, side, 512))
    ledger = Ledger()
    dry = Dry(network, ledger)
    dry.forward(ledger.array(1, side, side, 512), ["conv"])
    assert dry.network.ops["conv"].algorithm == algorithm
