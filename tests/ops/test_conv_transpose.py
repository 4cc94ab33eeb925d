"""Transposed convolution: the matrix, what it is of a convolution, what it refuses."""

import checks
import numpy as np
import pytest
from checks import normal, refuses

from minicnn.gradcheck.judge import matrix
from minicnn.ops import conv, conv_transpose


@pytest.mark.parametrize("case", matrix.CONV, ids=str)
def test_conv_transpose(case):
    checks.conv_transpose(conv_transpose.forward, conv_transpose.backward, [case])


@pytest.mark.parametrize("case", matrix.CONV, ids=str)
def test_pytorch_agrees(case):
    pytest.importorskip("torch")
    checks.conv_transpose(conv_transpose.forward, conv_transpose.backward, [case],
                          only=("PyTorch",))


@pytest.mark.parametrize("stride, pad, groups, dilation, more", [
    (1, 0, 1, 1, 0), (2, 1, 1, 1, 1), (3, 0, 2, 1, 2), ((2, 1), (0, 1), 2, (1, 2), 0)])
def test_it_is_pytorchs_layer(stride, pad, groups, dilation, more):
    """Whose `output_padding` is by how much `size` passes the smallest."""
    torch = pytest.importorskip("torch")
    x, w, b = normal(2, 3, 4, 6), normal(3, 2, 2, 6), normal(2 * groups)
    smallest = conv_transpose.forward(x, w, b, stride, pad, groups, dilation)[0].shape[1:3]
    size = tuple(side + more for side in smallest)
    y, _ = conv_transpose.forward(x, w, b, stride, pad, groups, dilation, size)
    theirs = torch.nn.functional.conv_transpose2d(
        torch.tensor(x).permute(0, 3, 1, 2),  # N,H,W,O -> N,O,H,W
        torch.tensor(w).permute(3, 2, 0, 1),  # KH,KW,C/G,O -> O,C/G,KH,KW
        torch.tensor(b), stride, pad, more, groups, dilation)
    np.testing.assert_allclose(y, theirs.permute(0, 2, 3, 1).numpy(), rtol=1e-12, atol=1e-12)


def test_it_is_the_way_back_of_a_convolution():
    """Zeiler & Fergus's transposed filters: from a layer's output to its input."""
    x, w = normal(2, 7, 8, 4), normal(3, 3, 2, 6)
    how = {"stride": 2, "pad": 1, "groups": 2}
    y, cache = conv.forward(x, w, **how)
    there = conv_transpose.forward(y, w, size=(7, 8), **how)[0]
    np.testing.assert_array_equal(there, conv.backward(y, cache, need=("x",)).dx)


def test_an_impulse_comes_out_as_the_kernel():
    x, w = np.zeros((1, 2, 2, 1)), np.arange(9.0).reshape(3, 3, 1, 1)  # 9 -> KH,KW,C,O
    x[0, 1, 0, 0] = 1
    y, _ = conv_transpose.forward(x, w, stride=3)
    assert y.shape == (1, 6, 6, 1)
    np.testing.assert_array_equal(y[0, 3:, :3, 0], w[:, :, 0, 0])
    assert y[0, :3].sum() == y[0, :, 3:].sum() == 0


def test_need_computes_nothing_else():
    y, cache = conv_transpose.forward(normal(1, 2, 2, 3), normal(3, 3, 2, 3), normal(2))
    everything = conv_transpose.backward(y, cache)
    for name in ("x", "w", "b"):
        only = conv_transpose.backward(y, cache, need=(name,))
        assert [field for field in only._fields if getattr(only, field) is not None] == [f"d{name}"]
        np.testing.assert_array_equal(getattr(only, f"d{name}"), getattr(everything, f"d{name}"))
    without = cache._replace(x=None)
    np.testing.assert_array_equal(conv_transpose.backward(y, without, ("x",)).dx, everything.dx)
    refuses(["conv_transpose.backward", "input x"], conv_transpose.backward, y, without)
    refuses(["conv_transpose.backward", "(1, 4, 4, 2)"], conv_transpose.backward, y[:, 1:], cache)


X, W, B = normal(1, 3, 4, 6), normal(3, 3, 2, 6), normal(2)
WRONG = {
    "rank of x": (["conv_transpose.forward", "(N, H, W, C)"], (X[0], W, B), {}),
    "integers": (["conv_transpose.forward", "floating", "int"], (X.astype(int), W, B), {}),
    "rank of w": (["conv_transpose.forward", "(KH, KW, C/groups, 6)"], (X, W[..., 0], B), {}),
    "channels": (["conv_transpose.forward", "6 channels", "(3, 3, 2, 5)"], (X, W[..., :5], B), {}),
    "groups": (["groups=4", "6 output"], (X, W, B), {"groups": 4}),
    "no groups": (["groups=0"], (X, W, B), {"groups": 0}),
    "bias": (["conv_transpose.forward", "(4,)", "(2,)"], (X, W, B), {"groups": 2}),
    "size": (["conv_transpose.forward", "(1, 7, 9, 6)", "(9, 11)", "(1, 3, 4, 6)"], (X, W, B),
             {"size": (9, 11)}),
    "size with a stride": (["conv_transpose.forward", "(7, 12)"], (X, W, B),
                           {"stride": 2, "size": (7, 12)}),
    "stride 0": (["stride 0"], (X, W, B), {"stride": 0}),
    "negative padding": (["padding -1"], (X, W, B), {"pad": -1}),
    "stride of three": (["conv_transpose stride", "pair"], (X, W, B), {"stride": (1, 2, 3)}),
}


@pytest.mark.parametrize("what", WRONG)
def test_refuses(what):
    words, args, kwargs = WRONG[what]
    refuses(words, conv_transpose.forward, *args, **kwargs)
