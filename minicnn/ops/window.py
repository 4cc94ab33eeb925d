"""The geometry that convolution and both poolings share: where windows lie, and how many.

A window of K samples, D apart, spans D*(K-1) + 1 of them. Sliding it by S over an axis of H
samples padded by P on both sides gives

    OH = floor((H + 2P - D*(K-1) - 1) / S) + 1

positions, or one more with `ceil` rounding, when a last window sticks out at the bottom or right.
Such an overhanging window must still begin inside the image or its leading padding, else it is
dropped, as in PyTorch's ceil_mode and Caffe's padded pooling. The two roundings agree
wherever (H + 2P - D*(K-1) - 1) is a multiple of S: a check at one lucky size proves nothing.
"""

from minicnn.backend import array_module

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
    """(N, H, W, C) with `value` around it: (top, left) = `before`, (bottom, right) = `after`."""
    around = [(0, 0), *zip(before, after, strict=True), (0, 0)]
    return array_module(x).pad(x, around, constant_values=value)


def views(x, window, stride, out, dilation=(1, 1)):
    """For each place (i, j) in the window, row by row: the (N, OH, OW, C) view of what lies there.

    Yields KH*KW strided views of the (padded) array `x`, without copying. Element (n, p, q, c)
    of view number i*KW + j is sample (i, j) of the window at output position (p, q).
    """
    for top in range(0, dilation[0] * window[0], dilation[0]):
        for left in range(0, dilation[1] * window[1], dilation[1]):
            yield x[
                :,
                top : top + stride[0] * (out[0] - 1) + 1 : stride[0],
                left : left + stride[1] * (out[1] - 1) + 1 : stride[1],
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


def sum_positions(x):
    """The sum of x (..., C) over all axes but the last: (C,).

    One axis after the other: CuPy shares out the sums among a GPU's processors, not what they add
    up, and 64 channels in one call would be work for two of them.
    """
    while x.ndim > 1:
        x = x.sum(axis=-2)
    return x


def pool_geometry(x, window, stride, pad, rounding, op):
    """Check images and a pooling's settings; (window, stride, pad, (OH, OW)), all pairs."""
    check_image(x, op)
    window = pair(window, f"{op} window")
    stride = window if stride is None else pair(stride, f"{op} stride")
    pad = pair(pad, f"{op} pad")
    if pad[0] >= window[0] or pad[1] >= window[1]:
        raise ValueError(f"{op}: padding must be less than the window, else a window lies wholly "
                         f"in the padding; got window {window} and padding {pad}")
    out = tuple(output_size(x.shape[1 + a], window[a], stride[a], pad[a], 1, rounding, op)
                for a in (0, 1))
    return window, stride, pad, out


def overhang(x_shape, window, stride, pad, out):
    """(bottom, right) padding with which the image holds every window, the last ones too."""
    reach = [stride[a] * (out[a] - 1) + window[a] - pad[a] - x_shape[1 + a] for a in (0, 1)]
    return max(0, reach[0]), max(0, reach[1])


def extent(x_shape, window, stride, pad, out):
    """Height and width of the padded image that holds every window."""
    after = overhang(x_shape, window, stride, pad, out)
    return tuple(pad[a] + x_shape[1 + a] + after[a] for a in (0, 1))
