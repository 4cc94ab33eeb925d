"""Settings from files that may say anything: what is asked for, or what came instead."""

import pytest

from minicnn.files.errors import Damaged, WeightsError
from minicnn.foreign.settings import (
    Misfit,
    fits,
    intact,
    number,
    pair,
    require,
    short_pair,
    usable,
    whole,
    within,
)


@pytest.mark.parametrize("check, error", [(require, ValueError), (fits, Misfit), (intact, Damaged),
                                          (usable, WeightsError)])
def test_what_does_not_hold_is_an_error_with_the_values(check, error):
    check(True, "{} {}", "too", "few")
    with pytest.raises(ValueError, match="k: got '{x}', 1,000 letters") as found:
        check(False, "{}: got {!r:.5}, {:,} letters", "k", "{x}", 1000)
    assert type(found.value) is error


@pytest.mark.parametrize("error, message", [
    (ValueError("too large"), "layer 'c': too large [(]its input is 7[)]"),
    (IndexError("tuple index"), "layer 'c': it needs an image"),
    (KeyError("units"), "layer 'c': its setting units is missing")])
def test_an_error_within_a_layer_names_the_layer(error, message):
    with pytest.raises(Misfit, match=message), within("layer 'c'", after=" (its input is 7)"):
        raise error
    with pytest.raises(TypeError), within("layer 'c'"):
        raise TypeError


def test_a_pair_of_equal_numbers_is_one():
    assert short_pair(3, 3) == 3 and short_pair(3, 2) == (3, 2)


def test_whole_numbers():
    assert whole(3, "k") == 3 and whole(0, "k", 0) == 0 and whole(1_000_000, "k") == 1_000_000
    for value in (0, -1, 1_000_001, 2.0, True, "3", None, [3], 10**400):
        with pytest.raises(ValueError, match="k: expected a whole number from 1 to 1,000,000, "
                                             "got "):
            whole(value, "k")


def test_pairs():
    assert pair([3, 2], "k") == (3, 2) and pair(3, "k") == (3, 3) and pair(0, "k", 0) == (0, 0)
    for value in ([1], [1, 2, 3], [], [[1], [2]], None, {"a": 1, "b": 2}):
        with pytest.raises(ValueError, match="k: expected (one or two|a) whole number"):
            pair(value, "k")


def test_numbers():
    assert number(3, "k") == 3.0 and isinstance(number(3, "k"), float)
    assert number(-1e-3, "k") == -1e-3
    for value in (float("nan"), float("inf"), -float("inf"), 10**400, "1", None, True, [1]):
        with pytest.raises(ValueError, match="k: expected a number"):
            number(value, "k")
