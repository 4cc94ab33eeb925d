"""Winograd's convolution where tiles stick out, blocks and panels end, and groups meet: mistakes
planted there, which the page beside it must show."""

import functools
import types

import numpy as np
import pytest
import twins
from checks import normal

from minicnn.fast import winograd
from minicnn.ops import conv

F4, F2 = winograd.ALGORITHMS
CASES = [  # x, outputs, kernel, algorithms, settings
    ((3, 13, 17, 4), 6, 3, (F4, F2), {"pad": 1}),  # tiles stick out on both sides
    ((2, 10, 9, 4), 5, 3, (F4, F2), {}),  # at the right only
    ((2, 9, 10, 4), 5, 3, (F4, F2), {"pad": 2}),
    ((1, 12, 8, 3), 96, 3, (F4,), {"pad": 1}),  # whole tiles; two panels
    ((2, 7, 6, 6), 192, 3, (F4,), {"pad": 1, "groups": 2}),  # two panels a group
    ((2, 11, 6, 6), 9, 3, (F4, F2), {"groups": 3}),
    ((2, 9, 8, 4), 6, 5, (F2,), {"pad": 2, "groups": 2}),
    ((1, 7, 8, 4), 3, 5, (F2,), {"pad": 4}),
    ((1, 4, 9, 3), 4, 3, (F4,), {"pad": 1}),  # one row of tiles
    ((1, 6, 6, 4), 66, 3, (F4,), {"groups": 2}),  # a panel a group
    ((1, 5, 6, 96), 89, 3, (F4,), {"pad": 1}),  # more pairs of channels than one run of dw's takes
]
SIZES = {"BLOCK": 3000, "DW_TILES": 1, "DW_CHANNELS": 1}  # many blocks, dw by tiles


def near(ours, theirs):
    """AssertionError if they are further apart than float32 with these points errs: up to 2e-5 of
    the numbers' deviation (5e-6 here), or of 1."""
    assert (ours is None) == (theirs is None)
    if ours is not None:
        assert ours.shape == theirs.shape and ours.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-5 * max(1, theirs.std()))


def is_the_page(module, cases=CASES, **sizes):
    """In float64; by each algorithm on the same weights, one after the other."""
    with pytest.MonkeyPatch.context() as patch:
        for name, size in (SIZES | sizes).items():
            patch.setattr(module, name, size)
        for shape, outputs, kernel, algorithms, how in cases:
            c = shape[3] // how.get("groups", 1)
            inputs = [normal(*shape), normal(kernel, kernel, c, outputs, seed=2) / kernel / c**0.5,
                      normal(outputs, seed=3)]
            expected = twins.results(conv, inputs, twins.NEEDS, **how)
            inputs = [array.astype(np.float32) for array in inputs]
            for algorithm in algorithms:
                op = types.SimpleNamespace(
                    forward=functools.partial(module.forward, algorithm=algorithm),
                    backward=module.backward)
                for ours, theirs in zip(twins.results(op, inputs, twins.NEEDS, **how), expected,
                                        strict=True):
                    near(ours, theirs)


def is_the_page_at_every_edge(module):
    is_the_page(module, TILES=1, SHARED=1)  # an image at once
    is_the_page(module, [((5, 9, 10, 4), 6, 3, (F4,), {"pad": 1}),
                         ((7, 8, 8, 4), 6, 3, (F4,), {"pad": 1, "groups": 2})],
                TILES=15)  # some at once, and what is left
    is_the_page(module, CASES[:3], DW_TILES=1 << 30, BLOCK=1)  # dw not by tiles, a row a block


