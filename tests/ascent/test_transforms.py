"""Transforms: what they do to an image, and that the way back is their exact adjoint."""

from functools import partial

import checks
import nets
import numpy as np
import pytest

from minicnn.ascent import transforms

X = nets.images(2, (6, 7, 3))
TRANSFORMS = {
    "jitter": transforms.jitter(5),
    "pad": transforms.pad(2),
    "extend, reflect": transforms.extend(3, "reflect"),
    "extend, circular": transforms.extend(4, "circular"),
    "extend by more than the image": transforms.extend(17, "reflect"),
    "crop": transforms.crop(3),
    "scale down": transforms.scale([0.6, 0.9]),
    "scale up": transforms.scale([1.3]),
    "rotate": transforms.rotate([-30, 7, 45]),
    "rotate far": transforms.rotate([90, 133, -180]),
    "rotate by a little": transforms.rotate([1e-9, -1e-6]),
    "blur": transforms.blur(0.8),
    "fit a larger one": transforms.fit(9, 12),
    "fit a smaller one": transforms.fit(3, 4),
    "fit both": transforms.fit(9, 2),
    "lucid, narrow": partial(transforms.apply, [
        transforms.pad(3), transforms.crop(2), transforms.scale([0.9, 1.1]),
        transforms.rotate([-5, 8]), transforms.crop(1), transforms.fit(6, 7)]),
}
every = pytest.mark.parametrize("name", TRANSFORMS)


def rng(seed=0):
    return np.random.default_rng(seed)


def dot(a, b):
    return float((a * b).sum())


@pytest.mark.parametrize("seed", range(6))
@every
def test_the_way_back_is_the_adjoint(name, seed):
    """<T x, dy> = <x, T^T dy>; the same products, only added in another order."""
    moved, back = TRANSFORMS[name](X, rng(seed))
    dy = nets.like(moved)
    assert back(dy).shape == X.shape
    assert dot(moved, dy) == pytest.approx(dot(X, back(dy)), rel=1e-12)


@every
def test_the_way_back_is_the_transpose_pixel_by_pixel(name):
    checks.adjoint(lambda x: TRANSFORMS[name](x, rng()), (4, 5, 1))


@pytest.mark.parametrize("size", [(2, 11), (13, 3), (1, 1)], ids=str)
@pytest.mark.parametrize("degrees", [-90, -50, 15, 45, 90, 120, 180])
def test_turned_far_beyond_the_border_the_way_back_is_the_adjoint(size, degrees):
    points = np.eye(size[0] * size[1]).reshape(-1, *size, 1)
    turned, back = transforms.rotate([degrees])(points, rng())
    np.testing.assert_allclose(turned.reshape(len(points), -1).T,
                               back(points).reshape(len(points), -1), rtol=0, atol=1e-14)


@every
def test_same_seed_same_bytes(name):
    first, again = (TRANSFORMS[name](X, rng(3))[0] for _ in range(2))
    assert nets.same(first, again)


