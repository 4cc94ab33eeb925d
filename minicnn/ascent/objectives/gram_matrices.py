"""Gram matrices: what goes with what, wherever it is.

A texture has given ones; a diverse batch has different ones.
"""

from minicnn.ascent.objectives.term import Objective, Term
from minicnn.backend import array_module
from minicnn.fast.threads import product


def gram(layer, target):
    """How far a layer's Gram matrix is from a target: the texture loss of Gatys et al. (2015).

    With F the (M, C) matrix of M positions and C channels, and G = F^T F / M the mean products of
    its channels,

        E = sum over i, j of (G[i, j] - target[i, j])^2 / (4 C^2)
        dE/dF = F (G - target) / (M C^2)

    Their Gram matrix is a sum over positions, and they divide E by M^2;
    dividing G by M instead lets images of different sizes share one target.

    Parameters
    ----------
    layer : str
    target : (C, C) array
        `gram_matrix` of the texture's activation.
    """
    def function(a):
        off = gram_matrix(a, layer) - array_module(a).asarray(target, dtype=a.dtype)
        n, h, w, c = a.shape
        f = a.reshape(n, h * w, c)  # N,H,W,C -> N,M,C
        gradient = product(f, off) / (h * w * c * c)  # (N, M, C) @ (N, C, C) -> N,M,C
        return (off * off).sum(axis=(1, 2)) / (4 * c * c), gradient.reshape(a.shape)  # -> N,H,W,C
    return Objective([Term(f"{layer} gram", layer, function)])


def diversity(layer):
    """How unlike each other the images of a batch are: to be added (Olah et al. 2017; Lucid).

        value of image n = - mean over the others m of  <G_n, G_m> / (|G_n| |G_m|)

    with G the Gram matrix: 0 where nothing is alike, -1 where all is. It is the one term that looks
    at several images of a batch, and the gradient is that of the values' sum. Lucid's is the sum
    over the others, to be subtracted. An image that is silent at this layer counts as unlike.

    Parameters
    ----------
    layer : str
    """
    def function(a):
        n = len(a)
        if n < 2:
            raise ValueError("diversity: it compares the images of a batch, and this batch has one")
        xp, g = array_module(a), gram_matrix(a, layer)
        positions, c = a.shape[1] * a.shape[2], a.shape[3]
        g = g.reshape(n, c * c)  # N,C,C -> N,CC
        length = xp.sqrt((g * g).sum(axis=1, keepdims=True))
        length = xp.where(length == 0, 1, length)
        unit = g / length
        alike = product(unit, unit.T) * (1 - xp.eye(n, dtype=a.dtype))  # (N, CC) @ (CC, N) -> N,N
        others = unit.sum(axis=0) - unit
        # along the others, less what only makes G longer; each pair counts in two values
        slope = (others - alike.sum(axis=1, keepdims=True) * unit) / length
        slope = -2 * slope.reshape(n, c, c) / (n - 1)  # N,CC -> N,C,C
        f = a.reshape(n, positions, c)  # N,H,W,C -> N,M,C
        gradient = 2 * product(f, slope) / positions  # (N, M, C) @ (N, C, C) -> N,M,C
        return -alike.sum(axis=1) / (n - 1), gradient.reshape(a.shape)  # N,M,C -> N,H,W,C
    return Objective([Term(f"{layer} diversity", layer, function)])


def gram_matrix(a, layer="the layer"):
    """(N, C, C): the mean over positions of the product of every two channels of a (N, H, W, C)."""
    if a.ndim != 4:
        raise ValueError(f"gram: a Gram matrix is a mean over positions, and {layer} has none, its "
                         f"output is {a.shape}; choose a convolutional layer")
    n, h, w, c = a.shape
    f = a.reshape(n, h * w, c)  # N,H,W,C -> N,M,C
    return product(f.transpose(0, 2, 1), f) / (h * w)  # (N, C, M) @ (N, M, C) -> N,C,C
