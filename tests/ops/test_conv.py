"""Convolution: the matrix, the pieces it is computed in, what it refuses."""

import os
import subprocess
import sys

import checks
import matrix
import numpy as np
import pytest
import strict_cupy
from checks import normal, refuses

from minicnn import naive
from minicnn.ops import conv


@pytest.mark.parametrize("case", matrix.CONV, ids=str)
def test_conv(case):
    checks.conv(conv.forward, conv.backward, [case])


@pytest.mark.parametrize("case", matrix.CONV, ids=str)
def test_pytorch_agrees(case):
    pytest.importorskip("torch")
    checks.conv(conv.forward, conv.backward, [case], only=("PyTorch",))


@pytest.mark.parametrize("tile", [1, 60, 200])
@pytest.mark.parametrize("case", matrix.CONV, ids=str)
def test_pieces_of_any_size_give_the_same(case, tile, monkeypatch):
    """Small images fit in one piece; a tiny TILE cuts them between rows and between images."""
    monkeypatch.setattr(conv, "TILE", tile)
    checks.conv(conv.forward, conv.backward, [case], only=("naive twin", "same bytes twice"))


@pytest.mark.parametrize("tile", [1, 200, conv.GPU_TILE])
@pytest.mark.parametrize("case", matrix.CONV, ids=str)
def test_pieces_on_a_gpu_give_the_same(case, tile, monkeypatch):
    """There all images of a piece are one product, so sums may be in another order."""
    inputs, options = matrix.conv_inputs(case), matrix.settings(case, "stride", "pad", "groups",
                                                               "dilation")
    y, cache = conv.forward(*inputs.values(), **options)
    plain = [y, *conv.backward(y, cache)]
    monkeypatch.setattr(conv, "GPU_TILE", tile)
    monkeypatch.setitem(sys.modules, "cupy", strict_cupy)
    y, cache = conv.forward(*map(strict_cupy.asarray, inputs.values()), **options)
    for a, b in zip([y, *conv.backward(y, cache)], plain, strict=True):
        assert (a is None) == (b is None)
        if b is not None:
            np.testing.assert_allclose(a.get(), b, rtol=1e-12, atol=1e-12)


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


# ---- the same in any batch

ANY_BATCH = """
import numpy as np
from minicnn.fast import winograd
from minicnn.ops import conv
rng = np.random.default_rng(0)

def draw(*shape):
    return rng.normal(size=shape).astype(np.float32)

def compare(what, op, x, w, **how):
    y, cache = op.forward(x, w, **how)
    dy = draw(*y.shape)
    dx = op.backward(dy, cache, need=("x",)).dx
    for first, last in [(0, 1), (1, 2), (1, 3), (2, 3)]:
        alone, cache = op.forward(x[first:last], w, **how)
        back = op.backward(dy[first:last], cache, need=("x",)).dx
        assert np.array_equal(alone, y[first:last]), (what, "forward", first, last)
        assert np.array_equal(back, dx[first:last]), (what, "backward", first, last)

for side, c, o, how in [(64, 3, 32, {"pad": 1}), (31, 6, 20, {"stride": 2}),
                        (13, 16, 32, {"groups": 2}), (90, 32, 96, {"pad": 1}),
                        (5, 192, 64, {}), (57, 48, 64, {"dilation": 2})]:
    compare(("conv", side, c, o), conv, draw(3, side, side, c),
            draw(3, 3, c // how.get("groups", 1), o), **how)
for side, c, o, algorithm in [(64, 32, 32, "winograd4"), (33, 64, 96, "winograd4"),
                              (9, 64, 64, "winograd2"), (150, 64, 32, "winograd4")]:
    compare((algorithm, side, c, o), winograd, draw(3, side, side, c), draw(3, 3, c, o), pad=1,
            algorithm=algorithm)
"""


@pytest.mark.parametrize("kernels", ["", "Haswell", "Sandybridge"])
def test_an_image_comes_out_the_same_in_any_batch(kernels):
    """To the last bit, and so does its gradient. BLAS may round a row of a product otherwise where
    the product has more rows: its kernels for AVX2 do, which OPENBLAS_CORETYPE chooses where a CPU
    has more, those for AVX-512 hardly ever."""
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_CORETYPE"}
    if kernels:
        environment["OPENBLAS_CORETYPE"] = kernels
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    done = subprocess.run([sys.executable, "-c", ANY_BATCH], env=environment, capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done.stderr
