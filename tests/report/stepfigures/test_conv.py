"""A convolution's step figures: their numbers are the op's."""

import numpy as np
import pytest

from minicnn.ops import conv
from minicnn.report.stepfigures import step_columns, step_conv, step_conv_back

RNG = np.random.default_rng(0)
X, W, B = RNG.normal(size=(6, 5, 2)), RNG.normal(size=(3, 2, 2, 2)), RNG.normal(size=2)
SETTINGS = {"stride": 2, "pad": 1, "dilation": 2}


def the_op(settings):
    y, cache = conv.forward(X[None], W, B, **settings)
    dy = RNG.normal(size=y.shape)
    return y, dy, conv.backward(dy, cache)


@pytest.mark.parametrize(("settings", "named"), [
    (SETTINGS, SETTINGS), ({"stride": (1, 2), "pad": (0, 1), "dilation": (2, 1)},
                           {"stride": "1x2", "pad": "0x1", "dilation": "2x1"})], ids=str)
def test_the_numbers_are_the_op_s(settings, named):
    y, dy, (dx, dw, db) = the_op(settings)
    assert step_conv(X, W, B, **settings).data["library"]["y"] == y[0].tolist()
    back = step_conv_back(X, W, B, dy, **settings).data
    assert back["library"] == {"dx": dx[0].tolist(), "dw": dw.tolist(), "db": db.tolist()}
    assert back["dy"] == dy[0].tolist() and back["settings"] == {"size": 3, "c": 0, "o": 0, **named}
    library = step_columns(X, W, B, dy, **settings).data["library"]
    assert library["y"] == y[0].tolist() and library["dx"] == dx[0].tolist()


def test_how_many_windows_read_each_pixel():
    count = step_columns(np.zeros((4, 4)), np.zeros((3, 3))).data["library"]["count"]
    assert count == [[1, 2, 2, 1], [2, 4, 4, 2], [2, 4, 4, 2], [1, 2, 2, 1]]


def test_arrays_are_left_alone_and_may_be_integers():
    x, w = np.arange(9, dtype=np.int64).reshape(3, 3), np.ones((2, 2), np.float32)
    figure = step_conv_back(x, w)
    assert x.dtype == np.int64 and figure.data["x"][2][2] == [8.0]
    assert figure.data["dy"] == np.ones((2, 2, 1)).tolist()


@pytest.mark.parametrize("make", [step_conv, step_conv_back, step_columns])
def test_what_does_not_fit_is_said(make):
    with pytest.raises(ValueError, match=f"{make.__name__}, x: .* at most 12 rows, got 64"):
        make(np.ones((64, 64)), np.ones((3, 3)))
    with pytest.raises(ValueError, match="does not fit"):
        make(np.ones((2, 2)), np.ones((3, 3)))
    with pytest.raises(ValueError, match="stride: expected an integer, or a pair"):
        make(np.ones((4, 4)), np.ones((3, 3)), stride=1.5)
    with pytest.raises(ValueError, match="with its padding: .* at most 16"):
        make(np.ones((4, 4)), np.ones((3, 3)), pad=7)


def test_a_matrix_must_be_readable():
    with pytest.raises(ValueError, match="at most 36 windows, got 64; .* or a larger stride"):
        step_columns(np.ones((10, 10)), np.ones((3, 3)))
    with pytest.raises(ValueError, match="at most 32 weights in a kernel, got 36"):
        step_columns(np.ones((5, 5, 4)), np.ones((3, 3, 4)))
    with pytest.raises(ValueError, match=r"dy: expected the shape of the output, \(2, 2, 1\)"):
        step_columns(np.ones((4, 4)), np.ones((3, 3)), dy=np.ones((3, 3)))
