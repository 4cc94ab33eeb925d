"""What a network says of its images, in each of the places where Caffe's say it."""

import nets
import numpy as np
import pytest

from minicnn.foreign.caffe_data import Images, fitting_sides, images, likely_side, preprocessing
from minicnn.images import Preprocessing
from minicnn.network import Network
from minicnn.network.layers import Conv, Dense, GlobalAveragePool, MaxPool, ReLU

RULES = {"include": [{"phase": ["TRAIN"]}]}


def source(kind="Data", **params):
    return {"type": [kind], "top": ["data"]} | {key: [value] for key, value in params.items()}


@pytest.mark.parametrize("net", [
    {"input": ["data"], "input_dim": [1, 3, 227, 224]},
    {"input": ["data", "label"], "input_dim": [1, 3, 227, 224, 1, 1, 1, 1]},
    {"input": ["data"], "input_shape": [{"dim": [1, 3, 227, 224]}]},
    {"layer": [source("Input", input_param={"shape": [{"dim": [1, 3, 227, 224]}]})]},
    {"layer": [source("MemoryData", memory_data_param={"channels": [3], "height": [227],
                                                       "width": [224]})]},
    {"layer": [source("DummyData", dummy_data_param={"shape": [{"dim": [1, 3, 227, 224]}]})]},
    {"layer": [source("DummyData", dummy_data_param={"num": [1], "channels": [3],
                                                     "height": [227], "width": [224]})]},
])
def test_the_size_of_the_input(net):
    assert images(net) == Images(3, 227, 224)


def test_a_data_layer_says_how_images_were_prepared():
    new = {"crop_size": [24], "scale": [0.5], "mean_value": [104.0, 117.0, 123.0]}
    expected = Images(None, 24, 24, True, 0.5, (104.0, 117.0, 123.0), cropped=True)
    assert images({"layer": [source(transform_param=new)]}) == expected
    old = {"crop_size": [24], "scale": [0.5], "mean_file": ["m.binaryproto"]}
    assert images({"layer": [source(data_param=old)]}) == Images(
        None, 24, 24, True, 0.5, (), "m.binaryproto", cropped=True)
    assert images({"layer": [source()]}) == Images(prepared=True)
    assert images({}) == Images()


def test_sizes_and_colours_of_picture_files():
    sizes = {"new_height": [60], "new_width": [50]}
    assert images({"layer": [source("ImageData", image_data_param=sizes)]}) == Images(
        None, 60, 50, True)
    grey = sizes | {"is_color": ["false"]}
    assert images({"layer": [source("ImageData", image_data_param=grey,
                                    transform_param={"crop_size": [40]})]}) == Images(
        1, 40, 40, True, cropped=True)


def test_of_two_data_layers_the_one_for_use_is_heard():
    training = source(transform_param={"crop_size": [20]}) | RULES
    testing = source(transform_param={"crop_size": [24]})
    assert images({"layer": [training, testing]}).height == 24
    assert images({"layer": [training]}).height == 20


@pytest.mark.parametrize("net, message", [
    ({"input_dim": [1, 3, 0, 5]}, "dim: expected a whole number from 1 to 1,000,000, got 0"),
    ({"layer": [source(transform_param={"scale": ["big"]})]}, "scale: expected a number"),
    ({"layer": [source(), source(transform_param={"crop_size": [-1]})]}, None),
])
def test_what_makes_no_sense_is_refused(net, message):
    if message is None:  # only the first is looked at
        assert images(net) == Images(prepared=True)
    else:
        with pytest.raises(ValueError, match=message):
            images(net)


def test_preprocessing_from_one_number_several_and_none():
    found = Images(prepared=True, scale=0.5, mean=(104.0, 117.0, 123.0))
    made, notes = preprocessing(found, (8, 9, 3))
    assert made == Preprocessing((8, 9), "BGR", (104, 117, 123), 0.5, None) and notes == []
    made, _ = preprocessing(Images(prepared=True, mean=(127.5,)), (8, 9, 3))
    assert made == Preprocessing((8, 9), "BGR", 127.5, 1.0, None)
    made, _ = preprocessing(Images(prepared=True, scale=1 / 256), (28, 28, 1))
    assert made == Preprocessing((28, 28), "L", 0.0, 1 / 256, None)


