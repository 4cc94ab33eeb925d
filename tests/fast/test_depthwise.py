"""A kernel a channel: strides, dilations and paddings, strips of rows, threads, batches."""

import matrix
import numpy as np
import pytest
import twins
from checks import normal
from matrix import Case

from minicnn.fast import depthwise
from minicnn.ops import conv

CASES = [case for case in matrix.CONV if case.groups == case.image[3] == case.outputs] + [
    Case("5x5", (2, 9, 8, 3), 5, 1, 2, outputs=3, groups=3),
    Case("stride 3, 5x5, wide padding", (1, 10, 11, 2), 5, 3, 3, outputs=2, groups=2),
    Case("stride beyond the kernel", (1, 9, 11, 2), 2, (3, 4), 1, outputs=2, groups=2),
    Case("dilation as large as the stride", (1, 9, 10, 2), 3, 2, 2, outputs=2, groups=2,
         dilation=2),
    Case("dilation 3, stride 2", (1, 12, 13, 2), 3, 2, 0, outputs=2, groups=2, dilation=3),
    Case("stride 4, dilation 6", (1, 20, 21, 1), 3, 4, 5, outputs=1, dilation=6),
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


def test_what_it_suits():
    def suits(x, w, groups):
        return depthwise.suits(conv.describe(normal(*x), normal(*w), None, 1, 0, groups, 1))
    assert suits((1, 4, 4, 3), (3, 3, 1, 3), 3)
    assert not suits((1, 4, 4, 3), (3, 3, 1, 6), 3)  # two kernels a channel
    assert not suits((1, 4, 4, 4), (3, 3, 2, 4), 2)


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
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_caught(name):
    twins.is_caught(lambda module: is_the_page(module, 30, 1), depthwise, MISTAKES[name])
