"""How far one set of vectors is from another: optimal transport, relaxed, and what goes with it.

These are the losses of STROTSS (Kolkin, Salavon & Shakhnarovich 2019, section 2). x (n, C) and
y (m, C) are vectors, such as the hypercolumns of some pixels, in no order. The earth mover's
distance is the least work of carrying all of x to all of y, which a linear programme finds.
Relaxed, each vector goes to its nearest one, wherever the others go, first from x to y, then from y
to x; the larger of the two is a lower bound:

    l_r = max( mean over i of min over j of D[i, j],  mean over j of min over i of D[i, j] )

D is the cosine distance, or for colours the Euclidean one.

Each function returns the value and its gradient at x. All values but those of `cosine` and
`euclidean` have kinks, where two vectors are equally near or a difference is 0; there the gradient
is that of one side.
"""

import numpy as np

from minicnn.backend import array_module
from minicnn.fast.threads import product

YUV = np.array([[0.299, 0.587, 0.114], [-0.147, -0.289, 0.436], [0.615, -0.515, -0.1]])


def relaxed_emd(x, y, distance):
    """The relaxed earth mover's distance l_r.

    Of all D[i, j] only those of nearest pairs count, each with the slope 1 / n or 1 / m.

    Parameters
    ----------
    x : array (n, C)
    y : array (m, C)
    distance : callable
        `cosine` or `euclidean`.

    Returns
    -------
    value : array ()
    gradient : array (n, C)
    """
    xp, (d, back) = array_module(x), distance(x, y)
    (n, m), slopes = d.shape, array_module(x).zeros_like(d)
    there, here = d.min(axis=1).mean(), d.min(axis=0).mean()
    if there >= here:
        slopes[xp.arange(n), d.argmin(axis=1)] = 1 / n
    else:
        slopes[d.argmin(axis=0), xp.arange(m)] = 1 / m
    return xp.maximum(there, here), back(slopes)


def cosine(x, y):
    """1 - the cosine of each pair of vectors, and the way back.

    With u = x / |x| and v = y / |y|,

        D[i, j] = 1 - u[i] . v[j]        dD[i, j]/dx[i] = -(v[j] - (u[i] . v[j]) u[i]) / |x[i]|

    for a change of x along itself does not turn it. A vector 0 counts as of length 1.

    Returns
    -------
    distances : array (n, m)
    back : callable
        From slopes (n, m) at the distances to the gradient (n, C) at x, with y at rest.
    """
    (u, length), (v, _) = _units(x), _units(y)
    alike = product(u, v.T)  # (n, C) @ (C, m) -> n,m

    def back(slopes):
        along = (slopes * alike).sum(axis=1, keepdims=True)
        return (along * u - product(slopes, v)) / length  # (n, m) @ (m, C) -> n,C
    return 1 - alike, back


def euclidean(x, y):
    """The distance of each pair of vectors, for a small C, and the way back.

        D[i, j] = |x[i] - y[j]|        dD[i, j]/dx[i] = (x[i] - y[j]) / D[i, j]

    Returns
    -------
    distances, back
        As of `cosine`.
    """
    xp, off = array_module(x), x[:, None] - y  # n,m,C
    d = xp.sqrt((off * off).sum(axis=2))

    def back(slopes):
        return ((slopes / xp.where(d == 0, 1, d))[..., None] * off).sum(axis=1)  # n,m,C -> n,C
    return d, back


def palette(x, y):
    """`relaxed_emd` of colours (n, 3) and (m, 3), red first, by their distance in YUV, where
    brightness and two kinds of colour are nearly independent: l_p."""
    matrix = array_module(x).asarray(YUV.T, dtype=x.dtype)
    value, gradient = relaxed_emd(x @ matrix, y @ matrix, euclidean)  # (n, 3) @ (3, 3) -> n,3
    return value, gradient @ matrix.T


def moments(x, mean, covariance):
    """How far mean and covariance are from given ones: l_m.

        l_m = mean over c of |m - mean|[c]  +  mean over c, d of |S - covariance|[c, d]

    where S = (x - m)^T (x - m) / n. With signs s of the first difference and T of the second, which
    is symmetric, the gradient is s / (n C) + 2 (x - m) T / (n C^2). What flows back through the m
    of S is the mean of (x - m) T over x: 0.

    Parameters
    ----------
    x : array (n, C)
    mean, covariance : arrays (C,) and (C, C)
        As `mean_and_covariance` gives them.

    Returns
    -------
    value : array ()
    gradient : array (n, C)
    """
    xp, (n, c) = array_module(x), x.shape
    m, s = mean_and_covariance(x)
    off, apart = m - mean, s - covariance
    gradient = product(x - m, xp.sign(apart)) * (2 / (n * c * c)) + xp.sign(off) / (n * c)
    return abs(off).mean() + abs(apart).mean(), gradient


def mean_and_covariance(x):
    """The mean (C,) and the covariance (C, C) of vectors (n, C)."""
    m = x.mean(axis=0)
    return m, product((x - m).T, x - m) / len(x)  # (C, n) @ (n, C) -> C,C


def self_similarity(x, shares):
    """How far the pattern of x's distances among themselves is from a given one: l_C.

        l_C = 1/n sum over i, j of |P[i, j] - shares[i, j]|        P[i, j] = D[i, j] / s[j]

    where D holds cosine distances and s[j] = sum over i of D[i, j]. With G the signs divided by n,

        dl/dD[i, j] = (G[i, j] - sum over k of G[k, j] P[k, j]) / s[j]

    for D[i, j] is in the sum of its whole column. D[i, j] and D[j, i] both move with x[i], so the
    slopes of both come back to it. The paper divides by n^2, its authors' program by n, as here:
    then the value does not depend on how many vectors there are.

    Parameters
    ----------
    x : array (n, C)
    shares : array (n, n)
        `distance_shares` of the content's vectors at the same places.

    Returns
    -------
    value : array ()
    gradient : array (n, C)
    """
    xp, (d, back) = array_module(x), cosine(x, x)
    p, s = _shares(d)
    signs = xp.sign(p - shares) / len(x)
    slopes = (signs - (signs * p).sum(axis=0)) / s
    return abs(p - shares).sum() / len(x), back(slopes + slopes.T)


def distance_shares(x):
    """The cosine distances of vectors (n, C) among themselves, each column divided by its sum."""
    return _shares(cosine(x, x)[0])[0]


def _shares(d):
    """(P, s)."""
    s = d.sum(axis=0)
    s = array_module(d).where(s <= 0, 1, s)  # all alike: no distances, or their rounding
    return d / s, s


def _units(x):
    """Vectors of length 1, and the lengths (n, 1)."""
    xp = array_module(x)
    length = xp.sqrt((x * x).sum(axis=1, keepdims=True))
    length = xp.where(length == 0, 1, length)
    return x / length, length
