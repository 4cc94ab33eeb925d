"""The colours of photos: their mean and covariance, and images brought near to them.

In photos red, green and blue rise and fall together. A network's gradient knows nothing of this:
followed as it is, it paints edges of pure red and blue, above all in small networks, whose units
see contrasts of colour sooner than shapes. `natural` turns the gradient towards colours that are
frequent in photos, `limited` calms an image whose colours vary too much.

Sums run over pixels in a fixed order, so that the result does not depend on the number of threads.
"""

import numpy as np

from minicnn.ascent.parametrize import MEAN, MIXTURE
from minicnn.backend import array_module


def colours_of(x):
    """The mean (C,) and the covariance (C, C) of the colours of images (N, H, W, C)."""
    values = [x[..., c] for c in range(x.shape[3])]
    mean = [float(value.mean()) for value in values]
    values = [value - centre for value, centre in zip(values, mean, strict=True)]
    return np.array(mean), np.array([[float((a * b).mean()) for b in values] for a in values])


def of_photos(network):
    """Mean and covariance of the colours of ImageNet's photos, in a network's input values."""
    corners = np.stack(np.meshgrid(*[(-1, 1)] * 3), axis=-1).reshape(2, 4, 3)  # of covariance 1
    colours = MEAN + corners @ np.transpose(MIXTURE)  # of Lucid's covariance, within 0..1
    return colours_of(network.prepare(np.rint(255 * colours).astype(np.uint8), "keep"))


def natural(gradient, covariance):
    """The gradient with colours mixed as in photos: g S^1/2, with S the covariance of photos.

    A gradient whose three colours are independent and equally strong becomes a step with the
    covariance of photos. It still points uphill, for S^1/2 is positive.

    Parameters
    ----------
    gradient : array (N, H, W, C)
    covariance : (C, C)
    """
    return _mixed(gradient, power(covariance, 0.5))


def limited(x, mean, covariance, faint=0.0):
    """Images (N, H, W, C) with a given mean colour, and colours that vary no more than given.

    Let S be the covariance of x, and S0 the given one. The symmetric matrix

        T = S^-1/2 (S^1/2 S0 S^1/2)^1/2 S^-1/2

    takes colours of covariance S to covariance S0 and moves them the least (Pitie & Kokaram 2007).
    Its eigenvalues above 1 would raise contrast, so they become 1: y = (x - mean of x) T + mean.

    Parameters
    ----------
    x : array (N, H, W, C)
    mean, covariance : (C,) and (C, C)
    faint : float
        Standard deviation that both covariances are raised to in every direction.
    """
    now, spread = colours_of(x)
    target = power(covariance, 1, faint)
    root, back = power(spread, 0.5, faint), power(spread, -0.5, faint)
    ratios, axes = np.linalg.eigh(back @ power(root @ target @ root, 0.5) @ back)
    change = (axes * ratios.clip(0, 1)) @ axes.T
    return _mixed(x, change, mean - now @ change)


def _mixed(x, matrix, shift=None):
    """x @ matrix + shift over the channels."""
    shift = np.zeros(len(matrix)) if shift is None else shift
    mixed = [sum(x[..., c] * float(row[d]) for c, row in enumerate(matrix)) + float(shift[d])
             for d in range(len(matrix))]
    return array_module(x).stack(mixed, axis=-1)


def power(matrix, exponent, faint=0.0):
    """A symmetric positive matrix to a power, its eigenvalues raised to faint^2 at least."""
    values, axes = np.linalg.eigh(matrix)
    return (axes * values.clip(max(faint**2, np.finfo(float).tiny)) ** exponent) @ axes.T
