"""Kernels as pictures: the right colours, the right planes, the right scale."""

import nets
import numpy as np
import pytest
import small

from minicnn import vis
from minicnn.images import Preprocessing
from minicnn.network import LayerNameError, Network
from minicnn.network.layers import Conv, Dense, ReLU

NETWORK = small.network()


def one_layer(order, channels=3, groups=1):
    return nets.trained(Network("one", [("conv", Conv(6, (3, 2), groups=groups)), ("relu", ReLU()),
                                        ("fc", Dense(5)), ("top", Dense(2))],
                                (7, 8, channels), Preprocessing((7, 8), order)), dtype=np.float32)


def grey(w, limit):
    return np.rint(128 + 127 * w / limit)


@pytest.mark.parametrize("order", ["RGB", "BGR"])
def test_what_looks_for_red_is_red(order):
    network = one_layer(order)
    w = network.params["conv"]["w"]
    w[..., 0] = 0
    w[1, 0, order.index("R"), 0] = 0.2
    w[2, 1, order.index("B"), 0] = -0.1
    picture = vis.kernels(network).pictures[0]
    assert picture[1, 0].tolist() == [255, 128, 128] and picture[2, 1].tolist() == [128, 128, 64]
    assert (np.delete(picture.reshape(6, 3), [2, 5], axis=0) == 128).all()


def test_a_grey_network_has_grey_filters():
    network = one_layer("L", channels=1)
    picture = vis.kernels(network).pictures[3]
    w = network.params["conv"]["w"][:, :, 0, 3]
    np.testing.assert_array_equal(picture, np.dstack([grey(w, np.abs(w).max())] * 3))


def test_each_filter_over_its_own_largest_weight_or_all_over_the_layer_s():
    w = NETWORK.params["conv1"]["w"]
    own, joint = np.abs(w).max(axis=(0, 1, 2)), [np.abs(w).max()] * 6
    for scale, limits in (("filter", own), ("layer", joint)):
        found = vis.kernels(NETWORK, scale=scale)
        expected = np.stack([grey(w[..., ::-1, o], limits[o]) for o in range(6)])  # BGR to RGB
        np.testing.assert_array_equal(found.pictures, expected)
        assert found.pictures.dtype == np.uint8 and found.filters == list(range(6))
        assert found.inputs is None and found.settings["layer"] == "conv1"


def test_a_dead_filter_is_grey_in_both_scales():
    network = small.network()
    network.params["conv1"]["w"][..., 2] = 0
    network.params["conv1"]["w"][..., 3] *= 1e-4
    own, joint = (vis.kernels(network, scale=scale).pictures for scale in ("filter", "layer"))
    assert (own[2] == 128).all() and np.ptp(own[3]) > 100
    assert (joint[2:4] == 128).all()  # here nearly dead shows, too


def test_deeper_kernels_are_shown_plane_by_plane():
    w = NETWORK.params["conv2"]["w"]
    found = vis.kernels(NETWORK, "conv2", filters=[4, 1], inputs=[0, 8, 3])
    assert found.pictures.shape == (6, 3, 3, 3) and found.filters == [4, 1]
    for row, o in enumerate([4, 1]):
        for column, c in enumerate([0, 8, 3]):
            expected = grey(w[:, :, c, o], np.abs(w[..., o]).max())  # jointly over all its planes
            np.testing.assert_array_equal(found.pictures[3 * row + column],
                                          np.repeat(expected[..., None], 3, axis=2))
    np.testing.assert_array_equal(found.w, w)


def test_sixteen_of_each_where_nothing_is_said():
    network = nets.trained(Network("wide", [("a", Conv(20, 1)), ("b", Conv(18, 1))], (4, 4, 3),
                                   Preprocessing((4, 4))), dtype=np.float32)
    assert vis.kernels(network).filters == list(range(20))  # the first layer: all
    found = vis.kernels(network, "b")
    assert found.filters == found.inputs == list(range(16)) and len(found.pictures) == 256
    assert "16 of 18 kernels 1x1, 16 of 20 planes each" in found.caption


