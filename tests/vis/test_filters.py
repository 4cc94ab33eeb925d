"""Filters: which, in which order, taken up again after any end, and more complex with depth."""

import nets
import numpy as np
import pytest
import small

import minicnn
from minicnn import vis
from minicnn.images import Preprocessing
from minicnn.network import LayerNameError, Network
from minicnn.network.layers import BatchNorm, Conv, Dense, ReLU
from minicnn.vis.filters import responses

NETWORK = small.network()
CONVOLUTIONS = ["conv1", "mix/1x1", "mix/3x3", "mix/project", "conv2"]
RECTIFIED = ["relu1", "mix/relu_1x1", "mix/relu_3x3", "mix/relu_project", "relu2"]


def quick(layers=None, count=2, **more):
    return vis.filters(NETWORK, layers, count=count, **{"steps": 2} | more)


def same(one, other):
    return len(one.layers) == len(other.layers) and all(
        a.layer == b.layer and a.channels == b.channels and np.array_equal(a.x, b.x)
        and np.array_equal(a.values, b.values) and np.array_equal(a.pictures, b.pictures)
        for a, b in zip(one.layers, other.layers, strict=True))


# ---- which

def test_the_first_filters_of_every_convolution():
    found = quick(count=4)
    assert [row.layer for row in found.layers] == CONVOLUTIONS
    assert [row.channels for row in found.layers] == [
        [0, 1, 2, 3], [0, 1, 2], [0, 1, 2, 3], [0, 1], [0, 1, 2, 3]]  # where there are as many
    assert found.caption.startswith(
        "small: the first 4 filters of each of 5 layers, each shown by a picture that maximises "
        "its root mean square above 0 + a tenth of the mean below; preset filters, 2 steps, 20x16 "
        "pixels, seed 0")
    assert not found.interrupted


def test_each_is_what_maximize_makes_alone():
    row = quick(["conv2"], 5, seed=3, size=(18, 22)).layers[0]
    for k in row.channels:
        alone = vis.maximize(NETWORK, "conv2", k, "filters", steps=2, size=(18, 22), seed=3)
        np.testing.assert_array_equal(row.x[k], alone.x[0])
        np.testing.assert_array_equal(row.pictures[k], alone.image)
        assert row.values[k] == alone.trace[-1, 0]


@pytest.mark.parametrize("layers, more, words", [
    (["relu2"], {"preset": "keras-lecture"}, "mean activation; preset keras-lecture, 2 steps"),
    (["relu2"], {"preset": None, "order": "value"},
     "mean activation; 2 steps, 20x16 pixels, seed 0, the highest first"),
    (["fc"], {}, "score + 300 log-probability; preset filters, 2 steps"),
    (["conv2", "fc"], {"preset": "wolfram"},
     "sum of squared activations (above 0 or below) or score; preset wolfram, 2 steps"),
    (["conv2"], {"preset": "simonyan"}, "mean activation - 3.01e-07 |I|^2; preset simonyan, 2 "),
    (["conv2"], {"size": (18, 22), "seed": 4},
     "root mean square above 0 + a tenth of the mean below; preset filters, 2 steps, 22x18 "
     "pixels, seed 4")])
def test_the_caption_says_what_was_maximised(layers, more, words):
    assert f"that maximises its {words}" in quick(layers, 1, **more).caption


def test_a_mean_is_looked_for_at_the_relu_behind_the_convolution():
    assert [row.layer for row in quick(preset="keras-lecture").layers] == RECTIFIED
    assert responses(NETWORK) == CONVOLUTIONS and responses(NETWORK, True) == RECTIFIED


def test_one_layer_may_be_given_by_its_name():
    assert [row.layer for row in quick("conv2").layers] == ["conv2"]


def test_a_batch_norm_may_lie_between_and_a_convolution_may_have_no_relu():
    network = Network("n", [
        ("a", Conv(2, 3)), ("norm", BatchNorm()), ("relu", ReLU()), ("more", ReLU()),
        ("b", Conv(2, 3)), ("c", Conv(2, 3)), ("relu_c", ReLU())], (8, 8, 3))
    assert responses(network, rectified=True) == ["relu", "b", "relu_c"]


