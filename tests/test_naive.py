"""The specification itself: numbers worked out by hand, then PyTorch as a second opinion.

The hand-made numbers say what each decision means (ties, padding, overhang, borders, alpha).
PyTorch, where installed, confirms forward and gradients in float64. Its tolerance is 1e-12
relative to the largest value: both sides sum at most a few hundred products of order one, in a
different order, which moves the result by a few hundred roundings of 1.1e-16.
"""
import numpy as np
import pytest

from minicnn import naive

RAMP = np.arange(1.0, 17.0).reshape(1, 4, 4, 1)  # 1..16 -> N,H,W,C


def image(*rows):
    """One image with one channel, from its rows."""
    return np.array(rows, dtype=float)[None, :, :, None]  # H,W -> N,H,W,C


def plane(x):
    """The rows of the one channel of the one image."""
    return x[0, :, :, 0].tolist()


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


# --- by hand: convolution and dense ----------------------------------------------------------

SQUARE = image([1, 2, 3], [4, 5, 6], [7, 8, 9])
KERNEL = np.array([[1.0, 2.0], [3.0, 4.0]])[:, :, None, None]  # KH,KW -> KH,KW,C,O


def test_conv_is_a_cross_correlation():
    y = naive.conv_forward(SQUARE, KERNEL, np.array([10.0]))
    assert plane(y) == [[47, 57], [77, 87]]  # 1*1 + 2*2 + 4*3 + 5*4 + 10 = 47


def test_conv_gradients():
    dy = image([1, 0], [0, 2])
    dx, dw, db = naive.conv_backward(dy, SQUARE, KERNEL, np.array([10.0]))
    assert plane(dx) == [[1, 2, 0], [3, 6, 4], [0, 6, 8]]
    assert dw[:, :, 0, 0].tolist() == [[1 + 2 * 5, 2 + 2 * 6], [4 + 2 * 8, 5 + 2 * 9]]
    assert db.tolist() == [3]


def test_conv_pads_with_zeros_and_strides():
    y = naive.conv_forward(SQUARE, np.ones((3, 3, 1, 1)), None, stride=2, pad=1)
    assert plane(y) == [[1 + 2 + 4 + 5, 2 + 3 + 5 + 6], [4 + 5 + 7 + 8, 5 + 6 + 8 + 9]]


def test_conv_dilation_spreads_the_taps():
    assert plane(naive.conv_forward(SQUARE, KERNEL, None, dilation=2)) == [[1 + 6 + 21 + 36]]


def test_conv_groups_see_their_own_channels():
    x = np.array([2.0, 3.0, 5.0, 7.0]).reshape(1, 1, 1, 4)  # C -> N,H,W,C
    w = np.array([[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 10.0]])[None, None]  # C/G,O -> KH,KW,C/G,O
    assert naive.conv_forward(x, w, None, groups=2).ravel().tolist() == [2, 3, 5, 70]
    dx, dw, db = naive.conv_backward(np.ones((1, 1, 1, 4)), x, w, None, groups=2)
    assert dx.ravel().tolist() == [1, 1, 1, 10]
    assert dw[0, 0].tolist() == [[2, 2, 5, 5], [3, 3, 7, 7]]
    assert db is None


def test_conv_pairs_are_height_then_width():
    x = np.ones((1, 5, 9, 1))
    y = naive.conv_forward(x, np.ones((3, 1, 1, 1)), None, stride=(2, 3), pad=(1, 0))
    assert plane(y) == [[2, 2, 2], [3, 3, 3], [2, 2, 2]]


