"""A kernel a channel: strides, dilations and paddings, strips of rows, threads, batches."""

import numpy as np
import pytest
import twins
from checks import normal

from minicnn.fast import depthwise
from minicnn.gradcheck.judge import matrix
from minicnn.gradcheck.judge.matrix import Case
from minicnn.ops import conv

CASES = [case for case in matrix.CONV if case.groups == case.image[3] == case.outputs] + [
    Case("5x5", (2, 9, 8, 3), 5, 1, 2, outputs=3, groups=3),
    Case("stride 3, 5x5, wide padding", (1, 10, 11, 2), 5, 3, 3, outputs=2, groups=2),
    Case("stride beyond the kernel", (1, 9, 11, 2), 2, (3, 4), 1, outputs=2, groups=2),
    Case("dilation as large as the stride", (1, 9, 10, 2), 3, 2, 2, outputs=2, groups=2,
         dilation=2),
    Case("dilation 3, stride 2", (1, 12, 13, 2), 3, 2, 0, outputs=2, groups=2, dilation=3),
    Case("stride 4, dilation 6", (1, 20, 21, 1), 3, 4, 5, outputs=1, dilation=6),
    Case("pixels beyond all windows", (1, 8, 8, 2), 2, 4, 5, outputs=2, groups=2, dilation=14),
    Case("padding beyond the kernel", (1, 3, 4, 2), 2, 1, 4, outputs=2, groups=2),
    Case("one output, much stride", (1, 5, 5, 2), 3, 7, 1, outputs=2, groups=2, bias=False),
]


def settings(case):
    return matrix.settings(case, "stride", "pad", "groups", "dilation")


def is_the_page(module, strip=depthwise.STRIP, shared=depthwise.SHARED):
    module.STRIP, module.SHARED = strip, shared
    try:
        for case in CASES:
            twins.same_as_page(twins.as_op(module), conv, matrix.conv_inputs(case).values(),
                               **settings(case))
    finally:
        module.STRIP, module.SHARED = depthwise.STRIP, depthwise.SHARED


def test_the_cases_were_found():
    assert len(CASES) >= 11


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_is_the_page(case, dtype):
    twins.same_as_page(twins.as_op(depthwise), conv, matrix.conv_inputs(case).values(), dtype,
                       **settings(case))


@pytest.mark.parametrize("strip, shared", [(1, 1), (30, 1), (200, 1), (200, 1 << 30)])
def test_strips_of_any_size_give_the_same(strip, shared):
    is_the_page(depthwise, strip, shared)


STRIDES = [{"stride": 1, "pad": 1}, {"stride": 2, "pad": 1}, {"stride": (3, 2), "dilation": 2}]


@pytest.mark.parametrize("how", STRIDES, ids=str)
def test_same_bytes_for_any_number_of_threads_and_any_batch(how, monkeypatch):
    monkeypatch.setattr(depthwise, "STRIP", 500)
    x, w, b = (normal(*shape).astype(np.float32) for shape in ((4, 19, 23, 8), (3, 3, 1, 8), (8,)))
    twins.same_for_any_number_of_threads(twins.as_op(depthwise), (x, w, b), groups=8, **how)
    twins.same_in_any_batch(twins.as_op(depthwise), x, w, b, groups=8, **how)


def test_arrays_in_any_memory_layout():
    x, w = (np.asfortranarray(normal(*shape)) for shape in ((2, 6, 7, 3), (3, 3, 1, 3)))
    twins.same_as_page(twins.as_op(depthwise), conv, (x, w), pad=1, groups=3)


def suits_a_kernel_a_channel(module):
    def suits(x, w, groups, xp=np):
        x, w = (xp.asarray(normal(*shape)) for shape in (x, w))
        return module.suits(conv.describe(x, w, None, 1, 0, groups, 1))
    assert suits((1, 4, 4, 3), (3, 3, 1, 3), 3)
    assert not suits((1, 4, 4, 3), (3, 3, 1, 6), 3)  # two kernels a channel
    assert not suits((1, 4, 4, 4), (3, 3, 2, 4), 2)
    with twins.gpu() as xp:
        assert not suits((1, 4, 4, 3), (3, 3, 1, 3), 3, xp)


def test_what_it_suits():
    suits_a_kernel_a_channel(depthwise)


