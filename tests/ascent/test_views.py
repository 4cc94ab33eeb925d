"""Views: where a window looks, and that the way back is its exact adjoint."""

from functools import partial
from math import radians

import checks
import nets
import numpy as np
import pytest

from minicnn.ascent import transforms, views

X = nets.images(2, (6, 7, 3))
VIEWS = {
    "affine": views.affine((6, 7)),
    "affine from far away": views.affine((5, 5), (2.0, 3.5), 40, 0.5),
    "affine to a larger size": views.affine((9, 11), (0.5, 0.8)),
    "affine to a smaller size": views.affine((2, 3), (1.2, 1.4)),
    "crops": views.crops((6, 7)),
    "crops out of the image": views.crops((4, 4), (0.3, 1.0), 2.0),
}
every = pytest.mark.parametrize("name", VIEWS)


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("seed", range(4))
@every
def test_the_way_back_is_the_adjoint(name, seed):
    seen, back = VIEWS[name](X, rng(seed))
    dy = nets.like(seen)
    assert back(dy).shape == X.shape
    # shares are rounded to 2^-44 of the largest
    assert (seen * dy).sum() == pytest.approx((X * back(dy)).sum(), rel=1e-11, abs=1e-11)


@every
def test_the_way_back_is_the_transpose_pixel_by_pixel(name):
    checks.adjoint(lambda x: VIEWS[name](x, rng()), (4, 5, 1))


@every
def test_same_seed_same_bytes_and_each_image_as_alone(name):
    both, back = VIEWS[name](X, rng(3))
    dy = nets.like(both)
    for n in range(2):
        alone, back_alone = VIEWS[name](X[n : n + 1], rng(3))
        np.testing.assert_array_equal(both[n : n + 1], alone)
        np.testing.assert_array_equal(back(dy)[n : n + 1], back_alone(dy[n : n + 1]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@every
def test_neither_the_dtype_nor_the_argument_changes(name, dtype):
    x = X.astype(dtype)
    before = x.copy()
    seen, back = VIEWS[name](x, rng())
    assert seen.dtype == dtype and back(seen).dtype == dtype
    np.testing.assert_array_equal(x, before)


def test_the_whole_image_straight_ahead_is_the_image():
    np.testing.assert_array_equal(views.window(X, (6, 7), 1.0, 0.0, (0, 0))[0], X)


@pytest.mark.parametrize("angle", [10, -27.5, 90])
def test_a_turned_window_is_a_rotation(angle):
    x = nets.images(1, (9, 9, 2))
    turned, _ = views.window(x, (9, 9), 1.0, radians(angle), (0, 0))
    np.testing.assert_allclose(turned, transforms.rotate([angle])(x, rng())[0], atol=1e-12)


def test_twice_as_far_away_the_image_is_half_as_large_inside_zeros():
    """And each pixel is the mean of the four that it covers."""
    x = 1 + nets.images(1, (8, 8, 1)) ** 2
    seen, _ = views.window(x, (8, 8), 2.0, 0.0, (0, 0))
    np.testing.assert_allclose(seen[:, 2:6, 2:6], x.reshape(1, 4, 2, 4, 2, 1).mean(axis=(2, 4)),
                               rtol=1e-12)
    seen[:, 2:6, 2:6] = 0
    assert not seen.any()


def test_the_whole_at_another_size():
    """Half as large: the mean of four pixels each; at its own size the very same array."""
    assert views.whole(X, (6, 7)) is X
    x = nets.images(1, (8, 12, 3))
    np.testing.assert_allclose(views.whole(x, (4, 6)), x.reshape(1, 4, 2, 6, 2, 3).mean((2, 4)),
                               rtol=0, atol=1e-12)


def test_a_small_window_is_a_part_and_its_centre_counts_in_half_sides():
    """Of 8 pixels the lower half of the right half: rows 4 to 7 around 1/2, columns likewise."""
    x = nets.images(1, (8, 8, 3))
    seen, _ = views.window(x, (4, 4), 0.5, 0.0, (0.5, 0.5))
    np.testing.assert_allclose(seen, x[:, 4:, 4:], rtol=1e-12)
    up, _ = views.window(x, (4, 4), 0.5, 0.0, (-0.5, 0.25))
    np.testing.assert_allclose(up, x[:, :4, 3:7], rtol=1e-12)


def test_another_shape_than_the_image_s_is_not_squashed():
    """4 x 8 pixels seen as 4 x 4: half as large, with zeros above and below."""
    x = np.ones((1, 4, 8, 1))
    seen, _ = views.window(x, (4, 4), 1.0, 0.0, (0, 0))
    np.testing.assert_array_equal(seen[0, :, 0, 0], [0, 1, 1, 0])


def drawn(make, monkeypatch, count=300):
    """(zoom, degrees, centre) of each of many windows."""
    found = []
    monkeypatch.setattr(views, "window", lambda x, size, zoom, angle, centre: found.append(
        (zoom, np.degrees(angle), *centre)))
    generator = rng()
    for _ in range(count):
        make((4, 4))(X, generator)
    return np.array(found)


def test_what_affine_draws(monkeypatch):
    """Zoom and turn to their limits; a window that has room inside uses it."""
    found = drawn(partial(views.affine, zoom=(0.5, 1.5), degrees=12, shift=0.1), monkeypatch)
    zoom, angle, centres = found[:, 0], found[:, 1], found[:, 2:]
    for values, low, high in [(zoom, 0.5, 1.5), (angle, -12, 12)]:
        edge = (high - low) / 20  # 300 draws: one of them nearer than this, but for 1 in 10 million
        assert low <= values.min() < low + edge and high - edge < values.max() <= high
    room = 0.1 + np.maximum(0, 1 - zoom)
    assert (abs(centres) <= room[:, None]).all() and abs(centres / room[:, None]).max() > 0.95
    assert (abs(centres[zoom > 1]) <= 0.1).all()


def test_what_crops_draw(monkeypatch):
    found = drawn(views.crops, monkeypatch)
    assert found[:, 0].min() >= 0.25 and found[:, 0].max() <= 0.30 and not found[:, 1].any()
    # 600 numbers: a deviation of 0.3 is known to 0.009; four of those
    assert abs(found[:, 2:].std() - 0.3) < 0.036 and abs(found[:, 2:].mean()) < 0.05


def test_noise_is_normal_and_half_as_much_uniform():
    """Variance d^2 (1 + 1 / 12), new for each look, the same for each image."""
    x, generator = np.zeros((2, 50, 60, 3)), rng()
    y, back = views.noise(2.0)(x, generator)
    assert y.std() == pytest.approx(2 * np.sqrt(13 / 12), rel=0.04)
    np.testing.assert_array_equal(y[0], y[1])
    assert not np.array_equal(y, views.noise(2.0)(x, generator)[0]) and back(y) is y


@pytest.mark.parametrize("make", [views.affine, views.crops])
@pytest.mark.parametrize("zoom", [(0, 1), (2, 1), (1, float("inf"))])
def test_a_zoom_out_of_range(make, zoom):
    with pytest.raises(ValueError, match="zoom must be two numbers above 0, the smaller one first"):
        make((4, 4), zoom)
