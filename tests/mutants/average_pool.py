"""Bugs of the average poolings."""

import numpy as np

from minicnn.ops import average_pool, global_average_pool
from mutants.mutant import Mutant

OTHER = {"padding": "image", "image": "padding"}


def whole_window(x, *args, border="padding", **options):
    """Divided by KH*KW even where the window sticks out of the padding."""
    y, cache = average_pool.forward(x, *args, border=border, **options)
    if border == "image":
        return y, cache
    area = np.full_like(cache.area, cache.window[0] * cache.window[1])
    return y * (cache.area / area), cache._replace(area=area)


def other_border(x, *args, border="padding", **options):
    return average_pool.forward(x, *args, border=OTHER[border], **options)


def floor_only(x, *args, rounding="floor", **options):
    return average_pool.forward(x, *args, **options)


def with_area(change):
    """The backward pass divides by something else than the forward pass."""
    return lambda dy, cache: average_pool.backward(dy, cache._replace(area=change(cache)))


def full(cache):
    return np.full_like(cache.area, cache.window[0] * cache.window[1])


def assigned(dy, cache):
    """Where windows overlap, the last one wins."""
    n, h, w, c = cache.x_shape
    (kh, kw), (sh, sw), (ph, pw) = cache.window, cache.stride, cache.pad
    dx = np.zeros((n, h + 2 * kh, w + 2 * kw, c), dy.dtype)
    share = dy / cache.area
    for u, v in np.ndindex(dy.shape[1:3]):
        dx[:, u * sh : u * sh + kh, v * sw : v * sw + kw] = share[:, u : u + 1, v : v + 1]
    return dx[:, ph : ph + h, pw : pw + w].copy()


def unpadded(dy, cache):
    return average_pool.backward(dy, cache._replace(pad=(0, 0)))


def mean_of_rows(x):
    y, cache = global_average_pool.forward(x)
    return y * x.shape[2], cache


def not_divided(dy, cache):
    n, h, w, c = cache.x_shape
    return np.repeat(np.repeat(dy[:, None, None, :], h, 1), w, 2)  # N,C -> N,H,W,C


def divided_by_everything(dy, cache):
    n, h, w, c = cache.x_shape
    return not_divided(dy, cache) / dy.dtype.type(n * h * w)


FORWARD, BACKWARD = average_pool.forward, average_pool.backward
GLOBAL = global_average_pool.forward
MUTANTS = [
    Mutant("overhang counted, both ways alike", "average_pool", whole_window, BACKWARD),
    Mutant("the other border rule, both ways alike", "average_pool", other_border, BACKWARD),
    Mutant("no overhang: ceil taken for floor", "average_pool", floor_only, BACKWARD),
    Mutant("not divided on the way back", "average_pool", FORWARD,
           with_area(lambda cache: np.ones_like(cache.area))),
    Mutant("border windows divided by KH*KW on the way back", "average_pool", FORWARD,
           with_area(full)),
    Mutant("gradient assigned, not added", "average_pool", FORWARD, assigned),
    Mutant("gradient placed in the unpadded image", "average_pool", FORWARD, unpadded),
    Mutant("divided by the height only", "global_average_pool", mean_of_rows,
           global_average_pool.backward),
    Mutant("not divided on the way back", "global_average_pool", GLOBAL, not_divided),
    Mutant("divided by the batch too", "global_average_pool", GLOBAL, divided_by_everything),
]
