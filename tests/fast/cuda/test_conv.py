"""The convolution's kernel against the way back without it, and the page's checks: on the CPU."""

import checks
import cuda_on_cpu
import numpy as np
import pytest
import twins
from checks import normal

from minicnn.fast import cuda, tiles
from minicnn.fast.cuda import conv as conv_cuda
from minicnn.gradcheck.judge import matrix
from minicnn.ops import conv as page

CONV = twins.as_op(tiles)
HOW = ("stride", "pad", "groups", "dilation")
# `tiles` adds to a pixel in another order; sums of up to some hundred numbers near 1.
TOLERANCE = {np.float64: 1e-12, np.float32: 1e-4}


@twins.used_memory()
def same_as_plain(dtype, inputs, module=tiles, **options):
    """AssertionError if the kernel's dx is another than without it, or has other bytes when
    computed again."""
    y, cache = CONV.forward(*(a.astype(dtype) for a in inputs), **options)
    dy = normal(*y.shape).astype(dtype)
    plain = CONV.backward(dy, cache, need=("x",)).dx
    with cuda_on_cpu.kernels(module.kernels):
        ours, again = (module.input_gradient(dy, cache) for _ in range(2))
    assert ours.dtype == plain.dtype and ours.tobytes() == again.tobytes()
    np.testing.assert_allclose(ours, plain, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


@pytest.mark.parametrize("tile", [1, 60, tiles.TILE])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("case", matrix.CONV, ids=str)
def test_same_as_without_it(case, dtype, tile, monkeypatch):
    """Also in pieces of some rows, and of some images."""
    monkeypatch.setattr(tiles, "TILE", tile)
    same_as_plain(dtype, matrix.conv_inputs(case).values(), **matrix.settings(case, *HOW))


@pytest.mark.thorough
@pytest.mark.parametrize("case", matrix.CONV, ids=str)
def test_checks_of_the_page(case):
    with cuda_on_cpu.kernels(conv_cuda):
        checks.conv(CONV.forward, CONV.backward, [case])


@pytest.mark.parametrize("n", [1, 2, 7, 33])
def test_batches_and_indices_of_64_bits(n, monkeypatch):
    inputs, options = (normal(n, 7, 6, 4), normal(3, 2, 2, 6)), {"stride": (2, 1), "pad": (1, 0),
                                                                 "groups": 2, "dilation": (1, 2)}
    same_as_plain(np.float64, inputs, **options)
    monkeypatch.setattr(cuda, "SMALL", 0)
    same_as_plain(np.float64, inputs, **options)


def is_the_twin_without_it(module):
    """In pieces of some rows, of some images, and of all."""
    for tile in (1, 60, tiles.TILE):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "TILE", tile)
            for case in matrix.CONV:
                same_as_plain(np.float64, matrix.conv_inputs(case).values(), module,
                              **matrix.settings(case, *HOW))


def with_kernels(file):
    """`tiles` with another file of kernels."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles, "kernels", file)
        is_the_twin_without_it(tiles)


MISTAKES = {
    "any remainder of the stride": ("start < 0 || start % stride ?", "start < 0 ?"),
    "the first window is left out": ("start < 0 || start", "start <= 0 || start"),
    "no dilation": ("at - place * dilation", "at - place"),
    "the first row of a piece is left out": ("if (p < 0 ||", "if (p <= 0 ||"),
    "the last row of a piece is left out": ("p >= rows) continue", "p >= rows - 1) continue"),
    "a row of the next image": ("p >= rows) continue", "p > rows) continue"),
    "the first column is left out": ("if (q < 0 ||", "if (q <= 0 ||"),
    "a column of the next row": ("q >= out_width) continue", "q > out_width) continue"),
    "every piece begins at the top": (" - first_row;", ";"),
    "the first image": ("(pixel.n * rows + p)", "p"),
    "a place's column before its row": ("(window * kernel_height + a) * kernel_width + b",
                                        "(window * kernel_width + b) * kernel_height + a"),
    "the last column of a kernel": ("b < kernel_width;", "b < kernel_width - 1;"),
    "the last row of a kernel": ("a < kernel_height;", "a < kernel_height - 1;"),
    "pads exchanged": ("pixel.y + pad_down", "pixel.y + pad_across"),
    "strides exchanged": ("a, stride_down, dilation_down)", "a, stride_across, dilation_down)"),
    "dilations exchanged": ("a, stride_down, dilation_down)", "a, stride_down, dilation_across)"),
    "assigned, not added": ("dx[i] += sum", "dx[i] = sum"),
    "half of the numbers": ('"conv_read_back", dx.size,', '"conv_read_back", dx.size // 2,'),
    "dcols as they lie": ("array_module(dx).ascontiguousarray(dcols)", "dcols"),
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_caught(name):
    twins.is_caught(with_kernels, conv_cuda, MISTAKES[name])


MISTAKES_OF_THE_TWIN = {
    "every piece is the first": ("cache, rows.start)", "cache, 0)"),
    "all pieces are of the first image": ("kernels.read_back(dx[images],",
                                          "kernels.read_back(dx[: images.stop - images.start],"),
    "added to old numbers": ("dx = xp.zeros(", "dx = xp.empty("),
    "two kinds of numbers": ("cuda.usable(dy, cache.w)", "cuda.usable(dy)"),
}


def is_the_page(module):
    """Also where dy is of another kind of numbers than w, which no kernel takes."""
    x, w = normal(1, 3, 4, 2).astype(np.float32), normal(2, 2, 2, 1)
    cache = page.describe(x, w, None, 1, 0, 1, 1)
    dy = normal(1, 2, 3, 1).astype(np.float32)
    with cuda_on_cpu.kernels(conv_cuda):
        np.testing.assert_allclose(module.input_gradient(dy, cache), page.backward(dy, cache).dx,
                                   rtol=1e-5, atol=1e-5)  # float32
    is_the_twin_without_it(module)


@pytest.mark.parametrize("name", MISTAKES_OF_THE_TWIN)
def test_a_planted_mistake_in_the_twin_is_caught(name):
    twins.is_caught(is_the_page, tiles, MISTAKES_OF_THE_TWIN[name])
