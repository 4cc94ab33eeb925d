"""Keras' padding "same" in numbers, and the state of a chain half built."""

import pytest

from minicnn.foreign.keras_chain import Chain, missing, same, windows
from minicnn.network.layers import Conv, GlobalAveragePool

SAME = {"padding": "same"}


@pytest.mark.parametrize("size, kernel, stride, dilation, expected", [
    (8, 3, 1, 1, 2), (8, 2, 1, 1, 1), (8, 3, 2, 1, 1), (9, 3, 2, 1, 2), (8, 2, 2, 1, 0),
    (7, 2, 2, 1, 1), (8, 1, 3, 1, 0), (8, 3, 1, 2, 4)])
def test_how_many_samples_same_adds(size, kernel, stride, dilation, expected):
    """As TensorFlow's documentation counts them: ceil(size / stride) windows, all inside."""
    assert missing(size, kernel, stride, dilation) == expected


def test_a_layer_put_is_asked_for_its_shape_and_takes_the_zeros():
    chain = Chain((8, 10, 3), zeros=(1, 1))
    chain.put("c", Conv(4, 3))
    chain.put("g", GlobalAveragePool())
    assert chain.shape == (4,) and chain.zeros == (0, 0)
    assert [name for name, _ in chain.layers] == ["c", "g"]
    small = Chain((2, 2, 3))
    with pytest.raises(ValueError, match="kernel|window"):
        small.put("c", Conv(4, 3))
    assert small.layers == [] and small.shape == (2, 2, 3)


def test_windows_of_a_pooling():
    """(window, stride, pad, rounding): an odd sample at the end is rounding up."""
    assert windows(Chain((8, 8, 1)), "p", {}) == ((2, 2), (2, 2), (0, 0), "floor")
    assert windows(Chain((7, 7, 1)), "p", SAME) == ((2, 2), (2, 2), (0, 0), "ceil")
    chain = Chain((9, 9, 1))
    assert windows(chain, "p", SAME | {"pool_size": [3, 3], "strides": [2, 2]}) == (
        (3, 3), (2, 2), (1, 1), "floor")
    assert "p is padded as Keras pads inputs of 9x9" in chain.notes[0]
    with pytest.raises(ValueError, match="pads one side more than the other"):
        windows(Chain((8, 8, 1)), "p", SAME | {"strides": [1, 1]})


def test_padding_is_one_of_two():
    assert same(SAME) and not same({}) and not same({"padding": "valid"})
    with pytest.raises(ValueError, match="padding: expected 'same' or 'valid', got 'full'"):
        same({"padding": "full"})
