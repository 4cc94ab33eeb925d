"""Inversion: the loss is the paper's, the layer is matched, schedule and starts are kept."""

import nets
import numpy as np
import pytest
import small

import minicnn
from minicnn import images, vis
from minicnn.ascent.optimizers import SGD
from minicnn.images import Preprocessing
from minicnn.network import LayerNameError, Network
from minicnn.network.layers import Conv, Dropout, ReLU
from minicnn.vis import invert as file
from minicnn.vis.invert import (
    InvertOptions,
    all_layers,
    default_layers,
    inversion_loss,
    middle,
    psnr,
)

NETWORK, PHOTO = small.network(), small.photo()


def quick(layers="relu1", steps=3, **more):
    return vis.invert(NETWORK, PHOTO, layers, steps=steps, **more)


WAYS = {"fourier": {}, "pixels": {"basis": "pixels"},
        "momentum": {"basis": "pixels", "optimizer": "momentum"}}
ways = pytest.mark.parametrize("way", WAYS)


# ---- the loss

def test_the_loss_is_the_paper_s():
    """In its own terms: sums over the image, lambdas, and sigma = 27098 for 227 x 227 pixels."""
    network = nets.trained(Network("one", [("conv", Conv(2, 3))], (227, 227, 3),
                                   Preprocessing((227, 227), "BGR", (104, 117, 123))))
    x, photo = (40 * nets.images(1, (227, 227, 3), seed=s) for s in (1, 2))
    goal, have = (network.forward(v)["conv"] for v in (photo, x))
    sigma, sums = 27098.1157, [(abs(x) ** 6).sum(), 0]
    sums[1] = (np.diff(x, axis=1) ** 2).sum() + (np.diff(x, axis=2) ** 2).sum()
    expected = (((have - goal) ** 2).sum() / (goal**2).sum() / 2
                + 8e-10 / 2 * sums[0] / sigma**2 + 10 / 2 * sums[1] / sigma**2)
    loss = inversion_loss(network, x.shape, "conv", goal,
                          InvertOptions(variation=10.0, level=134.0))
    total = loss.evaluate({"conv": have, "image": x}).total[0]
    assert total == pytest.approx(expected, rel=2e-3)  # S and B are given to three digits or four


def test_the_trace_is_minus_the_loss_of_the_images():
    for more in WAYS.values():
        record = quick("mix", **more)
        run = NETWORK.forward(record.x)
        goal = NETWORK.forward(NETWORK.prepare(PHOTO))["mix"]
        options = InvertOptions(**{k: v for k, v in record.settings.items() if k != "layers"})
        loss = inversion_loss(NETWORK, record.x.shape, "mix", goal, options).evaluate(run)
        np.testing.assert_allclose(record.trace[-1], -loss.total, rtol=1e-5)  # float32
        assert record.error == pytest.approx((2 * loss.by_term["mix distance"][0]) ** 0.5, rel=1e-4)
        assert f"{record.error:.1%} off" in record.caption


def test_where_no_mean_is_subtracted_the_middle_is_grey():
    plain = Network("plain", [("conv", Conv(2, 3))], (8, 8, 3), Preprocessing((8, 8)))
    assert np.all(middle(plain, (1, 8, 8, 3)) == 127.5) and middle(NETWORK, (1, 16, 20, 3)) == 0


# ---- what is found

@ways
def test_the_layer_is_matched_better_step_by_step(way):
    ends = [quick("relu1", steps, **WAYS[way]).error for steps in (1, 60)]
    assert ends[1] < (0.8 if way == "momentum" else 0.3) * ends[0]


def test_a_low_layer_gives_the_photo_back_and_a_deep_one_less_of_it():
    network, seen = minicnn.load("minivgg"), small.photo(64, 64)
    low, deep = vis.invert(network, seen, ["relu1_1", "relu4_1"], size=64, steps=30,
                           variation=0.01)
    assert low.psnr > 25 and low.psnr > deep.psnr + 3 and deep.error < 0.5
    assert low.psnr == psnr(low.image, seen)


def test_more_variation_is_smoother():
    def rough(record):
        return np.abs(np.diff(record.x, axis=1)).mean()
    assert rough(quick(steps=30, variation=30.0)) < 0.7 * rough(quick(steps=30, variation=0.0))


@ways
def test_the_picture_stays_between_black_and_white(way):
    record = quick(steps=8, noise=200.0, **WAYS[way])
    low, high = images.bounds(NETWORK.preprocessing, record.x.shape)
    slack = 1e-5 * (high - low)  # float32
    assert (record.x >= low - slack).all() and (record.x <= high + slack).all()
    np.testing.assert_array_equal(record.image, NETWORK.restore(record.x)[0])


def test_the_start_has_the_deviation_asked_for():
    network, seen = minicnn.load("minivgg"), small.photo(64, 64)
    for basis in ("fourier", "pixels"):
        first = []
        vis.invert(network, seen, "relu1_1", steps=1, size=64, basis=basis, noise=5.0,
                   watch=first.append)
        grey = (first[0].image - first[0].image.mean(axis=(1, 2))) / network.grey_level
        assert grey.std() == pytest.approx(5, rel=0.1)  # of 12,288 numbers, and of few colours


