"""Keras' names for one array, in all its versions."""

import pytest

from minicnn.foreign.keras_names import ROLES, places


@pytest.mark.parametrize("name", [
    "block1_conv1_W_1:0", "block1_conv1_W:0", "block1_conv1_W",    # Keras 1
    "block1_conv1/kernel:0", "block1_conv1/kernel",                # Keras 2, TensorFlow 2
    "block1_conv1_1/kernel:0", "block1_conv1_2/kernel_1:0",        # a second model in a session
    "scope/block1_conv1/kernel:0", "sequential/block1_conv1/kernel", "kernel:0", "kernel"])
def test_the_kernel_of_a_layer_under_every_name(name):
    assert places("block1_conv1", [name]) == [("block1_conv1", "kernel")]


@pytest.mark.parametrize("names", [
    ["bn_gamma:0", "bn_beta:0", "bn_running_mean:0", "bn_running_std:0"],
    ["bn/gamma:0", "bn/beta:0", "bn/moving_mean:0", "bn/moving_variance:0"]])
def test_a_batch_norm_s_arrays(names):
    assert places("bn", names) == [("bn", role) for role in (
        "gamma", "beta", "moving_mean", "moving_variance")]


def test_layers_whose_names_have_numbers_and_slashes_keep_them():
    assert places("conv2d_1", ["conv2d_1/kernel:0"]) == [("conv2d_1", "kernel")]
    assert places("inception_3a/1x1", ["inception_3a/1x1/kernel:0"]) == [
        ("inception_3a/1x1", "kernel")]


@pytest.mark.parametrize("before", ["", "vgg16/"])
def test_a_model_within_the_model_gives_its_layers(before):
    names = [f"{before}a/kernel:0", f"{before}a/bias:0", f"{before}b_1/kernel:0"]
    assert places("vgg16", names) == [("a", "kernel"), ("a", "bias"), ("b_1", "kernel")]


def test_known_layers_decide_what_a_number_means():
    """b_1 is a layer in one model, in the other TensorFlow's second b."""
    names = ["a/kernel:0", "b_1/kernel:0"]
    assert places("m", names, ["a", "b_1"])[1] == ("b_1", "kernel")
    assert places("m", names, ["a", "b"])[1] == ("b", "kernel")
    assert places("m", ["only/kernel:0"], ["only"]) == [("only", "kernel")]
    assert places("m", ["x/in/1x1/kernel:0", "1x1/bias:0"], ["in/1x1", "1x1"]) == [
        ("in/1x1", "kernel"), ("1x1", "bias")]


def test_other_roles_keep_their_word_whole():
    assert places("d", ["d/depthwise_kernel:0", "d/gate_b:0"]) == [
        ("d", "depthwise_kernel"), ("d", "gate_b")]
    assert places("lstm", ["lstm_1_U_i:0", "lstm_1_U_f:0"])[0] == ("lstm", "lstm_1_U_i")


def test_every_role_has_our_word():
    assert ROLES == {"kernel": "w", "bias": "b", "gamma": "gamma", "beta": "beta",
                     "moving_mean": "mean", "moving_variance": "variance"}
