"""Grad-CAM against its equations as loops, against CAM, and where there is nothing to show."""

import nets
import numpy as np
import pytest
import small

from minicnn import naive, vis
from minicnn.network import LayerNameError, Network
from minicnn.network.layers import AveragePool, Conv, Dense, GlobalAveragePool, ReLU, Softmax
from minicnn.ops import resize
from minicnn.vis.gradcam import METHODS, plus_plus

NETWORK, PHOTO = small.network(), small.photo()
X = NETWORK.prepare(PHOTO)


def pooled(pooling, seed=0, biases=True):
    """A network whose score is linear in the mean of each feature map."""
    return nets.trained(Network("pooled", [
        ("conv", Conv(5, 3, pad=1)), ("relu", ReLU()), ("pool", pooling),
        ("fc", Dense(3, bias=biases)), ("prob", Softmax())], (16, 20, 3), NETWORK.preprocessing),
        seed, np.float32)


# ---- the equations

def slopes_at(layer, index):
    run = NETWORK.forward(X)
    seed = np.zeros((1, 4), np.float32)
    seed[0, index] = 1
    return run[layer], run.backward({"fc": seed}, to=layer)


def literal(a, g):
    """Equations 1 and 2, before the ReLU; a and g are (h, w, K)."""
    h, w, maps = a.shape
    raw = np.zeros((h, w))
    for k in range(maps):
        weight = sum(float(g[i, j, k]) for i, j in np.ndindex(h, w)) / (h * w)
        for i, j in np.ndindex(h, w):
            raw[i, j] += weight * a[i, j, k]
    return raw


@pytest.mark.parametrize("layer", ["relu2", "conv2", "mix", "mix/relu_3x3", "pool1", "norm1"])
@pytest.mark.parametrize("index", [0, 3])
def test_the_raw_map_is_the_equations_as_loops(layer, index):
    record = vis.gradcam(NETWORK, PHOTO, index, layer)
    a, g = slopes_at(layer, index)
    expected = literal(a[0], g[0])
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(record.raw, expected, rtol=0,
                               atol=1e-5 * np.abs(expected).max())  # float32
    assert record.raw.shape == NETWORK.shapes[layer][:2]


def test_the_map_is_the_raw_map_rectified_and_then_enlarged():
    """Enlarging first would let negative cells eat into positive ones."""
    record = vis.gradcam(NETWORK, PHOTO, 3)
    assert record.raw.min() < 0 < record.raw.max()
    positive = np.maximum(record.raw, 0)[None, :, :, None]
    np.testing.assert_array_equal(record.map, resize.forward(positive, (16, 20))[0][0, :, :, 0])
    assert record.map.shape == (16, 20) and record.map.min() >= 0
    first = np.maximum(resize.forward(record.raw[None, :, :, None], (16, 20))[0], 0)[0, :, :, 0]
    assert np.abs(first - record.map).max() > 0.01 * record.map.max()


@pytest.mark.parametrize("pooling", [GlobalAveragePool(), AveragePool((16, 20))])
def test_after_global_average_pooling_it_is_the_class_activation_map(pooling):
    network = pooled(pooling)
    features = network.forward(X)["relu"][0]
    for index in range(3):
        record = vis.gradcam(network, PHOTO, index)
        cam = features @ network.params["fc"]["w"][:, index]  # Zhou et al. 2016, equation 2
        np.testing.assert_allclose(16 * 20 * record.raw, cam, rtol=0,
                                   atol=1e-5 * np.abs(cam).max())  # float32
        bias = network.params["fc"]["b"][index]
        assert record.raw.sum() == pytest.approx(record.score - bias, rel=1e-4)
        np.testing.assert_allclose(record.weights,
                                   network.params["fc"]["w"][:, index] / (16 * 20), rtol=1e-4)


def test_it_is_about_one_class():
    """The slope starts from a one at that class, not from ones at all of them."""
    raws = [vis.gradcam(NETWORK, PHOTO, k).raw for k in range(4)]
    assert all(not np.allclose(a, b) for i, a in enumerate(raws) for b in raws[:i])
    run = NETWORK.forward(X)
    slopes = run.backward({"fc": np.ones((1, 4), np.float32)}, to="relu2")
    np.testing.assert_allclose(sum(raws), literal(run["relu2"][0], slopes[0]), rtol=1e-4, atol=1e-6)


def test_a_saturated_softmax_takes_nothing_away():
    network = small.network()
    for key in ("w", "b"):
        network.params["fc"][key] = network.params["fc"][key] * np.float32(1000)
    assert network.probabilities(X).max() == 1
    plain, sure = vis.gradcam(NETWORK, PHOTO), vis.gradcam(network, PHOTO)
    np.testing.assert_allclose(sure.raw, 1000 * plain.raw, rtol=1e-3, atol=1e-3)  # float32
    assert sure.evidence
    assert np.isfinite(vis.gradcam(network, PHOTO, method="gradcam++").raw).all()


