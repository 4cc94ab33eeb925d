"""Statistics of a texture other than its Gram matrices.

A Gram matrix mixes two things: how active channels are on average, and how they vary together. So
an image can trade contrast for brightness without changing it, which shows as washed-out or glaring
patches (Risser et al. 2017). With F the (M, C) matrix of M positions and C channels, and m the mean
of each channel over positions,

    Gram matrix           G = F^T F / M
    covariance matrix     S = (F - m)^T (F - m) / M = G - m^T m
    shifted Gram matrix   H = (F/a - 1)^T (F/a - 1) / M        a: the target's mean activation

`covariance` matches S and `means` m, each for itself. `shifted_gram` matches H, where second
moments are taken about the mean of the whole layer. `wasserstein` matches more than second moments:
the distributions of all projections. `cross_gram` compares the channels of two layers.

None of them knows how places far apart go together, as the rows of a wall do; `spectrum`, which
looks at the image itself, does.

What each way of dividing such a loss changes is a table in `gram_matrices.gram_loss`;
`changed.relative` makes a relative error of any of these terms.
"""

import numpy as np

from minicnn.ascent.objectives.gram_matrices import check_positions, gram_loss, gram_matrix
from minicnn.ascent.objectives.term import Objective, Term
from minicnn.backend import array_module, to_host
from minicnn.fast.threads import product
from minicnn.network import INPUT
from minicnn.ops import resize


def covariance(layer, seen):
    """The distance of a layer's covariance matrix from a texture's.

    It is `gram_loss` of the centred activations F - m, and so is its gradient: a change of F also
    changes m, but what flows back through m is the gradient's mean over positions, and that of
    (F - m) D is 0.

    Parameters
    ----------
    layer : str
    seen : array (1, H, W, C)
        The texture's activation; any H and W.
    """
    check_positions(seen, layer)
    target = gram_matrix(seen - _mean(seen))[0]

    def function(a):
        check_positions(a, layer)
        return gram_loss(a - _mean(a), array_module(a).asarray(target, dtype=a.dtype))
    return Objective([Term(f"{layer} covariance", layer, function)])


def means(layer, seen):
    """The sum over channels of (m - target's m)^2, where m is a channel's mean over positions.

    Parameters
    ----------
    layer : str
    seen : array (1, H, W, C)
        The texture's activation; any H and W.
    """
    check_positions(seen, layer)
    target = _mean(seen)

    def function(a):
        check_positions(a, layer)
        off = _mean(a) - array_module(a).asarray(target, dtype=a.dtype)  # N,1,1,C
        slope = array_module(a).zeros_like(a) + 2 * off / (a.shape[1] * a.shape[2])
        return (off * off).sum(axis=(1, 2, 3)), slope
    return Objective([Term(f"{layer} mean", layer, function)])


def shifted_gram(layer, seen):
    """The distance of a layer's shifted Gram matrix from a texture's, in units of its mean.

    F/a - 1 is linear in F, so the gradient is that of `gram_loss` divided by a.

    Parameters
    ----------
    layer : str
    seen : array (1, H, W, C)
        The texture's activation; any H and W.
    """
    check_positions(seen, layer)
    a0 = float(abs(seen).mean()) or 1.0
    target = gram_matrix(seen / a0 - 1)[0]

    def function(a):
        check_positions(a, layer)
        value, slope = gram_loss(a / a0 - 1, array_module(a).asarray(target, dtype=a.dtype))
        return value, slope / a0
    return Objective([Term(f"{layer} shifted gram", layer, function)])


def wasserstein(layer, seen, seed=0):
    """The sliced Wasserstein distance of a layer's activations from a texture's (Heitz 2021).

        E = 1/(M K) sum over k, m of (p[m, k] - q[m, k])^2

    where p[:, k] are the projections F v_k on direction k in increasing order, q those of the
    texture, and K = C directions are drawn once. Sorting only moves numbers, so the gradient is
    2 (p - q) / (M K), moved back to its positions, times v_k. If the texture has another number of
    positions, q is read off its quantiles.

    Parameters
    ----------
    layer : str
    seen : array (1, H, W, C)
        The texture's activation; any H and W.
    seed : int
        Of the directions. The paper draws new ones for every look; an optimiser that compares
        looks, such as L-BFGS, needs the same ones for all of them.
    """
    check_positions(seen, layer)
    c = seen.shape[3]
    directions = np.random.default_rng(seed).normal(size=(c, c))
    directions /= np.linalg.norm(directions, axis=0)

    def projected(a):
        v = array_module(a).asarray(directions, dtype=a.dtype)
        return product(a.reshape(len(a), -1, c), v), v  # (N, M, C) @ (C, K) -> N,M,K
    goals = np.sort(to_host(projected(seen)[0][0]).astype(np.float64), axis=0)  # M',K

    def function(a):
        check_positions(a, layer)
        xp, (p, v) = array_module(a), projected(a)
        order = xp.argsort(p, axis=1, kind="stable")
        off = xp.take_along_axis(p, order, axis=1)
        off = off - xp.asarray(_quantiles(goals, p.shape[1]), dtype=a.dtype)
        rank = xp.argsort(order, axis=1)  # back to their positions
        slope = xp.take_along_axis(2 / off[0].size * off, rank, axis=1)
        gradient = product(slope, v.T)  # (N, M, K) @ (K, C) -> N,M,C
        return (off * off).mean(axis=(1, 2)), gradient.reshape(a.shape)  # N,M,C -> N,H,W,C
    return Objective([Term(f"{layer} wasserstein", layer, function)])


