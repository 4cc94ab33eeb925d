"""Addition."""

import checks
import numpy as np
import pytest
from checks import normal, refuses

from minicnn.ops import add


@pytest.mark.parametrize("case", checks.ADDS, ids=str)
def test_add(case):
    checks.add(add.forward, add.backward, [case])


@pytest.mark.parametrize("case", checks.ADDS, ids=str)
def test_pytorch_agrees(case):
    pytest.importorskip("torch")
    checks.add(add.forward, add.backward, [case], only=("PyTorch",))


def test_float32_sums_from_the_first_to_the_last():
    parts = [np.full((1, 1), value, np.float32) for value in (2.0**24, 1, -(2.0**24))]
    assert add.forward(parts)[0] == 0  # 1 is lost in the first sum


def test_refuses():
    refuses(["add.forward", "(1, 2, 2, 3)", "(1, 2, 2, 1)"],
            add.forward, [normal(1, 2, 2, 3), normal(1, 2, 2, 1)])
    refuses(["add.forward", "at least one"], add.forward, [])
