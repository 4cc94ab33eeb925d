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


def test_the_outline_lies_around_what_is_red_or_black():
    picture, inside = drawn.ladybird(128).astype(int), drawn.outline(128)
    green = picture[..., 1] > np.maximum(picture[..., 0], picture[..., 2]) + 20
    assert green[inside].mean() < 0.02 and green[~inside].mean() > 0.9  # legs are outside
    assert 0.2 < inside.mean() < 0.3
