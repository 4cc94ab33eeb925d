"""Max pooling's step figure: its numbers are the op's."""

import numpy as np
import pytest

from minicnn.ops import pool
from minicnn.report.stepfigures import step_pool

X = np.random.default_rng(0).integers(-5, 6, (6, 7)).astype(float)  # with ties


@pytest.mark.parametrize("settings", [
    {"window": 2}, {"window": 3, "stride": 1}, {"window": 3, "stride": 2, "pad": 1},
    {"window": 2, "stride": 3, "rounding": "ceil"},
    {"window": (1, 3), "stride": (2, 1), "pad": (0, 1)}], ids=str)
def test_the_numbers_are_the_op_s(settings):
    y, cache = pool.forward(X[None, ..., None], **settings)
    dy = np.random.default_rng(1).normal(size=y.shape)
    library = step_pool(X, dy=dy, **settings).data["library"]
    assert library["y"] == y[0, ..., 0].tolist()
    assert library["switches"] == cache.switches[0, ..., 0].tolist()
    assert library["dx"] == pool.backward(dy, cache)[0, ..., 0].tolist()
    assert library["unpooled"] == pool.unpool(y, *cache)[0, ..., 0].tolist()


def test_what_does_not_fit_is_said():
    with pytest.raises(ValueError, match=r"step_pool, x: expected \(H, W\) of one image, got"):
        step_pool(np.ones((4, 4, 3)))
    with pytest.raises(ValueError, match="at most 5 rows, got 6"):
        step_pool(X, 6)
    with pytest.raises(ValueError, match="padding must be less than the window"):
        step_pool(X, 2, pad=2)
    with pytest.raises(ValueError, match="step_pool, dy: expected the shape of the output"):
        step_pool(X, 2, dy=np.ones((6, 7)))