def test_the_first_layer_plane_by_plane_when_asked():
    found = vis.kernels(NETWORK, filters=[2], inputs=[0, 2])
    assert found.pictures.shape == (2, 3, 3, 3) and found.inputs == [0, 2]
    w = NETWORK.params["conv1"]["w"][..., 2]
    np.testing.assert_array_equal(found.pictures[1][..., 0], grey(w[..., 2], np.abs(w).max()))


def test_of_a_layer_with_groups_the_planes_count_within_the_group():
    found = vis.kernels(NETWORK, "mix/3x3")
    assert found.inputs == [0, 1, 2] and found.filters == [0, 1, 2, 3]
    assert vis.kernels(one_layer("RGB", groups=3)).inputs == [0]  # no filter sees all colours


def test_a_dense_layer_above_maps_has_kernels_as_large_as_these():
    """Its unit is the sum over the map times its kernel."""
    network = one_layer("RGB")
    found = vis.kernels(network, "fc")
    assert found.w.shape == (5, 7, 6, 5)
    x = nets.images(1, (7, 8, 3), dtype=np.float32)
    run = network.forward(x)
    for o in range(5):
        value = (run["relu"][0] * found.w[..., o]).sum() + network.params["fc"]["b"][o]
        assert value == pytest.approx(run["fc"][0, o], rel=1e-4, abs=1e-4)  # float32, 210 terms


def test_the_caption_and_the_weights_left_alone():
    before = NETWORK.params["conv1"]["w"].copy()
    found = vis.kernels(NETWORK, scale="layer")
    assert found.caption == (f"small conv1: 6 of 6 kernels 3x3, in red, green and blue; grey is a "
                             f"weight of 0, all filters scaled by the layer's largest weight "
                             f"({np.abs(before).max():.3g})")
    low, high = (f(np.abs(before).max(axis=(0, 1, 2))) for f in (min, max))
    assert vis.kernels(NETWORK).caption.endswith(f"largest weight ({low:.3g} to {high:.3g})")
    np.testing.assert_array_equal(NETWORK.params["conv1"]["w"], before)


@pytest.mark.parametrize("settings", [{}, {"layer": "conv2", "filters": [3], "scale": "layer"}])
def test_the_settings_make_the_same_pictures(settings):
    found = vis.kernels(NETWORK, **settings)
    again = vis.kernels(NETWORK, **found.settings)
    np.testing.assert_array_equal(again.pictures, found.pictures)
    assert again.settings == found.settings and again.caption == found.caption


@pytest.mark.parametrize("settings, words", [
    ({"layer": "relu1"}, r"relu1 \(ReLU\) has no kernels .* conv1, mix/1x1, mix/3x3, mix/project, "
                         "conv2, fc$"),
    ({"scale": "plane"}, "scale must be one of filter, layer, got 'plane'"),
    ({"filters": [6]}, "conv1 has 6 filters, counted from 0; there is no 6"),
    ({"filters": [-1]}, "there is no -1"),
    ({"filters": []}, "conv1 has 6 filters, counted from 0; the list is empty"),
    ({"layer": "conv2", "inputs": [9]}, "conv2 has 9 planes, counted from 0; there is no 9")])
def test_what_is_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        vis.kernels(NETWORK, **settings)


def test_a_layer_that_is_not_there_or_has_no_rows_or_no_weights():
    with pytest.raises(LayerNameError, match="near it: .*conv1"):
        vis.kernels(NETWORK, "conv9")
    with pytest.raises(ValueError, match=r"top \(Dense\) has no kernels .* of conv, fc$"):
        vis.kernels(one_layer("RGB"), "top")
    flat = nets.trained(Network("flat", [("fc", Dense(2))], (3, 3, 1)))
    with pytest.raises(ValueError, match="no convolution; name a dense layer"):
        vis.kernels(flat)
    assert vis.kernels(flat, "fc").w.shape == (3, 3, 1, 2)
    with pytest.raises(ValueError, match="conv of network bare has no weights"):
        vis.kernels(Network("bare", [("conv", Conv(2, 1))], (3, 3, 3)))
