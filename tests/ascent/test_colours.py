"""The colours of photos: statistics against NumPy's, and what is promised of the changes."""

import numpy as np
import pytest
import small

from minicnn import images
from minicnn.ascent.colours import colours_of, limited, natural, of_photos
from minicnn.ascent.parametrize import MEAN, MIXTURE


def test_colours_of():
    x = np.random.default_rng(0).normal(size=(2, 5, 4, 3))
    mean, covariance = colours_of(x)
    np.testing.assert_allclose(mean, x.reshape(-1, 3).mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(covariance, np.cov(x.reshape(-1, 3).T, bias=True), atol=1e-12)


def test_colours_that_vary_too_much_get_mean_and_covariance():
    rng = np.random.default_rng(1)
    target = colours_of(rng.normal(size=(1, 9, 8, 3)) @ rng.normal(size=(3, 3)) + 4)
    x = rng.normal(size=(1, 20, 30, 3)) @ rng.normal(size=(3, 3)) * 30
    for got, expected in zip(colours_of(limited(x, *target)), target, strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-9)


def test_contrast_is_never_raised():
    x = np.random.default_rng(2).normal(size=(1, 6, 5, 3))
    np.testing.assert_allclose(limited(x, np.full(3, 7.0), 9 * np.eye(3)),
                               x - x.mean(axis=(0, 1, 2)) + 7, atol=1e-12)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_plain_image_and_a_plain_target(channels):
    plain, mean = np.full((1, 4, 4, channels), 3.0, np.float32), np.full(channels, 5.0)
    y = limited(plain, mean, np.zeros((channels, channels)), 0.1)
    np.testing.assert_allclose(y, 5, rtol=1e-6)
    assert y.dtype == np.float32
    waves = plain + 8 * (np.arange(4) % 2)[:, None]
    y = limited(waves.astype(np.float32), mean, np.zeros((channels, channels)), 0.1)
    np.testing.assert_allclose(y.std(axis=(0, 1, 2)).max(), 0.1, rtol=0.8)  # faint, but not gone
    assert np.isfinite(y).all()


def test_the_colours_of_photos():
    """In a network's order and scale: B, G, R, and a grey level is 1/50."""
    network = small.network()
    mean, covariance = of_photos(network)
    order = [network.preprocessing.order.index(colour) for colour in "RGB"]
    low, high = (bound.ravel()[order] for bound in images.bounds(network.preprocessing, (1, 1)))
    np.testing.assert_allclose((mean[order] - low) / (high - low), MEAN, atol=0.002)  # 8 bits
    expected = np.array(MIXTURE) @ np.transpose(MIXTURE) * np.outer(high - low, high - low)
    np.testing.assert_allclose(covariance[np.ix_(order, order)], expected, rtol=0.01)


def test_steps_in_the_colours_of_photos():
    """Of independent colours they have the covariance of photos; and they point uphill."""
    covariance = np.array(MIXTURE) @ np.transpose(MIXTURE)
    g = np.random.default_rng(3).normal(size=(2, 40, 50, 3)).astype(np.float32)
    step = natural(g, covariance)
    np.testing.assert_allclose(colours_of(step)[1], covariance, atol=0.01)  # 4000 draws
    assert (step * g).sum(axis=3).min() > 0 and step.dtype == np.float32
