"""Keras' layers as ours: every setting that matters, exactly, or a refusal that names the layer."""

import keras_files
import keras_twin
import numpy as np
import pytest
from keras_files import conv, dense, layer

from minicnn.foreign import keras_config
from minicnn.foreign.keras_chain import Chain
from minicnn.foreign.keras_layers import IDLE, add, flag, known, layer_name
from minicnn.foreign.settings import Misfit
from minicnn.network.layers import (
    AveragePool,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool,
    MaxPool,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)


def built(*layers, shape=(8, 10, 3)):
    """The chain that these configurations make."""
    chain = Chain(shape)
    for each in layers:
        add(chain, each["class_name"], each["config"])
    return chain


def one(each, shape=(8, 10, 3)):
    """The only layer, as (name, class, settings)."""
    (name, found), = built(each, shape=shape).layers
    return name, type(found), found.settings()


def pool(kind="Max", window=(2, 2), name="pool", **settings):
    return layer(f"{kind}Pooling2D", name, **{"pool_size": list(window), "padding": "valid",
                                             "data_format": "channels_last"} | settings)


def zeros(top=1, bottom=1, left=1, right=1):
    return layer("ZeroPadding2D", "zeros", padding=[[top, bottom], [left, right]])


# ---- settings

def test_every_kind_becomes_ours_with_its_settings():
    assert one(conv("c", 4, strides=[2, 1], dilation_rate=[1, 1], use_bias=False)) == (
        "c", Conv, Conv(4, (3, 3), stride=(2, 1), pad=(0, 0), groups=1, dilation=(1, 1),
                        bias=False).settings())
    assert one(conv("c", 6, groups=3))[2]["groups"] == 3
    assert one(conv("c", 4, dilation_rate=[2, 1], padding="same"))[2]["pad"] == (2, 1)
    assert one(pool(strides=[1, 2])) == (
        "pool", MaxPool, MaxPool((2, 2), (1, 2), pad=(0, 0)).settings())
    assert one(pool("Average", (3, 2))) == ("pool", AveragePool, AveragePool(
        (3, 2), (3, 2), pad=(0, 0), border="image").settings())
    assert one(layer("GlobalAveragePooling2D", "g"))[1] is GlobalAveragePool
    assert one(layer("Flatten", "f", data_format="channels_last"))[1] is Flatten
    assert one(dense("d", 5, use_bias=False), (7,)) == ("d", Dense, Dense(5, bias=False).settings())
    assert one(layer("Dropout", "d", rate=0.25))[2] == Dropout(0.25).settings()
    assert one(layer("BatchNormalization", "b", axis=[3], epsilon=0.01, momentum=0.5, scale=False)
               ) == ("b", BatchNorm, BatchNorm(epsilon=0.01, momentum=0.5, scale=False).settings())
    assert one(layer("BatchNormalization", "b"))[2] == (
        BatchNorm(epsilon=1e-3, momentum=0.99).settings())


@pytest.mark.parametrize("word, kind", [("relu", ReLU), ("softmax", Softmax), ("sigmoid", Sigmoid),
                                        ("tanh", Tanh)])
def test_an_activation_is_a_layer_of_its_own(word, kind):
    names = built(conv("c", 4, activation=word), layer("Activation", "a", activation=word)).layers
    assert [(name, type(found)) for name, found in names[1:]] == [(f"c_{word}", kind), ("a", kind)]
    assert built(layer("Flatten", "f"), dense("d", 2, activation=word)).layers[2][0] == f"d_{word}"


def test_linear_is_none_and_keras_3_may_write_a_function():
    assert [name for name, _ in built(conv("c", 4, activation=None), layer(
        "Activation", "a", activation="linear")).layers] == ["c"]
    function = {"module": "builtins", "class_name": "function", "config": "tanh"}
    assert one(layer("Activation", "a", activation=function))[1] is Tanh


def test_own_activation_layers():
    assert one(layer("ReLU", "r", max_value=None, negative_slope=0.0, threshold=0.0))[1] is ReLU
    assert one(layer("Softmax", "s", axis=-1))[1] is Softmax


