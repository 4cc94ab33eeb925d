"""The colours of one picture given to another: histograms, mean and covariance, or brightness only.

Pictures are (H, W, 3) uint8, red first, of any two sizes.
"""

import numpy as np

from minicnn.ascent.colours import power

YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])  # NTSC
FAINT = 1e-3**0.5  # grey levels: the least deviation of a colour that is divided by


def match_histogram(picture, other):
    """Each of red, green and blue gets the other picture's distribution of values.

    The n-th darkest of N pixels becomes the quantile (n + 1/2) / N of the other's values; equal
    pixels, the mean of their quantiles.
    """
    matched = np.empty(picture.shape, float)
    for c in range(3):
        levels, where, counts = np.unique(picture[..., c], return_inverse=True, return_counts=True)
        ends = np.cumsum(counts)
        ranks = (np.arange(ends[-1]) + 0.5) / ends[-1]
        values = np.sort(other[..., c], axis=None)  # np.quantile would partition for every rank
        goals = np.interp(ranks * (values.size - 1), np.arange(values.size), values)
        sums = np.add.reduceat(goals, ends - counts)
        matched[..., c] = (sums / counts)[where].reshape(picture.shape[:2])
    return _pixels(matched)


def match_covariance(picture, other):
    """An affine map of the colours gives the picture the other's mean and covariance of colours
    (Gatys et al. 2016, "Preserving color in neural artistic style transfer", section 4.1).

    With S = U D U^T the covariance of the picture's colours p, T that of the other's, mu and nu
    their means: p -> T^(1/2) S^(-1/2) (p - mu) + nu. Of the maps that do this, it is the one with
    symmetric roots.
    """
    p, q = (each.reshape(-1, 3).astype(float) for each in (picture, other))  # H,W,3 -> M,3
    matrix = power(_covariance(q), 0.5, FAINT) @ power(_covariance(p), -0.5, FAINT)
    moved = (p - p.mean(axis=0)) @ matrix.T + q.mean(axis=0)
    return _pixels(moved.reshape(picture.shape))


def with_colours_of(picture, other):
    """The picture's brightness with the other's colours; both of one size.

    Brightness is Y of YIQ, colour its I and Q (the same section; neural-style's original_colors).
    """
    bright, coloured = (each @ YIQ.T for each in (picture.astype(float), other.astype(float)))
    return _pixels(np.concatenate([bright[..., :1], coloured[..., 1:]], axis=2)
                   @ np.linalg.inv(YIQ).T)


def _covariance(p):
    return np.cov(p.T, bias=True)


def _pixels(values):
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
