"""Winograd's 3x3 convolution: its matrices derived again, its results beside the page's."""

import gc
import weakref
from fractions import Fraction
from threading import Event, Thread

import numpy as np
import pytest
import twins

from minicnn import Network, load
from minicnn.fast import threads, winograd
from minicnn.network.layers import Conv
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
def test_it_is_the_page(shape, outputs, pad, algorithm):
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
    assert winograd._pays_for_weights(dy, cache)
    dw = winograd.backward(dy, cache, ("w",)).dw
    plain = conv.ConvCache(*cache[:8])._replace(x=x.astype(float), w=w.astype(float))
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
    for name, value in [("BLOCK", 5000), ("DW_TILES", 1), ("DW_CHANNELS", 1)]:  # many blocks
        monkeypatch.setattr(winograd, name, value)
    x, w, b = case((3, 21, 18, 16), 64)
    before, results = threads.threads(), []
    try:
        for count in (1, 2, 3):
            threads.threads(count)
            y, cache = winograd.forward(x, w, b, pad=1, algorithm=algorithm)
            dx, dw, _ = winograd.backward(y, cache, ("x", "w"))
            results.append(y.tobytes() + dx.tobytes() + dw.tobytes())
    finally:
        threads.threads(before)
    assert len(set(results)) == 1


def test_arguments_stay():
    x, w, b = case((1, 6, 7, 4), 3)
    copies = [v.copy() for v in (x, w, b)]
    y, cache = winograd.forward(x, w, b, pad=1)
    winograd.backward(y, cache)
    assert all((v == c).all() for v, c in zip((x, w, b), copies, strict=True))
    assert w.flags.writeable


def test_x_may_be_dropped_from_the_cache():
    x, w, b = case((1, 6, 7, 4), 3)
    y, cache = winograd.forward(x, w, b, pad=1)
    dx = winograd.backward(y, cache).dx
    cache = cache._replace(x=None)
    np.testing.assert_array_equal(winograd.backward(y, cache, need=("x",)).dx, dx)
    with pytest.raises(ValueError, match="conv.backward: dw needs the input x"):
        winograd.backward(y, cache)


# ---- transforms that are kept

def test_transforms_are_made_once_and_by_need(winograd=winograd):
    x, w, _ = case((1, 8, 8, 4), 3)
    one = winograd.forward(x, w, pad=1)[1].kept
    y, cache = winograd.forward(x, w, pad=1, algorithm="winograd2")
    assert cache.kept is one and set(one.transforms) == {("winograd4", "y"), ("winograd2", "y")}
    made = one.transforms["winograd2", "y"]
    winograd.backward(y, cache, ("x",))
    assert set(one.transforms) == {("winograd4", "y"), ("winograd2", "y"), ("winograd2", "dx")}
    assert winograd.forward(x, w, pad=1, algorithm="winograd2")[1].kept.transforms[
        "winograd2", "y"] is made


def one_entry(w):
    w[-1, 0, -1, -1] += 1


def the_last_bit(w):
    w[-1, -1, -1, -1] = np.nextafter(w[-1, -1, -1, -1], np.float32(9))


def a_permutation(w):
    w[...] = w[..., ::-1].copy()


def turned(w):
    w[...] = w[::-1, ::-1].copy()


def transposed(w):
    w[...] = w.transpose(1, 0, 2, 3).copy()  # KH,KW,C,O -> KW,KH,C,O


def all_signs(w):
    np.negative(w, out=w)


def two_that_cancel(w):
    w[0, 0, 0, 0] += 1
    w[0, 0, 0, 1] -= 1


def not_a_number(w):
    w[1, 1, 0, 0] = np.nan


WRITES = [one_entry, the_last_bit, a_permutation, turned, transposed, all_signs, two_that_cancel,
          not_a_number]


LAYOUTS = {
    "rows": lambda w: w,
    "columns": np.asfortranarray,
    "kernels": lambda w: w.transpose(3, 0, 1, 2).copy().transpose(1, 2, 3, 0),  # O,KH,KW,C
}


