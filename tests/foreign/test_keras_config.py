"""The architecture of a Keras model: chains of every version, and what is no chain."""

import json

import keras_files
import numpy as np
import pytest
from keras_files import conv, dense, functional, layer, sequential

from minicnn.foreign import keras_config
from minicnn.foreign.settings import Misfit
from minicnn.network.layers import Conv

LAYERS = [conv("c1", 4, activation="relu"), layer("MaxPooling2D", "p1", pool_size=[2, 2]),
          layer("Flatten", "f"), layer("Dropout", "drop", rate=0.5), dense("d", 5)]
NAMES = ["c1", "c1_relu", "p1", "f", "drop", "d"]


def keras_1(*layers):
    """A Sequential as Keras 1 and early 2 have it: a list, the shape in the first layer."""
    first = layers[0]["config"] | {"batch_input_shape": [None, 8, 10, 3]}
    return {"class_name": "Sequential", "config": [layers[0] | {"config": first}, *layers[1:]]}


def built_later(*layers):
    """A Sequential of Keras 3 without an InputLayer."""
    return {"class_name": "Sequential", "config": {
        "name": "mine", "layers": list(layers), "build_input_shape": [None, 8, 10, 3]}}


VERSIONS = {
    "Sequential": sequential(*LAYERS), "Sequential of Keras 1": keras_1(*LAYERS),
    "Sequential built later": built_later(*LAYERS), "Model of Keras 2": functional(*LAYERS),
    "Functional of Keras 3": functional(*LAYERS, version=3),
    "within a Sequential": sequential(sequential(*LAYERS[:2], name="base"), *LAYERS[2:]),
    "within a Functional": functional(functional(*LAYERS[:2], name="base"), *LAYERS[2:]),
    "three deep": sequential(functional(sequential(*LAYERS[:1], name="in"), LAYERS[1], name="m",
                                        version=3), *LAYERS[2:])}


@pytest.mark.parametrize("version", VERSIONS)
def test_chains_of_every_version(version):
    found = keras_config.read(VERSIONS[version])
    assert [name for name, _ in found.layers] == NAMES
    assert found.input_shape == (8, 10, 3) and found.layers[0][1].settings()["filters"] == 4
    assert found.name == ("" if "Keras 1" in version else "mine")


def test_a_functional_model_may_list_its_layers_in_any_order():
    model = functional(*LAYERS)
    model["config"]["layers"].reverse()
    assert [name for name, _ in keras_config.read(model).layers] == NAMES


def test_it_is_the_same_after_a_way_through_json():
    again = json.loads(json.dumps(sequential(*LAYERS)))
    assert [name for name, _ in keras_config.read(again).layers] == NAMES


def test_names_and_preprocessing_reach_the_foreign():
    model = sequential(layer("Rescaling", "r", scale=1 / 255), *LAYERS)
    found = keras_config.foreign("kind", {"c1/kernel": np.ones((3, 3, 3, 4))}, model, {"a": 1},
                                 ["first"])
    assert found.format == "kind" and found.layout == "HWIO" and found.input_shape == (8, 10, 3)
    assert found.says == {"model": "mine", "a": 1} and found.notes[0] == "first"
    assert found.preprocessing.scale[0] == 1 / 255 and "r (Rescaling)" in found.notes[1]


def test_kernels_that_have_to_grow_do():
    model = sequential(conv("c", 2, padding="same", strides=[2, 2], groups=1))
    w = keras_files.normal(3, 3, 3, 2)
    grown = keras_config.foreign("", {"c/kernel": w, "c/bias": w[0, 0, 0]}, model, {}).arrays
    assert grown["c/kernel"].shape == (4, 4, 3, 2) and not grown["c/kernel"][0].any()
    np.testing.assert_array_equal(grown["c/kernel"][1:, 1:], w)
    np.testing.assert_array_equal(grown["c/bias"], w[0, 0, 0])


