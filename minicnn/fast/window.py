"""Windows for the fast ops: padding in reused memory, and blocks that do not overlap."""

import numpy as np

from minicnn.backend import array_module
from minicnn.fast.workspace import empty
from minicnn.ops.window import overhang


def pad_image(x, before, after, value):
    """Like `minicnn.ops.window.pad_image`, in memory from the workspace.

    The result is always a new array, so the caller may write to it.
    """
    xp = array_module(x)
    n, h, w, c = x.shape
    (top, left), bottom, right = before, before[0] + h, before[1] + w  # where the image lies
    padded = empty(xp, (n, bottom + after[0], right + after[1], c), x.dtype)
    if xp is not np:  # two calls to the GPU instead of five
        padded.fill(value)
        padded[:, top:bottom, left:right] = x
        return padded
    padded[:, top:bottom, left:right] = x
    for border in (padded[:, :top], padded[:, bottom:], padded[:, :, :left], padded[:, :, right:]):
        border[...] = value
    return padded


def cover(x, window, stride, pad, out, value):
    """`x` padded with `value` as far as the windows reach; `x` itself if they stay inside it."""
    after = overhang(x.shape, window, stride, pad, out)
    return pad_image(x, pad, after, value) if any(pad) or any(after) else x


def windows(x, kernel, stride, dilation, out, groups):
    """A view (N, OH, OW, KH, KW, G, C/G) of the window of every output position.

    Nothing is copied: a (padded) pixel appears in every window that covers it.
    """
    xp = array_module(x)
    n, _, _, c = x.shape
    sn, sh, sw, sc = x.strides
    shape = (n, *out, *kernel, groups, c // groups)
    strides = (sn, stride[0] * sh, stride[1] * sw, dilation[0] * sh, dilation[1] * sw,
               c // groups * sc, sc)
    return xp.lib.stride_tricks.as_strided(x, shape, strides)


def apart(blocks, span, stride):
    """Group blocks of output rows so that no two blocks of a group share a row of pixels.

    Windows of neighbouring blocks overlap if a window is taller than its stride, and both blocks
    would add to the same pixels. Blocks of one group do not overlap, and groups are computed one
    after the other, so a pixel's sum is added in the same order every time, and in any batch.

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