def spots(bright, dark):
    """A network that sees bright and dark, and what the two are worth to class 0."""
    network = pooled(GlobalAveragePool())
    network.params["conv"] = {"w": np.zeros((3, 3, 3, 5), np.float32),
                              "b": np.zeros(5, np.float32)}
    network.params["conv"]["w"][1, 1, :, 2:4] = 1, -1
    network.params["fc"]["w"] = np.zeros((5, 3), np.float32)
    network.params["fc"]["w"][2:4, 0] = bright, dark
    photo = np.empty((16, 20, 3), np.uint8)
    photo[:] = 120, 110, 100  # the mean colour, red first
    photo[2:6, 11:17], photo[9:14, 3:8] = 220, 20
    return network, photo


def test_the_map_lies_where_the_feature_is():
    """Rows are rows and columns are columns; H is not W."""
    network, photo = spots(1, 0)
    heat = vis.gradcam(network, photo, 0).map
    assert heat[2:6, 11:17].min() > 0
    heat[2:6, 11:17] = 0
    assert not heat.any()


# ---- nothing to show

def against():
    """Every feature speaks against class 1."""
    network = pooled(GlobalAveragePool())
    network.params["fc"]["w"] = -np.abs(network.params["fc"]["w"])
    return network


@pytest.mark.parametrize("method", METHODS)
def test_no_positive_evidence_is_a_black_picture_and_said(method):
    record = vis.gradcam(against(), PHOTO, 1, method=method, guided=True)
    assert not record.evidence and not record.map.any() and not record.image.any()
    assert "no positive evidence; raw map " in record.caption
    assert np.isfinite(record.raw).all() and not record.x.any() and (record.signed == 128).all()
    if method == "gradcam":
        assert record.raw.max() <= 0 and record.raw.min() < 0  # and that is kept


def test_silent_features_are_no_evidence_either():
    network = small.network()
    network.params["conv2"]["b"] = np.full(5, -1e3, np.float32)
    record = vis.gradcam(network, PHOTO, 1)
    assert not record.evidence and not record.raw.any()
    assert "no positive evidence; raw map 0 to 0" in record.caption


def test_faint_evidence_looks_faint():
    """White is the strongest evidence for or against: 1 part in 20 is not blown up to white."""
    network, photo = spots(0.05, -1)
    record = vis.gradcam(network, photo, 0)
    assert record.raw.min() < -15 * record.raw.max() < 0
    assert 8 < record.image[3, 12, 0] < 17 and record.image[11, 5, 0] == 0
    network, photo = spots(1, -0.05)
    assert vis.gradcam(network, photo, 0).image[3, 12, 0] == 255


def test_the_least_of_a_map_that_is_positive_everywhere_is_not_taken_for_nothing():
    record = vis.gradcam(NETWORK, PHOTO, 3, "mix")
    assert record.raw.min() > 0.2 * record.raw.max() and record.image.min() > 0.2 * 255


# ---- Grad-CAM++

def literal_plus_plus(a, g):
    """Equations 5 and 19 as loops; a and g are (h, w, K)."""
    h, w, maps = a.shape
    weights = np.zeros(maps)
    for k in range(maps):
        total = sum(float(a[i, j, k]) for i, j in np.ndindex(h, w))
        for i, j in np.ndindex(h, w):
            slope = float(g[i, j, k])
            below = 2 * slope**2 + total * slope**3
            alpha = slope**2 / below if slope else 0
            weights[k] += alpha * max(slope, 0)
    return weights


def test_plus_plus_is_its_equations_as_loops():
    a, g = np.abs(nets.images(1, (3, 4, 5))), nets.images(1, (3, 4, 5), seed=7)
    a[0, ..., 2], g[0, 1, 2], g[0, ..., 4] = 0, 0, -1  # a silent map, no slope, only against
    np.testing.assert_allclose(plus_plus(a, g), literal_plus_plus(a[0], g[0]), rtol=1e-12)
    assert plus_plus(a, g)[4] == 0


@pytest.mark.parametrize("layer", ["relu2", "mix", "relu1"])
def test_plus_plus_weighs_the_maps(layer):
    record = vis.gradcam(NETWORK, PHOTO, 0, layer, "gradcam++")
    a, g = slopes_at(layer, 0)
    weights = literal_plus_plus(a[0], g[0])
    np.testing.assert_allclose(record.weights, weights, rtol=1e-4)  # float32
    np.testing.assert_allclose(record.raw, a[0] @ weights, rtol=1e-4)
    assert record.settings["method"] == "gradcam++" and "rule gradcam++" in record.caption


def test_plus_plus_solves_what_it_was_derived_from():
    """Y = exp(S) with S linear in A: both sides' second derivative, by central differences."""
    a, g, bias = np.abs(nets.images(1, (2, 3, 1)))[0], np.array([0.3, 0.8]), 0.1
    slope = np.repeat(g[:, None, None], 3, axis=1)  # h,w,1
    alpha = 1 / (2 + a.sum() * slope)
    h = 1e-4

    def y(a):
        return np.exp((slope * a).sum() + bias)

    for i, j in np.ndindex(2, 3):
        def moved(step, i=i, j=j):
            other = a.copy()
            other[i, j, 0] += step
            return other

        def right(step, i=i, j=j):  # the part that moves: the other slopes are held constant
            here = moved(step)
            terms = alpha * slope * y(a)
            terms[i, j] = alpha[i, j] * slope[i, j] * y(here)
            return here.sum() * terms.sum()

        second = (right(h) - 2 * right(0) + right(-h)) / h**2
        expected = (y(moved(h)) - 2 * y(a) + y(moved(-h))) / h**2
        assert second == pytest.approx(expected, rel=1e-5)  # h^2 and rounding


