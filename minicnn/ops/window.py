"""The geometry of sliding windows, shared by convolution and both poolings.

A window of K samples, D apart, spans D*(K-1) + 1 of them. Sliding it by S over an axis of H
samples padded by P on both sides gives

    OH = floor((H + 2P - D*(K-1) - 1) / S) + 1

positions, or one more with `ceil` rounding, when a last window sticks out at the bottom or right.
Such an overhanging window must begin inside the image or its leading padding; otherwise it is
dropped, as in PyTorch's ceil_mode and Caffe's padded pooling. The two roundings agree wherever
(H + 2P - D*(K-1) - 1) is a multiple of S, so a test at a single size proves little.
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
        Whether to leave out ("floor") or keep ("ceil") a last window that sticks out.
    op : str
        The caller's name, for the error message.

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
    count = (room // stride if rounding == "floor" else -(-room // stride)) + 1  # -(-a // b): up
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
    """For each place (i, j) in the window, row by row: the (N, OH, OW, C) view of its samples.

    Yields KH*KW strided views of the (padded) array `x`, without copying. Element (n, p, q, c)
    of view number i*KW + j is sample (i, j) of the window at output position (p, q).
    """
    for i in range(window[0]):
        for j in range(window[1]):
            top, left = dilation[0] * i, dilation[1] * j  # of the padded image: S p + D i
            yield x[
                :,
                top : top + stride[0] * (out[0] - 1) + 1 : stride[0],  # p = 0 ... OH-1
                left : left + stride[1] * (out[1] - 1) + 1 : stride[1],
            ]


def check_image(x, op):
    """Raise ValueError unless `x` is an (N, H, W, C) array of floating point numbers.

    Complex ones pass, too: gradients are checked with them (the complex step)."""
    if getattr(x, "ndim", None) != 4:
        raise ValueError(
            f"{op}: expected images of shape (N, H, W, C), got "
            f"{getattr(x, 'shape', type(x).__name__)}; a single image is x[None]"
        )
    check_float(x, op)


def check_float(x, op):
    """Raise ValueError unless `x` holds floating point (or complex) numbers, and some of them."""
    if x.dtype.kind not in "fc":
        raise ValueError(f"{op}: expected floating point numbers, got {x.dtype}; use x.astype")
    if x.size == 0:
        raise ValueError(f"{op}: expected at least one image, got an empty array of "
                         f"shape {x.shape}")


def check_need(need, names, op):
    """Raise ValueError unless `need` names some of the arrays that have a gradient."""
    if not set(need) <= set(names):
        raise ValueError(f"{op}: need must be some of {', '.join(map(repr, names))}, got {need!r}")


def sum_positions(x):
    """The sum of x (..., C) over all axes but the last: (C,).

    The axes are summed one after the other. The result is the same, but a GPU, which computes each
    sum on one processor, then has many sums to distribute instead of C.
    """
    while x.ndim > 1:
        x = x.sum(axis=-2)
    return x


def pool_geometry(x, window, stride, pad, rounding, op):
    """Check a pooling's images and settings; return (window, stride, pad, (OH, OW)), all pairs."""
    check_image(x, op)
    window = pair(window, f"{op} window")
    stride = window if stride is None else pair(stride, f"{op} stride")
    pad = pair(pad, f"{op} pad")
    if pad[0] >= window[0] or pad[1] >= window[1]:
        raise ValueError(f"{op}: padding must be less than the window, or a window would lie "
                         f"entirely in it; got window {window} and padding {pad}")
    out = tuple(output_size(x.shape[1 + a], window[a], stride[a], pad[a], 1, rounding, op)
                for a in (0, 1))
    return window, stride, pad, out


def overhang(x_shape, window, stride, pad, out):
    """The (bottom, right) padding that makes room for every window, including the last ones."""
    reach = [stride[a] * (out[a] - 1) + window[a] - pad[a] - x_shape[1 + a] for a in (0, 1)]
    return max(0, reach[0]), max(0, reach[1])


def extent(x_shape, window, stride, pad, out):
    """The height and width of the padded image, with room for every window."""
    after = overhang(x_shape, window, stride, pad, out)
    return tuple(pad[a] + x_shape[1 + a] + after[a] for a in (0, 1))