def sees_every_write(module, kernel, layout="rows", outputs=19, channels=18):
    """A write in place gives the very bytes that a new array of the new numbers gives; and the way
    back of a pass in progress uses the weights of its way there."""
    algorithm = "winograd4" if kernel == 3 else "winograd2"
    x = normal(2, 9, 8, channels)
    for write in WRITES:
        w = LAYOUTS[layout](normal(kernel, kernel, channels, outputs, seed=1))
        options = {"pad": 1, "algorithm": algorithm}
        y, in_progress = module.forward(x, w, **options)
        dx = module.backward(y, module.forward(x, w.copy(), **options)[1]).dx
        write(w)
        after, cache = module.forward(x, w, **options)
        fresh, anew = module.forward(x, w.copy(), **options)
        assert after.tobytes() == fresh.tobytes() != y.tobytes(), write.__name__
        assert (module.backward(y, cache).dx.tobytes()
                == module.backward(y, anew).dx.tobytes() != dx.tobytes()), write.__name__
        assert module.backward(y, in_progress).dx.tobytes() == dx.tobytes(), write.__name__


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("outputs, channels", [(19, 18), (17, 17)])
def test_every_write_in_place_changes_the_next_pass(kernel, layout, outputs, channels):
    sees_every_write(winograd, kernel, layout, outputs, channels)


MISTAKES = {
    "an array once seen is never looked at again": ("reference() is w and kept.is_of(w)",
                                                    "reference() is w"),
    "half of the bytes only": ("self.bytes == memoryview(lying)",
                               "self.bytes[: lying.nbytes // 2] == lying.tobytes()[: "
                               "lying.nbytes // 2]"),
    "numbers, not bits, so that nothing equals nan": ("self.bytes == memoryview(lying)",
                                                      "(self.w == w).any()"),
    "no copy": ("self.w = np.frombuffer(self.bytes, w.dtype)", "self.w = w"),
    "the copy with its axes in another order": ("np.argsort(self.order))", "self.order)"),
    "looked for where nothing is": ("_KEPT.get(id(w), (None, None))",
                                    "_KEPT.get(w.size, (None, None))"),
    "an array of the same bits in another shape": ("w.shape == self.w.shape and ", ""),
    "an array of the same bits in another order": (" and order == self.order", ""),
    "the copy may be written to": ("self.w.flags.writeable = False", "pass"),
    "the array itself on the way back": ("plain._replace(w=kept.w)", "plain"),
    "transforms of one pass for both": ("w.shape[:2]], (cache.algorithm, result)",
                                        "w.shape[:2]], cache.algorithm"),
    "transforms of one algorithm for both": ("w.shape[:2]], (cache.algorithm, result)",
                                             "w.shape[:2]], result"),
    "what is gone takes its successor along": ("if _KEPT.get(key, (None,))[0] is gone:",
                                               "if key in _KEPT:"),
    "nothing is ever forgotten": ("del _KEPT[key]", "pass"),
}


def keeps_what_it_should(module):
    test_bits_are_compared_not_numbers(module)
    test_the_copy_holds_the_same_bits_in_any_memory_layout(lambda w: w, module)
    test_transforms_are_made_once_and_by_need(module)
    for kernel in (3, 5):
        for layout in LAYOUTS:
            sees_every_write(module, kernel, layout)
    test_memory_goes_with_the_weights(module)
    test_memory_goes_with_a_write(module)
    test_an_array_at_the_place_of_another(module)


@pytest.mark.thorough
@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_caught(name):
    twins.is_caught(keeps_what_it_should, winograd, MISTAKES[name])


def test_two_networks_that_share_an_array():
    """And one that took a copy goes its own way."""
    def network(w):
        made = Network("one", [("conv", Conv(18, 3, pad=1, bias=False))], (9, 8, 18))
        made.params["conv"]["w"] = w
        return made

    x, w = normal(1, 9, 8, 18), normal(3, 3, 18, 18, seed=1)
    one, other, apart = network(w), network(w), network(w.copy())
    before = [net.forward(x).output for net in (one, other, apart)]
    w[1, 1, 3, 4] += 1
    after = [net.forward(x).output for net in (one, other, apart)]
    assert len({y.tobytes() for y in before}) == 1
    assert after[0].tobytes() == after[1].tobytes() != before[0].tobytes()
    assert after[2].tobytes() == before[2].tobytes()


@pytest.mark.thorough
def test_memory_goes_with_the_weights(winograd=winograd):
    x, w, _ = case((1, 8, 8, 16), 16)
    kept = weakref.ref(winograd.forward(x, w, pad=1)[1].kept)
    assert kept() is not None and id(w) in winograd._KEPT
    key = id(w)
    del w
    gc.collect()
    assert kept() is None and key not in winograd._KEPT


@pytest.mark.thorough
def test_memory_goes_with_a_write(winograd=winograd):
    x, w, _ = case((1, 8, 8, 16), 16)
    first = weakref.ref(winograd.forward(x, w, pad=1)[1].kept)
    w[0, 0, 0, 0] += 1
    winograd.forward(x, w, pad=1)
    gc.collect()
    assert first() is None