def test_a_crop_of_imagenets_size_comes_from_256():
    for side, before in [(227, 256), (224, 256), (24, None), (256, None)]:
        made, notes = preprocessing(Images(prepared=True, cropped=True), (side, side, 3))
        assert made.resize_to == before and len(notes) == (before is not None)
    assert preprocessing(Images(prepared=True), (224, 224, 3))[0].resize_to is None


def test_a_mean_that_is_brightest_in_front_has_red_first():
    image = np.zeros((8, 8, 3), np.float32) + np.float32([125.3, 123.0, 113.9])
    made, notes = preprocessing(Images(), (8, 8, 3), image)
    assert made.order == "RGB" and "red, green, blue" in notes[0]
    made, notes = preprocessing(Images(), (8, 8, 3), image[..., ::-1])
    assert made.order == "BGR" and notes == []
    np.testing.assert_array_equal(made.mean, image[..., ::-1])


def test_no_preprocessing_where_it_is_not_known():
    assert preprocessing(Images(), (8, 8, 3)) == (None, [])
    assert preprocessing(Images(prepared=True), None) == (None, [])
    assert preprocessing(Images(prepared=True), (8, 8, 7)) == (None, [])
    made, (note,) = preprocessing(Images(prepared=True, mean_file="m.binaryproto"), (8, 8, 3))
    assert made is None and "'m.binaryproto'" in note
    made, (note,) = preprocessing(Images(prepared=True, mean=(-5.0,)), (8, 8, 3))
    assert made is None and "mean lies in 0..255" in note
    with pytest.raises(ValueError, match="a mean image is"):
        preprocessing(Images(), (8, 8, 3), np.ones((4, 4, 3), np.float32))


# ---- inferring the size

def rows(*given):
    """As the reader gives them, each with what it reads."""
    return Network("n", given, (32, 32, 3)).rows


LENET = rows(("c1", Conv(20, 5)), ("p1", MaxPool(2, 2, rounding="ceil")), ("c2", Conv(50, 5)),
             ("p2", MaxPool(2, 2, rounding="ceil")), ("ip1", Dense(500)), ("ip2", Dense(10)))


def test_the_sides_that_fit_the_first_dense_layer():
    """Every side is tried here one by one; the search halves."""
    for maps in (1, 2, 4, 7):
        channels, sides = fitting_sides(LENET, {"c1": 1, "ip1": 50 * maps**2, "c2": 20})
        tried = [side for side in range(13, 60) if MaxPool(2, 2, rounding="ceil").output_shape(
            (MaxPool(2, 2, rounding="ceil").output_shape((side - 4, side - 4, 1))[0] - 4,) * 2
            + (1,))[0] == maps]
        assert channels == 1 and list(sides) == tried


def test_of_the_sides_the_likely_one():
    assert likely_side(range(25, 29)) == 28  # MNIST's
    assert likely_side(range(32, 40)) == 32  # CIFAR-10's
    assert likely_side(range(224, 230)) == 224


def test_paths_and_dense_first():
    block = rows(("c1", Conv(3, 1, stride=2)),
                 *nets.joined("j", "c1", [("a", Conv(2, 1))], [("r", ReLU())]), ("fc", Dense(4)))
    assert fitting_sides(block, {"c1": 3, "a": 3, "fc": 5 * 16}) == (3, range(7, 9))
    assert fitting_sides(rows(("fc", Dense(4))), {"fc": 784}) == (1, range(28, 29))
    assert fitting_sides(rows(("fc", Dense(4))), {"fc": 3 * 1024}) == (3, range(32, 33))


@pytest.mark.parametrize("layers, inputs", [
    (LENET, {"c1": 1, "ip1": 50 * 16 + 1}),  # no whole map
    (LENET, {"c1": 1, "ip1": None}),
    (LENET, {"c1": None, "ip1": 800}),
    (LENET[:2], {"c1": 1}),
    (rows(("c1", Conv(8, 3)), ("gap", GlobalAveragePool()), ("fc", Dense(2))), {"c1": 3, "fc": 8}),
])
def test_no_side_where_none_is_fixed(layers, inputs):
    assert fitting_sides(layers, inputs)[1] == range(0)
