"""Padding in memory that is used again, and blocks of windows that share no pixel."""

import itertools

import numpy as np
import pytest
import twins
from checks import normal

from minicnn.backend import to_host
from minicnn.fast import window
from minicnn.fast.workspace import Workspace
from minicnn.ops.window import pad_image

PADDINGS = [((0, 0), (0, 0)), ((1, 2), (0, 3)), ((2, 0), (1, 0))]


@pytest.mark.parametrize("before, after", PADDINGS)
@pytest.mark.parametrize("value", [0, -np.inf])
def test_pad_image_is_the_page_s_also_in_used_memory(before, after, value):
    x, workspace = normal(2, 40, 50, 6), Workspace()
    with workspace:
        for _ in range(2):
            padded = window.pad_image(x, before, after, value)
            np.testing.assert_array_equal(padded, pad_image(x, before, after, value), strict=True)
            padded[...] = np.nan


@twins.used_memory()
def pads_as_the_page_does(module):
    """On the CPU and on a GPU; always a new array."""
    x = normal(2, 4, 5, 3)
    with twins.gpu() as gpu:
        for (before, after), value, xp in itertools.product(PADDINGS, [0, -np.inf], [np, gpu]):
            image = xp.asarray(x)
            padded = module.pad_image(image, before, after, value)
            np.testing.assert_array_equal(to_host(padded), pad_image(x, before, after, value),
                                          strict=True)
            assert type(padded) is type(image) and padded is not image


def covers_what_the_windows_reach(module):
    x = normal(1, 5, 5, 2)
    assert module.cover(x, (3, 3), (2, 2), (0, 0), (2, 2), 0) is x
    for size, pad, out in [((2, 2), (0, 0), (3, 3)), ((3, 3), (1, 1), (3, 3)),
                           ((3, 2), (1, 0), (3, 2)), ((2, 3), (0, 1), (2, 3)),
                           ((2, 1), (0, 0), (3, 3)), ((1, 2), (0, 0), (3, 3)),
                           ((3, 3), (1, 1), (2, 2)), ((2, 3), (0, 1), (2, 2))]:
        after = [max(0, 2 * (out[a] - 1) + size[a] - pad[a] - 5) for a in (0, 1)]
        np.testing.assert_array_equal(module.cover(x, size, (2, 2), pad, out, 7),
                                      pad_image(x, pad, after, 7))


def test_cover_is_the_image_itself_where_the_windows_stay_inside():
    covers_what_the_windows_reach(window)


def looks_at_every_window(module, groups):
    x = normal(2, 7, 8, 4)
    seen = module.windows(x, (2, 3), (2, 1), (3, 2), (2, 4), groups)
    assert seen.shape == (2, 2, 4, 2, 3, groups, 4 // groups)
    for n, p, q, i, j in np.ndindex(seen.shape[:5]):
        np.testing.assert_array_equal(seen[n, p, q, i, j].ravel(), x[n, 2 * p + 3 * i, q + 2 * j])


@pytest.mark.parametrize("groups", [1, 2])
def test_windows(groups):
    looks_at_every_window(window, groups)


SPANS = [(3, 1, 1), (9, 1, 2), (3, 2, 1), (2, 2, 3), (11, 4, 1), (1, 3, 2), (5, 2, 4), (4, 1, 20)]


def sorts_windows_apart(module, span, stride, rows):
    blocks = [(slice(n, n + 1), slice(p, min(p + rows, 13)))
              for n in range(2) for p in range(0, 13, rows)]
    sorted_out = module.apart(blocks, span, stride)
    assert sorted(map(str, sum(sorted_out, []))) == sorted(map(str, blocks))
    for together in sorted_out:
        taken = set()
        for images, out in together:
            covered = {(images.start, pixel) for row in range(out.start, out.stop)
                       for pixel in range(row * stride, row * stride + span)}
            assert not taken & covered
            taken |= covered


@pytest.mark.parametrize("span, stride, rows", SPANS)
def test_windows_of_one_group_share_no_row_of_pixels(span, stride, rows):
    sorts_windows_apart(window, span, stride, rows)


def test_one_block_stays_one(window=window):
    """Whatever it is: work that was not cut up has no rows to ask for."""
    assert window.apart([(...,)], 3, 1) == [[(...,)]]


MISTAKES = {
    "no border at the top": ("in (padded[:, :top], ", "in ("),
    "no border at the bottom": ("padded[:, bottom:], ", ""),
    "no border on the left": ("padded[:, :, :left], ", ""),
    "no border on the right": (", padded[:, :, right:]):", "):"),
    "a border a row short at the bottom": ("padded[:, bottom:], ", "padded[:, bottom + 1 :], "),
    "a border over the last column": ("padded[:, :, right:]):", "padded[:, :, right - 1 :]):"),
    "no border on a GPU": ("        padded.fill(value)\n", ""),
    "in a corner on a GPU": ("[:, top:bottom, left:right] = x\n        return",
                             "[:, :h, :w] = x\n        return"),
    "the image itself where there is no border": (
        "    padded = empty(",
        "    if not (top or left or any(after)):\n        return x\n    padded = empty("),
    "an overhang is not covered": ("if any(pad) or any(after) else", "if any(pad) else"),
    "padding is not covered": ("if any(pad) or any(after) else", "if any(after) else"),
    "covered below and on the right only": ("if any(pad) or", "if all(pad) or"),
    "an overhang below only": ("or any(after) else", "or after[0] else"),
    "an overhang on the right only": ("or any(after) else", "or after[1] else"),
    "a group beside the next": ("c // groups * sc, sc)", "sc, groups * sc)"),
    "stride down for stride across": ("stride[1] * sw", "stride[0] * sw"),
    "dilation across for dilation down": ("dilation[0] * sh", "dilation[1] * sh"),
    "rows of what was not cut up": ("if len(blocks) == 1:", "if not blocks:"),
    "two blocks that overlap a little": ("-(-(span - stride) // (height * stride))",
                                         "(span - stride) // (height * stride)"),
    "one group too few": ("count = 1 + max(0, ", "count = max(1, "),
    "neighbours together": ("block[1].start // height % count == k",
                            "block[1].start // height // count == k"),
    "rows counted as blocks": ("block[1].start // height % count", "block[1].start % count"),
}


def is_right(module):
    pads_as_the_page_does(module)
    covers_what_the_windows_reach(module)
    for groups in (1, 2):
        looks_at_every_window(module, groups)
    for how in SPANS:
        sorts_windows_apart(module, *how)
    test_one_block_stays_one(module)


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_caught(name):
    twins.is_caught(is_right, window, MISTAKES[name])
