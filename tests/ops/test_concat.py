"""Concatenation."""

import checks
import numpy as np
import pytest
from checks import normal, refuses

from minicnn.ops import concat


@pytest.mark.parametrize("case", checks.CONCATS, ids=str)
def test_concat(case):
    checks.concat(concat.forward, concat.backward, [case])


@pytest.mark.parametrize("case", checks.CONCATS, ids=str)
def test_pytorch_agrees(case):
    pytest.importorskip("torch")
    checks.concat(concat.forward, concat.backward, [case], only=("PyTorch",))


def test_pieces_come_back_in_order():
    parts = [normal(1, 2, 2, c, seed=c) for c in (3, 1, 2)]
    y, cache = concat.forward(parts)
    for part, piece in zip(parts, concat.backward(y, cache), strict=True):
        np.testing.assert_array_equal(part, piece)


def test_refuses():
    refuses(["concat.forward", "(1, 2, 2, 3)", "(1, 2, 3, 3)"],
            concat.forward, [normal(1, 2, 2, 3), normal(1, 2, 3, 3)])
    refuses(["concat.forward", "at least one"], concat.forward, [])
