"""Activations as pictures: the lecture's scale, and what it leaves undefined."""

import nets
import numpy as np
import pytest
import small

from minicnn import vis
from minicnn.images import ImageError, Preprocessing
from minicnn.network import LayerNameError, Network
from minicnn.network.layers import BatchNorm, Conv, ReLU
from minicnn.vis.activations import SCALES, levels, pick

NETWORK, PHOTO = small.network(), small.photo()


# ---- the numbers

def test_every_layer_s_raw_numbers_are_there():
    found = vis.activations(NETWORK, PHOTO)
    run = NETWORK.forward(NETWORK.prepare(PHOTO))
    assert list(found.maps) == NETWORK.names and found.network == "small"
    for layer, a in found.maps.items():
        np.testing.assert_array_equal(a, run[layer][0])
    assert found.maps["relu2"].shape == (3, 4, 5) and found.maps["fc"].shape == (4,)


def test_chosen_layers_in_the_order_asked_for():
    found = vis.activations(NETWORK, PHOTO, ["relu2", 0, "mix/relu_3x3"], size="keep")
    assert list(found.maps) == ["relu2", "image", "mix/relu_3x3"]
    np.testing.assert_array_equal(found.maps["image"], NETWORK.prepare(PHOTO, "keep")[0])
    assert found.settings == {"layers": ["relu2", "image", "mix/relu_3x3"], "maps": None,
                              "scale": "deviation", "size": "keep"}


def test_the_image_alone_needs_no_layer():
    found = vis.activations(NETWORK, PHOTO, "image")
    np.testing.assert_array_equal(found.maps["image"], NETWORK.prepare(PHOTO)[0])


def test_only_the_first_maps_are_shown_and_all_decide_the_scale():
    found = vis.activations(NETWORK, PHOTO, ["relu1", "fc"], maps=2, scale="layer")
    assert found.maps["relu1"].shape[2] == 6
    np.testing.assert_array_equal(found.levels("relu1"),
                                  levels(found.maps["relu1"], "layer")[..., :2])
    assert found.levels("fc").shape == (2,)


def test_a_photo_and_the_network_stay_as_they_were():
    photo, before = PHOTO.copy(), {k: v.copy() for k, v in nets.parameters(NETWORK).items()}
    found = vis.activations(NETWORK, photo)
    kept = {layer: a.copy() for layer, a in found.maps.items()}
    for layer in found.maps:
        found.levels(layer)
        np.testing.assert_array_equal(found.maps[layer], kept[layer])
    np.testing.assert_array_equal(photo, PHOTO)
    for place, value in nets.parameters(NETWORK).items():
        np.testing.assert_array_equal(value, before[place])


# ---- the scales

def as_the_lecture_does(channel):
    """Its lines, one channel at a time."""
    channel = channel.astype(np.float64)
    channel -= channel.mean()
    channel /= channel.std()
    channel *= 64
    channel += 128
    return np.clip(channel, 0, 255).astype("uint8")


def test_deviation_is_the_lecture_s_scale():
    a = np.random.default_rng(0).gamma(0.5, 3, (9, 11, 4))  # skewed: values beyond both ends
    shown = levels(a)
    for c in range(4):
        np.testing.assert_array_equal(shown[..., c], as_the_lecture_does(a[..., c]))
    assert shown.max() == 255 and shown.dtype == np.uint8


@pytest.mark.parametrize("value", [0.0, 0.1, -7.3, 1e30, 1e-30])
def test_a_blank_channel_is_dark_and_no_division_by_zero(value):
    """Warnings are errors here. The mean of many 0.1 is not quite 0.1: std alone would not do."""
    a = np.random.default_rng(0).standard_normal((7, 9, 3)).astype(np.float32)
    a[..., 1] = value
    for scale in ("deviation", "range"):
        shown = levels(a, scale)
        assert (shown[..., 1] == 0).all()
        assert shown[..., 0].std() > 30 and shown[..., 2].std() > 30
        np.testing.assert_array_equal(shown[..., [0, 2]], levels(a[..., [0, 2]], scale))


