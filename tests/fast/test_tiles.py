"""Convolution by tiles: any size of tile, any number of threads, any batch, on a device too."""

import os
import subprocess
import sys

import checks
import numpy as np
import pytest
import strict_cupy
import twins
from checks import normal

from minicnn.fast import tiles
from minicnn.gradcheck.judge import matrix
from minicnn.ops import conv

ONCE = ("naive twin", "same bytes twice")


def settings(case):
    return matrix.settings(case, "stride", "pad", "groups", "dilation")


def is_the_page(module, xp=np, **sizes):
    """The forward pass and all gradients, over the matrix; `sizes` are TILE and the like."""
    with pytest.MonkeyPatch.context() as patch:
        for name, size in sizes.items():
            patch.setattr(module, name, size)
        for case in matrix.CONV:
            twins.same_as_page(twins.as_op(module), conv, matrix.conv_inputs(case).values(), xp=xp,
                               **settings(case))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("case", matrix.CONV, ids=str)
def test_it_is_the_page(case, dtype):
    twins.same_as_page(twins.as_op(tiles), conv, matrix.conv_inputs(case).values(), dtype,
                       **settings(case))


@pytest.mark.parametrize("tile", [1, 60, 200])
@pytest.mark.parametrize("case", matrix.CONV, ids=str)
def test_tiles_of_any_size_give_the_same(case, tile, monkeypatch):
    """Small images fit in one; a tiny TILE cuts them between rows and between images."""
    monkeypatch.setattr(tiles, "TILE", tile)
    op = twins.as_op(tiles)
    checks.conv(op.forward, op.backward, [case], only=ONCE)


@pytest.mark.parametrize("tile", [1, 200, tiles.GPU_TILE])
@pytest.mark.parametrize("case", matrix.CONV, ids=str)
def test_tiles_on_a_gpu_give_the_same(case, tile, monkeypatch):
    """There all images of a tile are one product, so sums may be in another order."""
    inputs, op = matrix.conv_inputs(case).values(), twins.as_op(tiles)
    plain = twins.results(op, inputs, **settings(case))
    monkeypatch.setattr(tiles, "GPU_TILE", tile)
    monkeypatch.setitem(sys.modules, "cupy", strict_cupy)
    y, cache = op.forward(*map(strict_cupy.asarray, inputs), **settings(case))
    dy = strict_cupy.asarray(normal(*y.shape, seed=9))
    for ours, theirs in zip([y, *op.backward(dy, cache, need=("x", "w"))], plain, strict=True):
        if theirs is not None and ours is not None:
            np.testing.assert_allclose(ours.get(), theirs, rtol=1e-12, atol=1e-12)


BUSY = [(3, 1, 1, 1), (5, 1, 2, 2), (3, 2, 1, 2), (2, 3, 1, 1), (3, 1, 8, 1)]