def test_the_paper_s_schedule(monkeypatch):
    """A quarter of the steps, a half, a quarter; the rate a tenth each time, from rest."""
    made, init = [], SGD.__init__
    monkeypatch.setattr(SGD, "__init__", lambda self, rate, momentum: (
        made.append((self, rate, momentum)), init(self, rate, momentum))[1])
    record = quick(steps=10, basis="pixels", optimizer="momentum", rate=0.002, momentum=0.8)
    sigma2 = (file.S * NETWORK.grey_level) ** 2 * 16 * 20 * 3
    np.testing.assert_allclose([rate for _, rate, _ in made],
                               [0.002 * sigma2 * f for f in (1, 0.1, 0.01)], rtol=1e-9)
    assert [momentum for *_, momentum in made] == [0.8] * 3 and len({id(o) for o, *_ in made}) == 3
    assert len(record.trace) == 11


# ---- layers, starts, seeds

def test_several_layers_are_a_list_each_as_alone():
    both = quick(["relu1", "mix"])
    assert [one.settings["layers"] for one in both] == ["relu1", "mix"]
    np.testing.assert_array_equal(both[1].x, quick("mix").x)


def test_each_start_has_its_own_seed_and_is_as_alone():
    found = quick(["relu1", "mix"], starts=2, seed=5)
    assert [(one.settings["seed"], one.settings["layers"]) for one in found] == [
        (5, "relu1"), (5, "mix"), (6, "relu1"), (6, "mix")]
    assert all(one.settings["starts"] == 1 for one in found)
    np.testing.assert_array_equal(found[2].x, quick("relu1", seed=6).x)
    assert found[0].x.tobytes() != found[2].x.tobytes()


def test_same_seed_same_bytes():
    assert quick().x.tobytes() == quick().x.tobytes()


@pytest.mark.parametrize("network, layers", [
    (small.network(), ["norm1", "mix", "relu2", "fc"]),
    (minicnn.models.vgg16(), ["relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3", "pool5",
                              "fc8"]),
    (Network("bare", [("a", Conv(2, 3)), ("b", Conv(3, 3))], (8, 8, 3)), ["a", "b"])],
    ids=lambda v: getattr(v, "name", ""))
def test_default_layers(network, layers):
    assert default_layers(network) == layers


def test_all_layers_are_the_trunk_without_dropout():
    network = Network("d", [("a", Conv(2, 3)), ("r", ReLU()), ("d", Dropout(0.5))], (8, 8, 3))
    assert all_layers(network) == ["a", "r"]
    assert "mix/1x1" not in all_layers(NETWORK) and "mix" in all_layers(NETWORK)
    assert len(quick("all", steps=1)) == len(all_layers(NETWORK))
    assert len(quick(None, steps=1)) == len(default_layers(NETWORK))


def test_a_photo_of_another_size_has_the_layers_with_feature_maps():
    for layers in (None, "all"):
        names = [one.settings["layers"] for one in quick(layers, steps=1, size=(22, 24))]
        assert names[-1] == "relu2" and "fc" not in names and len(names) > 2


# ---- PSNR

def test_psnr_by_hand():
    black = np.zeros((2, 2, 3), np.uint8)
    white = black + 255
    assert psnr(black, white) == 0 and psnr(black, black) == np.inf
    assert psnr(black + 10, black) == pytest.approx(20 * np.log10(25.5), rel=1e-12)


# ---- Ctrl-C

@pytest.mark.parametrize("at, lengths", [(2, [2]), (6, [4, 2])], ids=str)
def test_ctrl_c_keeps_what_there_is(at, lengths):
    steps = []

    def stop(step):
        steps.append(step)
        if len(steps) == at:
            raise KeyboardInterrupt
    found = quick(["relu1", "mix"], watch=stop)
    assert [len(one.trace) for one in found] == lengths
    assert [one.interrupted for one in found] == [False] * (len(lengths) - 1) + [True]


def test_ctrl_c_before_the_second_layer_s_first_step_keeps_the_first(monkeypatch):
    done, one = [], file._inverted

    def only_once(*arguments):
        if done:
            raise KeyboardInterrupt
        done.append(one(*arguments))
        return done[0]
    monkeypatch.setattr(file, "_inverted", only_once)
    (found,) = quick(["relu1", "mix"])
    assert found.interrupted and found.x is done[0].x
    with pytest.raises(KeyboardInterrupt):
        quick(["relu1"])


def test_jitter_moves_what_the_layer_sees_and_not_the_image(monkeypatch):
    """The layer's error is of the moved image, so a trace differs from its first number on."""
    plain, moved, again = (quick(basis="pixels", optimizer="momentum", jitter=most)
                           for most in (0, 3, 3))
    np.testing.assert_array_equal(moved.x, again.x)
    assert moved.x.tobytes() != plain.x.tobytes() and moved.settings["jitter"] == 3
    assert moved.by_term["total variation"][0] == plain.by_term["total variation"][0]
    assert moved.by_term["relu1 distance"][0] != plain.by_term["relu1 distance"][0]


# ---- what is refused

def test_errors_name_the_option_or_the_layer():
    with pytest.raises(LayerNameError, match="no layer 'rellu1'; near it: .*relu1"):
        quick(["rellu1"])
    with pytest.raises(ValueError, match="layers is an empty list"):
        quick([])
    with pytest.raises(ValueError, match="momentum steps in pixels; add basis='pixels'"):
        quick(optimizer="momentum")
    with pytest.raises(ValueError, match="jitter changes the loss in every step.*momentum"):
        quick(jitter=2)
    with pytest.raises(ValueError, match="optimizer must be one of lbfgs, momentum, got 'adam'"):
        quick(optimizer="adam")
    silent = small.network()
    silent.params["conv2"]["b"][:] = -1e3
    with pytest.raises(ValueError, match="silent .zero everywhere. at relu2"):
        vis.invert(silent, PHOTO, "relu2", steps=1)
