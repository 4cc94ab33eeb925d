"""Terms that look at the image itself: penalties for large, rough or out-of-range values.

All are losses, to be subtracted. They are means over the image's numbers, so that a weight means
the same at every size. They see the image before any transform.
"""

from minicnn.ascent.objectives.term import Objective, Term
from minicnn.backend import array_module
from minicnn.network import INPUT


def l2():
    """Half the mean square of the image; subtracted, it pulls towards the mean colour."""
    def function(x):
        size = x[0].size
        return (x * x).reshape(len(x), -1).sum(axis=1) / (2 * size), x / size
    return Objective([Term("l2", INPUT, function)])


def alpha_norm(alpha=6.0, centre=0.0):
    """The mean of |x - centre|^alpha (Mahendran & Vedaldi 2015, section 2.1, there a sum).

    A large alpha hardly changes ordinary values and shrinks outliers. alpha = 1 is the L1 norm,
    which sets small values to zero.

    Parameters
    ----------
    alpha : float, at least 1
    centre : number or array, optional
        What x is drawn to: 0 is the mean colour, if the preprocessing subtracts one.
    """
    if not alpha >= 1:
        raise ValueError(f"alpha_norm: alpha must be at least 1, got {alpha}")

    def function(x):
        xp, size = array_module(x), x[0].size
        off = x - xp.asarray(centre, dtype=x.dtype)
        values = ((off * off) ** (alpha / 2)).reshape(len(x), -1).mean(axis=1)
        return values, alpha / size * abs(off) ** (alpha - 1) * xp.sign(off)
    return Objective([Term(f"alpha norm {alpha:g}", INPUT, function)])


def outside(low, high):
    """Half the mean square of how far numbers lie outside the range that can be shown.

    For images that are not clipped to this range at every step.

    Parameters
    ----------
    low, high : numbers or arrays
        `images.bounds` of the network's preprocessing.
    """
    def function(x):
        xp, size = array_module(x), x[0].size
        below, above = (xp.asarray(bound, dtype=x.dtype) for bound in (low, high))
        beyond = xp.maximum(x - above, 0) + xp.minimum(x - below, 0)
        return (beyond * beyond).reshape(len(x), -1).sum(axis=1) / (2 * size), beyond / size
    return Objective([Term("outside", INPUT, function)])


def total_variation(beta=2.0):
    """The roughness of the image (Mahendran & Vedaldi 2015), a mean over its numbers.

        V = mean over i, j, c of ((x[i, j+1] - x[i, j])^2 + (x[i+1, j] - x[i, j])^2)^(beta/2)

    Differences beyond the last row and column count as zero. Each image of a batch has its own
    value.

    Parameters
    ----------
    beta : float, at least 1
        1 keeps edges but gives spikes, 2 gives smooth images.
    """
    if not beta >= 1:
        raise ValueError(f"total_variation: beta must be at least 1, got {beta}")

    def function(x):
        xp = array_module(x)
        across, down = xp.zeros_like(x), xp.zeros_like(x)
        across[:, :, :-1] = x[:, :, 1:] - x[:, :, :-1]
        down[:, :-1] = x[:, 1:] - x[:, :-1]
        square = across**2 + down**2
        value = (square ** (beta / 2)).reshape(len(x), -1).mean(axis=1)
        flat = square == 0  # the gradient there is 0 (beta > 1) or is set to 0 (beta = 1)
        slope = xp.where(flat, 0, beta * xp.where(flat, 1, square) ** (beta / 2 - 1)) / x[0].size
        gradient = -slope * (across + down)
        right, below = gradient[:, :, 1:], gradient[:, 1:]
        right += (slope * across)[:, :, :-1]
        below += (slope * down)[:, :-1]
        return value, gradient.astype(x.dtype)
    return Objective([Term("total variation", INPUT, function)])