@every
def test_what_is_drawn_is_drawn_for_the_whole_batch(name):
    """An image does not depend on how many others there are."""
    both, back = TRANSFORMS[name](X, rng(3))
    for n in range(2):
        alone, back_alone = TRANSFORMS[name](X[n : n + 1], rng(3))
        np.testing.assert_allclose(both[n], alone[0], rtol=1e-13)
        dy = nets.like(both)
        np.testing.assert_allclose(back(dy)[n], back_alone(dy[n : n + 1])[0], rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@every
def test_neither_the_dtype_nor_the_argument_changes(name, dtype):
    x = X.astype(dtype)
    before = x.copy()
    moved, back = TRANSFORMS[name](x, rng())
    assert moved.dtype == dtype and back(moved).dtype == dtype
    np.testing.assert_array_equal(x, before)


# ---- jitter

def test_jitter_rolls_both_ways_within_its_limits():
    """A single bright pixel shows the shift: all of -2..2 come up, nothing beyond."""
    x = np.zeros((1, 9, 9, 1))
    x[0, 4, 4] = 1
    generator, shifts = rng(), set()
    for _ in range(200):
        moved, back = transforms.jitter(2)(x, generator)
        shifts.add(tuple(int(i) - 4 for i in np.argwhere(moved)[0][1:3]))
        np.testing.assert_array_equal(back(moved), x)  # a roll is undone by its adjoint
    assert shifts == {(down, right) for down in range(-2, 3) for right in range(-2, 3)}


def test_jitter_is_seeded():
    draws = [transforms.jitter(3)(X, rng(seed))[0].tobytes() for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]


def test_jitter_of_0_does_nothing():
    np.testing.assert_array_equal(transforms.jitter(0)(X, rng())[0], X)


# ---- pad, extend, crop, fit

@pytest.mark.parametrize("mode, rule", [("reflect", "reflect"), ("circular", "wrap")])
@pytest.mark.parametrize("width", [0, 2, 15])
def test_extend_goes_on_with_the_image(mode, rule, width):
    around, _ = transforms.extend(width, mode)(X, rng())
    np.testing.assert_array_equal(
        around, np.pad(X, ((0, 0), (width, width), (width, width), (0, 0)), rule))


def test_pad_puts_a_value_around():
    padded, _ = transforms.pad(2, 0.5)(X, rng())
    assert padded.shape == (2, 10, 11, 3)
    np.testing.assert_array_equal(padded[:, 2:8, 2:9], X)
    padded[:, 2:8, 2:9] = 0.5
    assert (padded == 0.5).all()


def test_crop_leaves_out_at_random_sides():
    x = np.arange(6 * 7.0).reshape(1, 6, 7, 1)
    generator, corners = rng(), set()
    for _ in range(200):
        y, _ = transforms.crop(2)(x, generator)
        top, left = divmod(int(y[0, 0, 0, 0]), 7)
        np.testing.assert_array_equal(y, x[:, top : top + 4, left : left + 5])
        corners.add((top, left))
    assert corners == {(top, left) for top in range(3) for left in range(3)}


def test_crop_of_more_than_there_is():
    with pytest.raises(ValueError, match=r"cannot remove 6 rows and columns of an image \(2, 6"):
        transforms.crop(6)(X, rng())


def test_fit_keeps_the_middle_and_puts_zeros_around():
    y, _ = transforms.fit(9, 4)(X, rng())
    np.testing.assert_array_equal(y[:, 1:7], X[:, :, 1:5])
    assert not y[:, :1].any() and not y[:, 7:].any()
    np.testing.assert_array_equal(transforms.fit(6, 7)(X, rng())[0], X)


# ---- scale and rotate

def test_scale_draws_each_factor_and_rounds_sides_down():
    sizes = {transforms.scale([0.5, 1, 1.5])(X, rng(seed))[0].shape[1:3] for seed in range(30)}
    assert sizes == {(3, 3), (6, 7), (9, 10)}
    np.testing.assert_allclose(transforms.scale([0.01])(X, rng())[0].shape, (2, 1, 1, 3))


@pytest.mark.parametrize("degrees, turns", [(90, 1), (180, 2), (-90, 3), (360, 0)])
def test_quarter_turns_are_numpy_s(degrees, turns):
    """Anticlockwise, about the centre of a square."""
    x = nets.images(2, (5, 5, 3))
    # float64: the cosine of a right angle is 6e-17
    np.testing.assert_allclose(transforms.rotate([degrees])(x, rng())[0],
                               np.rot90(x, turns, axes=(1, 2)), atol=1e-14)


@pytest.mark.parametrize("degrees", [10, -27.5])
def test_rotation_is_scipy_s(degrees):
    """Inside; where the corners come in from outside scipy interpolates to the edge only."""
    ndimage = pytest.importorskip("scipy.ndimage")
    x = nets.images(1, (12, 15, 2))
    expected = ndimage.rotate(x, degrees, axes=(2, 1), reshape=False, order=1)
    turned, _ = transforms.rotate([degrees])(x, rng())
    inside = (slice(None), slice(4, 8), slice(5, 10))
    np.testing.assert_allclose(turned[inside], expected[inside], rtol=0, atol=1e-12)


def test_what_is_turned_in_is_zero():
    turned, _ = transforms.rotate([45])(np.ones((1, 9, 9, 1)), rng())
    assert turned[0, 0, 0] == 0 and turned[0, 4, 4] == 1


def test_rotate_by_0_is_the_image_itself():
    np.testing.assert_array_equal(transforms.rotate([0])(X, rng())[0], X)


# ---- several

def double(x, rng):
    return 2 * x, lambda dy: 2 * dy


def drop_first_row(x, rng):
    """It does not commute with a roll, and its adjoint is no inverse."""
    return x[:, 1:], lambda dy: np.pad(dy, ((0, 0), (1, 0), (0, 0), (0, 0)))


def test_apply_composes_in_order_and_undoes_in_reverse():
    chain = [double, transforms.jitter(3), drop_first_row]
    moved, undo = transforms.apply(chain, X, rng(4))
    rolled, _ = transforms.jitter(3)(2 * X, rng(4))
    np.testing.assert_array_equal(moved, rolled[:, 1:])
    dy = nets.like(moved)
    assert undo(dy).shape == X.shape
    assert dot(moved, dy) == pytest.approx(dot(X, undo(dy)), rel=1e-12)  # another order of adding


def test_apply_of_nothing_is_the_image_itself():
    moved, undo = transforms.apply((), X, rng())
    np.testing.assert_array_equal(moved, X)
    np.testing.assert_array_equal(undo(X), X)


def test_lucid_s_list():
    """128 pixels are padded to 152, cropped to 144, scaled to 129..158, cropped by 4."""
    x, sizes = nets.images(1, (128, 128, 1)), set()
    for seed in range(60):
        y, back = transforms.apply(transforms.lucid(), x, rng(seed))
        sizes.add(y.shape[1])
    assert sizes == {int((1 + k / 50) * 144) - 4 for k in range(-5, 6)}
    dy = nets.like(y)
    assert dot(y, dy) == pytest.approx(dot(x, back(dy)), rel=1e-12)


# ---- what is refused

@pytest.mark.parametrize("make, words", [
    (lambda: transforms.jitter(-1), "jitter: expected at least 0 pixels, got -1"),
    (lambda: transforms.pad(0.5), "pad: expected at least 0 pixels, got 0.5"),
    (lambda: transforms.extend(2, "edge"), "mode must be one of reflect, circular, got 'edge'"),
    (lambda: transforms.crop(-2), "crop: expected at least 0 pixels, got -2"),
    (lambda: transforms.fit(0, 3), "fit: expected at least 1 pixels, got 0"),
    (lambda: transforms.scale([]), r"scale: expected factors above 0, got \(\)"),
    (lambda: transforms.scale([1, 0]), r"scale: expected factors above 0, got \(1, 0\)"),
    (lambda: transforms.rotate([]), r"rotate: expected angles in degrees, got \(\)"),
    (lambda: transforms.rotate([float("nan")]), r"rotate: expected angles in degrees, got \(nan"),
])
def test_a_setting_out_of_range(make, words):
    with pytest.raises(ValueError, match=words):
        make()
