"""The drawn ladybird: networks know what it is."""

import numpy as np

import minicnn
from minicnn.report import drawn


def test_the_shipped_network_knows_it():
    (label, probability), *_ = minicnn.load("minivgg").classify(drawn.ladybird())
    assert label == "ladybug" and probability > 0.5


def test_it_is_the_same_each_time_and_of_any_size():
    picture = drawn.ladybird(64)
    assert picture.shape == (64, 64, 3) and picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, drawn.ladybird(64))
    assert (picture != drawn.ladybird(64, seed=1)).any()
