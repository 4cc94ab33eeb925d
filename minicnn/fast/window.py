"""Windows for the fast ops: padding in memory that is used again, and work cut into blocks."""

import numpy as np

from minicnn.backend import array_module
from minicnn.fast.workspace import empty
from minicnn.ops.window import overhang


def pad_image(x, before, after, value):
    """As `minicnn.ops.window.pad_image`, in memory from the workspace.

    Always a new array, so the caller may write to it.
    """
    xp = array_module(x)
    n, h, w, c = x.shape
    (top, left), bottom, right = before, before[0] + h, before[1] + w  # where the image lies
    padded = empty(xp, (n, bottom + after[0], right + after[1], c), x.dtype)
    if xp is not np:  # two calls to the GPU, for five
        padded.fill(value)
        padded[:, top:bottom, left:right] = x
        return padded
    padded[:, top:bottom, left:right] = x
    for border in (padded[:, :top], padded[:, bottom:], padded[:, :, :left], padded[:, :, right:]):
        border[...] = value
    return padded


def cover(x, window, stride, pad, out, value):
    """`x` padded with `value` as far as the windows reach; `x` itself where they do not pass it."""
    after = overhang(x.shape, window, stride, pad, out)
    return pad_image(x, pad, after, value) if any(pad) or any(after) else x


def windows(x, kernel, stride, dilation, out, groups):
    """(N, OH, OW, KH, KW, G, C/G) look at the window of every output position.

    Nothing is copied: the same (padded) pixel appears in as many windows as cover it.
    """
    xp = array_module(x)
    n, _, _, c = x.shape
    sn, sh, sw, sc = x.strides
    shape = (n, *out, *kernel, groups, c // groups)
    strides = (sn, stride[0] * sh, stride[1] * sw, dilation[0] * sh, dilation[1] * sw,
               c // groups * sc, sc)
    return xp.lib.stride_tricks.as_strided(x, shape, strides)


def apart(blocks, span, stride):
    """Blocks of output rows in groups; within one no two blocks have a row of pixels in common.

    Windows of neighbouring blocks overlap where a window is taller than its step, and both blocks
    would add to the same pixels. Within a group they cannot; groups come one after the other, so a
    pixel gets its sums in the same order every time, and in any batch.

    Parameters
    ----------
    blocks : list of (images, rows), image by image, top to bottom; or [(...,)]
    span : int
        Rows of pixels that one window spans.
    stride : int
        Rows of pixels from one output row to the next.
    """
    if len(blocks) == 1:
        return [blocks]
    height = blocks[0][1].stop - blocks[0][1].start  # output rows from one block to the next
    count = 1 + max(0, -(-(span - stride) // (height * stride)))
    return [[block for block in blocks if block[1].start // height % count == k]
            for k in range(count)]