def cross_gram(fine, coarse, seen_fine, seen_coarse):
    """The distance of the Gram matrix of two layers from a texture's.

    Which channel of one layer is active together with which of the other (the cross-layer Gram
    matrices of Yeh & Tang 2018). With F (M, C) the activations of the layer of larger maps, and
    U (M, C') those of the other, enlarged to that size,

        G = F^T U / M        E = sum of D^2 / (4 C C')        D = G - target

    G is linear in each of the two, and dE/dG = D / (2 C C'). So dE/dF = U D^T / (2 M C C') and
    dE/dU = F D / (2 M C C'), which the adjoint of the enlargement carries back to the small map.

    Parameters
    ----------
    fine, coarse : str
        Two layers, the one with the larger maps first.
    seen_fine, seen_coarse : arrays (1, H, W, C) and (1, h, w, C')
        The texture's activations.
    """
    def matrix(a, b):
        check_positions(a, fine), check_positions(b, coarse)
        n, h, w, c = a.shape
        large, cache = resize.forward(b, (h, w))
        f, u = a.reshape(n, h * w, c), large.reshape(n, h * w, -1)  # N,H,W,C -> N,M,C
        return product(f.transpose(0, 2, 1), u) / (h * w), f, u, cache  # -> N,C,C'
    target = matrix(seen_fine, seen_coarse)[0][0]

    def function(a, b):
        g, f, u, cache = matrix(a, b)
        off = g - array_module(a).asarray(target, dtype=a.dtype)
        slope = off / (2 * f.shape[1] * off[0].size)
        df = product(u, slope.transpose(0, 2, 1)).reshape(a.shape)  # (N,M,C') @ (N,C',C) -> N,H,W,C
        du = product(f, slope).reshape(*a.shape[:3], -1)  # (N, M, C) @ (N, C, C') -> N,H,W,C'
        return (off * off).sum(axis=(1, 2)) / (4 * off[0].size), (df, resize.backward(du, cache))
    return Objective([Term(f"{fine}:{coarse} gram", (fine, coarse), function)])


def spectrum(seen):
    """The distance of the image from those that have a texture's power spectrum (Liu, Gousseau &
    Xia 2016; Gonthier, Gousseau & Ladjal 2022).

    The spectrum of an image says how strong each frequency is in it, that is how regularly
    something comes again; where, its phases say. With X and T the Fourier transforms (k, C) of the
    image x and of the texture t, the images with the texture's spectrum are those of transform
    u T, where u is one phase, |u| = 1, for each frequency k. The nearest to x has

        u[k] = z[k] / |z[k]|        z[k] = sum over c of X[k, c] conj(T[k, c])        E = |x - p|^2

    and is p. The phases are the best ones, so E does not change with them to first order, and the
    gradient is that of a distance from a point at rest, 2 (x - p).

    Parameters
    ----------
    seen : array (1, H, W, C)
        The texture, in the network's input values. Images must have its size.
    """
    def function(x):
        xp, size = array_module(x), x.shape[1:3]
        if size != seen.shape[1:3]:
            raise ValueError(f"spectrum: the image has {size[0]}x{size[1]} pixels, the texture "
                             f"{seen.shape[1]}x{seen.shape[2]}; only pictures of one size have "
                             "comparable spectra")
        goal = xp.fft.rfft2(xp.asarray(seen), axes=(1, 2))  # 1,H,W,C -> 1,H,F,C
        z = (xp.fft.rfft2(x, axes=(1, 2)) * goal.conj()).sum(axis=3, keepdims=True)  # -> N,H,F,1
        length = abs(z)
        phase = xp.where(length == 0, 1, z / xp.where(length == 0, 1, length))
        off = x - xp.fft.irfft2(phase * goal, s=size, axes=(1, 2)).astype(x.dtype)
        return (off * off).sum(axis=(1, 2, 3)), 2 * off
    return Objective([Term("spectrum", INPUT, function)])


def _mean(a):
    """Each channel's mean over positions, N,1,1,C."""
    return a.mean(axis=(1, 2), keepdims=True)


def _quantiles(goals, count):
    """The sorted columns of `goals` (M', K), as `count` sorted numbers each: (count, K)."""
    if len(goals) == count:
        return goals
    at = np.clip((np.arange(count) + 0.5) / count * len(goals) - 0.5, 0, len(goals) - 1)
    below = np.minimum(at.astype(int), max(len(goals) - 2, 0))
    share = (at - below)[:, None]
    return (1 - share) * goals[below] + share * goals[np.minimum(below + 1, len(goals) - 1)]