def test_nothing_with_something_to_show_is_dark_throughout():
    a = np.zeros((20, 20, 1))
    a[3, 4] = 1e-20
    assert levels(a)[3, 4] == 255 and (np.delete(levels(a).ravel(), 64) > 100).all()


def test_range_spreads_each_channel():
    a = np.array([[[-1.0, 5]], [[0, 6]], [[3, 7]]])
    assert levels(a, "range")[:, 0].T.tolist() == [[0, 63, 255], [0, 127, 255]]


def test_layer_keeps_strong_and_weak_apart():
    a = np.array([[[0.0, 1, 10]], [[2, 1, 5]]])
    assert levels(a, "layer").tolist() == [[[0, 25, 255]], [[51, 25, 127]]]
    assert levels(a + 5, "layer").min() == 85  # zero, not the smallest value, is dark
    assert levels(a - 10, "layer")[0, 0].tolist() == [0, 25, 255]
    assert (levels(np.zeros((2, 2, 2)), "layer") == 0).all()


def test_units_without_positions_are_one_picture():
    assert levels(np.array([0.0, 1, 4]), "range").tolist() == [0, 63, 255]
    np.testing.assert_array_equal(levels(np.array([0.0, 1, 4])),
                                  as_the_lecture_does(np.array([0.0, 1, 4])))
    assert (levels(np.ones(3)) == 0).all()


# ---- names and numbers

def stem(convolutions=3):
    """Convolution, batch norm, ReLU, again and again, as InceptionV3 begins."""
    layers = [(f"{kind.__name__}{k}", kind(4, 1) if kind is Conv else kind())
              for k in range(convolutions) for kind in (Conv, BatchNorm, ReLU)]
    return Network("stem", layers, (6, 6, 3), Preprocessing((6, 6)))


def test_numbers_count_as_keras_counts():
    """There layer 0 is the input, and 1, 4, 7 are InceptionV3's first three convolutions."""
    assert pick(stem(), [1, 4, 7]) == ["Conv0", "Conv1", "Conv2"]
    assert pick(stem(), ["1", "5", 0]) == ["Conv0", "BatchNorm1", "image"]
    assert pick(stem(), 9) == ["ReLU2"]


def test_a_range_is_python_s():
    assert pick(stem(), "0:4") == ["image", "Conv0", "BatchNorm0", "ReLU0"]
    assert pick(stem(), ["0:10"]) == ["image", *stem().names]
    assert pick(NETWORK, ["5:7", "relu2"]) == ["mix/1x1", "mix/relu_1x1", "relu2"]


def test_every_layer_where_nothing_is_said_and_each_once():
    assert pick(NETWORK) == NETWORK.names
    assert pick(stem(), [1, "Conv0", "1:3"]) == ["Conv0", "BatchNorm0"]


def test_a_name_of_digits_is_a_name():
    network = Network("torch", [("1", Conv(2, 1)), ("0", ReLU())], (4, 4, 3))
    assert pick(network, ["0", "1"]) == ["0", "1"]


@pytest.mark.parametrize("layers, words", [
    ("10", r"stem has layers 0 \(image\) to 9 \(ReLU2\); there is no 10"),
    (10, "there is no 10"), ("8:11", "there is no 8:11"), ("4:4", "there is no 4:4"),
    (-1, "no layer -1"), ("Con1", "no layer 'Con1'; near it: Conv1"), ([], "no layers were named")])
def test_a_layer_that_is_not_there(layers, words):
    with pytest.raises(LayerNameError, match=words):
        pick(stem(), layers)


# ---- what is refused

def test_an_unknown_scale_and_no_maps_and_numbers_that_are_none():
    with pytest.raises(ValueError, match="scale must be one of deviation, range, layer, got 'log'"):
        vis.activations(NETWORK, PHOTO, scale="log")
    with pytest.raises(ValueError, match="scale: expected one of deviation, .*; got 'log'"):
        levels(np.zeros((2, 2, 1)), "log")
    with pytest.raises(ValueError, match="maps must be a whole number of at least 1, got 0"):
        vis.activations(NETWORK, PHOTO, maps=0)
    for scale in SCALES:
        with pytest.raises(ImageError, match="activations: 1 of 4 values are not finite"):
            levels(np.array([[[1.0, np.nan]], [[0, 1]]]), scale)
