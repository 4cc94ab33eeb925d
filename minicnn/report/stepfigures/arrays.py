"""Checks of the arrays that a reader gives to a step figure, and what they become: float64."""

import numpy as np

MOST, PLANES, KERNEL = 12, 8, 7  # samples along a side; channels, kernels; a kernel's side


def finite(array, what):
    """`array` in float64.

    Raises
    ------
    ValueError
        It holds no numbers, or some that are not finite.
    """
    try:
        array = np.array(array, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{what}: expected an array of numbers, got {type(array).__name__}: "
                         f"{error}") from None
    if array.size == 0 or not np.isfinite(array).all():
        raise ValueError(f"{what}: expected finite numbers, got "
                         f"{'none' if array.size == 0 else 'some that are not (NaN, infinity)'}")
    return array


def image(array, what, channels=True):
    """An image (H, W), (H, W, C) or (1, H, W, C) as (H, W, C), or as (H, W) without `channels`.

    Raises
    ------
    ValueError
        Another shape, more than 12 x 12 samples or 8 channels.
    """
    array = finite(array, what)
    shape = array.shape
    if array.ndim == 4 and shape[0] == 1:
        array = array[0]  # N,H,W,C -> H,W,C
    if array.ndim == 2:
        array = array[..., None]  # H,W -> H,W,C
    if array.ndim != 3 or not channels and array.shape[2] != 1:
        wanted = "(H, W) or (H, W, C)" if channels else "(H, W)"
        raise ValueError(f"{what}: expected {wanted} of one image, got {shape}; x[n] is image n of "
                         "a batch, x[..., c] one channel")
    few(array.shape[0], MOST, what, "rows", "x[:12, :12]")
    few(array.shape[1], MOST, what, "columns", "x[:12, :12]")
    few(array.shape[2], PLANES, what, "channels", "x[..., :8]")
    return array if channels else array[..., 0]


def kernels(array, channels, what):
    """Kernels (KH, KW), (KH, KW, C) or (KH, KW, C, O) as (KH, KW, C, O).

    Raises
    ------
    ValueError
        Another shape, other channels than the image's, more than 7 x 7 weights or 8 kernels.
    """
    array = finite(array, what)
    shape = array.shape
    if array.ndim in (2, 3):
        array = array.reshape(*shape, *[1] * (4 - array.ndim))  # KH,KW -> KH,KW,C,O
    if array.ndim != 4 or array.shape[2] != channels:
        raise ValueError(f"{what}: expected (KH, KW, C, O) with C = {channels}, as many channels "
                         f"as x, got {shape}; a figure shows no groups")
    few(max(array.shape[:2]), KERNEL, what, "rows or columns", "a smaller kernel")
    few(array.shape[3], PLANES, what, "kernels", "w[..., :8]")
    return array


def gradient(dy, shape, what):
    """dy in the shape of the output, (OH, OW, O) or (OH, OW); ones if it is None.

    Raises
    ------
    ValueError
        Another shape.
    """
    if dy is None:
        return np.ones(shape)
    dy = finite(dy, what)
    if dy.size != np.prod(shape) or dy.shape not in (shape, (1, *shape), shape[:2], (
            1, *shape, 1)):
        raise ValueError(f"{what}: expected the shape of the output, {shape}, got {dy.shape}")
    return dy.reshape(shape)


def pair(value, what):
    """An integer setting for height and width, as a pair of int.

    Raises
    ------
    ValueError
        Neither an integer nor a pair of them.
    """
    both = value if isinstance(value, (tuple, list)) else (value, value)
    if len(both) != 2 or not all(hasattr(one, "__index__") for one in both):
        raise ValueError(f"{what}: expected an integer, or a pair (vertical, horizontal), got "
                         f"{value!r}")
    return tuple(map(int, both))


def named(both):
    """A pair as the page has it: one number if both are the same, else "1x2"."""
    return both[0] if both[0] == both[1] else "x".join(map(str, both))


def few(count, most, what, things, remedy):
    """Raise ValueError if there are too many to be read on a page."""
    if count > most:
        raise ValueError(f"{what}: a step figure shows at most {most} {things}, got {count}; give "
                         f"a part, as {remedy}")