def silenced():
    """A network whose filters 1 and 2 begin below 0; 2 is -1 whatever it sees."""
    network = nets.trained(Network("quiet", [("conv", Conv(3, 3)), ("relu", ReLU())], (12, 12, 3),
                                   Preprocessing((12, 12))), dtype=np.float32)
    network.params["conv"]["w"][...] = [1, 1, 0]
    network.params["conv"]["b"][...] = 0, -765, -1
    return network


def test_a_filter_that_the_start_does_not_activate_is_woken():
    network = silenced()
    start = vis.maximize(network, "conv", 1, "filters", steps=1).trace[0, 0]
    (row,) = vis.filters(network, steps=30).layers
    assert start < 0 < row.values[1]
    assert network.forward(row.x[1:2], to="relu")["relu"][..., 1].max() > 0


@pytest.mark.parametrize("given, words", [
    ({}, "; hardly or nowhere above 0: conv 2"),
    ({"preset": "keras-lecture"}, "; hardly or nowhere above 0: relu 2"),
    ({"count": 2}, "seed 0")])
def test_a_filter_that_nothing_activates_is_named(given, words):
    assert vis.filters(silenced(), steps=30, **given).caption.endswith(words)


def test_the_best_come_first():
    by_number = quick(["relu2"], 5).layers[0]
    by_value = quick(["relu2"], 5, order="value").layers[0]
    assert sorted(by_value.channels) == by_number.channels != by_value.channels
    assert (np.diff(by_value.values) <= 0).all()
    for k, channel in enumerate(by_value.channels):
        np.testing.assert_array_equal(by_value.x[k], by_number.x[channel])


@pytest.mark.parametrize("given, words", [
    ({"count": 0}, "count must be a whole number of at least 1, got 0"),
    ({"count": 1.5}, "count"), ({"order": "best"}, "order must be one of number, value"),
    ({"preset": "lucide"}, "preset must be one of"), ({"steps": 0}, "steps"),
    ({"size": -1}, "size"), ({"layers": []}, "name layers")], ids=str)
def test_a_setting_out_of_range_is_named(given, words):
    with pytest.raises(ValueError, match=words) as caught:
        quick(**given)
    assert "\n" not in str(caught.value)


def test_a_layer_that_is_not_there_and_a_network_without_convolutions():
    with pytest.raises(LayerNameError, match="no layer 'relu3'"):
        quick(["relu3"])
    bare = nets.trained(Network("bare", [("fc", Dense(2))], (4, 4, 3)), dtype=np.float32)
    with pytest.raises(ValueError, match="bare has no convolutions"):
        vis.filters(bare)


# ---- taken up again

class Killed(BaseException):
    """As sudden as a kill: nobody catches it."""


@pytest.fixture
def stops(monkeypatch):
    """stops(k, error): from now on the k-th call of `maximize` raises; the calls so far."""
    climb = vis.filters.maximize

    def arrange(at=None, error=KeyboardInterrupt):
        calls = []

        def maximize(*arguments, **more):
            calls.append(arguments)
            if len(calls) == at:
                raise error
            return climb(*arguments, **more)
        monkeypatch.setattr(vis.filters, "maximize", maximize)
        return calls
    return arrange


