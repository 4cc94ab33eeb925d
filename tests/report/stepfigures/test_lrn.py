"""The figure of the normalisation: its numbers are the op's."""

import numpy as np
import pytest

from minicnn.ops import lrn
from minicnn.report.stepfigures import step_lrn

X, DY = np.random.default_rng(0).normal(size=(2, 7))


@pytest.mark.parametrize("convention", lrn.CONVENTIONS)
def test_the_numbers_are_the_op_s(convention):
    settings = {"size": 3, "alpha": 0.5, "beta": 0.6, "k": 2.0, "convention": convention}
    library = step_lrn(X, DY, **settings).data["library"]
    y, cache = lrn.forward(X[None, None, None], **settings)
    seed = DY[None, None, None]
    assert library == {"y": y.ravel().tolist(), "scale": cache.scale.ravel().tolist(),
                       "g": lrn.backward(seed, cache, "scale").ravel().tolist(),
                       "dx": lrn.backward(seed, cache).ravel().tolist()}


def test_the_gradient_is_in_the_middle_unless_given():
    assert step_lrn(np.ones(5)).data["dy"] == [0, 0, 1, 0, 0]


def test_what_does_not_fit_is_said():
    with pytest.raises(ValueError, match=r"channels at one position, \(C,\), got \(4, 5\)"):
        step_lrn(np.ones((4, 5)))
    with pytest.raises(ValueError, match="at most 12 channels, got 96; .* x\\[:12\\]"):
        step_lrn(np.ones(96))
    with pytest.raises(ValueError, match=r"dy: expected the shape of x, \(7,\), got \(6,\)"):
        step_lrn(X, DY[:6])
    with pytest.raises(ValueError, match="size must be odd"):
        step_lrn(X, size=4)