MISTAKES = {
    # the way back, and what it is for
    "the padding of the way there": ("far - plain.pad[0]", "plain.pad[0]"),
    "as if every kernel were 3x3": ("cache.w.shape[0] - 1", "2"),
    "5x5 kernels by the tiles of 3x3 ones": ("plain.w.shape[0] == 3 and ", ""),
    "a dx nobody needs": (' if "x" in need else None', ""),
    "a dw nobody needs": ('if "w" in need:', "if True:"),
    "a db nobody needs": ('"b" in need and plain.has_bias', "plain.has_bias"),
    "a db of the first row": ("sum_positions(dy)", "sum_positions(dy[:, :1])"),
    "the kernels of the way there": ('w if result == "y" else _turned(w, groups)', "w"),
    "kernels that are not turned": ("w = w[::-1, ::-1].reshape(", "w = w.reshape("),
    "groups of outputs as of inputs": ("transpose(0, 1, 4, 3, 2)", "transpose(0, 1, 4, 2, 3)"),
    "channels of one group": ("w.shape[2] * groups", "w.shape[2]"),
    # padding, tiles that stick out
    "tiles that stick out are left out": ("-(-oh // size), -(-ow // size)",
                                          "oh // size, ow // size"),
    "tiles that stick out at the top": (
        "(x, pad, (pad[0] + down * size - oh, pad[1] + across * size - ow), 0)",
        "(x, (pad[0] + down * size - oh, pad[1] + across * size - ow), pad, 0)"),
    "padded with ones": ("- ow), 0)\n    return", "- ow), 1)\n    return"),
    "whole tiles by their height": ("(oh, ow) == (down * size, across * size)",
                                    "oh == down * size"),
    "whole tiles by their width": ("(oh, ow) == (down * size, across * size)",
                                   "ow == across * size"),
    "dy's tiles end in ones": ("- ow), 0)\n    at_once", "- ow), 1)\n    at_once"),
    # blocks
    "a row of tiles too few": ("(image, top, min(top + rows, down))",
                               "(image, top, min(top + rows, down - 1))"),
    "no row where one is larger than a block": ("max(1, BLOCK // row)", "BLOCK // row"),
    "half of one row": ("min(rows, -(-down // 2))", "min(rows, down // 2)"),
    "every block begins at the top": ("padded[image, top * size :]", "padded[image]"),
    "blocks counted in pixels": ("padded[image, top * size :]", "padded[image, top:]"),
    "the first image in every block": ("padded[image, top * size :]", "padded[0, top * size :]"),
    "bias in every block of every block": ("            strip += b\n", "            y[...] += b\n"),
    "no bias": ("            strip += b\n", "            pass\n"),
    # panels and groups
    "the last panel": ("for panel in range(panels):", "for panel in range(max(1, panels - 1)):"),
    "the first panel's kernels": ("panel * o // panels : (panel + 1) * o // panels",
                                  ": o // panels"),
    "a panel that reaches into the next group": ("return groups * next(", "return next("),
    "panels of all groups": ("    outputs //= groups\n", ""),
    "no panel where no run is short enough": ("<= PANEL), 1)", "<= PANEL), 0)"),
    "groups exchanged": ("groups, 1, c).transpose(0, 2, 3, 1, 4)  # n*n,T,C -> n*n,G,1,T,C/G",
                         "groups, 1, c).transpose(0, 2, 3, 1, 4)[:, ::-1]"),
    "panels of a group exchanged": ("groups, -1, c, width)  # n*n,p",
                                    "groups, -1, c, width)[:, :, ::-1]  # n*n,p"),
    "rows and columns of an output exchanged": ("transpose(1, 4, 0, 2, 3, 5))  # (size, n) @ (...",
                                                "transpose(4, 1, 0, 2, 3, 5))  # (size, n) @ (..."),
    # dw by tiles
    "the first images only": ("for first in range(0, len(dy), at_once)", "for first in [0]"),
    "the last images are left out": ("for first in range(0, len(dy), at_once)",
                                     "for first in range(0, max(1, len(dy) - at_once), at_once)"),
    "the last images, and again those before": ("def multiply(place, images=images)",
                                                "def multiply(place, images=at_once)"),
    "more images at the end than there are": ("min(at_once, len(dy) - first)", "at_once"),
    "no image at once where one has more tiles": ("-(-TILES // (down * across))",
                                                  "TILES // (down * across)"),
    "the same images each time": ("a[first + image, top * size :]", "a[image, top * size :]"),
    "dw of the last images": ("products[place] += ", "products[place] = "),
    "added to old numbers": ("products = zeros(", "products = empty("),
    "a pair short at the end of each run": ("slice(k, k + 8192)", "slice(k, k + 8191)"),
    "the first run of pairs": ("range(0, pairs, 8192)", "range(0, 8192, 8192)"),
    "every seed begins at the top": ("strips = dy[: down * size]", "strips = dy[-down * size :]"),
    "dw's groups exchanged": ("groups, c, o // groups).transpose(0, 1, 3, 2, 4)",
                              "groups, c, o // groups)[:, :, ::-1].transpose(0, 1, 3, 2, 4)"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_caught(name):
    twins.is_caught(is_the_page_at_every_edge, winograd, MISTAKES[name])


CUTS = {
    "rows by the work of a batch": ("if products * down >=", "if images * products * down >="),
    "rows by what a batch needs": ("max(1, BLOCK // row)", "max(1, BLOCK // (images * row))"),
    "rows of two threads at once": ("min(top + rows, down)", "down"),
    "the last block where it is shorter": ("range(0, down, rows)",
                                           "range(0, down - rows + 1, rows)"),
}


def cuts_an_image_alike_in_any_batch(module):
    """BLAS may round a row otherwise in a longer product; whether it does depends on the machine,
    so the cuts are compared, not the numbers. And two threads that write the same rows, as the
    bias is added, give wrong numbers now and then: each row is in one block."""
    for down in (1, 2, 7, 30):
        for row in (1000, 100_000, 300_000, 2_000_000):
            cuts = []
            for n in (1, 2, 20):
                blocks = module._blocks(n, down, row, 1 << 21)
                rows = [(image, p) for image, top, bottom in blocks for p in range(top, bottom)]
                assert rows == [(image, p) for image in range(n) for p in range(down)]
                cuts.append([block[1:] for block in blocks if block[0] == 0])
            assert cuts[0] == cuts[1] == cuts[2]


@pytest.mark.parametrize("name", CUTS)
def test_a_wrong_cut_is_caught(name):
    twins.is_caught(cuts_an_image_alike_in_any_batch, winograd, CUTS[name])
