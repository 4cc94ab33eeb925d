"""Saliency: slopes against differences, integrated gradients against what they must add up to."""

import nets
import numpy as np
import pytest
import small

from minicnn import vis
from minicnn.ascent import pyramid
from minicnn.images import Preprocessing
from minicnn.network import Network
from minicnn.network.layers import Conv, Dense, MaxPool, ReLU, Softmax
from minicnn.vis import attribution
from minicnn.vis.saliency import METHODS, between, mean_slope, noisy, pixel_map, slope

NETWORK, PHOTO = small.network(), small.photo()
EXACT = small.network(dtype=np.float64)
X = NETWORK.prepare(PHOTO)


def score(network, x, index):
    return float(network.forward(x)["fc"][0, index])


def stack(*layers, dtype=np.float32):
    """A network of these layers and a softmax, for `PHOTO`."""
    named = [(f"{type(layer).__name__.lower()}{k}", layer) for k, layer in enumerate(layers)]
    named[-1] = ("fc", layers[-1])
    return nets.trained(Network("stack", [*named, ("prob", Softmax())], (16, 20, 3),
                                NETWORK.preprocessing), dtype=dtype)


def sure(factor=1000.0):
    """The small network with scores so far apart that the softmax has no slope left."""
    network = small.network()
    for key in ("w", "b"):
        network.params["fc"][key] = network.params["fc"][key] * np.float32(factor)
    return network


# ---- the slope

@pytest.mark.parametrize("index", range(4))
def test_the_slope_is_that_of_the_score(index):
    x = X.astype(np.float64)
    direction, h = nets.like(x), 1e-6
    difference = (score(EXACT, x + h * direction, index)
                  - score(EXACT, x - h * direction, index)) / (2 * h)
    value, w = slope(EXACT, x, index)
    assert float((w * direction).sum()) == pytest.approx(difference, rel=1e-6)
    assert value == score(EXACT, x, index)
    record = vis.saliency(NETWORK, PHOTO, index, "gradient")
    np.testing.assert_allclose(record.x, w, rtol=0, atol=1e-5 * np.abs(w).max())  # float32
    assert record.score == pytest.approx(value, rel=1e-5)


def test_a_saturated_softmax_takes_nothing_away():
    """At the probability the slope would be zero: the network is sure."""
    network = sure()
    assert network.probabilities(X).max() == 1
    plain, steep = (vis.saliency(one, PHOTO, method="gradient") for one in (NETWORK, network))
    np.testing.assert_allclose(steep.x, 1000 * plain.x, rtol=1e-4, atol=1e-6)  # float32
    np.testing.assert_allclose(steep.image.astype(int), plain.image, atol=1)  # rounding


def test_a_class_has_a_slope_of_its_own():
    records = [vis.saliency(NETWORK, PHOTO, k, "gradient").x for k in range(4)]
    assert all(not np.allclose(a, b) for i, a in enumerate(records) for b in records[:i])


def test_guided_is_guided_backpropagation():
    record = vis.saliency(NETWORK, PHOTO, 1, "guided")
    run = NETWORK.forward(X)
    seed = {"fc": np.array([[0, 1, 0, 0]], np.float32)}
    np.testing.assert_array_equal(record.x, run.backward(seed, "guided", "through"))
    assert not np.allclose(record.x, run.backward(seed))
    assert "rule guided, LRN through, blur 0.5" in record.caption
    other = vis.saliency(NETWORK, PHOTO, 1, "guided", lrn="gradient", blur=0)
    np.testing.assert_array_equal(other.x, run.backward(seed, "guided"))
    assert "rule guided, LRN gradient" in other.caption and "blur" not in other.caption


def test_the_default_is_guided_grad_cam():
    record, cam = vis.saliency(NETWORK, PHOTO, 1), vis.gradcam(NETWORK, PHOTO, 1, guided=True)
    assert record.x.any() and record.settings["method"] == "guided_gradcam"
    np.testing.assert_array_equal(record.x, cam.x)
    np.testing.assert_array_equal(record.signed, cam.signed)
    assert "guided_gradcam, LRN through, blur 0.5" in record.caption
    for lrn in ("scale", "gradient"):
        record = vis.saliency(NETWORK, PHOTO, 1, lrn=lrn)
        np.testing.assert_array_equal(
            record.x, vis.gradcam(NETWORK, PHOTO, 1, guided=True, lrn=lrn).x)
        assert not np.allclose(record.x, cam.x)