def test_keras_1_has_other_words():
    old = layer("Convolution2D", "c", nb_filter=4, nb_row=3, nb_col=2, border_mode="same",
                subsample=[1, 1], dim_ordering="tf", bias=True, activation="relu",
                W_regularizer=None, b_constraint=None, init="glorot_uniform")
    assert [type(found) for _, found in built(old).layers] == [Conv, ReLU]
    assert built(old).layers[0][1].settings() | {"pad": 0} == Conv(
        4, (3, 3), stride=(1, 1), pad=0, groups=1, dilation=(1, 1)).settings()  # a column more
    assert built(layer("Flatten", "f"), layer("Dense", "d", output_dim=7)).layers[1][1].units == 7
    assert one(layer("Dropout", "d", p=0.5))[2] == {"rate": 0.5}


# ---- padding, against Keras' rules written out in PyTorch

CHAINS = {
    "same, step 1": [conv("c", 4, padding="same")],
    "same, even kernel": [conv("c", 4, 2, padding="same")],
    "same, step 2, even side": [conv("c", 4, padding="same", strides=[2, 2])],
    "same, step 2 and 3, odd side": [conv("c", 4, 5, padding="same", strides=[2, 3])],
    "same, step above kernel": [conv("c", 4, 1, padding="same", strides=[3, 3])],
    "same, dilated": [conv("c", 4, padding="same", dilation_rate=[2, 3])],
    "valid, rectangle": [conv("c", 4, kernel_size=[1, 4], strides=[1, 2])],
    "zeros around": [zeros(1, 1, 2, 2), conv("c", 4)],
    "zeros twice, and same": [zeros(), zeros(2, 2, 0, 0), conv("c", 4, padding="same",
                                                               strides=[2, 2])],
    "max, same, odd side": [pool(padding="same")],
    "max, same, overlapping": [pool(window=(3, 3), strides=[2, 2], padding="same")],
    "max, same, step 1": [pool(window=(3, 5), strides=[1, 1], padding="same")],
    "max, same, window above image": [pool(window=(9, 12), strides=[9, 12], padding="same")],
    "average, same": [pool("Average", (3, 3), strides=[2, 2], padding="same")],
    "average, same, odd side": [pool("Average", padding="same")],
    "average, valid": [pool("Average", (3, 2), strides=[2, 2])],
    "average, zeros counted": [zeros(), pool("Average", (3, 3), strides=[2, 2])],
    "max, zeros after a ReLU": [conv("c", 4, activation="relu"), zeros(),
                                pool(window=(3, 3), strides=[2, 2])],
    "all of it": [conv("c", 6, padding="same", strides=[2, 2], activation="relu"),
                  layer("BatchNormalization", "b", epsilon=0.01, scale=False),
                  layer("GaussianNoise", "noise", stddev=3.0), pool(padding="same"),
                  conv("c2", 4, 2, padding="same", activation="tanh", use_bias=False),
                  layer("BatchNormalization", "b2", epsilon=0.1),
                  layer("Dropout", "drop", rate=0.5), layer("Flatten", "f"),
                  dense("d", 4, activation="relu"),
                  dense("d2", 3, activation="softmax")],
}


@pytest.mark.parametrize("shape", [(8, 10, 3), (9, 11, 3)])
@pytest.mark.parametrize("name", CHAINS)
def test_it_computes_what_keras_does(name, shape):
    pytest.importorskip("torch")
    model = keras_files.sequential(*CHAINS[name], shape=shape)
    arrays = keras_files.drawn(model)
    network = keras_files.network(keras_config.foreign("test", arrays, model, {}))
    x = keras_files.normal(2, *shape, seed=3)
    expected = keras_twin.run(model, arrays, x)
    y = network.forward(x).output
    assert y.shape == expected.shape
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5)  # float32, sums of 150 products


def test_an_uneven_padding_is_noted_and_the_kernels_grow():
    chain = built(conv("c", 4, padding="same", strides=[2, 2]), shape=(8, 9, 3))
    assert chain.grown == {"c": (1, 0)} and chain.layers[0][1].kernel == (4, 3)
    assert "c has one more zero after" in chain.notes[0] and "8x9" in chain.notes[1]
    assert built(conv("c", 4, padding="same")).notes == []
    assert "p is padded as Keras pads inputs of 8x10" in built(
        pool(window=(3, 3), strides=[2, 2], padding="same", name="p")).notes[0]
    assert built(pool(padding="same")).notes == []