@pytest.mark.thorough
def test_an_array_at_the_place_of_another(winograd=winograd):
    """Python gives the id of what is gone to what comes: the reference tells them apart."""
    x, w, _ = case((1, 8, 8, 16), 16)
    other = np.ascontiguousarray(w[::-1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(winograd, "id", lambda array: 1, raising=False)
        winograd.forward(x, w, pad=1)
        older = winograd._KEPT[1][0]  # held, as by another thread that is about to tell of the end
        y, cache = winograd.forward(x, other, pad=1)
        assert (cache.w == other).all()
        del w
        gc.collect()  # of which the older reference tells: nothing of the newer is forgotten
        assert older() is None and winograd._KEPT[1][1] is cache.kept
        del other, cache
        gc.collect()
        assert 1 not in winograd._KEPT


@pytest.mark.parametrize("change", [
    lambda w: w, lambda w: w.transpose(3, 1, 0, 2), lambda w: w[::-1], lambda w: w[:, :, 1:],
    lambda w: np.asfortranarray(w)])
def test_the_copy_holds_the_same_bits_in_any_memory_layout(change, winograd=winograd):
    w = change(normal(3, 4, 5, 6))
    kept = winograd.Kept(w)
    np.testing.assert_array_equal(kept.w, w, strict=True)
    assert kept.is_of(w) and kept.is_of(w.copy(order="K"))
    assert not kept.is_of(w[:-1])
    changed = w.copy(order="K")
    changed[-1, -1, -1, -1] = -changed[-1, -1, -1, -1]
    assert not kept.is_of(changed)
    assert not kept.w.flags.writeable


def test_bits_are_compared_not_numbers(winograd=winograd):
    nan, zero = np.full((1, 1, 1, 2), np.nan, np.float32), np.zeros((1, 1, 1, 2), np.float32)
    assert winograd.Kept(nan).is_of(nan.copy()) and not winograd.Kept(zero).is_of(-zero)
    square = np.arange(4, dtype=np.float32).reshape(1, 1, 2, 2)
    same_bytes = square.copy().transpose(0, 1, 3, 2)
    assert not winograd.Kept(square).is_of(same_bytes)
    assert not winograd.Kept(square).is_of(square.reshape(1, 2, 2, 1))


def test_many_threads_at_once_while_weights_change():
    """Each pass is of the weights as they were at some time: the old or the new."""
    x, w, _ = case((1, 12, 12, 16), 16)
    other = np.ascontiguousarray(-w)
    allowed = {winograd.forward(x, v, pad=1)[0].tobytes() for v in (w, other)}
    wrong, stop = [], Event()

    def run():
        while not stop.is_set():
            v, cache = keeps[0], None
            y, cache = winograd.forward(x, v, pad=1)
            if y.tobytes() not in allowed:
                wrong.append(cache)

    keeps = [w]
    workers = [Thread(target=run) for _ in range(3)]
    for worker in workers:
        worker.start()
    for k in range(200):
        keeps[0] = (w if k % 2 else other).copy()  # the one before is let go at any moment
    stop.set()
    for worker in workers:
        worker.join()
    keeps.clear()
    assert wrong == []


# ---- on trained weights

@pytest.mark.parametrize("file", ["googlenet_bvlc.h5", "vgg19_norm_to_conv4_1.h5"])
def test_error_on_trained_weights_and_a_real_photo(shared_data, file):
    """Every 3x3 and 5x5 convolution, chosen or not, beside the page in float64.

    Measured: root mean square 2e-7 to 6e-7 of the outputs' deviation, at most 2e-6 of the largest.
    Beside the deviation the largest error is up to 6e-5, where single outputs are 30 times it.
    """
    network = load(shared_data / "weights" / file)
    run = network.forward(network.prepare(shared_data / "photos" / "coffee.png"))
    seen = 0
    for name, layer, _ in network.rows:
        if not isinstance(layer, Conv) or layer.kernel not in (3, 5):
            continue
        (before,) = network.inputs(name)
        x, w = run[before][:, :36, :36], network.params[name]["w"]
        assert x.shape[3] == w.shape[2]
        pad = layer.kernel // 2
        exact = conv.forward(x.astype(float), w.astype(float), pad=pad)[0]
        for algorithm in ("winograd4", "winograd2")[layer.kernel == 5 :]:
            error = np.abs(winograd.forward(x, w, pad=pad, algorithm=algorithm)[0] - exact)
            assert np.sqrt((error**2).mean()) < 1e-6 * exact.std(), (name, algorithm)
            assert error.max() < 3e-6 * np.abs(exact).max(), (name, algorithm)
        seen += 1
    assert seen == (19 if "googlenet" in file else 9)