def test_the_map_is_blurred_as_asked():
    sharp = vis.saliency(NETWORK, PHOTO, 1, "gradient", blur=0)
    np.testing.assert_array_equal(sharp.map, np.abs(sharp.x[0]).max(axis=2))
    for chosen, sigma in ((0.8, 0.8), (2, 2), (None, 0.5)):
        record = vis.saliency(NETWORK, PHOTO, 1, "gradient", blur=chosen)
        expected = pyramid.blur(sharp.map[None, :, :, None], sigma)[0, :, :, 0]
        np.testing.assert_array_equal(record.map, expected)
        np.testing.assert_array_equal(record.x, sharp.x)  # only the map
        assert record.map.dtype == np.float32 and f"blur {sigma}" in record.caption
        assert record.settings["blur"] == sigma


# ---- from numbers to pixels

@pytest.mark.parametrize("method", METHODS)
def test_one_number_a_pixel(method):
    """The largest magnitude over the channels; of shares their sum, or that of their magnitudes."""
    x = nets.images(1, (3, 4, 3))
    expected, signed = np.zeros((2, 3, 4))
    for i, j in np.ndindex(3, 4):
        numbers = [float(v) for v in x[0, i, j]]
        shares = method in ("times_input", "integrated")
        expected[i, j] = (sum if shares else max)(abs(v) for v in numbers)
        signed[i, j] = sum(numbers) if shares else expected[i, j]
    np.testing.assert_allclose(pixel_map(x, method), expected, rtol=1e-12)
    np.testing.assert_allclose(pixel_map(x, method, "signed"), signed, rtol=1e-12)
    for shares in ("magnitude", "signed"):
        record = vis.saliency(NETWORK, PHOTO, 1, method, samples=2, steps=3, blur=0, shares=shares)
        np.testing.assert_array_equal(record.map, pixel_map(record.x, method, shares))


def test_the_picture_is_the_map_s_magnitude_with_its_strongest_hundredth_white():
    record = vis.saliency(NETWORK, PHOTO, 1, "times_input", blur=0)
    strength = np.abs(record.map)
    order = np.argsort(strength.ravel())
    assert (np.diff(record.image[..., 0].ravel()[order].astype(int)) >= 0).all()
    assert (record.image == 255).all(axis=2).sum() == 4  # of 320 pixels; quantile: one between
    assert record.image[strength == strength.min()].max() <= 1


# ---- SmoothGrad

def test_copies_have_noise_of_their_own_of_the_stated_size():
    """A share of the photo's range; neither divided by it, nor added up from copy to copy."""
    copies = list(noisy(X, 40, 0.15, seed=3))
    noise = np.stack(copies) - X
    wanted = 0.15 * (X.max() - X.min())
    assert noise.std() == pytest.approx(wanted, rel=0.03)  # 38,400 numbers: 0.4 % is expected
    assert [n.std() for n in noise] == pytest.approx([wanted] * 40, rel=0.15)
    assert abs(noise.mean()) < 0.03 * wanted
    assert abs(np.corrcoef(noise[0].ravel(), noise[1].ravel())[0, 1]) < 0.15
    np.testing.assert_array_equal(np.stack(list(noisy(X, 40, 0.15, seed=3))), np.stack(copies))
    assert not np.array_equal(next(noisy(X, 1, 0.15, seed=4)), copies[0])


def test_smooth_is_the_mean_of_signed_slopes():
    record = vis.saliency(NETWORK, PHOTO, 1, "smooth", samples=7, noise=0.3, seed=5)
    slopes = [slope(NETWORK, copy, 1)[1] for copy in noisy(X, 7, 0.3, 5)]
    np.testing.assert_allclose(record.x, np.mean(slopes, axis=0), rtol=0,
                               atol=1e-6 * np.abs(record.x).max())  # float32, another order
    magnitudes = np.abs(slopes).mean(axis=0)
    assert magnitudes.max() > 1.01 * np.abs(record.x).max()  # their mean is something else


def test_smooth_without_noise_or_curvature_is_the_gradient():
    expected = vis.saliency(NETWORK, PHOTO, 1, "gradient").x
    found = vis.saliency(NETWORK, PHOTO, 1, "smooth", samples=3, noise=0).x
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-9)  # float32
    linear = stack(Conv(4, 3), Dense(5))
    np.testing.assert_allclose(vis.saliency(linear, PHOTO, 1, "smooth", samples=3, noise=2).x,
                               vis.saliency(linear, PHOTO, 1, "gradient").x, rtol=1e-5, atol=1e-9)