def test_padding_there_is_no_layer_for_is_refused():
    for each in (pool(strides=[1, 1], padding="same"),
                 conv("c", 4, 2, padding="same", dilation_rate=[3, 3])):
        with pytest.raises(Misfit, match="'same'"):
            built(each)


# ---- what is left out, and what is done to a photo

@pytest.mark.parametrize("kind", IDLE)
def test_layers_for_training_only_are_left_out_and_noted(kind):
    chain = built(layer(kind, "aug", factor=0.2, rate=0.1))
    assert chain.layers == [] and f"Layer aug ({kind}) does nothing outside" in chain.notes[0]


def test_a_rescaling_at_the_beginning_is_preprocessing():
    p = built(layer("Rescaling", "r", scale=1 / 127.5, offset=-1.0)).preprocessing
    assert (p.size, p.order, p.rule, p.resize_to) == ((8, 10), "RGB", "squash", None)
    np.testing.assert_allclose(p.mean, 127.5)
    np.testing.assert_allclose(p.scale, 1 / 127.5)
    p = built(layer("Rescaling", "r", scale=[0.5, 1, 2], offset=[0, -10, -40])).preprocessing
    assert p.mean == (0, 10, 20) and p.scale == (0.5, 1, 2)
    assert built(layer("Rescaling", "r", scale=2), shape=(8, 8, 1)).preprocessing.order == "L"


# ---- refusals

