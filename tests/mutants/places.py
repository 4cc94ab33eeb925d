"""Bugs of resizing, concatenation and addition, which move values about."""

import numpy as np

from minicnn.ops import add, concat, resize
from mutants.mutant import Mutant


def resize_with(centre, reach=1.0):
    """Resizing with the old place of new sample p given by centre(p, old, new)."""

    def matrix(x, old, new):
        at = np.clip(centre(np.arange(new), old, new), 0, old - 1)
        weights = np.maximum(1 - np.abs(at[:, None] - np.arange(old)) / reach, 0)
        return (weights / weights.sum(axis=1, keepdims=True)).astype(x.real.dtype)

    def forward(x, size):
        rows, columns = (matrix(x, x.shape[1 + a], size[a]) for a in (0, 1))
        y = np.einsum("ph,nhwc,qw->npqc", rows, x, columns)
        return y, resize.ResizeCache(rows, columns)

    return forward


def aligned_corners(p, old, new):
    return p * (old - 1) / (new - 1) if new > 1 else 0.0 * p


def no_half_pixel(p, old, new):
    return p * old / new


def half_pixel(p, old, new):
    return (p + 0.5) * old / new - 0.5


def nearest(p, old, new):
    return np.round(half_pixel(p, old, new))


def resized_back(dy, cache):
    """Resizing dy to the old size is not the adjoint."""
    return resize.forward(dy, (cache.rows.shape[1], cache.columns.shape[1]))[0]


def aligned_adjoint(dy, cache):
    """The adjoint of another resizing than the forward pass did."""
    x = np.zeros((1, cache.rows.shape[1], cache.columns.shape[1], 1), dy.dtype)
    wrong = resize_with(aligned_corners)(x, (len(cache.rows), len(cache.columns)))[1]
    return resize.backward(dy, wrong)


def averaged_back(dy, cache):
    """Each old pixel receives the mean, not the sum, of what it gave to."""
    total = cache.rows.sum(axis=0)[:, None, None] * cache.columns.sum(axis=0)[:, None]
    return resize.backward(dy, cache) / np.where(total > 0, total, 1)


def size_swapped(x, size):
    return resize.forward(x, size[::-1])


def cut(dy, sizes, axis):
    return np.split(dy, np.cumsum(sizes)[:-1], axis=axis)


def copies(pieces):
    return [piece.copy() for piece in pieces]


def order_swapped(dy, cache):
    return copies(cut(dy, cache.sizes[::-1], cache.axis))[::-1]


def views_of_dy(dy, cache):
    return cut(dy, cache.sizes, cache.axis)


def cut_evenly(dy, cache):
    return copies(np.array_split(dy, len(cache.sizes), axis=cache.axis))


def off_by_one(dy, cache):
    sizes = list(cache.sizes)
    starts = np.maximum(np.cumsum([0, *sizes[:-1]]) - 1, 0)
    return [np.take(dy, range(start, start + size), axis=cache.axis)
            for start, size in zip(starts, sizes, strict=True)]


def last_axis_only(parts, axis=-1):
    return concat.forward(parts, -1)


def parts_reversed(parts, axis=-1):
    y, cache = concat.forward(parts[::-1], axis)
    return y, cache


def parts_reversed_backward(dy, cache):
    return concat.backward(dy, cache)[::-1]


def one_part_itself(parts, axis=-1):
    y, cache = concat.forward(parts, axis)
    return (parts[0] if len(parts) == 1 else y), cache


def added_into_the_first(parts):
    y, cache = add.forward(parts)
    parts[0][:] = y
    return parts[0], cache


def shared(dy, cache):
    """Halves, as if the sum were a mean."""
    return [dy / cache for _ in range(cache)]


def to_the_first(dy, cache):
    return [dy.copy(), *[np.zeros_like(dy) for _ in range(cache - 1)]]


def the_same_array(dy, cache):
    return [dy] * cache


FORWARD, BACKWARD = resize.forward, resize.backward
MUTANTS = [
    Mutant("corners aligned, both ways alike", "resize", resize_with(aligned_corners), BACKWARD),
    Mutant("no half pixel, both ways alike", "resize", resize_with(no_half_pixel), BACKWARD),
    Mutant("nearest pixel, both ways alike", "resize", resize_with(nearest), BACKWARD),
    Mutant("too wide a blend, both ways alike", "resize", resize_with(half_pixel, 1.5), BACKWARD),
    Mutant("dy resized back", "resize", FORWARD, resized_back),
    Mutant("adjoint of aligned corners", "resize", FORWARD, aligned_adjoint),
    Mutant("averaged on the way back", "resize", FORWARD, averaged_back),
    Mutant("height and width swapped", "resize", size_swapped, BACKWARD),
    Mutant("pieces in the wrong order", "concat", concat.forward, order_swapped),
    Mutant("pieces are views of dy", "concat", concat.forward, views_of_dy),
    Mutant("cut into equal pieces", "concat", concat.forward, cut_evenly),
    Mutant("pieces off by one", "concat", concat.forward, off_by_one),
    Mutant("axis ignored", "concat", last_axis_only, concat.backward),
    Mutant("parts reversed, both ways alike", "concat", parts_reversed, parts_reversed_backward),
    Mutant("added into the first part", "add", added_into_the_first, add.backward),
    Mutant("dy shared out", "add", add.forward, shared),
    Mutant("dy to the first part only", "add", add.forward, to_the_first),
    Mutant("dy itself to every part", "add", add.forward, the_same_array),
    Mutant("a single part returned itself", "concat", one_part_itself, concat.backward),
]
