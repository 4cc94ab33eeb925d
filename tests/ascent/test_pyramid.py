"""Blurring and the Laplacian pyramid: by loops, by scipy, their adjoints and their inverse."""

import nets
import numpy as np
import pytest

from minicnn.ascent import pyramid

X = nets.images(2, (7, 10, 3))
SIZES = [(7, 10), (8, 8), (1, 5), (2, 3), (1, 1)]


def dot(a, b):
    return float((a * b).sum())


def mirrored(k, size):
    """d c b a | a b c d | d c b a, as often as it takes."""
    k %= 2 * size
    return min(k, 2 * size - 1 - k)


# ---- blur

@pytest.mark.parametrize("sigma", [0.3, 0.5, 1.0, 2.7])
def test_blur_is_scipy_s(sigma):
    ndimage = pytest.importorskip("scipy.ndimage")
    expected = ndimage.gaussian_filter(X, (0, sigma, sigma, 0))  # reflect, cut off at 4 sigma
    np.testing.assert_allclose(pyramid.blur(X, sigma), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("sigma", [0.7, 2.0])
def test_blur_by_hand(sigma):
    weights = {k: np.exp(-0.5 * (k / sigma) ** 2) for k in range(-int(4 * sigma + 0.5),
                                                                 int(4 * sigma + 0.5) + 1)}
    total = sum(weights.values())
    for h, w in [(0, 0), (3, 4), (6, 9)]:
        by_hand = sum(a * b * X[:, mirrored(h + i, 7), mirrored(w + j, 10)]
                      for i, a in weights.items() for j, b in weights.items()) / total**2
        np.testing.assert_allclose(pyramid.blur(X, sigma)[:, h, w], by_hand, rtol=1e-12)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_blur_is_its_own_adjoint(size):
    """Also where the weights reach beyond the image several times."""
    x, dy = nets.images(2, (*size, 3)), nets.images(2, (*size, 3), seed=5)
    assert dot(pyramid.blur(x, 1.5), dy) == pytest.approx(dot(x, pyramid.blur(dy, 1.5)), rel=1e-12)


def test_blur_keeps_the_mean_and_a_plain_image():
    np.testing.assert_allclose(pyramid.blur(X, 1.3).mean(axis=(1, 2)), X.mean(axis=(1, 2)),
                               rtol=1e-12)
    np.testing.assert_allclose(pyramid.blur(np.full((1, 3, 4, 2), 3.7), 1.3), 3.7, rtol=1e-14)


@pytest.mark.parametrize("sigma", [0, -1, float("nan"), float("inf")])
def test_a_sigma_that_is_no_width(sigma):
    with pytest.raises(ValueError, match=f"blur: sigma must be above 0 pixels, got {sigma}"):
        pyramid.blur(X, sigma)


# ---- reduce and expand

def test_reduce_by_hand():
    weights = dict(zip(range(-2, 3), (1, 4, 6, 4, 1), strict=True))
    small = pyramid.reduce(X)
    assert small.shape == (2, 4, 5, 3)
    for h, w in np.ndindex(4, 5):
        by_hand = sum(a * b / 256 * X[:, mirrored(2 * h + i, 7), mirrored(2 * w + j, 10)]
                      for i, a in weights.items() for j, b in weights.items())
        np.testing.assert_allclose(small[:, h, w], by_hand, rtol=1e-12)


def test_expand_by_hand():
    """One row: a pixel counts 6 of 8 where it is put and 4 of 8 beside; the first is seen twice,
    itself and mirrored: 6 + 4 + 1 and 1 + 4 + 4 are there."""
    small = np.array([0.0, 8.0, 0.0, 0.0]).reshape(1, 1, 4, 1)
    large = pyramid.expand(small, (1, 8)).ravel()
    np.testing.assert_allclose(large, [8 / 11, 8 * 4 / 9, 6, 4, 1, 0, 0, 0], rtol=1e-14)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_expand_s_adjoint(size):
    small = nets.images(2, (*pyramid.sizes(size, 1)[1], 3))
    large = pyramid.expand(small, size)
    dy = nets.like(large)
    dx = pyramid.expand_backward(dy)
    assert large.shape == (2, *size, 3) and dx.shape == small.shape
    assert dot(large, dy) == pytest.approx(dot(small, dx), rel=1e-12)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_plain_image_stays_plain(size):
    plain = np.full((1, *size, 2), -2.5)
    small = pyramid.reduce(plain)
    np.testing.assert_allclose(small, -2.5, rtol=1e-14)
    np.testing.assert_allclose(pyramid.expand(small, size), -2.5, rtol=1e-14)


# ---- the pyramid

@pytest.mark.parametrize("levels", [0, 1, 3, 5])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_merge_is_the_inverse_of_split(size, levels):
    x = nets.images(2, (*size, 3))
    bands = pyramid.split(x, levels)
    assert [band.shape[1:3] for band in bands] == pyramid.sizes(size, levels)
    # float64: what is subtracted is added again
    np.testing.assert_allclose(pyramid.merge(bands), x, rtol=0, atol=1e-14)


@pytest.mark.parametrize("levels", [0, 2, 4])
def test_merge_s_adjoint(levels):
    bands = [nets.images(2, (*size, 3), seed) for seed, size in
             enumerate(pyramid.sizes((7, 10), levels))]
    image = pyramid.merge(bands)
    dy = nets.like(image)
    gradients = pyramid.merge_backward(dy, levels)
    assert [g.shape for g in gradients] == [band.shape for band in bands]
    there = sum(dot(g, band) for g, band in zip(gradients, bands, strict=True))
    assert dot(image, dy) == pytest.approx(there, rel=1e-12)


def test_bands_go_from_fine_to_coarse():
    """A checkerboard is all in the first band, a broad wave in the last."""
    rows = np.arange(32)
    fine = (-1.0) ** np.add.outer(rows, rows)[None, :, :, None]
    broad = np.cos(2 * np.pi * (rows + 0.5) / 64)[None, :, None, None] * np.ones((1, 32, 32, 1))
    sizes = {name: [np.sqrt((band**2).mean()) for band in pyramid.split(x, 3)]
             for name, x in (("fine", fine), ("broad", broad))}
    # what is left is at the border: mirrored, a checkerboard has two equal neighbours
    assert sizes["fine"][0] > 0.99 and max(sizes["fine"][1:]) < 0.05
    assert sizes["broad"][3] > 0.6 and max(sizes["broad"][:3]) < 0.15


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_types_are_kept_and_arguments_too(dtype):
    x = X.astype(dtype)
    results = [pyramid.blur(x, 1.0), *pyramid.split(x, 2), pyramid.merge(pyramid.split(x, 2)),
               *pyramid.merge_backward(x, 2)]
    assert {result.dtype for result in results} == {np.dtype(dtype)}
    np.testing.assert_array_equal(x, X.astype(dtype))
