"""Blurring, and the Laplacian pyramid: an image as bands of detail, from fine to coarse.

Everything here smooths along the rows and then along the columns, by a weighted sum of shifted
copies. The image is mirrored at its border,

    d c b a | a b c d | d c b a

so that a constant image stays constant, and smoothing with symmetric weights is its own adjoint.

The pyramid is Burt & Adelson's (1983). `reduce` smooths with 1 4 6 4 1 (over 16) and keeps every
second pixel. `expand` puts these pixels back two apart and smooths: each new pixel is a weighted
mean of the old ones near it. A band is the detail that reducing and expanding loses, so all bands
together lose nothing:

    band 0 = x - expand(reduce(x))      band 1 = reduce(x) - expand(reduce(reduce(x)))      ...

The last band is the small, smooth rest of x.
"""

from math import exp

from minicnn.backend import array_module

BINOMIAL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)
REACH = 4  # standard deviations after which a Gaussian is cut off


def blur(x, sigma):
    """Smooth with a Gaussian; it is linear, and its own adjoint.

    Parameters
    ----------
    x : array (N, H, W, C)
    sigma : float
        Standard deviation in pixels, above 0. The weights reach to 4 sigma and add up to 1.

    Returns
    -------
    array (N, H, W, C)
    """
    if not 0 < sigma < float("inf"):
        raise ValueError(f"blur: sigma must be above 0 pixels, got {sigma}")
    reach = int(REACH * sigma + 0.5)
    weights = [exp(-0.5 * (k / sigma) ** 2) for k in range(-reach, reach + 1)]
    return _smooth(x, [weight / sum(weights) for weight in weights])


def reduce(x):
    """Halve the size: smooth (N, H, W, C) and keep every second pixel, beginning with the first."""
    return _smooth(x, BINOMIAL)[:, ::2, ::2]


def expand(x, size):
    """Double the size, smoothly between the pixels of x.

    Parameters
    ----------
    x : array (N, h, w, C)
    size : (H, W)
        The size that `reduce` halved: h = ceil(H / 2), w = ceil(W / 2).

    Returns
    -------
    array (N, H, W, C)
    """
    return _smooth(_two_apart(x, size), BINOMIAL) / _there(x, size)


def expand_backward(dy):
    """The adjoint of `expand`: from dy (N, H, W, C) to dx (N, h, w, C)."""
    return _smooth(dy / _there(dy, dy.shape[1:3]), BINOMIAL)[:, ::2, ::2]


def split(x, levels):
    """The Laplacian pyramid of x.

    Parameters
    ----------
    x : array (N, H, W, C)
    levels : int
        Number of times to halve the size.

    Returns
    -------
    bands : list of levels + 1 arrays
        From the finest, of x's size, to the coarse rest.
    """
    bands = []
    for _ in range(levels):
        small = reduce(x)
        bands.append(x - expand(small, x.shape[1:3]))
        x = small
    return [*bands, x]


def merge(bands):
    """The image of a pyramid: the inverse of `split`, linear in the bands."""
    *finer, x = bands
    for band in reversed(finer):
        x = band + expand(x, band.shape[1:3])
    return x


def merge_backward(dy, levels):
    """The adjoint of `merge`: from the gradient at the image to those at its levels + 1 bands."""
    gradients = [dy]
    for _ in range(levels):
        gradients.append(expand_backward(gradients[-1]))
    return gradients


def sizes(size, levels):
    """The (h, w) of each band of an image of `size`."""
    bands = [tuple(size)]
    for _ in range(levels):
        h, w = bands[-1]
        bands.append((-(-h // 2), -(-w // 2)))
    return bands


def _smooth(x, weights):
    return _along(_along(x, weights, 1), weights, 2)


def _along(x, weights, axis):
    reach, length = len(weights) // 2, x.shape[axis]
    widths = [(reach, reach) if a == axis else (0, 0) for a in range(x.ndim)]
    mirrored = array_module(x).pad(x, widths, mode="symmetric")
    around = [slice(None)] * axis
    return sum(weight * mirrored[(*around, slice(k, k + length))]
               for k, weight in enumerate(weights))


def _two_apart(x, size):
    """x with zeros between its pixels, (N, H, W, C)."""
    apart = array_module(x).zeros((len(x), *size, x.shape[3]), dtype=x.dtype)
    apart[:, ::2, ::2] = x
    return apart


def _there(x, size):
    """(1, H, W, 1): the share of the weights that falls on the pixels `_two_apart` fills."""
    ones = array_module(x).ones((1, *sizes(size, 1)[1], 1), dtype=x.dtype)
    return _smooth(_two_apart(ones, size), BINOMIAL)
