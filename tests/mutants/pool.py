"""Bugs of max pooling and unpooling."""

import numpy as np

from minicnn.ops import pool
from mutants.mutant import Mutant


def both(value):
    return value if isinstance(value, tuple) else (value, value)


def pad_with_zeros(x, window, stride=None, pad=0, rounding="floor"):
    """Zeros around the image win against negative numbers."""
    ph, pw = both(pad)
    padded = np.pad(x, ((0, 0), (ph, ph), (pw, pw), (0, 0)))
    y, cache = pool.forward(padded, window, stride, 0, rounding)
    return y, cache._replace(x_shape=x.shape, pad=(ph, pw))


def pad_ignored_in_size(x, window, stride=None, pad=0, rounding="floor"):
    y, cache = pool.forward(x, window, stride, pad, rounding)
    oh, ow = ((x.shape[1 + a] - cache.window[a]) // cache.stride[a] + 1 for a in (0, 1))
    return y[:, :oh, :ow].copy(), cache._replace(switches=cache.switches[:, :oh, :ow])


def wrong_axes(x, window, stride=None, pad=0, rounding="floor"):
    """Tiles cut the wrong way: the shape is right and every window holds the wrong pixels."""
    y, cache = pool.forward(x, window, stride, pad, rounding)
    (n, h, w, c), (kh, kw) = x.shape, cache.window
    if cache.stride != cache.window or any(cache.pad) or h % kh or w % kw:
        return y, cache
    tiles = x.reshape(n, kh, h // kh, kw, w // kw, c)  # N,H,W,C -> N,KH,OH,KW,OW,C
    return tiles.max(axis=(1, 3)), cache


def with_options(**change):
    """Some setting ignored or misread."""

    def forward(x, window, stride=None, pad=0, rounding="floor"):
        options = {"window": window, "stride": stride, "pad": pad, "rounding": rounding}
        return pool.forward(x, **(options | {name: f(options) for name, f in change.items()}))

    return forward


def swapped(name):
    return with_options(**{name: lambda options: both(options[name])[::-1]})


def no_window_dropped(x, window, stride=None, pad=0, rounding="floor"):
    """Ceil keeps a last window that holds no pixel at all."""
    y, cache = pool.forward(x, window, stride, pad, rounding)
    room = [x.shape[1 + a] + 2 * cache.pad[a] - cache.window[a] for a in (0, 1)]
    out = [-(-room[a] // cache.stride[a]) + 1 for a in (0, 1)]
    if rounding == "floor" or tuple(out) == y.shape[1:3]:
        return y, cache
    more = ((0, 0), (0, out[0] - y.shape[1]), (0, out[1] - y.shape[2]), (0, 0))
    y = np.pad(y, more, constant_values=-np.inf)
    return y, cache._replace(switches=np.pad(cache.switches, more))


def last_maximum(x, window, stride=None, pad=0, rounding="floor"):
    """>= where > belongs: ties go to the last maximum."""
    y, cache = pool.forward(x, window, stride, pad, rounding)
    last = cache.switches.copy()
    for place, _, seen in looks(x, cache):
        last[seen == y] = place
    return y, cache._replace(switches=last)


def looks(x, cache):
    """(place, pixel under it or None, values there) for every place of the window."""
    (sh, sw), (ph, pw), (oh, ow) = cache.stride, cache.pad, cache.switches.shape[1:3]
    around = ((0, 0), (ph, ph + cache.window[0] + sh), (pw, pw + cache.window[1] + sw), (0, 0))
    padded = np.pad(x, around, constant_values=-np.inf)
    for place, (i, j) in enumerate(np.ndindex(cache.window)):
        where = (slice(None), slice(i, i + sh * oh, sh), slice(j, j + sw * ow, sw))
        yield place, where, padded[where]


def keep_x(x, *args, **options):
    y, cache = pool.forward(x, *args, **options)
    return y, Kept(x, y, cache)


class Kept(tuple):
    """A cache that also remembers x and y."""

    def __new__(cls, x, y, cache):
        kept = super().__new__(cls, (x, y, cache))
        kept.switches = cache.switches
        return kept


def every_maximum(share):
    """dy to every maximum of the window; with `share`, divided among them."""

    def backward(dy, kept):
        x, y, cache = kept
        n, *sides, c = x.shape
        room = [sides[a] + cache.window[a] + cache.stride[a] + 2 * cache.pad[a] for a in (0, 1)]
        dx = np.zeros((n, *room, c), dy.dtype)
        ties = sum((seen == y).astype(dy.dtype) for _, _, seen in looks(x, cache))
        for _, where, seen in looks(x, cache):
            dx[where] += dy * (seen == y) / (ties if share else 1)
        (ph, pw), (h, w) = cache.pad, sides
        return dx[:, ph : ph + h, pw : pw + w].copy()

    return backward


def placed(dy, cache, add=np.add, decode=divmod):
    """Unpooling value by value, with places to go wrong."""
    n, h, w, c = cache.x_shape
    padded = np.zeros((n, h + 4 * cache.window[0] + cache.stride[0],
                       w + 4 * cache.window[1] + cache.stride[1], c), dy.dtype)
    for at in np.ndindex(dy.shape):
        i, j = decode(int(cache.switches[at]), cache.window[1])
        pixel = at[0], at[1] * cache.stride[0] + i, at[2] * cache.stride[1] + j, at[3]
        padded[pixel] = add(padded[pixel], dy[at])
    return padded[:, cache.pad[0] : cache.pad[0] + h, cache.pad[1] : cache.pad[1] + w].copy()


def assigned(dy, cache):
    return placed(dy, cache, add=lambda old, new: new)


def column_major(dy, cache):
    return placed(dy, cache, decode=lambda place, kw: divmod(place, kw)[::-1])


def with_switches(change):
    """pool.backward with other switches."""
    return lambda dy, cache: pool.backward(dy, cache._replace(switches=change(cache.switches)))


def unpadded(dy, cache):
    """Indices of the padded image used in the unpadded one."""
    return pool.backward(dy, cache._replace(pad=(0, 0)))


def spread_evenly(dy, cache):
    """The gradient of average pooling."""
    area = cache.window[0] * cache.window[1]
    parts = [cache._replace(switches=np.full_like(cache.switches, k)) for k in range(area)]
    return sum(pool.backward(dy, part) for part in parts) / dy.dtype.type(area)


def dy_itself(dy, cache):
    return dy if cache.window == (1, 1) else pool.backward(dy, cache)


def bytes_only(x, *args, **options):
    y, cache = pool.forward(x, *args, **options)
    return y, cache._replace(switches=cache.switches.astype(np.uint8))


def unpool_assigned(p, switches, x_shape, window, stride, pad):
    return assigned(p, pool.PoolCache(switches, x_shape, window, stride, pad))


def unpool_corner(p, switches, x_shape, window, stride, pad):
    """No switches: every value to the first corner of its window."""
    return pool.unpool(p, np.zeros_like(switches), x_shape, window, stride, pad)


def unpool_unpadded(p, switches, x_shape, window, stride, pad):
    return pool.unpool(p, switches, x_shape, window, stride, (0, 0))


FORWARD, BACKWARD = pool.forward, pool.backward
MUTANTS = [
    Mutant("padded with zeros", "pool", pad_with_zeros, BACKWARD,
           "DeZero functions_conv.py, deep-learning-from-scratch, numpy-ml"),
    Mutant("gradient placed in the unpadded image", "pool", FORWARD, unpadded,
           "numpy-ml layers.py Pool2D.backward"),
    Mutant("output size ignores the padding", "pool", pad_ignored_in_size, BACKWARD,
           "deep-learning-from-scratch common/layers.py Pooling"),
    Mutant("gradient assigned, not added", "pool", FORWARD, assigned,
           "0809zheng/CS231n-assignment2019 issue 19"),
    Mutant("ties to every maximum", "pool", keep_x, every_maximum(share=False),
           "cs231n fast_layers.py, Theano issue 5248, CrypTen PR 90"),
    Mutant("ties shared among the maxima", "pool", keep_x, every_maximum(share=True)),
    Mutant("ties to the last maximum", "pool", last_maximum, BACKWARD),
    Mutant("the wrong axes pooled, shapes right", "pool", wrong_axes, BACKWARD,
           "HIPS/autograd PR 245"),
    Mutant("switches of the window above", "pool", FORWARD,
           with_switches(lambda s: np.roll(s, 1, axis=1))),
    Mutant("switches of the window to the left", "pool", FORWARD,
           with_switches(lambda s: np.roll(s, 1, axis=2))),
    Mutant("switches of the first channel for all", "pool", FORWARD,
           with_switches(lambda s: np.repeat(s[..., :1], s.shape[3], axis=3))),
    Mutant("switches of the first image for all", "pool", FORWARD,
           with_switches(lambda s: np.repeat(s[:1], len(s), axis=0))),
    Mutant("switches read column by column", "pool", FORWARD, column_major),
    Mutant("switches kept in bytes, whatever the window", "pool", bytes_only, BACKWARD),
    Mutant("no overhang: ceil taken for floor", "pool", with_options(rounding=lambda o: "floor"),
           BACKWARD, "xxradon/PytorchToCaffe issue 4, hahnyuan/nn_tools issue 5"),
    Mutant("always an overhang: floor taken for ceil", "pool",
           with_options(rounding=lambda o: "ceil"), BACKWARD),
    Mutant("ceil keeps a window outside the image", "pool", no_window_dropped, BACKWARD),
    Mutant("stride ignored", "pool", with_options(stride=lambda o: None), BACKWARD),
    Mutant("stride pair swapped", "pool", swapped("stride"), BACKWARD),
    Mutant("padding pair swapped", "pool", swapped("pad"), BACKWARD),
    Mutant("window pair swapped", "pool", swapped("window"), BACKWARD),
    Mutant("gradient spread evenly over the window", "pool", FORWARD, spread_evenly),
    Mutant("dx is dy itself for a window of one pixel", "pool", FORWARD, dy_itself),
    Mutant("overlapping values overwrite each other", "unpool", unpool_assigned, None),
    Mutant("no switches, all to the corner", "unpool", unpool_corner, None,
           "infocusp/tf_cnnvis issue 47, tdeboissiere/DeepLearningImplementations issue 90"),
    Mutant("placed in the unpadded image", "unpool", unpool_unpadded, None),
]
