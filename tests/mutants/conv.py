"""Bugs of a convolution."""

import numpy as np

from minicnn.ops import conv
from mutants.mutant import Mutant


def changed(**changes):
    """conv.backward with some gradients replaced by functions of (gradients, dy, cache)."""

    def backward(dy, cache):
        right = conv.backward(dy, cache)
        return right._replace(**{name: f(right, dy, cache) for name, f in changes.items()})

    return backward


def taps_back(dy, cache, offset=lambda i, dilation: i * dilation, add=np.add, turn=1):
    """dx one tap of the kernel at a time, with places to go wrong; one group."""
    n, h, w, c = cache.x_shape
    (ph, pw), (sh, sw), (dh, dw) = cache.pad, cache.stride, cache.dilation
    oh, ow = dy.shape[1:3]
    padded = np.zeros((n, h + 2 * ph + sh, w + 2 * pw + sw, c), dy.dtype)
    for i, j in np.ndindex(cache.w.shape[:2]):
        top, left = offset(i, dh), offset(j, dw)
        part = padded[:, top : top + sh * oh : sh, left : left + sw * ow : sw]
        part[...] = add(part, dy @ cache.w[::turn, ::turn][i, j].T)  # (N,OH,OW,O) @ (O,C)
    return padded[:, ph : ph + h, pw : pw + w].copy()


def with_taps(**mistake):
    """dx by taps where there is one group (else the right one)."""
    return changed(dx=lambda right, dy, cache:
                   taps_back(dy, cache, **mistake) if cache.groups == 1 else right.dx)


def flipped_forward(x, w, b=None, **options):
    return conv.forward(x, w[::-1, ::-1], b, **options)


def flipped_backward(dy, cache):
    """Agrees with flipped_forward: only an outside opinion can tell."""
    right = conv.backward(dy, cache)
    return right._replace(dw=right.dw[::-1, ::-1].copy())


def both(value):
    return value if isinstance(value, tuple) else (value, value)


def pad_before_only(x, w, b=None, *, pad=0, **options):
    ph, pw = both(pad)
    y, cache = conv.forward(np.pad(x, ((0, 0), (2 * ph, 0), (2 * pw, 0), (0, 0))), w, b, **options)
    return y, (cache, ph, pw)


def pad_before_only_backward(dy, cache):
    right = conv.backward(dy, cache[0])
    return right._replace(dx=right.dx[:, 2 * cache[1] :, 2 * cache[2] :].copy())


def edge_padding(x, w, b=None, *, pad=0, **options):
    ph, pw = both(pad)
    padded = np.pad(x, ((0, 0), (ph, ph), (pw, pw), (0, 0)), "edge")
    y, cache = conv.forward(padded, w, b, **options)
    return y, cache._replace(x=x, x_shape=x.shape, pad=(ph, pw))


def swapped(name):
    """A pair (vertical, horizontal) read the other way round."""

    def forward(x, w, b=None, **options):
        return conv.forward(x, w, b, **(options | {name: both(options[name])[::-1]}))

    return forward


def groups_crossed(x, w, b=None, *, groups=1, **options):
    parts = np.split(x, groups, axis=-1)
    return conv.forward(np.concatenate(parts[::-1], axis=-1), w, b, groups=groups, **options)


def groups_crossed_backward(dy, cache):
    right = conv.backward(dy, cache)
    parts = np.split(right.dx, cache.groups, axis=-1)
    return right._replace(dx=np.concatenate(parts[::-1], axis=-1))


def groups_dealt_out(x, w, b=None, *, groups=1, **options):
    """Output o sees group o % G, not the o-th of G equal runs."""
    order = np.arange(w.shape[3]).reshape(-1, groups).T.ravel()  # O -> G*(O/G)
    y, cache = conv.forward(x, w[..., order], None, groups=groups, **options)
    y[..., order] = y.copy()
    return (y if b is None else y + b), cache


def float64_columns(x, w, b=None, **options):
    y, cache = conv.forward(x, w, b, **options)
    return y + np.zeros(y.shape), cache


def bias_once_a_group(x, w, b=None, *, groups=1, **options):
    y, cache = conv.forward(x, w, b, groups=groups, **options)
    return (y if b is None else y + (groups - 1) * b), cache


def rectifies_x(x, w, b=None, **options):
    np.maximum(x.real, 0, out=x.real)
    return conv.forward(x, w, b, **options)


def crop_with_minus_pad(right, dy, cache):
    """padded[:, p:-p] is empty where p is 0."""
    ph, pw = cache.pad
    padded = np.pad(right.dx, ((0, 0), (ph, ph), (pw, pw), (0, 0)))
    return padded[:, ph:-ph, pw:-pw]


