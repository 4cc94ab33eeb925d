"""The geometry that convolution and both poolings share: where windows lie, and how many.

A window of K samples, D apart, spans D*(K-1) + 1 of them. Sliding it by S over an axis of H
samples padded by P on both sides gives

    OH = floor((H + 2P - D*(K-1) - 1) / S) + 1

positions, or one more with `ceil` rounding, when a last window sticks out at the bottom or right.
Such an overhanging window must still begin inside the image or its leading padding, else it is
dropped, as in PyTorch's ceil_mode and Caffe's padded pooling. The two roundings agree
wherever (H + 2P - D*(K-1) - 1) is a multiple of S: a check at one lucky size proves nothing.
"""

import numpy as np

from minicnn.backend import array_module
from minicnn.fast.workspace import empty

ROUNDINGS = ("floor", "ceil")


def pair(value, what):
    """`value` as a (vertical, horizontal) tuple of ints; `what` names it in the error."""
    both = value if isinstance(value, (tuple, list)) else (value, value)
    if len(both) != 2 or not all(isinstance(v, int) or hasattr(v, "__index__") for v in both):
        raise ValueError(f"{what}: expected an integer or a pair of them, got {value!r}")
    return int(both[0]), int(both[1])


def output_size(size, kernel, stride, pad, dilation=1, rounding="floor", op="window"):
    """How many window positions fit along one axis.

    Parameters
    ----------
    size, kernel, stride, pad, dilation : int
        Samples along the axis; the window's samples, step, padding on each side, and spacing.
    rounding : {"floor", "ceil"}
        What happens to a last window that would stick out.
    op : str
        Who asks, for the error message.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    ValueError
        If no window fits, or a setting is out of range.
    """
    if kernel < 1 or stride < 1 or dilation < 1 or pad < 0:
        raise ValueError(
            f"{op}: kernel, stride and dilation must be at least 1 and padding at least 0, got "
            f"kernel {kernel}, stride {stride}, dilation {dilation}, padding {pad}"
        )
    if rounding not in ROUNDINGS:
        raise ValueError(f"{op}: rounding must be one of {', '.join(ROUNDINGS)}, got {rounding!r}")
    room = size + 2 * pad - dilation * (kernel - 1) - 1
    count = (room // stride if rounding == "floor" else -(-room // stride)) + 1
    if rounding == "ceil" and (count - 1) * stride >= size + pad:
        count -= 1
    if count < 1:
        raise ValueError(
            f"{op}: a window that spans {dilation * (kernel - 1) + 1} does not fit in {size} "
            f"samples padded by {pad} on both sides; use a larger image or more padding"
        )
    return count


def pad_image(x, before, after, value):
    """(N, H, W, C) with `value` around it: (top, left) = `before`, (bottom, right) = `after`.

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


def views(x, window, stride, out):
    """For each place (i, j) in the window, row by row: the (N, OH, OW, C) view of what lies there.

    Yields KH*KW strided views of the (padded) array `x`, without copying. Element (n, p, q, c)
    of view number i*KW + j is sample (i, j) of the window at output position (p, q).
    """
    for i in range(window[0]):
        for j in range(window[1]):
            yield x[
                :,
                i : i + stride[0] * (out[0] - 1) + 1 : stride[0],
                j : j + stride[1] * (out[1] - 1) + 1 : stride[1],
            ]


def check_image(x, op):
    """Raise ValueError unless `x` is an (N, H, W, C) array of floating (or complex) numbers."""
    if getattr(x, "ndim", None) != 4:
        raise ValueError(
            f"{op}: expected images of shape (N, H, W, C), got "
            f"{getattr(x, 'shape', type(x).__name__)}; a single image is x[None]"
        )
    check_float(x, op)


def check_float(x, op):
    """Raise ValueError unless `x` holds floating (or complex) numbers."""
    if x.dtype.kind not in "fc":
        raise ValueError(f"{op}: expected floating point numbers, got {x.dtype}; use x.astype")


def windows(x, kernel, stride, dilation, out):
    """(N, OH, OW, KH, KW, C) read-only look at the window of every output position.

    Nothing is copied: the same (padded) pixel appears in as many windows as cover it.
    """
    xp = array_module(x)
    n, _, _, c = x.shape
    sn, sh, sw, sc = x.strides
    shape = (n, *out, *kernel, c)
    strides = (sn, stride[0] * sh, stride[1] * sw, dilation[0] * sh, dilation[1] * sw, sc)
    return xp.lib.stride_tricks.as_strided(x, shape, strides)


def sum_positions(x):
    """The sum of x (..., C) over all axes but the last: (C,).

    One axis after the other: CuPy shares out the sums among a GPU's processors, not what they add
    up, and 64 channels in one call would be work for two of them.
    """
    while x.ndim > 1:
        x = x.sum(axis=-2)
    return x


def pool_geometry(x_shape, window, stride, pad, rounding, op):
    """Check a pooling's settings; returns (window, stride, pad, (OH, OW)), all pairs."""
    window = pair(window, f"{op} window")
    stride = window if stride is None else pair(stride, f"{op} stride")
    pad = pair(pad, f"{op} pad")
    if pad[0] >= window[0] or pad[1] >= window[1]:
        raise ValueError(f"{op}: padding must be less than the window, else a window lies wholly "
                         f"in the padding; got window {window} and padding {pad}")
    out = tuple(output_size(x_shape[1 + a], window[a], stride[a], pad[a], 1, rounding, op)
                for a in (0, 1))
    return window, stride, pad, out


def cover(x, window, stride, pad, out, value):
    """`x` padded with `value` as far as the windows reach; `x` itself where they do not pass it."""
    reach = extent(x.shape, window, stride, pad, out)
    after = tuple(reach[a] - pad[a] - x.shape[1 + a] for a in (0, 1))
    return pad_image(x, pad, after, value) if any(pad) or any(after) else x


def extent(x_shape, window, stride, pad, out):
    """Height and width of the padded image that holds every window."""
    return tuple(max(pad[a] + x_shape[1 + a], stride[a] * (out[a] - 1) + window[a])
                 for a in (0, 1))


def rounds(blocks, span, stride):
    """Blocks of output rows sorted into rounds whose windows lie on different rows of pixels.

    Windows of neighbouring blocks overlap where a window is taller than its step, and both blocks
    would add to the same pixels. Within a round they cannot; rounds come one after the other, so a
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
