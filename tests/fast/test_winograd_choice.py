"""Which convolutions Winograd's algorithms are chosen for, and which they refuse."""

import numpy as np
import pytest
import twins
from checks import normal, refuses

from minicnn.fast import winograd

CHOICES = [
    (56, (64, 64), np.float32, {}, "winograd4"),
    (14, (64, 64), np.float32, {"pad": 1}, "winograd4"),
    (14, (512, 512), np.float32, {"pad": 1}, "winograd2"),
    (28, (512, 512), np.float32, {"pad": 1}, "winograd4"),
    (5, (64, 64), np.float32, {"pad": 1}, "winograd2"),
    (56, (15, 64), np.float32, {}, "direct"),
    (56, (64, 15), np.float32, {}, "direct"),
    (56, (16, 16), np.float32, {}, "winograd4"),
    (56, (64, 64), np.float64, {}, "direct"),
    (56, (64, 64), np.float32, {"kinds": (np.float32, np.float64)}, "direct"),
    (56, (64, 64), np.float32, {"kinds": (np.float64, np.float32)}, "direct"),
    (56, (64, 64), np.float32, {"stride": 2}, "direct"),
    (56, (64, 64), np.float32, {"dilation": 2}, "direct"),
    (56, (64, 64), np.float32, {"stride": 2, "dilation": 2}, "direct"),
    (56, (64, 64), np.float32, {"pad": 3}, "direct"),
    (56, (64, 64), np.float32, {"groups": 2}, "winograd4"),
    (56, (64, 64), np.float32, {"groups": 8}, "direct"),
    (28, (32, 96), np.float32, {"kernel": 5, "pad": 4}, "winograd2"),
    (28, (32, 96), np.float32, {"kernel": 5, "pad": 5}, "direct"),
    (28, (32, 96), np.float32, {"kernel": 7}, "direct"),
    (28, (32, 96), np.float32, {"kernel": (5, 3)}, "direct"),
    (14, (16, 32), np.float32, {"kernel": 5, "images": 50}, "direct"),  # one is not worth it
    (28, (64, 64), np.float32, {"kernel": 5}, "winograd2")]


@pytest.mark.parametrize("size, channels, dtype, settings, expected", CHOICES)
def test_choose(size, channels, dtype, settings, expected, winograd=winograd, xp=np):
    settings = dict(settings)
    c, o = channels
    kernel, images = settings.pop("kernel", 3), settings.pop("images", 1)
    kernel = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    of_x, of_w = settings.pop("kinds", (dtype, dtype))
    w = xp.zeros((*kernel, c // settings.get("groups", 1), o), of_w)
    assert winograd.choose(xp.zeros((images, size, size, c), of_x), w, **settings) == expected


MISTAKES = {
    "any kernel of 5 rows": ("kernel in ((3, 3), (5, 5))", "kernel[0] in (3, 5)"),
    "any stride": ("stride == dilation == 1 and pad in range(kernel",
                   "dilation == 1 and pad in range(kernel"),
    "any dilation": ("stride == dilation == 1 and pad in range(kernel",
                     "stride == 1 and pad in range(kernel"),
    "any stride that is the dilation": ("stride == dilation == 1 and pad in range(kernel",
                                        "stride == dilation and pad in range(kernel"),
    "any padding": (" and pad in range(kernel[0])", ""),
    "the padding of 5x5 kernels": ("pad in range(kernel[0])", "pad in range(5)"),
    "any kind of x": ("and x.dtype == w.dtype ==", "and w.dtype =="),
    "any kind of w": ("and x.dtype == w.dtype ==", "and x.dtype =="),
    "a GPU": ("isinstance(x, np.ndarray) and ", ""),
    "5x5 by 4x4 outputs": ('return "winograd2" if prod', 'return "winograd4" if prod'),
    "by the work of a batch": ("prod(x.shape[1:3])", "prod(x.shape[:3])"),
}


def chooses_what_can_be_done(module):
    for choice in CHOICES:
        test_choose(*choice, module)
    with twins.gpu() as xp:
        test_choose(56, (64, 64), np.float32, {}, "direct", module, xp)


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_caught(name):
    twins.is_caught(chooses_what_can_be_done, winograd, MISTAKES[name])


REFUSED = [
    (3, np.float32, {"algorithm": "fft"}, "algorithm must be one of winograd4, winograd2"),
    (5, np.float32, {}, "only for 3x3 kernels, or 5x5 with winograd2"),
    (7, np.float32, {"algorithm": "winograd2"}, "kernels (7, 7)"),
    (3, np.float32, {"stride": 2}, "stride 2"),
    (3, np.float32, {"dilation": 2}, "dilation 2"),
    (3, np.float32, {"stride": 2, "dilation": 2}, "stride 2, dilation 2"),
    (3, np.float32, {"pad": 3}, "pad 3"),
    (3, np.float64, {}, "only for float32")]


@pytest.mark.parametrize("kernel, dtype, settings, words", REFUSED)
def test_what_it_cannot_do_is_refused(kernel, dtype, settings, words, winograd=winograd):
    x, w = (normal(*shape).astype(dtype) for shape in ((1, 8, 8, 2), (kernel, kernel, 2, 3)))
    refuses(["winograd.forward: ", words], winograd.forward, x, w, **settings)


REFUSAL_MISTAKES = {
    "any algorithm": ("if algorithm not in ALGORITHMS:", "if False:"),
    "any kernel": ("if not (known and stride", "if not (stride"),
    "any stride": ("known and stride == dilation == 1 and pad", "known and dilation == 1 and pad"),
    "any dilation": ("known and stride == dilation == 1 and pad", "known and stride == 1 and pad"),
    "any stride that is the dilation": ("known and stride == dilation == 1 and pad",
                                        "known and stride == dilation and pad"),
    "any padding": (" and pad in range(w.shape[0])", ""),
    "any kind of x": ("not x.dtype == w.dtype ==", "not w.dtype =="),
    "any kind of w": ("not x.dtype == w.dtype ==", "not x.dtype =="),
}


def refuses_what_it_cannot_do(module):
    for what in REFUSED:
        test_what_it_cannot_do_is_refused(*what, module)
    x, w = normal(1, 8, 8, 2), normal(3, 3, 2, 3)
    for kinds in [(float, np.float32), (np.float32, float)]:
        refuses(["only for float32"], module.forward, x.astype(kinds[0]), w.astype(kinds[1]))
    with twins.gpu() as xp:
        refuses(["only for the CPU"], module.forward, xp.asarray(x), xp.asarray(w))


@pytest.mark.parametrize("name", REFUSAL_MISTAKES)
def test_a_planted_mistake_in_the_refusal_is_caught(name):
    twins.is_caught(refuses_what_it_cannot_do, winograd, REFUSAL_MISTAKES[name])