def seen_part_only(right, dy, cache):
    """dx as large as the windows reach, without the rows that the stride left over."""
    spans = [cache.dilation[a] * (cache.w.shape[a] - 1) + 1 for a in (0, 1)]
    reach = [cache.stride[a] * (dy.shape[1 + a] - 1) + spans[a] for a in (0, 1)]
    return right.dx[:, : reach[0] - cache.pad[0], : reach[1] - cache.pad[1]].copy()


def channels_not_transposed(right, dy, cache):
    """W where W^T belongs: the shapes agree when C = O."""
    if cache.w.shape[2] != cache.w.shape[3]:
        return right.dx
    turned = cache._replace(w=cache.w.transpose(0, 1, 3, 2))  # KH,KW,C,O -> KH,KW,O,C
    return conv.backward(dy, turned, need=("x",)).dx


def one_entry(right, dy, cache):
    dw = right.dw.copy()
    dw[-1, 0, 0, -1] *= 1 + 1e-6
    return dw


def last_image(right, dy, cache):
    """dw assigned in a loop over the images."""
    only = cache._replace(x=cache.x[-1:], x_shape=(1, *cache.x_shape[1:]))
    return conv.backward(dy[-1:], only, need=("w",)).dw


def input_mean_db(right, dy, cache):
    return None if right.db is None else dy.mean(axis=(0, 1, 2))


def db_over(axes):
    return lambda right, dy, cache: None if right.db is None else dy.sum(axis=axes)


FORWARD, BACKWARD = conv.forward, conv.backward
MUTANTS = [
    Mutant("kernel flipped, both ways alike", "conv", flipped_forward, flipped_backward),
    Mutant("kernel flipped on the way back", "conv", FORWARD, with_taps(turn=-1)),
    Mutant("columns assigned, not added", "conv", FORWARD, with_taps(add=lambda old, new: new)),
    Mutant("dilation forgotten on the way back", "conv", FORWARD,
           with_taps(offset=lambda i, dilation: i)),
    Mutant("taps off by one on the way back", "conv", FORWARD,
           with_taps(offset=lambda i, dilation: (i + 1) * dilation - dilation + (i > 0))),
    Mutant("all padding on one side", "conv", pad_before_only, pad_before_only_backward),
    Mutant("padding repeats the edge", "conv", edge_padding, BACKWARD),
    Mutant("padding cropped off by one", "conv", FORWARD, changed(
        dx=lambda right, dy, cache: np.roll(right.dx, 1, axis=1) if any(cache.pad) else right.dx)),
    Mutant("crop [p:-p] without padding", "conv", FORWARD, changed(dx=crop_with_minus_pad),
           "redwoodresearch/mlab PR 11"),
    Mutant("dx without the rows left over", "conv", FORWARD, changed(dx=seen_part_only)),
    Mutant("stride pair swapped", "conv", swapped("stride"), BACKWARD),
    Mutant("padding pair swapped", "conv", swapped("pad"), BACKWARD),
    Mutant("dilation pair swapped", "conv", swapped("dilation"), BACKWARD),
    Mutant("groups crossed, both ways alike", "conv", groups_crossed, groups_crossed_backward),
    Mutant("groups dealt out like cards", "conv", groups_dealt_out, BACKWARD),
    Mutant("groups of dw shifted", "conv", FORWARD, changed(
        dw=lambda right, dy, cache: np.roll(right.dw, cache.groups - 1, axis=3))),
    Mutant("dw of the last image only", "conv", FORWARD, changed(dw=last_image)),
    Mutant("dw for an upstream of ones", "conv", FORWARD, changed(
        dw=lambda right, dy, cache: conv.backward(np.ones_like(dy), cache).dw),
        "minitorch's grad_check, DeZero's tests: the upstream gradient is all ones"),
    Mutant("dw too small by 0.1 %", "conv", FORWARD, changed(
        dw=lambda right, dy, cache: right.dw * right.dw.dtype.type(0.999))),
    Mutant("one entry of dw off by a millionth", "conv", FORWARD, changed(dw=one_entry)),
    Mutant("channels in and out confused", "conv", FORWARD, changed(dx=channels_not_transposed)),
    Mutant("db summed over the wrong axes", "conv", FORWARD, changed(db=db_over((1, 2, 3)))),
    Mutant("db not summed over the images", "conv", FORWARD, changed(
        db=lambda right, dy, cache: None if right.db is None else dy[0].sum(axis=(0, 1)))),
    Mutant("db averaged", "conv", FORWARD, changed(db=input_mean_db)),
    Mutant("bias added once a group", "conv", bias_once_a_group, BACKWARD),
    Mutant("float32 in, float64 out", "conv", float64_columns, BACKWARD,
           "deep-learning-from-scratch common/util.py im2col"),
    Mutant("float64 gradients for float32", "conv", FORWARD, changed(
        dx=lambda right, dy, cache: right.dx + np.zeros(right.dx.shape)),
        "deep-learning-from-scratch common/util.py col2im"),
    Mutant("the input rectified in place", "conv", rectifies_x, BACKWARD),
]
