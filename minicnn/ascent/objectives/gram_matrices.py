"""Gram matrices: which channels are active together, at whatever position.

A texture is described by its Gram matrices; in a diverse batch they differ.
"""

from minicnn.ascent.objectives.term import Objective, Term
from minicnn.backend import array_module
from minicnn.fast.threads import product


def gram(layer, target):
    """The distance of a layer's Gram matrix from a target, `gram_loss`, as an objective.

    Parameters
    ----------
    layer : str
    target : (C, C) array
        The `gram_matrix` of the texture's activation.
    """
    def function(a):
        check_positions(a, layer)
        return gram_loss(a, array_module(a).asarray(target, dtype=a.dtype))

    def of_gram(g):  # E and dE/dG, the first step of its gradient
        off, c = g - array_module(g).asarray(target, dtype=g.dtype), len(target)
        return (off * off).sum(axis=(1, 2)) / (4 * c * c), off / (2 * c * c)
    return Objective([Term(f"{layer} gram", layer, function, of_gram=of_gram)])


def gram_loss(a, target):
    """The distance of an activation's Gram matrix from a target, and its gradient.

    The texture loss of Gatys et al. (2015). With F the (M, C) matrix of M positions and C channels,
    and G = F^T F / M the mean products of all pairs of channels,

        E = sum over i, j of D[i, j]^2 / (4 C^2)        D = G - target, symmetric

    The gradient, step by step:

        dE/dG[i, j] = D[i, j] / (2 C^2)                 the square gives a 2
        dG[c, j]/dF[m, c] = F[m, j] / M                 F[m, c] is a factor of row c of G,
        dG[i, c]/dF[m, c] = F[m, i] / M                 and of column c (G[c, c] counts in both)
        dE/dF = F (D + D^T) / (2 M C^2)                 the sum over the row and the column
              = F D / (M C^2)                           D = D^T gives the other 2

    The 4 below the loss is there to cancel both factors 2.

    The paper's Gram matrix is a sum over positions, and the paper divides E by M^2; dividing G by
    M instead lets images of different sizes share one target. Programs divide in other ways, and
    their weights mean as many different things. What becomes of E, if both images have

    ============================ ============ ============== =======================
    E                            M twice      each channel   activations s times
                                 as large     twice          as large
    ============================ ============ ============== =======================
    this one, and the paper's    the same     the same       s^4
    squares of sums over M       4 times      4 times        s^4
    mean of squares of           the same     1/4            s^4
    F^T F / (M C) (neural-style)
    E / E(nothing is active)     the same     the same       the same
    ============================ ============ ============== =======================

    The last is a relative error, see `relative_error`.

    Parameters
    ----------
    a : array (N, H, W, C)
    target : array (C, C)

    Returns
    -------
    value : array (N,)
        E of each image.
    gradient : array (N, H, W, C)

    Examples
    --------
    >>> import numpy as np
    >>> a = np.array([[1., 0.], [0., 2.]]).reshape(1, 1, 2, 2)  # two positions, two channels
    >>> gram_matrix(a)[0]
    array([[0.5, 0. ],
           [0. , 2. ]])
    >>> value, gradient = gram_loss(a, np.zeros((2, 2)))
    >>> value  # (0.25 + 4) / 16
    array([0.265625])
    >>> gradient.reshape(2, 2)  # F G / 8
    array([[0.0625, 0.    ],
           [0.    , 0.5   ]])
    """
    off = gram_matrix(a) - target
    n, h, w, c = a.shape
    f = a.reshape(n, h * w, c)  # N,H,W,C -> N,M,C
    gradient = product(f, off) / (h * w * c * c)  # (N, M, C) @ (N, C, C) -> N,M,C
    return (off * off).sum(axis=(1, 2)) / (4 * c * c), gradient.reshape(a.shape)  # -> N,H,W,C


def relative_error(a, target):
    """`gram_loss` as a share of what it is where nothing is active, and its gradient.

        R = E / E(0)        E(0) = sum over i, j of target[i, j]^2 / (4 C^2)

    This is 1 if nothing is active and 0 at the target, in any layer of any network. E itself grows
    with the fourth power of the activations, so in a sum over layers the loudest one would count
    alone. E(0) depends on the target only, so the gradient is divided by it, too.

    `changed.relative` does the same to any objective.

    Parameters
    ----------
    a : array (N, H, W, C)
    target : array (C, C)

    Returns
    -------
    value : array (N,)
        R of each image.
    gradient : array (N, H, W, C)

    Raises
    ------
    ValueError
        The target is zero everywhere.
    """
    value, gradient = gram_loss(a, target)
    silent = (target * target).sum() / (4 * len(target) ** 2)
    if silent == 0:
        raise ValueError("relative_error: the target is silent (zero everywhere); choose another "
                         "layer")
    return value / silent, gradient / silent


def diversity(layer):
    """How different the images of a batch are: a term to add (Olah et al. 2017; Lucid).

        value of image n = - mean over the others m of  <G_n, G_m> / (|G_n| |G_m|)

    with G the Gram matrix: 0 if an image has nothing in common with the others, -1 if all are
    alike. This is the only term that compares images of a batch; its gradient is that of the sum
    of the values. Lucid's term is the sum over the others, to be subtracted. An image that is
    silent at this layer counts as different from all others.

    Parameters
    ----------
    layer : str
    """
    def function(a):
        n = len(a)
        if n < 2:
            raise ValueError("diversity: it compares the images of a batch, but this batch has "
                             "only one image; use at least two")
        xp, g = array_module(a), gram_matrix(a, layer)
        positions, c = a.shape[1] * a.shape[2], a.shape[3]
        g = g.reshape(n, c * c)  # N,C,C -> N,CC
        length = xp.sqrt((g * g).sum(axis=1, keepdims=True))
        length = xp.where(length == 0, 1, length)
        unit = g / length
        alike = product(unit, unit.T) * (1 - xp.eye(n, dtype=a.dtype))  # (N, CC) @ (CC, N) -> N,N
        others = unit.sum(axis=0) - unit
        # along the others, less the part that only changes |G|; each pair counts in two values
        slope = (others - alike.sum(axis=1, keepdims=True) * unit) / length
        slope = -2 * slope.reshape(n, c, c) / (n - 1)  # N,CC -> N,C,C
        f = a.reshape(n, positions, c)  # N,H,W,C -> N,M,C
        gradient = 2 * product(f, slope) / positions  # (N, M, C) @ (N, C, C) -> N,M,C
        return -alike.sum(axis=1) / (n - 1), gradient.reshape(a.shape)  # N,M,C -> N,H,W,C
    return Objective([Term(f"{layer} diversity", layer, function)])


def gram_matrix(a, layer="the layer"):
    """(N, C, C): the mean over positions of the products of all pairs of channels of `a`."""
    check_positions(a, layer)
    n, h, w, c = a.shape
    f = a.reshape(n, h * w, c)  # N,H,W,C -> N,M,C
    return product(f.transpose(0, 2, 1), f) / (h * w)  # (N, C, M) @ (N, M, C) -> N,C,C


def check_positions(a, layer):
    """Raise ValueError unless an activation has positions, (N, H, W, C)."""
    if a.ndim != 4:
        raise ValueError(f"gram: a Gram matrix is a mean over positions, but {layer} has none (its "
                         f"output is {a.shape}); choose a convolutional layer")
