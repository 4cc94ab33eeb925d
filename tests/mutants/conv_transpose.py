"""Bugs of a transposed convolution."""

import numpy as np

from minicnn.ops import conv, conv_transpose
from mutants.mutant import Mutant


def with_kernels(change):
    """Other kernels on the way there than on the way back."""
    def forward(x, w, b=None, **options):
        y, cache = conv_transpose.forward(x, np.ascontiguousarray(change(w)), b, **options)
        return y, cache._replace(along=cache.along._replace(w=w))

    return forward


def size_ignored(x, w, b=None, *, size, **options):
    return conv_transpose.forward(x, w, b, **options)


def shifted(x, w, b=None, **options):
    """The padding is cut off on one side only."""
    y, cache = conv_transpose.forward(x, w, b, **options)
    return np.roll(y, 1, axis=1) if any(cache.along.pad) else y, cache


def bias_at_every_product(x, w, b=None, **options):
    y, cache = conv_transpose.forward(x, w, b, **options)
    return (y if b is None else y + (w.shape[0] * w.shape[1] - 1) * b), cache


def changed(**changes):
    """conv_transpose.backward with some gradients replaced by functions of (dy, cache)."""
    def backward(dy, cache):
        right = conv_transpose.backward(dy, cache)
        return right._replace(**{name: f(right, dy, cache) for name, f in changes.items()})

    return backward


def turned_again(right, dy, cache):
    """The kernel turned by half a turn, as if dx were a transposed convolution, too."""
    along = cache.along
    return conv.forward(dy, along.w[::-1, ::-1], None, along.stride, along.pad, along.groups,
                        along.dilation)[0]


def images_exchanged(right, dy, cache):
    """dw as of the convolution, with its input where dy belongs; only where the shapes allow it."""
    if dy.shape != cache.x.shape:
        return right.dw
    return conv.backward(dy, cache.along._replace(x=cache.x), ("w",)).dw


FORWARD, BACKWARD = conv_transpose.forward, conv_transpose.backward
MUTANTS = [
    Mutant("kernel turned", "conv_transpose", with_kernels(lambda w: w[::-1, ::-1]), BACKWARD),
    Mutant("size ignored", "conv_transpose", size_ignored, BACKWARD),
    Mutant("padding cut off on one side", "conv_transpose", shifted, BACKWARD),
    Mutant("bias at every product", "conv_transpose", bias_at_every_product, BACKWARD),
    Mutant("dx with the kernel turned again", "conv_transpose", FORWARD, changed(dx=turned_again)),
    Mutant("dw with the images exchanged", "conv_transpose", FORWARD,
           changed(dw=images_exchanged)),
    Mutant("db of the output's channels", "conv_transpose", FORWARD, changed(
        db=lambda right, dy, cache: None if right.db is None else cache.x.sum(axis=(0, 1, 2)))),
]
