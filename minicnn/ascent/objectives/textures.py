"""Statistics of a texture other than its Gram matrices, and how to weigh them.

A Gram matrix mixes two things: how active channels are on average, and how they vary together. So
an image can trade contrast for brightness without changing it, which shows as washed-out or glaring
patches (Risser et al. 2017). With F the (M, C) matrix of M positions and C channels, and m the mean
of each channel over positions,

    Gram matrix           G = F^T F / M
    covariance matrix     S = (F - m)^T (F - m) / M = G - m^T m
    shifted Gram matrix   H = (F/a - 1)^T (F/a - 1) / M        a: the target's mean activation

`covariance` matches S and `means` m, each for itself. `shifted_gram` matches H, where second
moments are taken about the mean of the whole layer. `wasserstein` matches more than second moments:
the distributions of all projections.

What each way of dividing such a loss changes is a table in `gram_matrices.gram_loss`; `relative`
makes a relative error of any of these terms.
"""

from dataclasses import replace

import numpy as np

from minicnn.ascent.objectives.gram_matrices import check_positions, gram_loss, gram_matrix
from minicnn.ascent.objectives.term import Gram, Objective, Term
from minicnn.backend import array_module, to_host
from minicnn.fast.threads import product


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


def relative(objective, seen):
    """The objective, each of whose terms is divided by its value where nothing is active.

    Such a term is a relative error, and equal weights weigh layers equally. The losses of layers
    themselves differ by powers of ten, since they grow with the fourth power of the activations.

    Parameters
    ----------
    objective : Objective
    seen : array (1, H, W, C), or Gram
        What is seen of the target, for its shape and dtype; all terms look at this layer.

    Raises
    ------
    ValueError
        The target is no different from no activation.
    """
    zeros = array_module(seen[0]).zeros_like
    terms, nothing = [], Gram(zeros(seen.matrix)) if isinstance(seen, Gram) else zeros(seen)
    for term in objective.terms:
        silent = float(term.look(nothing)[0][0])
        if silent == 0:
            raise ValueError(f"{term.place} is silent for this photo; leave it out")
        terms.append(replace(term, weight=term.weight / silent))
    return Objective(terms)


def inside(objective, margins):
    """The objective without the border of its layers: it looks at what is further inside.

    Parameters
    ----------
    objective : Objective
    margins : dict of str to int
        Rows and columns to leave out on each side of a layer; a layer that is missing keeps its
        border.
    """
    def function(term):
        m = margins.get(term.place, 0)

        def look(a):
            middle = np.s_[:, m : a.shape[1] - m, m : a.shape[2] - m]
            value, slope = term.function(a[middle])
            gradient = array_module(a).zeros_like(a)
            gradient[middle] = slope
            return value, gradient
        return look if m else term.function
    return Objective(replace(term, function=function(term)) for term in objective.terms)


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