def test_plus_plus_wants_rectified_maps():
    with pytest.raises(ValueError, match=r"feature maps of conv2 go down to -.* after its ReLU"):
        vis.gradcam(NETWORK, PHOTO, 0, "conv2", "gradcam++")


# ---- guided Grad-CAM

def test_guided_is_the_product_of_the_map_and_guided_backpropagation():
    record = vis.gradcam(NETWORK, PHOTO, 3, guided=True)
    backpropagation = vis.saliency(NETWORK, PHOTO, 3, "guided").x
    assert record.map.any()
    for i, j, c in np.ndindex(16, 20, 3):
        assert record.x[0, i, j, c] == record.map[i, j] * backpropagation[0, i, j, c]
    assert record.signed.shape == (16, 20, 3) and record.signed.dtype == np.uint8
    assert record.caption.endswith(", rule gradcam, LRN through")
    other = vis.gradcam(NETWORK, PHOTO, 3, guided=True, lrn="gradient")
    product = other.map[None, :, :, None] * vis.saliency(NETWORK, PHOTO, 3, "guided",
                                                         lrn="gradient").x
    np.testing.assert_array_equal(other.x, product)
    assert not np.allclose(other.x, record.x) and other.caption.endswith("LRN gradient")
    plain = vis.gradcam(NETWORK, PHOTO, 3)
    assert plain.caption.endswith("rule gradcam")
    assert plain.x is None and plain.signed is None
    np.testing.assert_array_equal(plain.map, record.map)


# ---- what comes back

@pytest.mark.parametrize("method", METHODS)
def test_the_record(method):
    record = vis.gradcam(NETWORK, PHOTO, "red fox", method=method)
    assert record.caption.startswith("small relu2, evidence for fc 0 (red fox), score "
                                     f"{record.score:.4g}; raw map {record.raw.min():.4g} to ")
    assert record.image.shape == (16, 20, 3) and record.image.dtype == np.uint8
    assert record.raw.shape == (3, 4) and record.weights.shape == (5,)
    assert record.raw.dtype == record.map.dtype == np.float32
    assert record.settings["layer"] == "relu2" and record.settings["target"] == 0
    np.testing.assert_array_equal(record.photo, NETWORK.restore(X)[0])
    again = vis.gradcam(NETWORK, PHOTO, **record.settings)
    np.testing.assert_array_equal(again.map, record.map)
    assert "\n" not in repr(record) and len(repr(record)) < 300


def test_the_likeliest_class_where_none_is_given():
    assert vis.gradcam(NETWORK, PHOTO).settings["target"] == NETWORK.probabilities(X).argmax()


def test_any_size_that_fits_the_network():
    network = pooled(GlobalAveragePool())
    record = vis.gradcam(network, small.photo(26, 33), 1, size="keep")
    assert record.map.shape == (26, 33) and record.photo.shape == (26, 33, 3)


def test_photo_and_network_stay_as_they_were():
    photo, before = PHOTO.copy(), {k: v.copy() for k, v in nets.parameters(NETWORK).items()}
    for method in METHODS:
        vis.gradcam(NETWORK, photo, 1, method=method, guided=True)
    np.testing.assert_array_equal(photo, PHOTO)
    for place, value in nets.parameters(NETWORK).items():
        np.testing.assert_array_equal(value, before[place])


def test_enlarging_is_bilinear():
    record = vis.gradcam(NETWORK, PHOTO, 3)
    expected = naive.resize_forward(np.maximum(record.raw, 0)[None, :, :, None], (16, 20))
    np.testing.assert_allclose(record.map, expected[0, :, :, 0], rtol=0,
                               atol=1e-6 * record.map.max())  # float32


# ---- what is refused

@pytest.mark.parametrize("settings, words", [
    ({"layer": "fc"}, r"fc has no feature maps of more than one position, its output is \(4,\)"),
    ({"layer": "prob"}, "prob comes after the class scores, fc"),
    ({"target": 9}, "small has 4 classes, counted from 0; there is no 9"),
    ({"target": "fox"}, "several classes are called 'fox'"),
    ({"method": "scorecam"}, r"method must be one of gradcam, gradcam\+\+, got 'scorecam'")])
def test_what_is_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        vis.gradcam(NETWORK, PHOTO, **settings)


def test_a_wrong_layer_and_a_network_without_its_classifier():
    with pytest.raises(LayerNameError, match="near it: relu"):
        vis.gradcam(NETWORK, PHOTO, 0, "relu3")
    with pytest.raises(ValueError, match="ends at layer mix, which has 8x10 positions"):
        vis.gradcam(NETWORK.until("mix"), PHOTO, 0, "relu1")
