"""Transforms and their ways back, and what a move does to an image."""

import nets
import numpy as np
import pytest

from minicnn import objectives, transforms

X = nets.images(2, (6, 7, 3))


def rng(seed=0):
    return np.random.default_rng(seed)


def dot(a, b):
    return float((a * b).sum())


# ---- jitter

@pytest.mark.parametrize("seed", range(8))
def test_the_way_back_is_the_adjoint(seed):
    """<T x, dy> = <x, T^T dy>; the same products, only added in another order."""
    moved, back = transforms.jitter(5)(X, rng(seed))
    dy = nets.like(X)
    assert dot(moved, dy) == pytest.approx(dot(X, back(dy)), rel=1e-12)
    np.testing.assert_array_equal(back(moved), X)  # a roll is undone by its adjoint


def test_jitter_rolls_both_ways_within_its_limits():
    """A single bright pixel shows the shift: all of -2..2 come up, nothing beyond."""
    x = np.zeros((1, 9, 9, 1))
    x[0, 4, 4] = 1
    generator, shifts = rng(), set()
    for _ in range(200):
        moved, _ = transforms.jitter(2)(x, generator)
        shifts.add(tuple(int(i) - 4 for i in np.argwhere(moved)[0][1:3]))
    assert shifts == {(down, right) for down in range(-2, 3) for right in range(-2, 3)}


def test_jitter_is_seeded():
    draws = [transforms.jitter(3)(X, rng(seed))[0].tobytes() for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]


def test_jitter_shifts_a_batch_alike_and_of_0_not_at_all():
    moved, _ = transforms.jitter(3)(np.concatenate([X[:1], X[:1]]), rng())
    np.testing.assert_array_equal(moved[0], moved[1])
    np.testing.assert_array_equal(transforms.jitter(0)(X, rng())[0], X)


# ---- diffuse

@pytest.mark.parametrize("share", [0, 0.2, 1])
def test_diffuse_keeps_the_mean_and_a_constant(share):
    move = transforms.diffuse(share)
    # float64: a few additions in another order
    np.testing.assert_allclose(move(X).mean(axis=(1, 2)), X.mean(axis=(1, 2)), atol=1e-15)
    np.testing.assert_allclose(move(np.full((1, 4, 5, 2), 3.7)), 3.7, rtol=1e-15)


def test_diffuse_by_0_changes_nothing_and_by_1_takes_the_neighbours_mean():
    np.testing.assert_array_equal(transforms.diffuse(0)(X), X)
    neighbours = (X[:, 1, 3] + X[:, 3, 3] + X[:, 2, 2] + X[:, 2, 4]) / 4
    np.testing.assert_allclose(transforms.diffuse(1)(X)[:, 2, 3], neighbours, rtol=1e-13)


@pytest.mark.parametrize("share", [0.2, 1])
def test_diffuse_is_a_step_down_the_gradient_of_total_variation(share):
    """dV/dx = 2 (4 x - sum of neighbours) / size, at the reflected border too."""
    value = objectives.total_variation(2).evaluate({"image": X})
    step = share / 8 * X[0].size * value.gradients["image"]
    np.testing.assert_allclose(transforms.diffuse(share)(X), X - step, rtol=0, atol=1e-14)


def test_diffuse_wears_away_noise_and_keeps_broad_shapes():
    rows = np.arange(32)
    broad = np.cos(2 * np.pi * (rows + 0.5) / 64)[None, :, None, None] * np.ones((1, 32, 32, 1))
    fine = (-1.0) ** np.add.outer(rows, rows)[None, :, :, None]
    left = {"broad": broad, "fine": fine}
    for _ in range(5):
        left = {name: transforms.diffuse(0.2)(x) for name, x in left.items()}
    assert np.abs(left["broad"]).max() > 0.98 * np.abs(broad).max()
    assert np.abs(left["fine"][:, 8:-8, 8:-8]).max() < 0.1  # 0.6 a step inside: 0.08 after 5


@pytest.mark.parametrize("share", [-0.01, 1.01, float("nan")])
def test_a_share_outside_0_to_1_is_refused(share):
    with pytest.raises(ValueError, match=f"share must lie in 0..1, got {share}"):
        transforms.diffuse(share)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_neither_changes_its_argument_nor_the_dtype(dtype):
    x = X.astype(dtype)
    before = x.copy()
    moved, back = transforms.jitter(2)(x, rng())
    assert moved.dtype == dtype and back(moved).dtype == dtype
    assert transforms.diffuse(0.3)(x).dtype == dtype
    np.testing.assert_array_equal(x, before)


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
