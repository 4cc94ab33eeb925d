"""Local makes the calls that a walled process makes."""

import numpy as np
import pytest

from minicnn.course.grader.local import Local
from minicnn.gradcheck.own.errors import OwnError

SOURCE = """
from typing import NamedTuple
class Cache(NamedTuple):
    x: object
class Counter:
    def __init__(self, start):
        self.at = start
    def step(self, by=1):
        self.at += by
        return self.at
def double(x):
    return 2 * x, Cache(x)
def apply(f, x):
    return f(x)
"""


def test_calls_of_functions_methods_and_handles():
    local = Local(SOURCE)
    y, cache = local.call("double", np.ones(2), take=("value", "handle"))
    assert y.tolist() == [2, 2] and local.attribute(cache, "x").tolist() == [1, 1]
    counter = local.call("Counter", 3, take="handle")
    assert local.call((counter, "step"), by=4) == 7
    assert local.call("apply", local.function(lambda x: x + 1), 1) == 2


def test_what_is_given_stays_as_it_is():
    local = Local(SOURCE + "def clear(x):\n    x[-1][:] = 0\ndef same(x):\n    x[...] = x\n")
    local.call("same", np.ones(2))
    for given in (np.ones((2, 2)), (3, [np.ones(3)][0])):
        with pytest.raises(OwnError, match="changes an array"):
            local.call("clear", given)
