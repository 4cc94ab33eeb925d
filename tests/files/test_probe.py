"""A network's probe: made by one, kept by the other, and every planted fault shows."""

import os
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import nets
import numpy as np
import pytest
import small

import minicnn
from minicnn import backend
from minicnn.fast import winograd
from minicnn.files import probe, torch_twin
from minicnn.files.errors import WeightsError
from minicnn.files.verification import LIMITS
from minicnn.images import Preprocessing
from minicnn.network import Network
from minicnn.network.layers import Conv, Dense


@pytest.fixture(params=["pytorch", "minicnn"])
def maker(request):
    if request.param == "pytorch":
        pytest.importorskip("torch")
    return request.param


@pytest.fixture
def network(maker):
    """A network with everything that conventions differ in, with its probe."""
    network = small.network()
    network.probe = probe.make(network, maker)
    return network


# ---- a right network

def test_who_made_it_is_said(network, maker):
    words = {"pytorch": f"{torch_twin.version()}, float64",
             "minicnn": f"minicnn {minicnn.__version__}, plain operations in float64"}
    assert network.probe.by == words[maker]
    assert network.probe.names == ["image", *network.names]
    assert network.probe.picture.shape == (16, 20, 3)
    assert network.probe.scores.shape == (4,)
    assert set(network.probe.weights) == set(network.param_shapes)


def test_the_two_makers_agree():
    pytest.importorskip("torch")
    theirs, ours = (probe.make(small.network(), by) for by in ("pytorch", "minicnn"))
    np.testing.assert_array_equal(theirs.picture, ours.picture)
    scale = np.maximum(np.abs(theirs.fingerprints), theirs.fingerprints[:, 1:2])
    assert (np.abs(theirs.fingerprints - ours.fingerprints) / scale).max() < 1e-6  # kept in float32


def test_auto_is_pytorch_where_it_is_and_ours_where_not(monkeypatch):
    network = small.network()
    if torch_twin.version():
        assert probe.make(network).by.startswith("PyTorch")
    monkeypatch.setitem(sys.modules, "torch", None)
    assert probe.make(network).by.startswith("minicnn")
    with pytest.raises(probe.ProbeError, match='cannot be imported; a probe by "minicnn" needs'):
        probe.make(network, "pytorch")


@pytest.mark.parametrize("dtype, worst", [("float32", 1e-5), ("float64", 5e-7), ("float16", 2e-2)])
def test_a_right_network_passes_in_every_precision(network, dtype, worst):
    """`worst` is three times what was measured with this network, or more."""
    result = probe.verify(network.astype(dtype))
    assert result.ok and result.limit == LIMITS[dtype] and result.computed == f"{dtype} on cpu"
    assert max(row.error for row in result.layers) < worst
    assert [row.layer for row in result.layers] == ["image", *network.names, "scores"]


@pytest.mark.parametrize("algorithm", ["direct", *winograd.ALGORITHMS])
def test_a_right_network_passes_with_every_algorithm(algorithm, monkeypatch):
    monkeypatch.setattr(winograd, "choose", lambda *arguments: algorithm)
    assert probe.verify(minicnn.load("minivgg")).ok


def test_a_right_network_passes_with_any_number_of_threads():
    network, before = minicnn.load("minivgg"), backend.threads()
    try:
        tables = []
        for count in (1, 2):
            backend.threads(count)
            tables.append(str(probe.verify(network)))
    finally:
        backend.threads(before)
    assert tables[0] == tables[1] and "WRONG" not in tables[0]


@pytest.mark.parametrize("kernels", ["Haswell", "Sandybridge"])
def test_a_right_network_passes_with_other_kernels_of_blas(kernels):
    program = "import minicnn; print(minicnn.load('minivgg', check=True).probe.by)"
    path = os.pathsep.join(sys.path)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          env=os.environ | {"OPENBLAS_CORETYPE": kernels, "PYTHONPATH": path})
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("PyTorch")  # the shipped file says who made its probe


def test_a_network_without_preprocessing_or_scores():
    network = small.network()
    network.preprocessing = None
    made = probe.make(network, "minicnn")
    network.preprocessing = small.network().preprocessing  # whatever it is, it plays no part then
    network.preprocessing = None
    assert probe.verify(network, made).ok
    cut = Network("cut", network.rows[:4], (120, 140, 3)).initialize()
    made = probe.make(cut, "minicnn")
    assert made.scores.size == 0  # 25,560 numbers are feature maps
    assert probe.verify(cut, made).layers[-1].layer == "pool1"


