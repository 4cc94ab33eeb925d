"""Settings from files that may say anything: what is asked for, or what came instead."""

import pytest

from minicnn.foreign.settings import number, pair, whole


def test_whole_numbers():
    assert whole(3, "k") == 3 and whole(0, "k", 0) == 0 and whole(1_000_000, "k") == 1_000_000
    for value in (0, -1, 1_000_001, 2.0, True, "3", None, [3], 10**400):
        with pytest.raises(ValueError, match="k: expected a whole number from 1 to 1,000,000, "
                                             "got "):
            whole(value, "k")


def test_pairs():
    assert pair([3, 2], "k") == (3, 2) and pair(3, "k") == (3, 3) and pair(0, "k", 0) == (0, 0)
    for value in ([1], [1, 2, 3], [], [[1], [2]], None, {"a": 1, "b": 2}):
        with pytest.raises(ValueError, match="k: expected a whole number"):
            pair(value, "k")


def test_numbers():
    assert number(3, "k") == 3.0 and isinstance(number(3, "k"), float)
    assert number(-1e-3, "k") == -1e-3
    for value in (float("nan"), float("inf"), -float("inf"), 10**400, "1", None, True, [1]):
        with pytest.raises(ValueError, match="k: expected a number"):
            number(value, "k")
