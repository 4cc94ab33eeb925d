"""By which rule a unit is projected, and the mean over moved photos."""

import nets
import numpy as np
import pytest
import small

from minicnn import images, models, vis
from minicnn.network import Network
from minicnn.network.layers import AveragePool, Conv, MaxPool, ReLU
from minicnn.vis.strongest_pictures import SHIFTS, moved, relu_rule

NETWORK = small.network()


# ---- the rule

@pytest.mark.parametrize("name, last, first", [
    ("vgg16", "pool2", "conv3_1"), ("googlenet", "pool2/3x3_s2", "inception_3a/1x1"),
    ("zfnet", "pool2", "conv3"), ("minivgg", "pool2", "conv3_1"), ("squeezenet11", "pool3", None)])
def test_the_deconvnet_up_to_the_second_pooling_and_guided_deeper(name, last, first):
    network = getattr(models, name)()
    names = network.names
    rules = {layer: relu_rule(network, layer) for layer in names}
    place = names.index(network.find(last))
    assert {rules[layer] for layer in names[: place + 1]} == {"deconvnet"}
    assert {rules[layer] for layer in names[place + 1 :]} == {"guided"}
    assert first is None or rules[network.find(first)] == "guided"


def test_a_pooling_that_keeps_the_size_is_none():
    network = Network("same", [("c", Conv(2, 3)), ("p1", MaxPool(3, 1)), ("p2", MaxPool(3, 1)),
                               ("p3", MaxPool(2)), ("p4", MaxPool(2)), ("r", ReLU())], (24, 24, 3))
    assert [relu_rule(network, name) for name in ("p3", "p4", "r")] == [
        "deconvnet", "deconvnet", "guided"]


def test_without_poolings_strided_convolutions_count_except_the_first_layer():
    network = Network("strided", [
        ("c1", Conv(2, 3, stride=2)), ("c2", Conv(2, 3, stride=2)), ("r2", ReLU()),
        ("p", AveragePool(2)), ("r3", ReLU())], (40, 40, 3))
    assert [relu_rule(network, name) for name in network.names] == [*["deconvnet"] * 4, "guided"]


def test_a_rule_that_is_named_is_taken():
    assert relu_rule(models.minivgg(), "relu4_2", "deconvnet") == "deconvnet"
    assert relu_rule(models.minivgg(), "relu1_1", "gradient") == "gradient"


# ---- moved photos

def test_moved():
    x = nets.images(1, (4, 5, 2))
    np.testing.assert_array_equal(moved(x, 1, -1)[:, 1:, :-1], x[:, :-1, 1:])
    np.testing.assert_array_equal(moved(x, 1, -1)[:, 0, :-1], x[:, 0, 1:])  # the edge repeated
    assert not moved(x, 1, -1, "constant")[:, 0].any() and moved(x, 0, 0) is x
    for rows, columns in SHIFTS[9]:  # there and back: the inner pixels are where they were
        back = moved(moved(x, rows, columns), -rows, -columns, "constant")
        np.testing.assert_array_equal(back[:, 1:-1, 1:-1], x[:, 1:-1, 1:-1])


def test_nine_shifts_are_the_mean_over_the_moved_photos_that_activate_the_unit(tmp_path):
    photo = small.photo()
    one = vis.strongest(NETWORK, [photo], tmp_path, {"relu2": [1]}, count=1, shifts=9
                        ).patches.channel("relu2", 1)
    x, total, count = NETWORK.prepare(photo), 0, 0
    for rows, columns in SHIFTS[9]:
        run = NETWORK.forward(moved(x, rows, columns), to="relu2")
        seed = np.zeros_like(run["relu2"])
        seed[0, *one.positions[0], 1] = value = run["relu2"][0, *one.positions[0], 1]
        if value > 0:
            down = run.backward({"relu2": seed}, "guided", "through")
            total, count = total + moved(down, -rows, -columns, "constant"), count + 1
    top, bottom, left, right = one.windows[0]
    expected = images.to_rgb(total / count, NETWORK.preprocessing)[0, top:bottom, left:right]
    assert count > 1
    np.testing.assert_allclose(one.projections[0], expected, rtol=1e-5,
                               atol=1e-6 * np.abs(expected).max())  # float32, another order