def test_a_network_for_five_channels():
    network = Network("five", [("conv", Conv(2, 3))], (8, 8, 5)).initialize(0)
    assert probe.verify(network, probe.make(network)).ok


@pytest.mark.parametrize("share, ok", [(0, True), (5e-4, True), (5e-3, False)])
def test_a_silent_layer_is_measured_by_the_one_before(share, ok):
    """Its own deviation is 0: what rounding leaves there is small beside what came in only."""
    network = small.network()
    network.params["conv2"]["w"] = network.params["conv2"]["w"] * np.float32(100)
    network.params["conv2"]["b"] = np.full(5, -1e4, np.float32)
    made = probe.make(network, "minicnn")
    place = made.names.index("relu2")
    assert not made.fingerprints[place].any() and made.fingerprints[place - 1, 1] > 10
    left = np.float32(share * made.fingerprints[place - 1, 1])
    computes(network, "relu2", lambda y: y + left)
    assert probe.verify(network, made).layers[place].ok is ok


def computes(network, name, change):
    """Let a layer's op compute change(y) for y."""
    right = network.ops[name]

    def forward(*arguments, **settings):
        y, cache = right.forward(*arguments, **settings)
        return change(y), cache
    network.ops[name] = SimpleNamespace(forward=forward)


# ---- planted faults

def prepared(**changed):
    def plant(network):
        network.preprocessing = replace(network.preprocessing, **changed)
    return plant


def weights(name, change, key="w"):
    def plant(network):
        params = network.params[name]
        params[key] = change(params[key].copy()).astype(np.float32)
    return plant


def swapped_channels(w):
    """Red and blue of one kernel only."""
    w[..., [0, 2], 3] = w[..., [2, 0], 3]
    return w


def one_percent(w):
    w[1, 2, 3, 1] *= 1.01
    return w


def turned_flatten(w):
    """The inputs of fc in the order C,H,W: small.network's last map is 3 x 5 x 5."""
    height, width = small.network().input_shapes["fc"][:2]
    return w.reshape(height, width, 5, 4).transpose(2, 0, 1, 3).reshape(w.shape)


def setting(name, key, value):
    return lambda network: nets.change(network, name, **{key: value})


FAULTS = {
    "BGR for RGB": ("image", prepared(order="RGB")),
    "mean off by a grey level": ("image", prepared(mean=(101, 111, 121))),
    "mean of one channel off by half": ("image", prepared(mean=(100, 110, 120.5))),
    "scale off by 1 %": ("image", prepared(scale=1 / 50.5)),
    "channels of a kernel": ("conv1", weights("conv1", swapped_channels)),
    "kernels transposed": ("conv1", weights("conv1", lambda w: w.transpose(1, 0, 2, 3))),
    "kernels flipped": ("conv1", weights("conv1", lambda w: w[::-1, ::-1])),
    "two filters": ("conv1", weights("conv1", lambda w: w[..., [1, 0, 2, 3, 4, 5]])),
    "groups": ("mix/3x3", weights("mix/3x3", lambda w: np.roll(w, 2, axis=3))),
    "flatten": ("fc", weights("fc", turned_flatten)),
    "one weight off by 1 %": ("conv2", weights("conv2", one_percent)),
    "a bias dropped": ("conv2", weights("conv2", np.zeros_like, "b")),
    "LRN's alpha": ("norm1", setting("norm1", "convention", "paper")),
    "LRN's size": ("norm1", setting("norm1", "size", 5)),
    "floor for ceil": ("pool1", setting("pool1", "rounding", "floor")),
    "stride": ("conv2", setting("conv2", "stride", 1)),
    "padding": ("mix/3x3", setting("mix/3x3", "pad", 0)),
}
SEEN_BY_HASH_ONLY = {"one weight off by 1 %"}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_named(network, fault):
    where, plant = FAULTS[fault]
    plant(network)
    result = probe.verify(network)
    assert not result.ok and result.first.layer == where
    assert result.message.startswith(f"{where} is the first that differs from its probe: ")
    with pytest.raises(WeightsError, match=f"^net.h5: {where} is the first"):
        probe.check(network, "net.h5")


