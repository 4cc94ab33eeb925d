"""k-means: points into clusters round their means (Lloyd 1982, Arthur & Vassilvitskii 2007)."""

import numpy as np


def kmeans(points, k, seed=0, steps=100):
    """Find k cluster centres.

    The first are drawn from the points, each with a probability that grows with the squared
    distance to those drawn before (k-means++); then in turn every point joins its nearest centre
    and every centre moves to the mean of its points, until nothing changes.

    Parameters
    ----------
    points : array (N, C)
    k : int
    seed : int
    steps : int
        Most rounds.

    Returns
    -------
    centres : float array (k, C)
        Fewer than k where fewer points differ.
    """
    rng, points = np.random.default_rng(seed), np.asarray(points, float)
    centres = points[rng.integers(len(points), size=1)]
    while len(centres) < k and (far := distances(points, centres).min(axis=1)).any():
        centres = np.vstack([centres, points[rng.choice(len(points), p=far / far.sum())]])
    labels = np.full(len(points), -1)
    for _ in range(steps):
        before, labels = labels, distances(points, centres).argmin(axis=1)
        if (labels == before).all():
            break
        for j in set(labels):  # a centre that lost all its points stays where it is
            centres[j] = points[labels == j].mean(axis=0)
    return centres


def distances(points, centres):
    """Squared distances (N, k) of points (N, C) to centres (k, C), exactly 0 for equal ones."""
    return np.stack([((points - centre) ** 2).sum(axis=1) for centre in centres], axis=1)
