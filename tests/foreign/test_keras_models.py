"""The names and the order of the layers of a Keras model, understood or not."""

import pytest
from keras_files import conv, functional, layer, sequential

from minicnn.foreign import keras_models
from minicnn.foreign.settings import Misfit

LAYERS = [conv("c1", 4), layer("MaxPooling2D", "p1", pool_size=[2, 2]), layer("Flatten", "f")]


def branched():
    """c1 and c2 read the image, and an Add reads both."""
    model = functional(conv("c1", 4), conv("c2", 4), layer("Add", "sum"))
    model["config"]["layers"][2]["inbound_nodes"] = [[["input_1", 0, 0, {}]]]
    model["config"]["layers"][3]["inbound_nodes"] = [[["c1", 0, 0, {}], ["c2", 0, 0, {}]]]
    return model


@pytest.mark.parametrize("version", [2, 3])
def test_a_chain_is_followed_back_from_its_output(version):
    model = functional(*LAYERS, version=version)
    backwards = model["config"]["layers"][::-1]
    line = keras_models.in_line(model, list(enumerate(backwards)))
    assert [keras_models.name(each) for _, each in line] == ["input_1", "c1", "p1", "f"]


def test_branches_and_loops_are_no_chain():
    model = branched()
    with pytest.raises(Misfit, match="layer 'sum' has 2 inputs: the model branches"):
        keras_models.in_line(model, list(enumerate(model["config"]["layers"])))
    loop = functional(*LAYERS)
    loop["config"]["layers"][1]["inbound_nodes"] = [[["p1", 0, 0, {}]]]
    with pytest.raises(Misfit, match="layer 'p1' is missing, or read twice"):
        keras_models.in_line(loop, list(enumerate(loop["config"]["layers"])))


def test_names_within_the_models_of_a_model():
    model = sequential(conv("c", 4), sequential(*LAYERS[:2], name="base"))
    assert keras_models.names_within(model) == {"base": ["input_1", "c1", "p1"]}
    assert list(keras_models.names(model).values()) == ["input_1", "c", "input_1", "c1", "p1"]
    assert keras_models.names_within(branched()) == {}
    assert list(keras_models.names(branched()).values()) == ["input_1", "c1", "c2", "sum"]
    for nothing in (None, 7, {}, {"class_name": "Sequential", "config": {}}):
        assert keras_models.names_within(nothing) == {} and keras_models.names(nothing) == {}


def test_what_keras_3_calls_layers_in_a_file_of_weights():
    model = sequential(conv("a", 4), layer("BatchNormalization", "b"), layer("ReLU", "r"),
                       conv("c", 4), sequential(conv("d", 4), name="base"), conv("e", 4))
    assert keras_models.names(model) == {
        "input_layer": "input_1", "conv2d": "a", "batch_normalization": "b", "re_lu": "r",
        "conv2d_1": "c", "sequential/input_layer": "input_1", "sequential/conv2d": "d",
        "conv2d_2": "e"}