@pytest.mark.parametrize("fault", [f for f in FAULTS if f not in SEEN_BY_HASH_ONLY])
def test_the_figures_alone_see_it_five_times_over(network, fault):
    """Whatever the hash of the weights says: it would be the same if an operation were wrong."""
    where, plant = FAULTS[fault]
    plant(network)
    row = next(row for row in probe.verify(network).layers if row.layer == where)
    assert row.error > 5 * LIMITS["float32"]


@pytest.mark.parametrize("name", [n for n in small.network().names if n != "mix"])  # only joins
def test_an_operation_that_is_wrong_in_one_channel_is_named(network, name):
    """As a kernel of a GPU might be: 5 % too much in one channel, the weights untouched."""
    def wrong(y):
        busy = int(np.abs(y).reshape(-1, y.shape[-1]).sum(axis=0).argmax())
        y = y.copy()
        y[..., busy] *= np.float32(1.05)
        return y
    computes(network, name, wrong)
    result = probe.verify(network)
    assert result.first.layer == name and result.first.same_weights


def test_one_weight_off_by_a_millionth_of_itself(network):
    def nudge(w):
        w[0] = np.nextafter(w[0], np.float32(9))
        return w
    weights("fc", nudge, "b")(network)
    assert probe.verify(network).first.layer == "fc"
    assert "its weights are not those the probe was made with" in probe.verify(network).message


# ---- what there can be no probe of

@pytest.mark.parametrize("network, message", [
    (Network("n", [("c", Conv(2, 1))], (4, 4, 3)), "layer c has no weights"),
    (Network("n", [("d", Dense(2))], (5,)).initialize(), r"its input \(5,\) is not an image"),
    (Network("n", [("c", Conv(100, 1))], (2000, 2000, 3)).initialize(), "too much work"),
    (Network("n", [("c", Conv(500, 31, pad=15))], (500, 500, 3)).initialize(), "too much work"),
], ids=["weights", "image", "memory", "time"])
def test_no_probe_can_be_made(network, message):
    with pytest.raises(probe.ProbeError, match=f"^network n: no probe can be made of it: .*"
                                               f"{message}"):
        probe.make(network)


def test_numbers_that_are_not_finite(maker):
    network = small.network()
    network.params["conv1"]["w"] = np.full_like(network.params["conv1"]["w"], 3e38)
    with pytest.raises(probe.ProbeError, match="numbers beyond float32"):
        probe.make(network, maker)


def test_a_maker_there_is_not():
    with pytest.raises(probe.ProbeError, match="by must be one of auto, pytorch, minicnn, got 'x'"):
        probe.make(small.network(), "x")


def test_no_probe_to_check():
    with pytest.raises(WeightsError, match="^here: network small has no probe to verify it by; "
                                           "make one with `minicnn convert"):
        probe.check(small.network(), "here")


def test_verified_gives_the_probe_and_says_how_nearly():
    network = small.network()
    words = probe.verified(network, "minicnn")
    assert network.probe is not None and words == probe.verify(network).message
    assert words.startswith("every layer agrees with minicnn ")


def test_verified_refuses_what_pytorch_computes_otherwise():
    """The arrays of a file, and a network that got them the wrong way round."""
    pytest.importorskip("torch")
    network = Network("n", [("c", Conv(4, 3))], (8, 8, 3), Preprocessing((8, 8))).initialize()
    w = network.params["c"]["w"]
    theirs = {"c/w": w.transpose(3, 2, 0, 1), "c/b": network.params["c"]["b"]}
    assert "with the arrays of the converted file" in probe.verified(network, "auto", theirs)
    network.params["c"]["w"] = w.transpose(1, 0, 2, 3)
    with pytest.raises(WeightsError, match="^n: c is the first that differs"):
        probe.verified(network, "auto", theirs)


@pytest.mark.parametrize("name", ["googlenet_bvlc", "squeezenet11", "vgg19_norm_to_conv4_1"])
def test_real_networks_against_pytorch(shared_data, name):
    """The file's own arrays in PyTorch, the converted ones here."""
    pytest.importorskip("torch")
    network, table = minicnn.foreign.convert.convert(
        shared_data / "weights" / f"{name}.h5", probe="pytorch")
    assert "with the arrays of the converted file" in network.probe.by
    result = probe.verify(network)
    assert result.ok and max(row.error for row in result.layers) < 1e-4  # 2e-5 was measured