def test_conv_transpose_sends_out_the_kernel():
    x, w = image([1, 10]), np.array([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1)  # 3 -> KH,KW,C,O
    y = naive.conv_transpose_forward(x, w, np.array([100.0]), stride=2)
    assert plane(y) == [[101, 102, 113, 120, 130]]  # 1 2 3 at 0 and 10 20 30 at 2
    y = naive.conv_transpose_forward(x, w, None, stride=2, pad=(0, 1))
    assert plane(y) == [[2, 13, 20]]  # the ends are cut off
    y = naive.conv_transpose_forward(x, w, None, stride=2, pad=(0, 1), size=(1, 4))
    assert plane(y) == [[2, 13, 20, 30]]  # the other size of which a convolution makes two
    y = naive.conv_transpose_forward(x, w, None, dilation=(1, 2))
    assert plane(y) == [[1, 10, 2, 20, 3, 30]]


def test_conv_transpose_gradients():
    x, w, b = image([1, 10]), np.array([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1), np.array([7.0])
    dx, dw, db = naive.conv_transpose_backward(image([1, 0, 0, 0, 2]), x, w, b, stride=2)
    assert plane(dx) == [[1, 6]]
    assert dw.ravel().tolist() == [1, 0, 20]
    assert db.tolist() == [3]


def test_conv_transpose_groups_reach_their_own_channels():
    x = np.array([2.0, 3.0, 5.0, 7.0]).reshape(1, 1, 1, 4)  # O -> N,OH,OW,O
    w = np.array([[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 10.0]])[None, None]  # C/G,O -> KH,KW,C/G,O
    y = naive.conv_transpose_forward(x, w, None, groups=2)
    assert y.ravel().tolist() == [2, 3, 5, 70]
    dx, dw, db = naive.conv_transpose_backward(np.ones((1, 1, 1, 4)), x, w, None, groups=2)
    assert dx.ravel().tolist() == [1, 1, 1, 10]
    assert dw[0, 0].tolist() == [[2, 3, 5, 7]] * 2
    assert db is None


def test_dense():
    x, w, b = np.array([[1.0, 2.0]]), np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.ones(3)
    assert naive.dense_forward(x, w, b).tolist() == [[10, 13, 16]]
    dx, dw, db = naive.dense_backward(np.array([[1.0, 0.0, 2.0]]), x, w, b)
    assert dx.tolist() == [[7, 16]]
    assert dw.tolist() == [[1, 0, 2], [2, 0, 4]]
    assert db.tolist() == [1, 0, 2]


def test_dense_reads_an_image_row_by_row():
    x = np.arange(8.0).reshape(1, 2, 2, 2)  # 0..7 -> N,H,W,C
    assert naive.dense_forward(x, np.eye(8), None)[0].tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert naive.dense_backward(np.ones((1, 8)), x, np.eye(8), None)[0].shape == x.shape


# --- by hand: pooling ------------------------------------------------------------------------


def test_pool_and_its_switches():
    x = image([1, 5, 2, 0], [3, 4, 9, 8])
    assert plane(naive.pool_forward(x, 2)) == [[5, 9]]
    assert plane(naive.pool_switches(x, 2)) == [[1, 2]]
    assert plane(naive.pool_backward(image([10, 20]), x, 2)) == [[0, 10, 0, 0], [0, 0, 20, 0]]


def test_pool_ties_go_to_the_first_in_row_major_order():
    x = image([0, 7], [7, 7])
    assert plane(naive.pool_switches(x, 2)) == [[1]]
    assert plane(naive.pool_backward(image([3]), x, 2)) == [[0, 3], [0, 0]]


def test_pool_padding_never_wins():
    x = image([-5, -6], [-7, -8])
    assert plane(naive.pool_forward(x, 2, stride=2, pad=1)) == [[-5, -6], [-7, -8]]
    assert plane(naive.pool_switches(x, 2, stride=2, pad=1)) == [[3, 2], [1, 0]]


def test_pool_of_nothing_but_minus_infinity_still_picks_a_pixel():
    x = np.full((1, 2, 2, 1), -np.inf)
    assert plane(naive.pool_forward(x, 2, stride=2, pad=1)) == [[-np.inf] * 2] * 2
    assert plane(naive.pool_switches(x, 2, stride=2, pad=1)) == [[3, 2], [1, 0]]
    dx = naive.pool_backward(image([1, 2], [3, 4]), x, 2, stride=2, pad=1)
    assert plane(dx) == [[1, 2], [3, 4]]


@pytest.mark.parametrize("width, dtype", [(256, np.uint8), (257, np.uint16)])
def test_pool_switches_are_bytes_where_the_last_place_fits_in_one(width, dtype):
    x = np.arange(float(width)).reshape(1, 1, width, 1)  # 0, 1, ... -> N,H,W,C
    switches = naive.pool_switches(x, (1, width))
    assert switches.dtype == dtype and plane(switches) == [[width - 1]]


def test_pool_overlapping_windows_add_up():
    x = image([1, 9, 2])
    assert plane(naive.pool_forward(x, (1, 2), stride=1)) == [[9, 9]]
    assert plane(naive.pool_backward(image([3, 4]), x, (1, 2), stride=1)) == [[0, 7, 0]]


def test_pool_ceil_keeps_the_overhanging_window():
    x = image([1, 2, 3], [4, 5, 6], [7, 8, 9])
    assert plane(naive.pool_forward(x, 2)) == [[5]]
    assert plane(naive.pool_forward(x, 2, rounding="ceil")) == [[5, 6], [8, 9]]
    assert plane(naive.pool_switches(x, 2, rounding="ceil")) == [[3, 2], [1, 0]]


@pytest.mark.parametrize("width, stride, pad, count", [
    (4, 2, 0, 2),  # starts 0 2: both roundings agree
    (5, 2, 0, 3),  # starts 0 2 4: the last overhangs
    (3, 2, 1, 2),  # starts -1 1 (3 lies beyond the image: dropped)
    (2, 2, 1, 2),  # starts -1 1: the last begins on the image, at 2 of the padded row
    (3, 4, 0, 1),  # start 0 (4 lies beyond)
    (4, 3, 0, 2),  # starts 0 3
])
def test_pool_ceil_drops_a_window_that_starts_beyond_the_image(width, stride, pad, count):
    y = naive.pool_forward(np.ones((1, 2, width, 1)), 2, stride, (0, pad), "ceil")
    assert y.shape == (1, 1, count, 1)


def test_pool_ceil_allows_one_window_larger_than_the_image():
    x = image([2, 4])
    assert plane(naive.pool_forward(x, 3, rounding="ceil")) == [[4]]
    assert plane(naive.average_pool_forward(x, 3, rounding="ceil")) == [[3]]
    with pytest.raises(ValueError, match="fits"):
        naive.pool_forward(x, 3)


def test_unpool_puts_values_back_and_adds_where_windows_overlap():
    p, switches = image([3, 4]), image([1, 0]).astype(np.uint8)
    unpooled = naive.pool_unpool(p, switches, (1, 1, 3, 1), (1, 2), 1, 0)
    assert plane(unpooled) == [[0, 7, 0]]
    unpooled = naive.pool_unpool(p.astype(np.float32), switches, (1, 1, 4, 1), (1, 2), None, 0)
    assert unpooled.dtype == np.float32
    assert plane(unpooled) == [[0, 3, 4, 0]]  # a stride of None is the window


@pytest.mark.parametrize("window, stride, pad, rounding", [
    (2, None, 0, "floor"), (3, 2, 0, "ceil"), (3, 1, 1, "floor"), ((2, 3), (3, 2), (1, 2), "ceil"),
])
def test_unpooling_dy_by_the_switches_is_the_gradient(window, stride, pad, rounding):
    x = random(2, 7, 6, 3)
    y = naive.pool_forward(x, window, stride, pad, rounding)
    switches = naive.pool_switches(x, window, stride, pad, rounding)
    dy = random(*y.shape, seed=1)
    unpooled = naive.pool_unpool(dy, switches, x.shape, window, stride, pad)
    assert np.array_equal(unpooled, naive.pool_backward(dy, x, window, stride, pad, rounding))


def test_average_pool_border_rules():
    x = image([4, 8], [12, 16])
    padding = naive.average_pool_forward(x, 2, stride=2, pad=1)
    assert plane(padding) == [[1, 2], [3, 4]]  # one pixel / four places
    true_pixels = naive.average_pool_forward(x, 2, stride=2, pad=1, border="image")
    assert plane(true_pixels) == [[4, 8], [12, 16]]


def test_average_pool_ceil_overhang_does_not_count():
    x = image([2, 4, 6], [8, 10, 12], [14, 16, 18])
    for border in ("padding", "image"):
        y = naive.average_pool_forward(x, 2, rounding="ceil", border=border)
        assert plane(y) == [[6, 9], [15, 18]]


def test_average_pool_counts_padding_but_not_overhang_beyond_it():
    x = image([6, 6, 6, 6])  # windows of 3 at -1 and 2: the second covers 2 3 and one of padding
    y = naive.average_pool_forward(x, (1, 3), (1, 3), (0, 1), "ceil")
    assert plane(y) == [[4, 4]]
    y = naive.average_pool_forward(x, (1, 4), (1, 3), (0, 1), "ceil")  # -1..2, and 2..5: 5 is out
    np.testing.assert_allclose(plane(y), [[18 / 4, 12 / 3]], rtol=1e-14)


def test_average_pool_gradient():
    dx = naive.average_pool_backward(image([4, 8]), image([1, 2, 3]), (1, 2), stride=1)
    assert plane(dx) == [[2, 6, 4]]


def test_global_average_pool():
    assert naive.global_average_pool_forward(RAMP).tolist() == [[8.5]]
    assert np.all(naive.global_average_pool_backward(np.array([[32.0]]), RAMP) == 2)


# --- by hand: one value at a time ------------------------------------------------------------


@pytest.mark.parametrize("rule, expected", [
    ("gradient", [0, 0, -5, 6]), ("deconvnet", [3, 4, 0, 6]), ("guided", [0, 0, 0, 6]),
])
def test_relu_and_its_three_rules(rule, expected):
    x, dy = np.array([-1.0, 0.0, 1.0, 2.0]), np.array([3.0, 4.0, -5.0, 6.0])
    assert naive.relu_forward(x).tolist() == [0, 0, 1, 2]
    assert naive.relu_backward(dy, x, rule).tolist() == expected


def test_sigmoid_and_tanh_at_known_points():
    x, dy = np.array([0.0, np.log(3), -np.log(3)]), np.ones(3)
    np.testing.assert_allclose(naive.sigmoid_forward(x), [0.5, 0.75, 0.25], rtol=1e-14)
    np.testing.assert_allclose(naive.sigmoid_backward(dy, x), [0.25, 0.1875, 0.1875], rtol=1e-14)
    np.testing.assert_allclose(naive.tanh_forward(x), [0, 0.8, -0.8], rtol=1e-14)
    np.testing.assert_allclose(naive.tanh_backward(dy, x), [1, 0.36, 0.36], rtol=1e-14)
    assert naive.sigmoid_forward(np.array([-1000.0, 1000.0])).tolist() == [0, 1]


def test_dropout_keeps_where_the_documented_draw_says():
    x = np.ones((3, 4))
    kept = np.random.default_rng(7).random(x.shape) >= 0.25
    expected = np.where(kept, 4 / 3, 0)
    assert 0 < kept.sum() < kept.size
    assert np.array_equal(naive.dropout_forward(x, 0.25, 7), expected)
    assert np.array_equal(naive.dropout_forward(x, 0.25, np.random.default_rng(7)), expected)
    assert np.array_equal(naive.dropout_backward(x, 5 * x, 0.25, 7), expected)


# --- by hand: across channels ----------------------------------------------------------------


def test_lrn_conventions_differ_in_the_divisor():
    x = np.array([1.0, 2.0, 3.0]).reshape(1, 1, 1, 3)  # C -> N,H,W,C
    settings = {"size": 3, "alpha": 3.0, "beta": 1.0, "k": 1.0}
    caffe = naive.lrn_forward(x, **settings)  # sums of squares 5, 14, 13; alpha/size = 1
    paper = naive.lrn_forward(x, **settings, convention="paper")
    np.testing.assert_allclose(caffe.ravel(), [1 / 6, 2 / 15, 3 / 14], rtol=1e-14)
    np.testing.assert_allclose(paper.ravel(), [1 / 16, 2 / 43, 3 / 40], rtol=1e-14)


def test_lrn_gradient_reaches_the_neighbour():
    x = np.array([1.0, 2.0]).reshape(1, 1, 1, 2)  # C -> N,H,W,C
    dy = np.array([1.0, 0.0]).reshape(1, 1, 1, 2)  # C -> N,H,W,C
    dx = naive.lrn_backward(dy, x, size=3, alpha=1.0, beta=1.0, k=1.0, convention="paper")
    # y0 = x0 / (1 + x0^2 + x1^2) = 1/6: dy0/dx0 = 1/6 - 2/36, dy0/dx1 = -2 * 1 * 2 / 36
    np.testing.assert_allclose(dx.ravel(), [1 / 9, -1 / 9], rtol=1e-14)


def test_batch_norm_uses_the_given_statistics_or_its_own():
    x = np.array([[1.0], [3.0]])
    one, two, half = np.array([1.0]), np.array([2.0]), np.array([0.5])
    given = naive.batch_norm_forward(x, two, half, one, np.array([4.0]), epsilon=0.0)
    assert given.tolist() == [[0.5], [2.5]]
    own = naive.batch_norm_forward(x, two, half, one, np.array([4.0]), epsilon=0.0, training=True)
    assert own.tolist() == [[-1.5], [2.5]]  # mean 2, biased variance 1


def test_batch_norm_gradients():
    x, dy, one = np.array([[1.0], [3.0]]), np.array([[1.0], [5.0]]), np.array([1.0])
    settings = (np.array([2.0]), np.array([0.5]), one, np.array([4.0]), 0.0)
    dx, dgamma, dbeta = naive.batch_norm_backward(dy, x, *settings)
    assert (dx.tolist(), dgamma.tolist(), dbeta.tolist()) == ([[1], [5]], [5], [6])
    dx, dgamma, dbeta = naive.batch_norm_backward(dy, x, *settings, training=True)
    # two values always become -1 and 1, so moving them changes nothing
    np.testing.assert_allclose(dx, 0, atol=1e-15)
    assert (dgamma.tolist(), dbeta.tolist()) == ([4], [6])


def test_concat_and_back():
    a, b = np.array([[1.0, 2.0]]), np.array([[3.0]])
    assert naive.concat_forward([a, b]).tolist() == [[1, 2, 3]]
    da, db = naive.concat_backward(np.array([[4.0, 5.0, 6.0]]), [a, b])
    assert (da.tolist(), db.tolist()) == ([[4, 5]], [[6]])
    assert naive.concat_forward([a, 2 * a], axis=0).tolist() == [[1, 2], [2, 4]]


def test_add_and_back():
    a, b = np.array([[1.0, 2.0]]), np.array([[3.0, 5.0]])
    assert naive.add_forward([a, b, b]).tolist() == [[7, 12]]
    dy = np.array([[4.0, 6.0]])
    da, db = naive.add_backward(dy, [a, b])
    assert da.tolist() == db.tolist() == [[4, 6]]
    assert not np.shares_memory(da, db) and not np.shares_memory(da, dy)


# --- by hand: softmax and loss ---------------------------------------------------------------


def test_softmax_and_its_gradient():
    x = np.log([[1.0, 2.0, 5.0]])
    np.testing.assert_allclose(naive.softmax_forward(x), [[1 / 8, 2 / 8, 5 / 8]], rtol=1e-14)
    dx = naive.softmax_backward(np.array([[8.0, 0.0, 0.0]]), x)
    np.testing.assert_allclose(dx, [[7 / 8, -2 / 8, -5 / 8]], rtol=1e-14)
    assert naive.softmax_forward(np.array([[1e5, 1e5]])).tolist() == [[0.5, 0.5]]


def test_cross_entropy_is_a_mean_over_images():
    logits, labels = np.log([[1.0, 3.0], [1.0, 1.0]]), np.array([0, 1])
    loss = naive.cross_entropy_forward(logits, labels)
    np.testing.assert_allclose(loss, (np.log(4) + np.log(2)) / 2, rtol=1e-14)
    dlogits = naive.cross_entropy_backward(8.0, logits, labels)
    np.testing.assert_allclose(dlogits, [[-3, 3], [2, -2]], rtol=1e-14)


# --- by hand: resizing -----------------------------------------------------------------------


def test_resize_two_to_four():
    y = naive.resize_forward(image([0, 4]), (1, 4))
    assert plane(y) == [[0, 1, 3, 4]]  # centres at -1/4 (clamped), 1/4, 3/4, 5/4 (clamped)
    assert plane(naive.resize_backward(image([1, 1, 1, 1]), image([0, 4]), (1, 4))) == [[2, 2]]
    assert plane(naive.resize_backward(image([0, 8, 0, 0]), image([0, 4]), (1, 4))) == [[6, 2]]


def test_resize_down_does_not_smooth():
    assert plane(naive.resize_forward(RAMP, (2, 2))) == [[3.5, 5.5], [11.5, 13.5]]
    assert plane(naive.resize_forward(RAMP, (4, 1))) == [[2.5], [6.5], [10.5], [14.5]]
    assert np.array_equal(naive.resize_forward(RAMP, (4, 4)), RAMP)


# --- conduct ---------------------------------------------------------------------------------

X = random(2, 4, 5, 4).astype(np.float32)
W = random(2, 3, 2, 6).astype(np.float32)
C4 = tuple(np.abs(random(4, seed=s)).astype(np.float32) for s in range(4))
CASES = {
    "conv": (X, W, np.ones(6, np.float32), 1, 1, 2),
    "conv_transpose": (random(2, 4, 5, 6).astype(np.float32), W, C4[0], 2, 1, 2),
    "pool": (X, 2), "average_pool": (X, 2), "global_average_pool": (X,), "relu": (X,),
    "sigmoid": (X,), "tanh": (X,), "dropout": (X,), "lrn": (X,), "batch_norm": (X, *C4),
    "dense": (X, random(80, 3).astype(np.float32), np.ones(3, np.float32)), "softmax": (X,),
    "cross_entropy": (X[:, 0, 0], np.array([1, 3])), "concat": ([X, X],), "add": ([X, X],),
    "resize": (X, (3, 7)),
}


def gradients(result):
    return result if isinstance(result, (tuple, list)) else (result,)


@pytest.mark.parametrize("op", CASES)
def test_float32_in_float32_out_and_arguments_untouched(op):
    arguments = CASES[op]
    arrays = [a for a in arguments if isinstance(a, np.ndarray) and a.dtype == np.float32]
    before = [a.copy() for a in arrays]
    y = getattr(naive, f"{op}_forward")(*arguments)
    found = gradients(getattr(naive, f"{op}_backward")(np.ones_like(y), *arguments))
    assert y.dtype == np.float32
    assert all(g.dtype == np.float32 for g in found)
    assert all(np.array_equal(a, b) for a, b in zip(arrays, before, strict=True))
    assert not any(np.shares_memory(a, g) for a in arrays for g in (y, *found))
    assert all(g.shape == a.shape for g, a in zip(found, arrays, strict=False))


@pytest.mark.parametrize("call, word", [
    (lambda: naive.conv_forward(X, W, None), "groups"),
    (lambda: naive.conv_forward(X, random(9, 9, 4, 1), None), "fits"),
    (lambda: naive.conv_backward(X, X, W, None), "groups"),
    (lambda: naive.conv_forward(X, random(1, 1, 2, 5), None, groups=2), "groups"),
    (lambda: naive.conv_transpose_forward(X, W, None), "conv_transpose.*6.*change size or w"),
    (lambda: naive.conv_transpose_forward(X, W[..., :4], None, size=(5, 8)), "change size"),
    (lambda: naive.conv_transpose_backward(X, X, W[..., :4], None, groups=3), "groups"),
    (lambda: naive.pool_forward(X, 2, pad=2), "smaller than the window"),
    (lambda: naive.pool_forward(X, 2, rounding="round"), "rounding"),
    (lambda: naive.pool_backward(X, X, 5), "fits"),
    (lambda: naive.average_pool_forward(X, 2, border="zero"), "border"),
    (lambda: naive.average_pool_backward(X, X, 2, border="zero"), "border"),
    (lambda: naive.relu_backward(X, X, "saliency"), "rule"),
    (lambda: naive.lrn_forward(X, size=4), "odd"),
    (lambda: naive.lrn_forward(X, convention="keras"), "convention"),
    (lambda: naive.lrn_backward(X, X, size=4), "odd"),
    (lambda: naive.dense_forward(X, random(7, 3), None), "dense"),
    (lambda: naive.dense_backward(X, X, random(7, 3), None), "dense"),
    (lambda: naive.dropout_forward(X, rate=1.0), "rate"),
    (lambda: naive.dropout_backward(X, X, 0.5, np.random.default_rng(0)), "int seed"),
    (lambda: naive.cross_entropy_forward(X[:, 0, 0], [0, 4]), "labels"),
    (lambda: naive.concat_forward([X, X[:1]]), "agree"),
    (lambda: naive.add_forward([X, X[:1]]), "one shape"),
])
def test_errors_say_what_was_wrong(call, word):
    with pytest.raises(ValueError, match=word):
        call()


# --- PyTorch as a second opinion -------------------------------------------------------------


def agree(op, reference, arguments, settings=None, differentiate=1):
    """Forward and the gradients of the first `differentiate` arguments against autograd."""
    torch = pytest.importorskip("torch")
    settings = settings or {}
    tensors = [torch.tensor(a, requires_grad=True) for a in arguments[:differentiate]]
    expected = reference(torch, *tensors)
    y = getattr(naive, f"{op}_forward")(*arguments, **settings)
    close(y, expected.detach().numpy())
    dy = np.asarray(random(*y.shape, seed=9))
    expected.backward(torch.from_numpy(dy))
    found = gradients(getattr(naive, f"{op}_backward")(dy, *arguments, **settings))
    for gradient, tensor in zip(found, tensors, strict=False):
        close(gradient, tensor.grad.numpy())


def close(found, expected):
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-12 * max(1e-300, np.abs(expected).max())


def first(x):
    return x.permute(0, 3, 1, 2)  # N,H,W,C -> N,C,H,W


def last(x):
    return x.permute(0, 2, 3, 1)  # N,C,H,W -> N,H,W,C


@pytest.mark.parametrize("kernel, stride, pad, groups, dilation", [
    ((3, 3), 1, 1, 1, 1), ((1, 1), 1, 0, 1, 1), ((2, 3), (2, 1), (0, 2), 1, 1),
    ((3, 2), (1, 3), (2, 0), 2, (1, 2)), ((3, 3), 2, 2, 4, 2), ((1, 2), 3, 3, 2, 1),
])
@pytest.mark.parametrize("biased", [True, False])
def test_torch_conv(kernel, stride, pad, groups, dilation, biased):
    def reference(torch, x, w, b=None):
        w = w.permute(3, 2, 0, 1)  # KH,KW,C/G,O -> O,C/G,KH,KW
        y = torch.nn.functional.conv2d(first(x), w, b, stride, pad, dilation, groups)
        return last(y)

    x, w = random(2, 6, 7, 4), random(*kernel, 4 // groups, 8, seed=1)
    agree("conv", reference, (x, w, random(8, seed=2) if biased else None),
          dict(stride=stride, pad=pad, groups=groups, dilation=dilation), 3 if biased else 2)


@pytest.mark.parametrize("kernel, stride, pad, groups, dilation, more", [
    ((3, 3), 1, 1, 1, 1, 0), ((2, 3), (2, 1), (0, 2), 1, 1, 0), ((3, 3), 2, 1, 1, 1, 1),
    ((3, 2), (1, 3), (2, 0), 2, (1, 2), 0), ((3, 3), 3, 2, 4, 2, 2), ((1, 2), 3, 0, 2, 1, 1),
])
@pytest.mark.parametrize("biased", [True, False])
def test_torch_conv_transpose(kernel, stride, pad, groups, dilation, more, biased):
    def reference(torch, x, w, b=None):
        w = w.permute(3, 2, 0, 1)  # KH,KW,C/G,O -> O,C/G,KH,KW
        transpose = torch.nn.functional.conv_transpose2d
        return last(transpose(first(x), w, b, stride, pad, more, groups, dilation))

    x, w = random(2, 4, 5, 8), random(*kernel, 4 // groups, 8, seed=1)
    settings = dict(stride=stride, pad=pad, groups=groups, dilation=dilation)
    if more:
        smallest = naive.conv_transpose_forward(x, w, None, **settings).shape[1:3]
        settings["size"] = tuple(side + more for side in smallest)
    agree("conv_transpose", reference, (x, w, random(4, seed=2) if biased else None), settings,
          3 if biased else 2)


POOLS = [  # window, stride, pad; PyTorch allows a pad up to half the window
    (2, None, 0), (3, 2, 0), (3, 2, 1), (2, 3, 1), (3, 1, 1), (1, 2, 0), (2, 4, 0),
    ((2, 3), (3, 2), (1, 1)), ((4, 2), (3, 1), (2, 0)), ((5, 4), 2, 2),
]
SIZES = [(4, 4), (5, 7), (8, 6)]


@pytest.mark.parametrize("rounding", ["floor", "ceil"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("window, stride, pad", POOLS)
def test_torch_pool(window, stride, pad, size, rounding):
    def reference(torch, x):
        ceil = rounding == "ceil"
        return last(torch.nn.functional.max_pool2d(first(x), window, stride, pad, ceil_mode=ceil))

    settings = dict(window=window, stride=stride, pad=pad, rounding=rounding)
    agree("pool", reference, (random(2, *size, 3) - 9,), settings)  # all negative
    agree("pool", reference, (np.round(random(2, *size, 3)),), settings)  # many ties


@pytest.mark.parametrize("border", ["padding", "image"])
@pytest.mark.parametrize("rounding", ["floor", "ceil"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("window, stride, pad", POOLS)
def test_torch_average_pool(window, stride, pad, size, rounding, border):
    def reference(torch, x):
        y = torch.nn.functional.avg_pool2d(first(x), window, stride, pad, rounding == "ceil",
                                           count_include_pad=border == "padding")
        return last(y)

    settings = dict(window=window, stride=stride, pad=pad, rounding=rounding, border=border)
    agree("average_pool", reference, (random(2, *size, 3),), settings)


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("window, stride", [(3, 3), (4, 3), (4, 2), (3, 1)])
def test_torch_pool_larger_than_the_image(size, window, stride):
    torch = pytest.importorskip("torch")
    x = random(1, size, size, 1)

    def outcome(pool, *arguments, **settings):
        try:
            return pool(*arguments, **settings)
        except (ValueError, RuntimeError):
            return None

    for ours, theirs in [(naive.pool_forward, torch.nn.functional.max_pool2d),
                         (naive.average_pool_forward, torch.nn.functional.avg_pool2d)]:
        y = outcome(ours, x, window, stride, rounding="ceil")
        expected = outcome(theirs, first(torch.tensor(x)), window, stride, ceil_mode=True)
        assert (y is None) == (expected is None)
        if y is not None:
            close(y, last(expected).numpy())


@pytest.mark.parametrize("size, alpha, beta, k", [
    (5, 1e-4, 0.75, 1.0), (5, 1.0, 0.75, 2.0), (3, 0.9, 0.5, 1.0), (1, 1.0, 1.5, 0.5),
    (9, 2.0, 0.75, 1.0),
])
def test_torch_lrn(size, alpha, beta, k):
    def reference(torch, x, factor=1):
        normal = torch.nn.functional.local_response_norm
        return last(normal(first(x), size, alpha * factor, beta, k))

    settings = dict(size=size, alpha=alpha, beta=beta, k=k)
    x = (random(2, 3, 2, 7),)
    agree("lrn", reference, x, settings)
    settings["convention"] = "paper"
    agree("lrn", lambda torch, x: reference(torch, x, size), x, settings)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("shape", [(6, 3), (2, 3, 4, 3)])
def test_torch_batch_norm(shape, training):
    mean, variance = random(3, seed=3), random(3, seed=4) ** 2

    def reference(torch, x, gamma, beta):
        given = torch.tensor(mean), torch.tensor(variance)
        axes = (0, *range(2, x.ndim))
        x = x.permute(0, -1, *range(1, x.ndim - 1))  # N,H,W,C -> N,C,H,W
        y = torch.nn.functional.batch_norm(x, *given, gamma, beta, training, 0.0, 1e-3)
        return y.permute(0, *axes[1:], 1)  # N,C,H,W -> N,H,W,C

    arguments = random(*shape) + 5, random(3, seed=1), random(3, seed=2), mean, variance
    agree("batch_norm", reference, arguments, dict(epsilon=1e-3, training=training), 3)


@pytest.mark.parametrize("size", [(4, 5), (8, 10), (3, 2), (1, 1), (7, 9), (13, 3)])
def test_torch_resize(size):
    def reference(torch, x):
        interpolate = torch.nn.functional.interpolate
        return last(interpolate(first(x), size, mode="bilinear", align_corners=False))

    agree("resize", reference, (random(2, 4, 5, 3),), dict(size=size))
    agree("resize", reference, (random(1, 1, 6, 1),), dict(size=size))


SIMPLE = {
    "relu": lambda torch, x: torch.relu(x),
    "sigmoid": lambda torch, x: torch.sigmoid(x),
    "tanh": lambda torch, x: torch.tanh(x),
    "softmax": lambda torch, x: torch.softmax(x, -1),
    "global_average_pool": lambda torch, x: x.mean((1, 2)),
}


@pytest.mark.parametrize("op", SIMPLE)
@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (1, 1, 1, 1), (1, 5, 2, 1)])
def test_torch_simple_ops(op, shape):
    agree(op, SIMPLE[op], (3 * random(*shape),))


@pytest.mark.parametrize("shape", [(3, 5), (2, 2, 3, 4), (1, 1)])
@pytest.mark.parametrize("biased", [True, False])
def test_torch_dense(shape, biased):
    def reference(torch, x, w, b=0.0):
        return x.flatten(1) @ w + b

    x = random(*shape)
    arguments = (x, random(x[0].size, 4, seed=1), random(4, seed=2) if biased else None)
    agree("dense", reference, arguments, differentiate=3 if biased else 2)


@pytest.mark.parametrize("shape", [(4, 3), (1, 2), (5, 1)])
def test_torch_cross_entropy(shape):
    labels = np.random.default_rng(5).integers(0, shape[1], shape[0])

    def reference(torch, x):
        return torch.nn.functional.cross_entropy(x, torch.from_numpy(labels))

    agree("cross_entropy", reference, (3 * random(*shape), labels))


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_torch_concat(axis):
    torch = pytest.importorskip("torch")
    parts = [random(2, 3, 4), random(2, 3, 4, seed=1)]
    tensors = [torch.tensor(p, requires_grad=True) for p in parts]
    expected = torch.cat(tensors, axis)
    close(naive.concat_forward(parts, axis), expected.detach().numpy())
    dy = random(*expected.shape, seed=2)
    expected.backward(torch.from_numpy(dy))
    for gradient, tensor in zip(naive.concat_backward(dy, parts, axis), tensors, strict=True):
        close(gradient, tensor.grad.numpy())