def is_the_same_for_any_number_of_threads(module):
    before, module.TILE = module.TILE, 2000
    try:
        for kernel, stride, groups, dilation in BUSY:
            inputs = normal(2, 19, 23, 8), normal(kernel, kernel, 8 // groups, 8, seed=1)
            twins.same_for_any_number_of_threads(
                twins.as_op(module), [a.astype(np.float32) for a in inputs], stride=stride, pad=1,
                groups=groups, dilation=dilation)
    finally:
        module.TILE = before


def test_same_bytes_for_any_number_of_threads():
    is_the_same_for_any_number_of_threads(tiles)


def test_one_product_for_all_groups(monkeypatch):
    """However many there are: a Python loop over a thousand would take longer than the work."""
    called, real = [], tiles.multiply
    monkeypatch.setattr(tiles, "multiply", lambda *a: called.append(1) or real(*a))
    op, x = twins.as_op(tiles), normal(1, 6, 6, 256)
    y, cache = op.forward(x, normal(3, 3, 1, 256), groups=256)
    op.backward(y, cache, need=("x",))
    assert len(called) < 16  # one a tile


MISTAKES = {
    "the last row of a tile": ("slice(p, min(p + rows, oh))", "slice(p, min(p + rows, oh - 1))"),
    "tiles overlap": ("slice(p, min(p + rows, oh))", "slice(p, min(p + rows + 1, oh))"),
    "first image of a tile only": ("slice(i, i + images)", "slice(i, i + 1)"),
    "the last images are left out": ("for i in range(0, n, images)",
                                     "for i in range(0, max(1, n - images), images)"),
    "no row where one is larger than a tile": ("max(1, tile // row)", "tile // row"),
    "no image where one is larger than a tile": ("max(1, tile // (row * oh))",
                                                 "tile // (row * oh)"),
    "half of one row": ("-(-oh // 2))", "oh // 2)"),
    "half of one image": ("-(-n // 2))", "n // 2)"),
    "groups exchanged": ("*range(images, group), -1)", "*range(images, group), -1)[:, ::-1]"),
    "groups put back in the wrong order": ("images, -2)  # -> N,OH,OW,KH",
                                           "images, -2)[..., ::-1, :]  # -> N,OH,OW,KH"),
    "bias in every tile of every tile": ("            part += b\n", "            y[...] += b\n"),
    "the kind of numbers without the bias": ("*([] if b is None else [b])", ""),
    "padded with ones": ("pad_image(x, cache.pad, cache.pad, 0)",
                         "pad_image(x, cache.pad, cache.pad, 1)"),
    "added to old numbers": ("padded = zeros(xp, (n,", "padded = empty(xp, (n,"),
    "the last row of a kernel": ("for i in range(kh)", "for i in range(kh - 1)"),
    "windows that overlap add once": ("for first in range(apart)", "for first in range(1)"),
    "windows that overlap a little add once": ("-(-(cache.dilation[1] * (kw - 1) + 1) // ",
                                               "max(1, (cache.dilation[1] * (kw - 1) + 1) // "),
    "dilation down for dilation across": ("cache.dilation[1] *", "cache.dilation[0] *"),
    "the padding is not cut off": ("padded[:, ph : ph + height, pw : pw + width].copy() if",
                                   "padded[:, :height, :width].copy() if"),
    "the padding of the sides is not cut off": ("if ph or pw", "if ph"),
    "dw of the last tile only": ("        dw += product(", "        dw[...] = product("),
    "dw's groups exchanged": ("target = xp.moveaxis(cols, 0, -2)",
                              "target = xp.moveaxis(cols, 0, -2)[..., ::-1, :]"),
    "the first rows of dw's windows only": ("row_blocks(part, 4)", "row_blocks(part, 4)[:1]"),
}


@twins.cut_up()
def is_the_page_in_tiles(module):
    """Cut between rows and images, or in halves for the threads."""
    is_the_page(module, TILE=60)
    is_the_page(module, TILE=200, SHARED=1)
    twins.same_kinds_of_numbers(twins.as_op(module), conv, normal(1, 5, 6, 4), normal(3, 2, 2, 4),
                                normal(4), groups=2)


@pytest.mark.thorough
@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_caught(name):
    twins.is_caught(is_the_page_in_tiles, tiles, MISTAKES[name])


MISTAKES_ON_A_GPU = {
    "all rows at once": ("min(max(1, GPU_TILE // row), oh)", "oh"),
    "the memory of one image for two": ("max(1, GPU_TILE // (row * oh))",
                                        "max(2, GPU_TILE // (row * oh))"),
    "no row where one is larger than a tile": ("max(1, GPU_TILE // row)", "GPU_TILE // row"),
    "no image where one is larger than a tile": ("max(1, GPU_TILE // (row * oh))",
                                                 "GPU_TILE // (row * oh)"),
    "a piece lower than an image of several images": ("GPU_TILE // (row * oh))\n",
                                                      "GPU_TILE // row)\n"),
    "groups put back as if there were a matrix an image": ("images = dcols.ndim - 3", "images = 1"),
}


def is_the_page_on_a_gpu(module):
    with twins.gpu() as xp:
        for tile in (1, 200, tiles.GPU_TILE):
            is_the_page(module, xp, GPU_TILE=tile)
    no_piece_is_too_large(module)


def no_piece_is_too_large(module):
    """At most GPU_TILE entries of `cols`, or one row."""
    with twins.gpu() as xp, pytest.MonkeyPatch.context() as patch:
        cache = conv.describe(normal(5, 9, 7, 4), normal(3, 3, 4, 8), None, 1, 0, 1, 1)
        row = 5 * 3 * 3 * 4
        for tile in (1, row, 3 * row, 20 * row, 1000 * row):
            patch.setattr(module, "GPU_TILE", tile)
            for images, rows in module._tiles(cache, xp):
                pieces = len(range(5)[images]) * len(range(7)[rows])
                assert pieces == 1 or pieces * row <= tile


@pytest.mark.thorough
@pytest.mark.parametrize("name", MISTAKES_ON_A_GPU)
def test_a_planted_mistake_is_caught_on_a_gpu(name):
    twins.is_caught(is_the_page_on_a_gpu, tiles, MISTAKES_ON_A_GPU[name])


# ---- seams

BATCHES = {
    "rows by the work of a batch": ("oh if work < SHARED", "oh if n * work < SHARED"),
    "rows by what a batch needs": ("tile // row)", "tile // (row * n))"),
}


def cuts_an_image_alike_in_any_batch(module):
    """BLAS may round a row otherwise in a longer product; whether it does depends on the machine,
    so the cuts are compared, not the numbers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SHARED", 20_000)
        for tile in (100, 1000, 10_000):
            patch.setattr(module, "TILE", tile)
            for side in (5, 9, 13):
                cuts = []
                for n in (1, 2, 5):
                    cache = conv.describe(normal(n, side, 7, 4), normal(3, 3, 4, 8), None, 1, 0, 1,
                                          1)
                    cuts.append({rows.indices(side) for _, rows in module._tiles(cache, np)})
                assert cuts[0] == cuts[1] == cuts[2]


@pytest.mark.parametrize("name", BATCHES)
def test_a_cut_that_depends_on_the_batch_is_caught(name):
    twins.is_caught(cuts_an_image_alike_in_any_batch, tiles, BATCHES[name])


SEAMS = {
    "no groups of tiles": ("in apart(_tiles(cache, xp), span, cache.stride[0])",
                           "in [_tiles(cache, xp)]"),
    "the span of a window that is not dilated": ("span = cache.dilation[0] *", "span ="),
    "the dilation across": ("span = cache.dilation[0]", "span = cache.dilation[1]"),
    "the span of a window across": ("(cache.w.shape[0] - 1) + 1\n", "(cache.w.shape[1] - 1) + 1\n"),
    "the stride across": ("span, cache.stride[0])", "span, cache.stride[1])"),
}
PAIRS = [((5, 2), 1, 1), ((5, 3), (1, 3), 1), ((3, 3), 1, (3, 1)), ((4, 4), 2, 3), ((2, 2), 1, 8)]


def no_two_threads_add_to_one_row(module):
    """Each tile's rows of pixels, counted out, within every group that is handed to the threads."""
    handed = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "TILE", 500)
        patch.setattr(module, "spread", lambda function, tiles, xp: handed.append(tiles))
        for kernel, stride, dilation in PAIRS:
            handed.clear()
            cache = conv.describe(normal(3, 19, 17, 4), normal(*kernel, 4, 4), None, stride, 1, 1,
                                  dilation)
            module.input_gradient(normal(*conv.output_shape(cache)), cache)
            assert len(sum(handed, [])) > 3
            for together in handed:
                taken = set()
                for images, out in together:
                    pixels = {(n, p * cache.stride[0] + i * cache.dilation[0])
                              for n in range(3)[images] for p in range(19)[out]
                              for i in range(kernel[0])}
                    assert not taken & pixels
                    taken |= pixels


