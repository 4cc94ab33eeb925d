"""Settings from JSON that may say anything: what is asked for, or what came instead."""

import pytest

from minicnn.foreign.keras_settings import flag, known, layer_name
from minicnn.foreign.settings import Misfit


def test_known_gives_what_matters_by_its_present_name():
    config = {"name": "c", "nb_filter": 4, "nb_row": 3, "nb_col": 2, "dim_ordering": "tf",
              "W_regularizer": {"l2": 1}, "kernel_initializer": {"class_name": "Zeros"},
              "trainable": True, "lora_rank": None, "quantized": False}
    assert known(config, ("filters", "kernel_size", "data_format", "strides")) == {
        "filters": 4, "kernel_size": [3, 2], "data_format": "tf"}


@pytest.mark.parametrize("value", [1, "x", [], {}, True, 0.5])
def test_a_setting_that_is_not_known_is_refused(value):
    with pytest.raises(ValueError, match="'new', a setting that is not known here"):
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
        with pytest.raises(Misfit, match="means something else here"):
            layer_name({"name": name})
    with pytest.raises(Misfit, match="name is None"):
        layer_name([1])


def test_flags():
    assert flag({"f": False}, "f") is False and flag({}, "f") is True
    for value in (1, 0, "true", None):
        with pytest.raises(ValueError, match="f is true or false"):
            flag({"f": value}, "f")
