"""Global average pooling."""

import checks
import pytest
from checks import normal, refuses

from minicnn.ops import global_average_pool


def test_global_average_pool():
    checks.global_average_pool(global_average_pool.forward, global_average_pool.backward)


def test_pytorch_agrees():
    pytest.importorskip("torch")
    checks.global_average_pool(global_average_pool.forward, global_average_pool.backward,
                               only=("PyTorch",))


def test_refuses():
    refuses(["global_average_pool.forward", "(N, H, W, C)", "(3, 4, 2)"],
            global_average_pool.forward, normal(3, 4, 2))