@pytest.mark.parametrize("name", SEAMS)
def test_a_seam_at_which_two_threads_add_to_one_row_is_caught(name):
    twins.is_caught(no_two_threads_add_to_one_row, tiles, SEAMS[name])


def test_a_seam_between_threads_that_add_to_one_pixel_is_caught(monkeypatch):
    """Without groups, what two threads add to a row of pixels can be lost or change order. A made
    scheduler that hands out blocks in reverse where there are several threads shows the order."""
    def spread(function, blocks, xp=np):
        for block in blocks if twins.threads() == 1 else list(blocks)[::-1]:
            function(block)

    def test(module):
        monkeypatch.setattr(module, "spread", spread)
        is_the_same_for_any_number_of_threads(module)

    twins.is_caught(test, tiles, ("in apart(_tiles(cache, xp), span, cache.stride[0])",
                                  "in [_tiles(cache, xp)]"))


# ---- the same in any batch

ANY_BATCH = """
import numpy as np
from minicnn.fast import conv, winograd
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
                        (13, 16, 32, {"groups": 2, "stride": 2}), (90, 32, 96, {"stride": 2}),
                        (5, 192, 64, {"stride": 2}), (57, 48, 64, {"dilation": 2}),
                        (30, 128, 128, {"groups": 32}), (57, 48, 48, {"groups": 48, "stride": 2})]:
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