@pytest.mark.parametrize("error", [KeyboardInterrupt, Killed])
@pytest.mark.parametrize("at", [1, 3, 5])
def test_interrupted_or_killed_and_run_again_it_is_the_same(stops, tmp_path, at, error):
    stops(at, error)
    try:
        found = quick(folder=tmp_path)
        assert error is KeyboardInterrupt and at > 1 and found.interrupted
        assert sum(len(row.pictures) > 0 for row in found.layers) == at - 1
        assert [row.channels for row in found.layers] == [[0, 1]] * 5
    except error:
        assert error is Killed or at == 1
    calls = stops()
    assert same(quick(folder=tmp_path), quick(folder=None))
    assert len(calls) == 5 - (at - 1) + 5  # what was kept is not made again
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_within_an_ascent_leaves_that_part_out(monkeypatch, tmp_path):
    from minicnn.ascent.optimizers import SGD

    steps, step = [], SGD.step

    def stop(self, *arguments):
        steps.append(1)
        if len(steps) == 4:
            raise KeyboardInterrupt
        return step(self, *arguments)
    monkeypatch.setattr(SGD, "step", stop)
    found = quick(folder=tmp_path)
    assert [len(row.pictures) for row in found.layers] == [2, 0, 0, 0, 0] and found.interrupted
    monkeypatch.undo()
    assert same(quick(folder=tmp_path), quick())


@pytest.mark.parametrize("other", [{"seed": 1}, {"steps": 3}, {"preset": "wolfram"}, {"size": 18},
                                   {"count": 1}], ids=str)
def test_other_work_does_not_go_on_from_it(stops, tmp_path, other):
    stops(3)
    quick(folder=tmp_path)
    stops()
    assert same(quick(folder=tmp_path, **other), quick(**other))
    assert len(list(tmp_path.iterdir())) == 1  # the first work's, still unfinished


def test_other_weights_do_not_go_on_from_it_either(stops, tmp_path):
    stops(3)
    quick(folder=tmp_path)
    calls = stops()
    vis.filters(small.network(seed=5), count=2, steps=2, folder=tmp_path)
    assert len(calls) == 5


# ---- what it shows

def orientation_entropy(x, bins=18):
    """In how many directions a pattern's edges run, in bits: how complex it is, by one measure.

    The gradients of the colours' sum are sorted by their direction, up to sign, into a histogram,
    each with its length as weight; this is the histogram's entropy.

    Parameters
    ----------
    x : array (N, H, W, C)
        Each at least 3 x 3.
    bins : int

    Returns
    -------
    (N,) array
        From 0, all edges parallel or none there, to log2(bins), all directions alike.
    """
    grey = np.asarray(x, np.float64).sum(axis=3)  # N,H,W,C -> N,H,W
    down = grey[:, 2:, 1:-1] - grey[:, :-2, 1:-1]
    right = grey[:, 1:-1, 2:] - grey[:, 1:-1, :-2]
    sector = (np.mod(np.arctan2(down, right), np.pi) * bins / np.pi).astype(int) % bins
    lengths = np.hypot(down, right)
    shares = np.stack([(lengths * (sector == k)).sum(axis=(1, 2)) for k in range(bins)], axis=1)
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    return -(shares * np.log2(np.where(shares > 0, shares, 1))).sum(axis=1)  # N,bins -> N


def stripes(*angles):
    """A pattern of waves, each running at an angle in degrees: (1, 48, 48, 3)."""
    rows, columns = np.mgrid[:48, :48] * 0.8
    waves = [np.sin(np.cos(a) * columns + np.sin(a) * rows) for a in np.radians(angles)]
    return np.repeat(sum(waves)[None, ..., None], 3, axis=3)


def test_entropy_counts_directions():
    one, two, many = (orientation_entropy(stripes(*angles))[0]
                      for angles in ([5], [5, 95], range(0, 180, 12)))
    noise = orientation_entropy(np.random.default_rng(0).normal(size=(1, 48, 48, 3)))[0]
    assert one < 1e-6 < 1 < two < many < noise <= np.log2(18)
    assert orientation_entropy(np.ones((2, 5, 5, 1))).tolist() == [0, 0]


@pytest.mark.thorough
def test_patterns_of_the_shipped_network_grow_more_complex_with_depth():
    """Directions in bits, means of ten filters, 30 steps."""
    found = vis.filters(minicnn.load("minivgg"), ["conv1_1", "conv2_1", "conv3_1", "conv4_2"],
                        count=10, steps=30)
    entropy = [orientation_entropy(row.x).mean() for row in found.layers]
    assert entropy[3] > entropy[2] > max(entropy[:2]) and entropy[3] - min(entropy) > 0.3
