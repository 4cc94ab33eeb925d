"""The fast convolution chooses a way, and by each is the page."""

import checks
import numpy as np
import pytest
import twins
from checks import normal, refuses

from minicnn.fast import conv, depthwise, tiles, winograd
from minicnn.gradcheck.judge import matrix
from minicnn.ops import conv as page

HOW = ("stride", "pad", "groups", "dilation")


@pytest.mark.parametrize("case", matrix.CONV, ids=str)
def test_conv(case):
    checks.conv(conv.forward, conv.backward, [case])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("case", matrix.CONV, ids=str)
def test_it_is_the_page(case, dtype):
    twins.same_as_page(conv, page, matrix.conv_inputs(case).values(), dtype,
                       **matrix.settings(case, *HOW))


# x, w, settings, and what computes it: one of a kind that the networks have
WAYS = {
    "3x3, many channels": ((2, 24, 20, 16), (3, 3, 16, 32), {"pad": 1}, winograd),
    "5x5, many channels": ((2, 14, 14, 32), (5, 5, 32, 128), {"pad": 2}, winograd),
    "5x5, less work": ((1, 7, 7, 16), (5, 5, 16, 32), {"pad": 2}, tiles),
    "3x3 in two groups": ((1, 13, 13, 32), (3, 3, 16, 64), {"pad": 1, "groups": 2}, winograd),
    "3x3 dilated": ((1, 13, 13, 32), (3, 3, 32, 64), {"pad": 2, "dilation": 2}, tiles),
    "3x3 of stride 2": ((1, 13, 13, 32), (3, 3, 32, 64), {"stride": 2}, tiles),
    "ResNeXt's groups": ((1, 8, 9, 32), (3, 3, 4, 32), {"pad": 1, "groups": 8}, tiles),
    "MobileNet's": ((1, 14, 14, 32), (3, 3, 1, 32), {"pad": 1, "groups": 32}, depthwise),
    "MobileNet's of stride 2": ((2, 14, 15, 32), (3, 3, 1, 32), {"pad": 1, "groups": 32,
                                                                 "stride": 2}, depthwise),
}


@pytest.mark.parametrize("name", WAYS)
def test_each_way_is_taken_and_is_the_page(name, monkeypatch):
    x_shape, w_shape, how, way = WAYS[name]
    x, w = normal(*x_shape), normal(*w_shape, seed=2) / np.sqrt(np.prod(w_shape[:3]))
    taken = []
    for one, name in ((winograd, "convolved"), (depthwise, "forward"), (tiles, "forward")):
        real = getattr(one, name)
        monkeypatch.setattr(one, name, lambda *a, one=one, real=real: taken.append(one) or real(*a))
    twins.same_as_page(conv, page, (x, w, normal(w_shape[3])), np.float32, **how)
    assert taken == [way]
    arrays = [a.astype(np.float32) for a in (x, w)]
    twins.same_for_any_number_of_threads(conv, arrays, **how)
    twins.same_in_any_batch(conv, np.concatenate([arrays[0]] * 3), arrays[1], **how)


@pytest.mark.parametrize("name", WAYS)
def test_dx_needs_no_input(name):
    """Whichever way it was: a network drops x from the cache where no weights learn."""
    x_shape, w_shape, how, _ = WAYS[name]
    y, cache = conv.forward(normal(*x_shape).astype(np.float32),
                            normal(*w_shape).astype(np.float32), **how)
    dx = conv.backward(y, cache).dx
    cache = cache._replace(x=None)
    np.testing.assert_array_equal(conv.backward(y, cache, need=("x",)).dx, dx)
    refuses(["conv.backward", "input x"], conv.backward, y, cache)
    refuses(["conv.backward", str(y.shape)], conv.backward, y[:, :-1], cache)


@pytest.mark.parametrize("name", WAYS)
def test_need_computes_nothing_else(name):
    x_shape, w_shape, how, _ = WAYS[name]
    y, cache = conv.forward(*(normal(*shape).astype(np.float32)
                              for shape in (x_shape, w_shape, w_shape[3:])), **how)
    everything = conv.backward(y, cache)
    for need in ("x", "w", "b"):
        only = conv.backward(y, cache, need=(need,))
        assert [field for field in only._fields if getattr(only, field) is not None] == [f"d{need}"]
        np.testing.assert_array_equal(getattr(only, f"d{need}"), getattr(everything, f"d{need}"))


def test_it_refuses_what_the_page_refuses():
    x, w = normal(1, 5, 6, 4), normal(3, 3, 4, 2)
    refuses(["conv.forward", "(KH, KW, C/groups, O)", "(3, 3, 4)"], conv.forward, x, w[..., 0])
    refuses(["conv.forward", "(N, H, W, C)", "(5, 6, 4)"], conv.forward, x[0], w)
    refuses(["conv.forward", "groups=3"], conv.forward, x, w, groups=3)


MISTAKES = {
    "Winograd for every convolution": ('algorithm != "direct"', "True"),
    "Winograd whatever the stride": ("choose(x, w, stride,", "choose(x, w, 1,"),
    "Winograd whatever the dilation": ("groups, dilation)\n    if", "groups)\n    if"),
    "depthwise where it does not suit": ("(depthwise if depthwise.suits(cache) else tiles).forward",
                                         "depthwise.forward"),
    "depthwise on the way back of all": ("    way = depthwise if depthwise.suits(cache) else tiles",
                                         "    way = depthwise"),
    "settings lost on the way to Winograd": ("winograd.convolved(cache, b",
                                             "winograd.convolved(cache._replace(pad=(0, 0)), b"),
    "no bias by Winograd": ("winograd.convolved(cache, b", "winograd.convolved(cache, None"),
    "always a db": ('"b" in need and cache.has_bias', '"b" in need'),
    "a db nobody needs": ('"b" in need and cache.has_bias', "cache.has_bias"),
    "a dx nobody needs": (' if "x" in need else None', ""),
    "a dw nobody needs": (' if "w" in need else None', ""),
    "all gradients after Winograd": ("winograd.backward(dy, cache, need)",
                                     "winograd.backward(dy, cache)"),
}


def is_the_page(module):
    """By every way, with a bias and without, for every need."""
    for x_shape, w_shape, how, _ in WAYS.values():
        w = normal(*w_shape, seed=2) / np.sqrt(np.prod(w_shape[:3]))
        for bias in ([normal(w_shape[3])], []):
            twins.same_as_page(module, page, [normal(*x_shape), w, *bias], np.float32,
                               rules=twins.NEEDS, **how)


@pytest.mark.thorough
@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_caught(name):
    twins.is_caught(is_the_page, conv, MISTAKES[name])