REFUSED = {
    "a Lambda": (layer("Lambda", "x", function=["4wEAAAA", None, None]), "is a Lambda.*never run"),
    "an unknown class": (layer("DepthwiseConv2D", "x"), "'DepthwiseConv2D'; the known classes"),
    "an unknown setting": (conv("x", 4, lora_rank=4), "the unknown setting 'lora_rank'"),
    "an unknown activation": (conv("x", 4, activation="gelu"), "its activation is 'gelu'"),
    "an activation that is none": (conv("x", 4, activation=[1]), "its activation is"),
    "channels first": (conv("x", 4, data_format="channels_first"), "channels come first"),
    "channels first in Keras 1": (layer("MaxPooling2D", "x", dim_ordering="th"), "come first"),
    "another padding": (conv("x", 4, padding="causal"), "padding: expected 'same' or 'valid'"),
    "a kernel too large": (conv("x", 4, 11), "does not fit"),
    "no filters": (layer("Conv2D", "x", kernel_size=[3, 3]), "its setting filters is missing"),
    "too many filters": (conv("x", 10**9), "expected a whole number"),
    "half a filter": (conv("x", 0.5), "expected a whole number"),
    "three sides": (layer("Conv2D", "x", filters=4, kernel_size=[3, 3, 3]),
                    "one or two whole numbers"),
    "groups that do not divide": (conv("x", 4, groups=2), "groups=2 must divide"),
    "a bias that is a word": (conv("x", 4, use_bias="yes"), "use_bias: expected true or false"),
    "dense on an image": (dense("x", 4), "expected a Flatten before it"),
    "a bounded ReLU": (layer("ReLU", "x", max_value=6.0), "not a plain ReLU"),
    "a leaky ReLU": (layer("ReLU", "x", negative_slope=0.1), "not a plain ReLU"),
    "softmax of another axis": (layer("Softmax", "x", axis=1), "axis 1"),
    "batch norm of another axis": (layer("BatchNormalization", "x", axis=1), "axis 1"),
    "batch norm of an image": (layer("BatchNormalization", "x", mode=1), "each image by itself"),
    "batch norm without beta": (layer("BatchNormalization", "x", center=False), "no beta"),
    "an epsilon that is none": (layer("BatchNormalization", "x", epsilon="1"), "expected a number"),
    "a mean that keeps its place": (layer("GlobalAveragePooling2D", "x", keepdims=True),
                                    "keepdims=True is not supported"),
    "zeros on one side": (zeros(0, 1, 0, 1), "only equal padding on both sides"),
    "zeros for no one": (layer("ZeroPadding2D", "x", padding={"a": 1}), "whole number"),
    "a mean no pixel has": (layer("Rescaling", "x", scale=1.0, offset=1.0), "lies in 0..255"),
    "a negative scale": (layer("Rescaling", "x", scale=-1.0), "above 0"),
    "an infinite scale": (layer("Rescaling", "x", scale=float("inf")), "expected a number"),
    "a name that is a path": (layer("Flatten", "../x"), "'../x', which has another meaning"),
    "a name taken": (layer("Flatten", "image"), "'image', which has another meaning"),
    "no name": (layer("Flatten", None), "name is None"),
    "an endless name": (layer("Flatten", "x" * 300), "at most 200"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_counterpart_is_refused_by_name(name):
    each, message = REFUSED[name]
    with pytest.raises(Misfit, match=message) as error:
        built(each)
    assert "\n" not in str(error.value) and len(str(error.value)) < 400
    assert each["config"]["name"] in (None, "image", "../x", "zeros", "x" * 300) or (
        "layer 'x'" in str(error.value))


@pytest.mark.parametrize("then, message", [
    (pool(), "expected a ReLU before it"),
    (layer("Flatten", "x"), "only before a convolution or a pooling"),
    (layer("Activation", "x", activation="relu"), "only before a convolution or a pooling"),
    (pool("Average", (2, 2), padding="same"), "in addition to zeros")])
def test_zeros_around_an_image_are_only_for_layers_that_pad(then, message):
    with pytest.raises(Misfit, match=message):
        built(zeros(), then)


@pytest.mark.parametrize("then", [conv("x", 4), pool(name="x"), pool("Average", name="x"), layer(
    "GlobalAveragePooling2D", "x"), layer("ZeroPadding2D", "x"), layer("Rescaling", "x", scale=1)],
    ids=lambda each: each["class_name"])
def test_what_works_on_images_does_not_on_vectors(then):
    with pytest.raises(Misfit, match=r"layer 'x' .*its input is \(240,\); expected an image"):
        built(layer("Flatten", "f"), then)


def test_windows_wholly_among_zeros_are_refused():
    with pytest.raises(Misfit, match="cover only zeros"):
        built(zeros(2, 2, 2, 2), pool("Average"))


def test_a_rescaling_elsewhere_is_refused():
    for layers, shape in (([layer("ReLU", "a"), layer("Rescaling", "x", scale=2)], (8, 8, 3)),
                          ([layer("Rescaling", "x", scale=2)], (8, 8, 4))):
        with pytest.raises(Misfit, match="only at the beginning"):
            built(*layers, shape=shape)


# ---- settings from JSON that may say anything

def test_known_gives_what_matters_by_its_present_name():
    config = {"name": "c", "nb_filter": 4, "nb_row": 3, "nb_col": 2, "dim_ordering": "tf",
              "W_regularizer": {"l2": 1}, "kernel_initializer": {"class_name": "Zeros"},
              "trainable": True, "lora_rank": None, "quantized": False}
    assert known(config, ("filters", "kernel_size", "data_format", "strides")) == {
        "filters": 4, "kernel_size": [3, 2], "data_format": "tf"}


@pytest.mark.parametrize("value", [1, "x", [], {}, True, 0.5])
def test_a_setting_that_is_not_known_is_refused(value):
    with pytest.raises(ValueError, match="the unknown setting 'new'"):
        known({"new": value}, ())


@pytest.mark.parametrize("value", ["channels_first", "th", 7, ["channels_last"]])
def test_channels_have_to_be_last(value):
    with pytest.raises(ValueError, match="channels come first"):
        known({"data_format": value}, ("data_format",))


def test_names():
    assert layer_name({"name": "inception_3a/1x1"}) == "inception_3a/1x1"
    for name in (None, 7, "", "a\nb", "x" * 201):
        with pytest.raises(Misfit, match="a layer's name is"):
            layer_name({"name": name})
    for name in ("image", "/a", "a/", "a//b", "../a", "a/./b"):
        with pytest.raises(Misfit, match="has another meaning in minicnn"):
            layer_name({"name": name})
    with pytest.raises(Misfit, match="name is None"):
        layer_name([1])


def test_flags():
    assert flag({"f": False}, "f") is False and flag({}, "f") is True
    for value in (1, 0, "true", None):
        with pytest.raises(ValueError, match="f: expected true or false"):
            flag({"f": value}, "f")
