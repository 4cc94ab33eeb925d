"""k-means: group points into clusters around their means.

Lloyd (1982) has the iteration, Arthur & Vassilvitskii (2007) the choice of the first centres.
"""

import numpy as np


def kmeans(points, k, seed=0, steps=100):
    """Find k cluster centres.

    k-means++ draws the first centres from the points, each with a probability in proportion to its
    squared distance from the nearest centre so far. Then every point joins its nearest centre and
    every centre moves to the mean of its points, in turn, until no point changes its centre.

    Parameters
    ----------
    points : array (N, C)
    k : int
    seed : int
    steps : int
        Most rounds of the iteration.

    Returns
    -------
    centres : float array (k, C)
        Fewer than k if the points have fewer different values.
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
        for j in set(labels):  # a centre without points stays where it is
            centres[j] = points[labels == j].mean(axis=0)
    return centres


def distances(points, centres):
    """Squared distances (N, k) from points (N, C) to centres (k, C); exactly 0 where equal."""
    return np.stack([((points - centre) ** 2).sum(axis=1) for centre in centres], axis=1)
