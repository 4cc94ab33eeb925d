"""What the explanations share: the class, its score, the last feature maps, a plain colour."""

import nets
import numpy as np
import pytest
import small

from minicnn import models
from minicnn.images import Preprocessing
from minicnn.network import LayerNameError, Network
from minicnn.network.layers import Conv, Dense, GlobalAveragePool, ReLU, Softmax
from minicnn.vis import attribution

NETWORK, PHOTO = small.network(), small.photo()


# ---- the class and its score

@pytest.mark.parametrize("target, index", [
    (None, 2), (0, 0), (np.int64(3), 3), ("red fox", 0), ("urocyon", 1), ("frog", 3)])
def test_a_class_by_number_by_name_or_the_highest_score(target, index):
    scores = np.array([[-3, 1, 7, 2]], np.float32)
    assert attribution.find_target(NETWORK, target, scores) == index


def test_the_highest_score_is_that_of_the_mean_over_positions():
    scores = np.zeros((1, 2, 2, 4))
    scores[0, 0, 1, 3], scores[..., 1] = 5, 2
    assert attribution.find_target(NETWORK, None, scores) == 1


@pytest.mark.parametrize("target, words", [
    (4, "small has 4 classes, counted from 0; there is no 4"),
    (-1, "small has 4 classes, counted from 0; there is no -1"),
    ("wolf", "small has no class 'wolf'"), ("fox", "several classes are called 'fox'")])
def test_a_class_that_is_not_there(target, words):
    with pytest.raises(ValueError, match=words):
        attribution.find_target(NETWORK, target, np.zeros((1, 4)))


def test_the_seed_is_one_at_the_class_s_score_and_zero_elsewhere():
    run = NETWORK.forward(NETWORK.prepare(PHOTO))
    score, seeds = attribution.seed_score(run, 2)
    assert score == run["fc"][0, 2] and list(seeds) == ["fc"]
    np.testing.assert_array_equal(seeds["fc"], [[0, 0, 1, 0]])


def test_a_unit_in_words():
    assert attribution.unit(NETWORK, 1) == "fc 1 (grey fox)"
    assert attribution.unit(nets.classifier(), 3) == "fc 3"


def test_a_network_without_its_classifier_has_no_scores():
    assert attribution.score_layer(NETWORK) == "fc"
    with pytest.raises(ValueError, match="small ends at layer relu2, which has 3x4 positions "
                                         "instead of one score per class"):
        attribution.score_layer(NETWORK.until("relu2"))


# ---- feature maps

@pytest.mark.parametrize("name, layer", [
    ("googlenet", "inception_5b/output"), ("squeezenet11", "relu_conv10"), ("vgg16", "relu5_3"),
    ("alexnet_caffe", "relu5"), ("minivgg", "relu4_2"), ("zfnet", "relu5")])
def test_the_last_feature_maps_of_the_networks_people_use(name, layer):
    assert attribution.feature_layer(getattr(models, name)()) == layer


def test_feature_maps_of_one_position_do_not_count():
    network = Network("late", [("a", Conv(3, 3)), ("b", Conv(3, (8, 10))), ("fc", Dense(2))],
                      (10, 12, 3))
    assert network.shapes["b"] == (1, 1, 3)
    assert attribution.feature_layer(network) == "a"


def test_a_network_without_any():
    network = Network("flat", [("fc", Dense(2)), ("prob", Softmax())], (4, 5, 3))
    with pytest.raises(ValueError, match="flat has no layer that computes feature maps"):
        attribution.feature_layer(network)


@pytest.mark.parametrize("layer", ["conv1", "norm1", "pool1", "mix", "mix/3x3", "relu2"])
def test_any_layer_with_feature_maps_will_do(layer):
    assert attribution.feature_maps(NETWORK, layer) == layer


def test_layers_that_will_not_do_and_one_that_would():
    with pytest.raises(ValueError, match="prob comes after the class scores, fc; .* relu2"):
        attribution.feature_maps(NETWORK, "prob")
    with pytest.raises(ValueError, match=r"fc has no feature maps .* is \(4,\); .* relu2"):
        attribution.feature_maps(NETWORK, "fc")
    with pytest.raises(ValueError, match=r"pool5/7x7_s1 has no feature maps .* is \(1, 1, 1024\)"):
        attribution.feature_maps(models.googlenet(), "pool5/7x7_s1")
    with pytest.raises(LayerNameError, match="near it: relu"):
        attribution.feature_maps(NETWORK, "rellu")


# ---- a plain colour

def test_the_mean_colour_is_zero():
    x = attribution.plain(NETWORK, None, (5, 7, 9, 3))
    assert x.shape == (1, 7, 9, 3) and x.dtype == np.float32 and not x.any()


@pytest.mark.parametrize("colour", [(10, 200, 30), 0, 255, 128])
def test_a_colour_is_red_first_and_what_restore_gives_back(colour):
    x = attribution.plain(NETWORK, colour, (1, 7, 9, 3))
    assert (NETWORK.restore(x)[0] == colour).all() and x.shape == (1, 7, 9, 3)


def test_without_a_mean_the_plain_colour_is_grey_not_black():
    unit = Preprocessing((6, 6), scale=1 / 255)
    network = Network("unit", [("conv", Conv(2, 3))], (6, 6, 3), unit)
    assert (network.restore(attribution.plain(network, None, (1, 6, 6, 3))) == 128).all()


@pytest.mark.parametrize("colour", [-1, 256, (1, 2), (1, 2, 300), float("nan"), "grey",
                                    [[1, 2, 3]]])
def test_what_is_no_colour(colour):
    with pytest.raises(ValueError, match=r"a colour is a number or \(R, G, B\) in 0..255, got"):
        attribution.plain(NETWORK, colour, (1, 6, 6, 3))


# ---- pictures

def test_grey_goes_from_black_at_zero_to_white_at_the_given_height():
    picture = attribution.grey(np.array([[-5, 0, 1, 2, 4, 9, np.nan]]), high=4)
    np.testing.assert_array_equal(picture[0, :, 0], [0, 0, 64, 128, 255, 255, 0])
    assert picture.shape == (1, 7, 3) and (picture == picture[..., :1]).all()
    assert not attribution.grey(np.zeros((2, 3)), high=0).any()
    assert not attribution.grey(-np.ones((2, 3)), high=-1).any()


def test_a_score_of_one_position_by_global_pooling_is_a_class_score():
    network = Network("gap", [("conv", Conv(3, 3)), ("relu", ReLU()), ("gap", GlobalAveragePool()),
                              ("prob", Softmax())], (9, 8, 3))
    assert attribution.score_layer(network) == "gap"
    assert attribution.feature_layer(network) == "relu"