def test_what_is_not_understood_leaves_the_arrays_and_a_note():
    arrays = {"c1/kernel": np.ones(3)}
    for model, why in ((sequential(layer("Lambda", "x")), "layer 'x' is a Lambda"),
                       ({"class_name": "Sequential", "config": {"layers": [7]}}, "does not list"),
                       ({"class_name": "Sequential"}, "expected a Sequential"),
                        ([1], "expected a Sequential"),
                       (functional(*LAYERS) | {"config": {"layers": []}}, "0|unknown")):
        found = keras_config.foreign("kind", arrays, model, {})
        assert found.layers is None and found.input_shape is None and found.arrays == arrays
        assert len(found.notes) == 1 and found.notes[0].startswith("Its architecture is not read: ")
        assert why in found.notes[0] or "|" in why
    assert keras_config.foreign("kind", arrays, None, {}).notes == []


# ---- what is no chain

def branched():
    """c1 and c2 read the image, and an Add reads both."""
    model = functional(conv("c1", 4), conv("c2", 4), layer("Add", "sum"))
    model["config"]["layers"][2]["inbound_nodes"] = [[["input_1", 0, 0, {}]]]
    model["config"]["layers"][3]["inbound_nodes"] = [[["c1", 0, 0, {}], ["c2", 0, 0, {}]]]
    return model


def changed(change, version=2):
    model = functional(*LAYERS, version=version)
    change(model["config"])
    return model


def nested(depth):
    model = sequential(*LAYERS)
    for _ in range(depth):
        model = sequential(model)
    return model


NO_CHAINS = {
    "branches": (branched(), "'sum' has 2 inputs: the model branches"),
    "two outputs": (changed(lambda c: c["output_layers"].append(["c1", 0, 0])), "has 2 outputs"),
    "no output": (changed(lambda c: c.pop("output_layers")), "unknown outputs"),
    "a layer aside": (changed(lambda c: c.update(output_layers=[["f", 0, 0]])),
                      "'d' is not on the path"),
    "a circle": (changed(lambda c: c["layers"][1].update(inbound_nodes=[[["d", 0, 0, {}]]])),
                 "'d' is missing, or read twice"),
    "a layer that is not there": (
        changed(lambda c: c["layers"][2].update(inbound_nodes=[[["gone", 0, 0, {}]]])), "'gone'"),
    "a layer used twice": (changed(lambda c: c["layers"][2]["inbound_nodes"].append(
        [["c1", 0, 0, {}]])), "'p1' must be used exactly once"),
    "a layer never used": (changed(lambda c: c["layers"][2].update(inbound_nodes=[])),
                           "must be used exactly once"),
    "a list of inputs in Keras 3": (changed(lambda c: c["layers"][2]["inbound_nodes"][0].update(
        args=[c["layers"][2]["inbound_nodes"][0]["args"] * 2]), 3), "has 2 inputs"),
    "two layers of one name": (sequential(conv("c", 2), conv("c", 2)), "two layers are called 'c'"),
    "an activation's name taken": (sequential(conv("c", 2, activation="relu"), conv("c_relu", 2)),
                                   "two layers are called 'c_relu'"),
    "no layers": (sequential(), "no layers"),
    "zeros at the end": (sequential(layer("ZeroPadding2D", "z", padding=[[1, 1], [1, 1]])),
                         "no layer reads them"),
    "no size": ({"class_name": "Sequential", "config": {"layers": LAYERS}},
                "does not give the size"),
    "any size": (sequential(*LAYERS, shape=(None, None, 3)), r"its input is \[None, None, None, 3"),
    "vectors": (sequential(dense("d", 3), shape=(7,)), "expected images of one size"),
    "an image too large": (sequential(*LAYERS, shape=(10**9, 8, 3)), "expected images"),
    "half an image": (sequential(*LAYERS, shape=(0.5, 8, 3)), "expected images"),
    "another class": ({"class_name": "MyModel", "config": {"layers": LAYERS}}, "'MyModel'"),
    "models within models": (nested(9), "models are nested more than 8 deep"),
    "too many layers": (sequential(*[layer("ReLU", f"r{k}") for k in range(5001)]), "5000 layers"),
}


@pytest.mark.parametrize("name", NO_CHAINS)
def test_what_is_no_chain_of_layers_is_refused(name):
    model, message = NO_CHAINS[name]
    with pytest.raises(Misfit, match=message) as error:
        keras_config.read(model)
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


def test_models_within_models_down_to_the_limit():
    assert [name for name, _ in keras_config.read(nested(8)).layers] == NAMES


# ---- names

def test_layers_are_ours():
    assert isinstance(keras_config.read(sequential(*LAYERS)).layers[0][1], Conv)