# ---- shares that add up

def test_midpoints_of_a_straight_way():
    points = list(between(np.array([0.0, 10.0]), np.array([4.0, 2.0]), 4))
    np.testing.assert_allclose(points, [[0.5, 9], [1.5, 7], [2.5, 5], [3.5, 3]])


@pytest.mark.parametrize("baseline", [0, 255, (10, 200, 30), None])
def test_integrated_gradients_of_a_linear_network_are_complete_in_one_step(baseline):
    linear = stack(Conv(4, 3), Dense(5))
    record = vis.saliency(linear, PHOTO, 1, "integrated", steps=1, baseline=baseline)
    start = attribution.plain(linear, baseline, X.shape)
    difference = score(linear, X, 1) - score(linear, start, 1)
    assert record.x.sum() == pytest.approx(difference, rel=1e-4)  # float32
    w = vis.saliency(linear, PHOTO, 1, "gradient").x
    np.testing.assert_allclose(record.x, (X - start) * w, rtol=1e-4, atol=1e-6)


def test_the_sum_nears_the_difference_as_steps_become_more():
    """Without kinks the midpoint rule's error falls with the square of the steps."""
    network = nets.smooth()
    x, start = nets.images(1), nets.images(1, seed=5)

    def off(steps):
        mean, count = mean_slope(network, between(start, x, steps), 2)
        assert count == steps
        difference = slope(network, x, 2)[0] - slope(network, start, 2)[0]
        return abs(float(((x - start) * mean).sum()) - difference)

    assert off(40) < 1e-3 and off(40) < off(10) / 10


def test_completeness_is_reported():
    record = vis.saliency(NETWORK, PHOTO, 2, "integrated", steps=200)
    total, difference = record.completeness
    start = attribution.plain(NETWORK, None, X.shape)
    assert total == pytest.approx(record.x.sum(), rel=1e-4)  # float32
    black = vis.saliency(NETWORK, PHOTO, 2, "integrated", steps=9, baseline=0)
    assert " from 0 in 9 steps" in black.caption and not np.allclose(black.x, record.x)
    assert difference == pytest.approx(score(NETWORK, X, 2) - score(NETWORK, start, 2), rel=1e-5)
    assert abs(total - difference) < 0.05 * abs(difference)  # what 200 steps over the kinks give
    assert (f"shares add up to {total:.4g}, the score's difference is {difference:.4g}"
            in record.caption)
    assert "more steps" not in record.caption
    coarse = vis.saliency(NETWORK, PHOTO, 2, "integrated", steps=1)
    assert abs(np.subtract(*coarse.completeness)) > 0.05 * abs(difference)
    assert coarse.caption.endswith("take more steps")
    assert vis.saliency(NETWORK, PHOTO, 2).completeness is None


def test_a_photo_that_is_the_baseline_has_no_shares():
    record = vis.saliency(NETWORK, np.full((16, 20, 3), 7, np.uint8), 1, "integrated", steps=3,
                          baseline=7)
    assert not record.x.any() and record.completeness == (0, 0)


def test_times_input_adds_up_to_the_score_of_a_network_without_biases():
    network = stack(Conv(4, 3, bias=False), ReLU(), MaxPool(3, 2), Dense(5, bias=False))
    record = vis.saliency(network, PHOTO, 1, "times_input")
    assert record.x.sum() == pytest.approx(record.score, rel=1e-4)  # float32
    np.testing.assert_array_equal(record.x, X * vis.saliency(network, PHOTO, 1, "gradient").x)


# ---- what comes back

@pytest.mark.parametrize("method", METHODS)
def test_the_record(method):
    record = vis.saliency(NETWORK, PHOTO, "tree frog", method, samples=2, steps=20, seed=1)
    assert record.caption.startswith(f"small fc 2 (tree frog): score {record.score:.4g}, rule "
                                     f"{method}")
    assert record.image.shape == record.signed.shape == (16, 20, 3)
    assert record.image.dtype == record.signed.dtype == np.uint8
    assert record.map.shape == (16, 20) and record.x.shape == (1, 16, 20, 3)
    assert record.x.dtype == np.float32 and record.settings["target"] == 2
    np.testing.assert_array_equal(record.photo, NETWORK.restore(X)[0])
    again = vis.saliency(NETWORK, PHOTO, **record.settings)
    np.testing.assert_array_equal(again.x, record.x)
    assert "\n" not in repr(record) and len(repr(record)) < 300


