"""k-means: what a centre is, where the first are drawn, and points that leave no choice."""

import numpy as np
import pytest

from minicnn.vis.kmeans import distances, kmeans


def heaps(seed=0):
    """Three heaps of 40, 20 and 10 points in five dimensions, mixed up, and their means."""
    rng = np.random.default_rng(seed)
    means = 20 * np.eye(3, 5)
    which = rng.permutation(np.repeat([0, 1, 2], [40, 20, 10]))
    points = means[which] + rng.standard_normal((70, 5))
    return points, np.stack([points[which == k].mean(axis=0) for k in range(3)])


@pytest.mark.parametrize("seed", range(20))
def test_heaps_far_apart_are_found_from_every_start(seed):
    """With starts drawn evenly one in three would put two centres into the largest heap."""
    points, means = heaps()
    centres = kmeans(points, 3, seed)
    order = np.argsort(-centres[:, 0] - centres[:, 1] / 2)
    np.testing.assert_allclose(centres[order], means, rtol=0, atol=1e-12)  # rounding


def test_every_centre_is_the_mean_of_the_points_nearest_to_it():
    points = np.random.default_rng(1).standard_normal((200, 3))
    centres = kmeans(points, 7, seed=2)
    nearest = ((points[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
    assert set(nearest) == set(range(7))
    for j in range(7):
        np.testing.assert_allclose(centres[j], points[nearest == j].mean(axis=0), atol=1e-12)


def test_the_rounds_make_it_better_than_the_start():
    points = np.random.default_rng(1).standard_normal((200, 3))
    spread = [distances(points, kmeans(points, 7, 0, steps)).min(axis=1).sum()
              for steps in (0, 1, 2, 100)]
    assert spread == sorted(spread, reverse=True) and spread[0] > 1.1 * spread[3]


def test_the_same_seed_gives_the_same_and_another_may_not():
    points = np.random.default_rng(1).standard_normal((200, 3)).astype(np.float32)
    before = points.copy()
    assert kmeans(points, 5, 3).tobytes() == kmeans(points, 5, 3).tobytes()
    assert kmeans(points, 5, 3).tobytes() != kmeans(points, 5, 4).tobytes()
    np.testing.assert_array_equal(points, before)


def test_fewer_points_that_differ_give_fewer_centres():
    points = np.array([[1.0, 2], [1, 2], [0.1, 0.2], [0.1, 0.2], [0.1, 0.2]])
    centres = kmeans(points, 4)
    assert sorted(centres.tolist()) == [[pytest.approx(0.1), pytest.approx(0.2)], [1, 2]]
    assert kmeans(np.full((6, 2), 0.1), 3).shape == (1, 2)


def test_distances_are_squared():
    assert distances(np.array([[0.0, 0], [3, 4]]), np.array([[0.0, 0], [3, 0]])).tolist() == [
        [0, 9], [25, 16]]
