"""Colours of one picture given to another: each does what it is called."""

import numpy as np
import small

from minicnn.vis.colours import YIQ, match_covariance, match_histogram, with_colours_of

RNG = np.random.default_rng(0)
PICTURE, OTHER = small.photo(30, 40), small.photo(25, 22, seed=3)


def moments(picture):
    p = picture.reshape(-1, 3).astype(float)
    return p.mean(axis=0), np.cov(p.T, bias=True)


def test_match_histogram_gives_each_colour_the_other_s_distribution_and_keeps_the_order():
    noise = RNG.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    made = match_histogram(noise, OTHER)
    quantiles = np.linspace(0.05, 0.95, 50)
    for c in range(3):
        np.testing.assert_allclose(np.quantile(made[..., c], quantiles),
                                   np.quantile(OTHER[..., c], quantiles), atol=2)  # rounding
        order = noise[..., c].ravel().argsort(kind="stable")
        assert (np.diff(made[..., c].ravel()[order].astype(int)) >= 0).all()


def test_a_picture_s_own_histogram_changes_nothing():
    np.testing.assert_allclose(match_histogram(PICTURE, PICTURE).astype(int), PICTURE, atol=1)


def test_match_histogram_by_hand():
    picture = np.array([[0, 10], [10, 20]], np.uint8)[..., None].repeat(3, axis=2)
    other = np.array([[100, 100, 200, 200]], np.uint8)[..., None].repeat(3, axis=2)
    # quantiles at 1/8, 3/8, 5/8, 7/8 of 100 100 200 200: 100, 112.5, 187.5, 200
    np.testing.assert_array_equal(match_histogram(picture, other)[..., 0], [[100, 150], [150, 200]])


def test_match_covariance_gives_mean_and_covariance():
    grey = (128 + RNG.normal(0, 12, (60, 60, 3)) @ [[1, 0.5, 0], [0, 1, 0], [0, 0.2, 1]])
    tame = (100 + RNG.normal(0, 9, (50, 50, 3)) @ [[1, 1, 1], [0, 1, 0], [0, 0, 2]])
    picture, other = grey.astype(np.uint8), tame.astype(np.uint8)  # nothing near black or white
    made = match_covariance(picture, other)
    np.testing.assert_allclose(moments(made)[0], moments(other)[0], atol=0.2)  # rounding
    np.testing.assert_allclose(moments(made)[1], moments(other)[1], atol=2)


def test_match_covariance_of_a_picture_without_colours_stays_finite():
    flat = np.full((8, 8, 3), 77, np.uint8)
    assert match_covariance(flat, OTHER).shape == (8, 8, 3)
    assert np.ptp(match_covariance(OTHER, flat).astype(int)) <= 1


def test_with_colours_of_keeps_brightness_and_takes_colour():
    middle = (96 + PICTURE // 4).astype(np.uint8)  # so that nothing is clipped
    other = (96 + small.photo(30, 40, seed=5) // 4).astype(np.uint8)
    made, bright, coloured = (each.astype(float) @ YIQ.T for each in (
        with_colours_of(middle, other), middle, other))
    np.testing.assert_allclose(made[..., 0], bright[..., 0], atol=1)  # rounding
    np.testing.assert_allclose(made[..., 1:], coloured[..., 1:], atol=1.2)
