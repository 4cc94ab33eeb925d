"""Winograd's 3x3 convolution: its matrices derived again, its results beside the plain op's."""

from fractions import Fraction

import numpy as np
import pytest

from minicnn import load
from minicnn.fast import threads, winograd
from minicnn.network.layers import Conv, walk
from minicnn.ops import conv

INFINITY = None
SIX = [0, Fraction(2, 3), Fraction(-2, 3), Fraction(3, 2), Fraction(-3, 2)]  # and infinity
POINTS = {("winograd4", (3, 3)): SIX, ("winograd2", (3, 3)): [0, 1, -1],
          ("winograd2", (5, 5)): SIX}
SHAPES = [((2, 13, 17, 8), 6), ((1, 8, 9, 5), 40), ((1, 14, 14, 64), 128), ((1, 5, 3, 3), 7),
          ((1, 3, 3, 2), 2), ((2, 28, 40, 64), 192), ((1, 9, 4, 1), 1)]


def normal(*shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def case(shape, outputs, seed=0):
    """x, and kernels scaled so that outputs have a deviation near 1."""
    w = normal(3, 3, shape[3], outputs, seed=seed + 1) / np.float32((9 * shape[3]) ** 0.5)
    return normal(*shape, seed=seed), w, normal(outputs, seed=seed + 2)


# ---- the matrices

def multiplied(polynomial, root):
    """A polynomial, lowest power first, times (x - root)."""
    shifted = [Fraction(0), *polynomial]
    return [a - root * b for a, b in zip(shifted, [*polynomial, Fraction(0)], strict=True)]


def toom_cook(points, size, taps):
    """A^T, G, B^T for correlation with some taps, from finite points and infinity, in rationals.

    Row i of B^T is the product of (x - p) over the other points, that of infinity over all: the
    numerators of Lagrange's interpolation. G carries their denominators.
    """
    at = [[Fraction(p) ** power for p in points] + [Fraction(int(power == size - 1))]
          for power in range(size)]
    g, bt = [], []
    for i, p in enumerate(points):
        others = [q for j, q in enumerate(points) if j != i]
        numerator, denominator = [Fraction(1)], Fraction(1)
        for q in others:
            numerator, denominator = multiplied(numerator, q), denominator * (p - q)
        bt.append([*numerator, Fraction(0)])
        g.append([Fraction(p) ** power / denominator for power in range(taps)])
    numerator = [Fraction(1)]
    for q in points:
        numerator = multiplied(numerator, q)
    return at, [*g, [Fraction(0)] * (taps - 1) + [Fraction(1)]], [*bt, numerator]


@pytest.mark.parametrize("which", POINTS)
def test_the_construction_computes_several_correlations_exactly(which):
    """In rational arithmetic A^T [(G g) * (B^T d)] is the correlation, without any rounding."""
    size, count = winograd.MATRICES[which].size, which[1][0]
    at, g, bt = (np.array(m, dtype=object) for m in toom_cook(POINTS[which], size, count))
    taps = np.array([Fraction(3), Fraction(-1, 7), Fraction(5, 2), Fraction(2, 3), Fraction(-4)])
    taps = taps[:count]
    data = np.array([Fraction(k * k - 4, k + 1) for k in range(size + count - 1)])
    assert list(at @ ((g @ taps) * (bt @ data))) == [
        sum(data[i : i + count] * taps) for i in range(size)]


@pytest.mark.parametrize("which", POINTS)
def test_the_matrices_are_those_of_the_construction(which):
    """Up to the sign or factor that each point's row of B^T and of G may exchange."""
    ours = winograd.MATRICES[which]
    at, g, bt = (np.array(m, dtype=float)
                 for m in toom_cook(POINTS[which], ours.size, which[1][0]))
    np.testing.assert_allclose(ours.at, at, rtol=1e-7)  # float32 holds 6e-8
    for k in range(len(bt)):
        # what matters is the product: row k of G times row k of B^T
        np.testing.assert_allclose(np.outer(ours.g[k], ours.bt[k]), np.outer(g[k], bt[k]),
                                   rtol=3e-7, atol=1e-7)  # two numbers of float32


def test_every_algorithm_has_its_matrices_derived():
    assert set(POINTS) == set(winograd.MATRICES)


# ---- the convolution

@pytest.mark.parametrize("algorithm", winograd.ALGORITHMS)
@pytest.mark.parametrize("pad", [0, 1, 2])
@pytest.mark.parametrize("shape, outputs", SHAPES)
def test_it_is_the_plain_op(shape, outputs, pad, algorithm):
    x, w, b = case(shape, outputs)
    y, cache = winograd.forward(x, w, b, pad=pad, algorithm=algorithm)
    expected, plain = conv.forward(*(v.astype(float) for v in (x, w, b)), pad=pad)
    dy = normal(*y.shape, seed=9)
    gradients, exact = winograd.backward(dy, cache), conv.backward(dy.astype(float), plain)
    # float32 with these points errs by up to 2e-5 of the outputs' deviation, near 1 here
    np.testing.assert_allclose(y, expected, rtol=0, atol=2e-5)
    np.testing.assert_allclose(gradients.dx, exact.dx, rtol=0,
                               atol=2e-5 * max(1, exact.dx.std()))
    np.testing.assert_allclose(gradients.dw, exact.dw, rtol=1e-4, atol=1e-4 * exact.dw.std())
    np.testing.assert_allclose(gradients.db, exact.db, rtol=1e-4, atol=1e-4 * exact.db.std())
    assert y.dtype == gradients.dx.dtype == np.float32 and gradients.dx.shape == x.shape


GROUPED = [((2, 13, 17, 8), 6, 2), ((1, 27, 27, 96), 256, 2), ((3, 9, 8, 12), 24, 3)]


@pytest.mark.parametrize("algorithm, kernel, pad", [
    ("winograd4", 3, 1), ("winograd2", 3, 0), ("winograd2", 5, 2), ("winograd2", 5, 0),
    ("winograd2", 5, 4)])
@pytest.mark.parametrize("shape, outputs, groups", [*GROUPED, ((2, 11, 14, 20), 33, 1)])
def test_groups_and_larger_kernels(shape, outputs, groups, algorithm, kernel, pad):
    c = shape[3] // groups
    w = normal(kernel, kernel, c, outputs, seed=1) / np.float32(kernel * c**0.5)
    x, b = normal(*shape), normal(outputs, seed=2)
    y, cache = winograd.forward(x, w, b, pad=pad, groups=groups, algorithm=algorithm)
    expected, plain = conv.forward(*(v.astype(float) for v in (x, w, b)), pad=pad, groups=groups)
    dy = normal(*y.shape, seed=9)
    gradients, exact = winograd.backward(dy, cache), conv.backward(dy.astype(float), plain)
    # as above; deviations are near 1
    np.testing.assert_allclose(y, expected, rtol=0, atol=2e-5)
    np.testing.assert_allclose(gradients.dx, exact.dx, rtol=0,
                               atol=2e-5 * max(1, exact.dx.std()))
    np.testing.assert_allclose(gradients.dw, exact.dw, rtol=1e-4, atol=1e-4 * exact.dw.std())
    assert gradients.dw.shape == w.shape and gradients.dx.shape == x.shape


@pytest.mark.parametrize("shape, outputs, groups", [
    ((1, 56, 50, 64), 96, 1), ((9, 14, 17, 64), 64, 1), ((1, 45, 41, 128), 128, 2),
    ((40, 10, 10, 64), 65, 1)])
def test_the_weight_gradient_by_tiles(shape, outputs, groups):
    x, w = normal(*shape), normal(3, 3, shape[3] // groups, outputs, seed=1)
    _, cache = winograd.forward(x, w, pad=1, groups=groups)
    dy = normal(*shape[:3], outputs, seed=2)
    assert winograd._pays_for_weights(dy, cache.plain)
    dw = winograd.backward(dy, cache, ("w",)).dw
    plain = cache.plain._replace(x=x.astype(float), w=w.astype(float))
    exact = conv.backward(dy.astype(float), plain, ("w",)).dw
    np.testing.assert_allclose(dw, exact, rtol=0, atol=2e-5 * exact.std())  # the points' error
    assert dw.dtype == np.float32


@pytest.mark.parametrize("algorithm", winograd.ALGORITHMS)
def test_forward_and_input_gradient_are_adjoint(algorithm):
    x, w, _ = case((2, 11, 10, 6), 5)
    y, cache = winograd.forward(x, w, pad=1, algorithm=algorithm)
    dy = normal(*y.shape, seed=5)
    dx = winograd.backward(dy, cache, ("x",)).dx
    there, back = np.sum(y.astype(float) * dy), np.sum(dx.astype(float) * x)
    # sums of 1,320 products of size 1 that are each off by up to 2e-5
    assert abs(there - back) < 2e-5 * np.linalg.norm(y) * np.linalg.norm(dy)


@pytest.mark.parametrize("algorithm", winograd.ALGORITHMS)
def test_same_bytes_for_any_number_of_threads(algorithm, monkeypatch):
    monkeypatch.setattr(winograd, "BLOCK", 5000)  # many blocks
    x, w, b = case((3, 21, 18, 16), 64)
    before, results = threads.threads(), []
    try:
        for count in (1, 2, 3):
            threads.threads(count)
            y, cache = winograd.forward(x, w, b, pad=1, algorithm=algorithm)
            dx = winograd.backward(np.ones_like(y), cache, ("x",)).dx
            results.append(y.tobytes() + dx.tobytes())
    finally:
        threads.threads(before)
    assert len(set(results)) == 1


def test_the_plain_op_gives_the_same_bytes_for_any_number_of_threads(monkeypatch):
    monkeypatch.setattr(conv, "TILE", 2000)
    before, results = threads.threads(), []
    try:
        for count in (1, 2, 3):
            threads.threads(count)
            out = []
            for kernel, stride, groups, dilation in [(3, 1, 1, 1), (5, 1, 2, 2), (3, 2, 1, 2),
                                                     (2, 3, 1, 1)]:
                x, w = normal(2, 19, 23, 8), normal(kernel, kernel, 8 // groups, 6, seed=1)
                y, cache = conv.forward(x, w, None, stride, 1, groups, dilation)
                gradients = conv.backward(np.ones_like(y), cache)
                out += [y.tobytes(), gradients.dx.tobytes(), gradients.dw.tobytes()]
            results.append(b"".join(out))
    finally:
        threads.threads(before)
    assert len(set(results)) == 1


def test_kept_transforms_are_used_and_arguments_stay():
    x, w, b = case((1, 6, 7, 4), 3)
    copies, kept = [v.copy() for v in (x, w, b)], {}
    y, cache = winograd.forward(x, w, b, pad=1, kept=kept)
    winograd.backward(y, cache, ("x",))
    assert set(kept) == {("winograd4", "y"), ("winograd4", "dx")}
    again, _ = winograd.forward(x, w, b, pad=1, kept=kept)
    assert again.tobytes() == y.tobytes()
    kept["winograd4", "y"] *= 2  # it is what is multiplied with
    doubled, _ = winograd.forward(x, w, pad=1, kept=kept)
    np.testing.assert_allclose(doubled, 2 * (y - b), rtol=0, atol=1e-5)  # float32 around 1
    assert all((v == c).all() for v, c in zip((x, w, b), copies, strict=True))


def test_one_store_serves_both_algorithms():
    x, w, _ = case((1, 8, 8, 4), 3)
    kept = {}
    one, other = (winograd.forward(x, w, pad=1, algorithm=a, kept=kept)[0]
                  for a in winograd.ALGORITHMS)
    np.testing.assert_allclose(one, other, rtol=0, atol=4e-5)  # 2e-5 each, deviation near 1


# ---- which algorithm, and what is refused

@pytest.mark.parametrize("size, channels, dtype, settings, expected", [
    (56, (64, 64), np.float32, {}, "winograd4"),
    (14, (64, 64), np.float32, {"pad": 1}, "winograd4"),
    (14, (512, 512), np.float32, {"pad": 1}, "winograd2"),
    (28, (512, 512), np.float32, {"pad": 1}, "winograd4"),
    (5, (64, 64), np.float32, {"pad": 1}, "winograd2"),
    (56, (15, 64), np.float32, {}, "direct"),
    (56, (64, 15), np.float32, {}, "direct"),
    (56, (16, 16), np.float32, {}, "winograd4"),
    (56, (64, 64), np.float64, {}, "direct"),
    (56, (64, 64), np.float32, {"stride": 2}, "direct"),
    (56, (64, 64), np.float32, {"dilation": 2}, "direct"),
    (56, (64, 64), np.float32, {"pad": 3}, "direct"),
    (56, (64, 64), np.float32, {"groups": 2}, "winograd4"),
    (56, (64, 64), np.float32, {"groups": 8}, "direct"),
    (28, (32, 96), np.float32, {"kernel": 5, "pad": 4}, "winograd2"),
    (28, (32, 96), np.float32, {"kernel": 5, "pad": 5}, "direct"),
    (28, (32, 96), np.float32, {"kernel": 7}, "direct")])
def test_choose(size, channels, dtype, settings, expected):
    settings = dict(settings)
    c, o = channels
    kernel = settings.pop("kernel", 3)
    w = np.zeros((kernel, kernel, c // settings.get("groups", 1), o), dtype)
    assert winograd.choose(np.zeros((1, size, size, c), dtype), w, **settings) == expected


@pytest.mark.parametrize("kernel, dtype, settings, words", [
    (3, np.float32, {"algorithm": "fft"}, "algorithm must be one of winograd4, winograd2"),
    (5, np.float32, {}, "only for 3x3 kernels, or 5x5 with winograd2"),
    (7, np.float32, {"algorithm": "winograd2"}, "kernels \\(7, 7\\)"),
    (3, np.float32, {"stride": 2}, "stride 2"),
    (3, np.float32, {"pad": 3}, "pad 3"),
    (3, np.float64, {}, "only for float32")])
def test_what_it_cannot_do_is_refused(kernel, dtype, settings, words):
    with pytest.raises(ValueError, match=f"winograd.forward: .*{words}"):
        winograd.forward(normal(1, 8, 8, 2, dtype=dtype), normal(kernel, kernel, 2, 3, dtype=dtype),
                         **settings)


# ---- on trained weights

@pytest.mark.parametrize("file", ["googlenet_bvlc.h5", "vgg19_norm_to_conv4_1.h5"])
def test_error_on_trained_weights_and_a_real_photo(shared_data, file):
    """Every 3x3 and 5x5 convolution, chosen or not, beside the plain op in float64.

    Measured: root mean square 2e-7 to 6e-7 of the outputs' deviation, at most 2e-6 of the largest.
    Beside the deviation the largest error is up to 6e-5, where single outputs are 30 times it.
    """
    network = load(shared_data / "weights" / file)
    run = network.forward(network.prepare(shared_data / "photos" / "coffee.png"))
    order = ["image", *network.names]
    seen = 0
    for name, layer in walk(network.layers):
        if not isinstance(layer, Conv) or layer.kernel not in (3, 5):
            continue
        before = order[order.index(name) - 1]
        x, w = run[before][:, :36, :36], layer.params["w"]
        assert x.shape[3] == w.shape[2]
        pad = layer.kernel // 2
        exact = conv.forward(x.astype(float), w.astype(float), pad=pad)[0]
        for algorithm in ("winograd4", "winograd2")[layer.kernel == 5 :]:
            error = np.abs(winograd.forward(x, w, pad=pad, algorithm=algorithm)[0] - exact)
            assert np.sqrt((error**2).mean()) < 1e-6 * exact.std(), (name, algorithm)
            assert error.max() < 3e-6 * np.abs(exact).max(), (name, algorithm)
        seen += 1
    assert seen == (19 if "googlenet" in file else 9)
