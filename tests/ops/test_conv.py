"""Convolution: the matrix, what it refuses."""

import checks
import numpy as np
import pytest
from checks import normal, refuses

from minicnn import naive
from minicnn.gradcheck.judge import matrix
from minicnn.ops import conv


@pytest.mark.parametrize("case", matrix.CONV, ids=str)
def test_conv(case):
    checks.conv(conv.forward, conv.backward, [case])


@pytest.mark.parametrize("case", matrix.CONV, ids=str)
def test_pytorch_agrees(case):
    pytest.importorskip("torch")
    checks.conv(conv.forward, conv.backward, [case], only=("PyTorch",))


def test_kernel_is_not_flipped():
    """An impulse in the image comes out as the kernel turned by half a turn."""
    x, w = np.zeros((1, 5, 5, 1)), np.arange(9.0).reshape(3, 3, 1, 1)  # 9 -> KH,KW,C,O
    x[0, 2, 2, 0] = 1
    y, _ = conv.forward(x, w)
    np.testing.assert_array_equal(y[0, :, :, 0], w[::-1, ::-1, 0, 0])


def test_need_computes_nothing_else():
    y, cache = conv.forward(normal(1, 4, 4, 2), normal(3, 3, 2, 3), normal(3))
    everything = conv.backward(y, cache)
    for name in ("x", "w", "b"):
        only = conv.backward(y, cache, need=(name,))
        assert [field for field in only._fields if getattr(only, field) is not None] == [f"d{name}"]
        np.testing.assert_array_equal(getattr(only, f"d{name}"), getattr(everything, f"d{name}"))


def test_bias_may_be_left_out():
    x, w = normal(1, 4, 4, 2), normal(3, 3, 2, 3)
    y, cache = conv.forward(x, w)
    np.testing.assert_allclose(y, naive.conv_forward(x, w, None), rtol=1e-12)
    assert conv.backward(y, cache).db is None


def test_dx_needs_no_input():
    """Image work drops x from the cache; dw then says what is missing."""
    y, cache = conv.forward(normal(1, 4, 4, 2), normal(3, 3, 2, 3))
    dx = conv.backward(y, cache).dx
    cache = cache._replace(x=None)
    np.testing.assert_array_equal(conv.backward(y, cache, need=("x",)).dx, dx)
    refuses(["conv.backward", "input x"], conv.backward, y, cache)


X, W, B = normal(1, 5, 6, 4), normal(3, 3, 4, 2), normal(2)
WRONG = {
    "rank of x": (["conv.forward", "(N, H, W, C)", "(5, 6, 4)"], (X[0], W, B), {}),
    "rank of w": (["conv.forward", "(KH, KW, C/groups, O)", "(3, 3, 4)"], (X, W[..., 0], B), {}),
    "integers": (["conv.forward", "floating", "int"], (X.astype(int), W, B), {}),
    "channels": (["conv.forward", "4 channels", "(3, 3, 3, 2)"], (X, W[:, :, :3], B), {}),
    "groups of inputs": (["conv.forward", "groups=3", "4 input"], (X, W, B), {"groups": 3}),
    "groups of outputs": (["conv.forward", "groups=4", "2 output"], (X, W[:, :, :1], B),
                          {"groups": 4}),
    "no groups": (["conv.forward", "groups=0"], (X, W, B), {"groups": 0}),
    "channels in groups": (["conv.forward", "(KH, KW, 2, O)", "(3, 3, 4, 2)"], (X, W, B),
                           {"groups": 2}),
    "bias": (["conv.forward", "(2,)", "(3,)"], (X, W, normal(3)), {}),
    "window too large": (["conv", "spans 9", "5 samples"], (X, W, B), {"dilation": 4}),
    "stride 0": (["conv", "stride 0"], (X, W, B), {"stride": 0}),
    "negative padding": (["conv", "padding -1"], (X, W, B), {"pad": -1}),
    "stride of three": (["conv stride", "pair", "(1, 2, 3)"], (X, W, B), {"stride": (1, 2, 3)}),
    "fractional stride": (["conv stride", "1.5"], (X, W, B), {"stride": 1.5}),
    "named padding": (["conv pad", "'same'"], (X, W, B), {"pad": "same"}),
}


@pytest.mark.parametrize("what", WRONG)
def test_refuses(what):
    words, args, kwargs = WRONG[what]
    refuses(words, conv.forward, *args, **kwargs)


def test_backward_refuses_a_wrong_dy():
    y, cache = conv.forward(X, W, B)
    refuses(["conv.backward", str(y.shape), "(1, 3, 3, 2)"], conv.backward, y[:, :, :3], cache)


def test_a_thousand_groups_are_one_product():
    """No loop over the groups: each is a pixel's channel times its own number here."""
    x, w = normal(2, 3, 2, 1024), normal(1, 1, 1, 1024)
    y, cache = conv.forward(x, w, groups=1024)
    np.testing.assert_array_equal(y, x * w.ravel())
    np.testing.assert_array_equal(conv.backward(y, cache).dx, y * w.ravel())