MISTAKES = {
    "the last row of a block": ("(image, top, min(top + rows, oh))",
                                "(image, top, min(top + rows, oh - 1))"),
    "a strip a row short at the bottom": ("min(height, len(x) - top)",
                                          "min(height, len(x) - top - 1)"),
    "old numbers where the padding is": ("        outside[...] = 0\n", "        pass\n"),
    "old numbers left of the image": ("part[:, :first] = part[:, last:] = 0",
                                      "part[:, :first] = part[:, last:] = 1"),
    "a column short on the right": ("-(-(x.shape[1] - begin) // stride)",
                                    "-(-(x.shape[1] - begin - 1) // stride)"),
    "places in forward order on the way back": ("% stride == 0][::-1]", "% stride == 0]"),
    "pixels that no window saw are not zero": ("            target[...] = 0\n",
                                               "            target[...] = 1\n"),
    "columns of another remainder": ("shift, remainder = divmod(dilation[1] * first, across)",
                                     "shift, remainder = dilation[1] * first // across, 0"),
    "dilation forgotten between rows": ("dilation[0] * to_row,", "to_row,"),
    "dw of the first block only": ("return parts.sum(axis=0)", "return parts[0]"),
    "the first columns of a kernel only": ("total = part if total is None else total + part",
                                           "total = part if total is None else total"),
    "bias of nobody": ("total if b is None else total + b", "total"),
    "bias of every remainder": ("total = part if", "part = part if b is None else part + b\n"
                                "            total = part if"),
    "the kind of numbers without the bias": ("*([] if b is None else [b])", ""),
    "no row where one is larger than a strip": ("max(1, STRIP // (ow * c))", "STRIP // (ow * c)"),
    "half of one row": ("min(rows, -(-oh // 2))", "min(rows, oh // 2)"),
    "a run that is cut off at the right": ("if ow % k == 0 and (k == 1 or", "if (k == 1 or"),
    "the first image under every output": ("x[image], (top, bottom), (kh, kw), start, stride,",
                                           "x[0], (top, bottom), (kh, kw), start, stride,"),
    "dw of the first image": ("_looks(x[image], (top, bottom), (kh, kw), start, *how",
                              "_looks(x[0], (top, bottom), (kh, kw), start, *how"),
    "dw's columns in another place": ("parts[number, :, across] = sums.sum(axis=2)",
                                      "parts[number, :, : sums.shape[1]] = sums.sum(axis=2)"),
    "dw of one pixel of a run": ("= sums.sum(axis=2)", "= sums[:, :, 0]"),
    "weights of the first columns": ("repeated[:, across]", "repeated[:, : look.shape[3]]"),
    "every block begins at the top": ("start[0] + down * rows[0],", "start[0],"),
    "the stride forgotten between blocks": ("start[0] + down * rows[0],", "start[0] + rows[0],"),
    "all columns in one remainder": ("step = across // gcd(across, dilation[1])", "step = 1"),
    "the last column of a kernel with a wide stride": ("range(min(step, kw))",
                                                       "range(min(step, max(1, kw - 1)))"),
    "old numbers right of the image": ("part[:, :first] = part[:, last:] = 0",
                                       "part[:, :first] = 0"),
    "a strip that begins above the image": ("min(max(0, -top), height)", "min(max(0, -top - 1), "
                                                                         "height)"),
    "a strip that lies above the image": ("min(max(0, -top), height)", "max(0, -top)"),
    "a strip that lies below the image": ("max(0, min(height, len(x) - top))",
                                          "min(height, len(x) - top)"),
    "a column too many on the left": ("max(0, -(begin // stride))", "max(0, -begin // stride)"),
    "columns that lie left of the image": ("max(0, -(begin // stride))", "-(begin // stride)"),
    "columns that lie right of the image": ("last = max(first, min(", "last = max(-9, min("),
    "more columns than a strip has": ("min(strip.shape[2], -(-(x.shape[1] - begin) // stride))",
                                      "-(-(x.shape[1] - begin) // stride)"),
    "one remainder too few": ("for remainder in range(stride)",
                              "for remainder in range(max(1, stride - 1))"),
    "dx begins at the column's row of dy": ("(first, begin), (1, 1)", "(begin, first), (1, 1)"),
    "dx with the places' distance across": ("(1, 1), (apart, along)", "(1, 1), (along, apart)"),
    "dx of the places of another column": ("cache.w[down][:, across, 0]",
                                           "cache.w[across][:, down, 0]"),
    "pixels that are not there": ("if w.size and target.size", "if w.size"),
    "dx begins at the last place": ("dilation * places[0])", "dilation * places[-1])"),
    "no padding on the way back": ("first + pad - dilation * i", "first - dilation * i"),
    "the stride forgotten on the way back": ("dilation // gcd(stride, dilation)))", "dilation))"),
}


def is_the_page_in_strips(module):
    for strip in (1, 30, 200):
        is_the_page(module, strip, 1)
    twins.same_kinds_of_numbers(twins.as_op(module), conv, normal(1, 5, 6, 3), normal(3, 2, 1, 3),
                                normal(3), groups=3)


@pytest.mark.thorough
@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_caught(name):
    twins.is_caught(is_the_page_in_strips, depthwise, MISTAKES[name])


KINDS = {
    "two kernels a channel": ("c == cache.groups == cache.w.shape[3]", "c == cache.groups"),
    "two channels a kernel": ("c == cache.groups == cache.w.shape[3]", "c == cache.w.shape[3]"),
    "a GPU": (" and isinstance(cache.w, np.ndarray)", ""),
}


@pytest.mark.parametrize("name", KINDS)
def test_what_it_does_not_suit_is_caught(name):
    twins.is_caught(suits_a_kernel_a_channel, depthwise, KINDS[name])


CUTS = {
    "rows by the work of a batch": ("if oh * ow * c", "if n * oh * ow * c"),
    "rows by what a batch needs": ("STRIP // (ow * c)", "STRIP // (n * ow * c)"),
    "a run by what a batch needs": ("k * c * places <= STRIP", "n * k * c * places <= STRIP"),
}


def cuts_an_image_alike_in_any_batch(module):
    """Whether the numbers show it depends on the machine, so the cuts are compared."""
    for side in (4, 30, 200):
        cuts = []
        for n in (1, 2, 20):
            run, blocks = module._cut((n, side, side, 32), 9)
            cuts.append((run, [block[1:] for block in blocks if block[0] == 0]))
        assert cuts[0] == cuts[1] == cuts[2]


@pytest.mark.parametrize("name", CUTS)
def test_a_cut_that_depends_on_the_batch_is_caught(name):
    twins.is_caught(cuts_an_image_alike_in_any_batch, depthwise, CUTS[name])
