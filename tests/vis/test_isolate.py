"""Isolating: which unit is the strongest, and what is left when all others are set to zero."""

import nets
import numpy as np
import pytest

from minicnn.vis.isolate import isolate, strongest_channel, strongest_position

MAPS = np.abs(nets.images(1, (3, 4, 5)))


def test_an_isolated_unit_s_seed_is_zero_but_for_the_unit_and_a_copy():
    seed, value = isolate(MAPS, "layer", 2, (1, 3))
    assert value == MAPS[0, 1, 3, 2] == seed[0, 1, 3, 2] and np.count_nonzero(seed) == 1
    assert not np.shares_memory(seed, MAPS)


def test_an_isolated_map_s_seed_is_zero_but_for_the_map_and_a_copy():
    maps = MAPS - 0.5
    seed, value = isolate(maps, "layer", 2, "all")
    np.testing.assert_array_equal(seed[..., 2], maps[..., 2])
    assert value == maps[..., 2].max() and np.count_nonzero(seed) == 12 and seed.min() < 0
    assert not np.shares_memory(seed, maps)


@pytest.mark.parametrize("shape", [(1, 3, 4, 5), (1, 5)])
def test_strongest_channel_holds_the_largest_value(shape):
    a = np.zeros(shape)
    a[..., 3] = np.arange(a[..., 3].size).reshape(a[..., 3].shape) + 1
    assert strongest_channel(a) == 3


def test_strongest_position_of_several_is_the_first_and_dense_layers_have_none():
    a = np.zeros((1, 3, 4, 2))
    a[0, 1, 3, 1] = a[0, 2, 0, 1] = 5
    assert strongest_position(a, "layer", 1) == (1, 3)
    assert strongest_position(np.ones((1, 6)), "fc", 4) == ()


@pytest.mark.parametrize("value", [0, -1, np.nan])
def test_what_is_silent_has_no_seed(value):
    maps = np.full((1, 3, 4, 5), value, float)
    with pytest.raises(ValueError, match="channel 1 of layer is silent there .*position or photo"):
        isolate(maps, "layer", 1, (0, 0))
    with pytest.raises(ValueError, match="channel 1 of layer is silent everywhere .*or photo"):
        isolate(maps, "layer", 1, "all")
