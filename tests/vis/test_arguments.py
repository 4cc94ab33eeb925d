"""Checks of arguments: what passes, and the words for what does not."""

import re

import numpy as np
import pytest
import small

from minicnn.vis.arguments import channel_number, check_channel, check_choice

NETWORK = small.network()


def test_a_channel_is_a_number_or_the_name_of_a_class():
    assert channel_number("m", NETWORK, "relu2", np.int64(3)) == 3
    assert type(channel_number("m", NETWORK, "relu2", np.int64(3))) is int
    name = NETWORK.label(2)
    assert channel_number("m", NETWORK, NETWORK.logits, name) == 2


@pytest.mark.parametrize("check, words", [
    (lambda: check_choice("m", "scale", "big", ("small", "large")),
     "m: scale must be one of small, large, got 'big'"),
    (lambda: check_channel("m", "conv", 4, 4),
     "m: conv has 4 channels, counted from 0; there is no 4"),
    (lambda: check_channel("m", "conv", 4, -1), "there is no -1"),
    (lambda: check_channel("m", "conv", 4, 1.0), "there is no 1.0"),
    (lambda: check_channel("m", "conv", 4, True), "there is no True"),
    (lambda: channel_number("m", NETWORK, "relu2", 99), "m: relu2 has .* there is no 99"),
    (lambda: channel_number("m", NETWORK, "relu2", "frog"),
     "m: the channels of relu2 have no names, only those of fc do; give a number in place of "
     "'frog'"),
])
def test_what_is_wrong_is_said(check, words):
    with pytest.raises(ValueError, match=words if ".*" in words else re.escape(words)):
        check()