def test_the_likeliest_class_where_none_is_given():
    top = int(NETWORK.probabilities(X).argmax())
    assert vis.saliency(NETWORK, PHOTO).settings["target"] == top


def test_a_score_that_depends_on_nothing_is_a_black_picture_and_said():
    network = small.network()
    network.params["conv2"]["b"] = np.full(5, -1e3, np.float32)  # relu2 is dead
    assert vis.saliency(network, PHOTO, 1).caption.endswith("; no positive evidence")
    record = vis.saliency(network, PHOTO, 1, "gradient")
    assert not record.map.any() and not record.image.any() and (record.signed == 128).all()
    assert record.caption.endswith("the score does not depend on any pixel")


def test_photo_and_network_stay_as_they_were():
    photo, before = PHOTO.copy(), {k: v.copy() for k, v in nets.parameters(NETWORK).items()}
    for method in METHODS:
        vis.saliency(NETWORK, photo, 1, method, samples=2, steps=2)
    np.testing.assert_array_equal(photo, PHOTO)
    for place, value in nets.parameters(NETWORK).items():
        np.testing.assert_array_equal(value, before[place])


def test_a_grey_photo_s_network():
    network = nets.trained(Network("digits", [("conv", Conv(3, 3)), ("relu", ReLU()),
                                              ("fc", Dense(4)), ("prob", Softmax())], (8, 9, 1),
                                   Preprocessing((8, 9), "L", 30.0, 1 / 9, resize_to=None)),
                           dtype=np.float32)
    record = vis.saliency(network, PHOTO, 1, "integrated", steps=2)
    assert record.x.shape == (1, 8, 9, 1) and record.signed.shape == (8, 9, 3)


# ---- Ctrl-C

def interrupted_after(count, monkeypatch):
    """Press it in the middle of backward pass number `count` + 1."""
    calls = []
    plain = vis.saliency.slope

    def pressed(*arguments):
        calls.append(1)
        if len(calls) == count + 1:
            raise KeyboardInterrupt
        return plain(*arguments)

    monkeypatch.setattr(vis.saliency, "slope", pressed)


def test_smooth_interrupted_is_the_mean_so_far(monkeypatch):
    expected = vis.saliency(NETWORK, PHOTO, 1, "smooth", samples=3)
    assert not expected.interrupted
    interrupted_after(3, monkeypatch)
    record = vis.saliency(NETWORK, PHOTO, 1, "smooth", samples=50)
    assert record.interrupted and "mean of 3 " in record.caption
    np.testing.assert_array_equal(record.x, expected.x)


@pytest.mark.parametrize("method, after", [("smooth", 0), ("integrated", 0), ("integrated", 3)])
def test_interrupted_with_nothing_to_show(method, after, monkeypatch):
    interrupted_after(after, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        vis.saliency(NETWORK, PHOTO, 1, method)


# ---- what is refused

@pytest.mark.parametrize("settings, words", [
    ({"method": "vanilla"}, "method must be one of guided_gradcam, gradient, .*, got 'vanilla'"),
    ({"blur": -1}, "blur must be a number of at least 0, got -1"),
    ({"lrn": "skip"}, "lrn must be one of gradient, .*, got 'skip'"),
    ({"shares": "both"}, "shares must be one of magnitude, signed, got 'both'"),
    ({"samples": 0}, "samples must be a whole number of at least 1, got 0"),
    ({"steps": 0}, "steps must be a whole number of at least 1, got 0"),
    ({"noise": -0.1}, "noise must be a number of at least 0, got -0.1"),
    ({"noise": float("nan")}, "noise must be a number of at least 0, got nan"),
    ({"method": "integrated", "baseline": 300}, "a colour is a number .* got 300"),
    ({"target": 4}, "small has 4 classes, counted from 0; there is no 4"),
    ({"target": "wolf"}, "no class 'wolf'")])
def test_settings_that_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        vis.saliency(NETWORK, PHOTO, **settings)


def test_a_network_without_its_classifier():
    with pytest.raises(ValueError, match="relu2, which has 3x4 positions instead of one score"):
        vis.saliency(NETWORK.until("relu2"), PHOTO)
