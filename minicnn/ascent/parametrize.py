"""Images as functions of parameters, which are optimised in place of the pixels.

In other coordinates the same gradient leads to another image. If many pixels share a parameter, or
if fine detail is scaled down, a step paints broad shapes first (Olah et al. 2017, "Preconditioning
and Parameterization"). There are three bases; the image is a linear function of each:

    pixels       one number for every pixel
    fourier      the spectrum, with high frequencies scaled down as they are in photos
    laplacian    a pyramid of ever smaller images, enlarged and added up

Four further mappings follow, the same for every basis. `mask` fades the image to grey towards its
border. `decorrelate` mixes independent colours to red, green and blue with the correlations they
have in photos; `chroma` makes them more vivid. `limit` squashes each to 0..1, black to white. The
last maps this range to the network's own (`images.bounds`, in its channel order).

A mapping has a `forward`, which returns (y, back), where `back` is its adjoint, as for a transform,
and an `inverse`.
"""

from collections.abc import Callable
from math import prod
from typing import NamedTuple

import numpy as np

from minicnn import images
from minicnn.ascent import pyramid
from minicnn.ascent.transforms import apply
from minicnn.backend import array_module, to_device
from minicnn.ops import sigmoid

LIMITS = ("sigmoid", "linear")
# Square root of the covariance of ImageNet's colours, and their mean, from Lucid
MIXTURE = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
MEAN = (0.48, 0.46, 0.41)
HALF_LEVEL = 0.5 / 255  # the smallest distance of an encoded image from black and white


class Mapping(NamedTuple):
    """One stage from parameters to image: forward(t) -> (y, back), inverse(y) -> t."""

    forward: Callable
    inverse: Callable


class Parametrization:
    """How parameters become an image.

    Parameters
    ----------
    mappings : sequence of Mapping
        In order, from the parameters to the network's input values.
    draw : callable, optional
        draw(count, generator) -> random parameters (count, ...), a NumPy array.
    device : str
        The device on which `start` puts the parameters.
    """

    def __init__(self, mappings=(), draw=None, device="cpu"):
        self.mappings, self.draw, self.device = tuple(mappings), draw, device

    def start(self, count=1, seed=0):
        """Random parameters (count, ...), drawn on the host: grey with a little noise."""
        return to_device(self.draw(count, np.random.default_rng(seed)).astype(np.float32),
                         self.device)

    def encode(self, image):
        """The parameters of an image (N, H, W, C), given in the network's input values.

        A sigmoid never reaches black or white: those come back within half a grey level.
        """
        for mapping in reversed(self.mappings):
            image = mapping.inverse(image)
        return image

    def forward(self, parameters):
        """The image, and the function from the gradient at it to that at the parameters."""
        return apply([lambda t, rng, m=m: m.forward(t) for m in self.mappings], parameters, None)


ITSELF = Parametrization()  # the image is its own parameters


def pixels(network, size=None, sd=0.01, decorrelate=True, limit="sigmoid", mask=None, chroma=1.0):
    """One number for every pixel: parameters (N, H, W, C).

    Parameters
    ----------
    network : Network
    size : int or (H, W), optional
        Size of the image; by default the network's own.
    sd : float
        Standard deviation of the parameters at the start.
    decorrelate : bool
        Whether the parameters are independent colours, to be mixed; networks of one channel have
        nothing to mix.
    limit : {"sigmoid", "linear"}
        How values become 0..1. "linear" adds a mean colour and bounds nothing; subtract
        `objectives.outside` from the objective to bound the image.
    mask : float, optional
        Distance from the middle, in half sides, at which the image has faded halfway to grey.
    chroma : float
        Factor on the second and third of the independent colours, those that are hardly grey.

    Returns
    -------
    Parametrization
    """
    h, w, channels = shape_of(network, size)
    return composed(network, (h, w), [], (h, w, channels), sd, decorrelate, limit, mask, chroma)


def fourier(network, size=None, sd=0.01, decay=1.0, decorrelate=True, limit="sigmoid", mask=None,
            chroma=1.0):
    """The spectrum of the image: parameters (N, 2, H, W // 2 + 1, C), real and imaginary part.

    Each frequency f, in cycles per pixel, is scaled by 1 / max(f, 1 / longer side)^decay, and all
    by sqrt(H W) / 4, as in Lucid. With decay 1, noise gets the spectrum of photos. With any other,
    a common factor keeps the deviation of the image that noise makes, and so the size of a step.

    Parameters
    ----------
    network, size, sd, decorrelate, limit, mask, chroma
        As for `pixels`.
    decay : float
        0 scales all frequencies alike.
    """
    h, w, channels = shape_of(network, size)
    return composed(network, (h, w), [_spectrum(h, w, decay)],
                    (2, h, w // 2 + 1, channels), sd, decorrelate, limit, mask, chroma)


def laplacian(network, size=None, levels=4, sd=0.01, decorrelate=True, limit="sigmoid", mask=None,
              chroma=1.0):
    """A pyramid of images, each half as large, enlarged and added up: parameters (N, P).

    P is the total size of all bands, the finest first (`minicnn.ascent.pyramid`).

    Parameters
    ----------
    network, size, sd, decorrelate, limit, mask, chroma
        As for `pixels`.
    levels : int
        Number of times the size is halved.
    """
    h, w, channels = shape_of(network, size)
    shapes = [(*band, channels) for band in pyramid.sizes((h, w), levels)]
    return composed(network, (h, w), [_bands(shapes)],
                    (sum(map(prod, shapes)),), sd, decorrelate, limit, mask, chroma)


def shape_of(network, size):
    """(height, width, channels) of an image for the network."""
    h, w = network.input_shape[:2] if size is None else images.height_width(size)
    return h, w, len(images.CHANNELS[network.needed_preprocessing().order])


def composed(network, size, basis, shape, sd, decorrelate=True, limit="sigmoid", mask=None,
             chroma=1.0):
    """The mappings of a basis, and those after it that are the same for all.

    Parameters
    ----------
    network : Network
    size : (H, W)
    basis : list of Mapping
    shape : tuple of int
        Of the parameters, without the batch.
    sd, decorrelate, limit, mask, chroma
        As for `pixels`.
    """
    if limit not in LIMITS:
        raise ValueError(f"parametrize: limit must be one of {', '.join(LIMITS)}, got {limit!r}")
    preprocessing = network.needed_preprocessing()
    colour = len(images.CHANNELS[preprocessing.order]) == 3
    mappings = [*basis, *([] if mask is None else [_masked(size, mask)]),
                *[_mixed(chroma)] * (colour and decorrelate),
              _squashed() if limit == "sigmoid" else _shifted(MEAN if colour else 0.5),
              _in_numbers(preprocessing, size)]
    return Parametrization(mappings, lambda count, rng: rng.normal(0, sd, (count, *shape)),
                           network.device)


# ---- mappings

def _spectrum(height, width, decay):
    """From a scaled spectrum to its image (N, H, W, C).

    The image is real, so a frequency and its negative have conjugate values, and only one of each
    pair is stored: half of the columns. The adjoint counts each stored value twice, except in the
    columns that are their own negatives: 0 and, for an even width, the last.
    """
    count = width // 2 + 1
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    frequency = np.maximum(frequency, 1 / max(height, width))
    gain = np.sqrt((frequency**-2.0).sum() / (frequency ** (-2.0 * decay)).sum())
    scale = gain * np.sqrt(height * width) / 4 / frequency**decay
    twice = np.full(count, 2.0)
    twice[0] = 1
    if width % 2 == 0:
        twice[-1] = 1

    def forward(t):
        xp = array_module(t)
        factor = xp.asarray(scale, dtype=t.dtype)[:, :, None]
        stored = factor * (t[:, 0] + 1j * t[:, 1])  # N,2,H,F,C -> N,H,F,C
        y = xp.fft.irfft2(stored, s=(height, width), axes=(1, 2)).astype(t.dtype)

        def back(dy):
            share = factor * xp.asarray(twice / (height * width), dtype=dy.dtype)[:, None]
            dt = share * xp.fft.rfft2(dy, axes=(1, 2))  # N,H,W,C -> N,H,F,C
            return xp.stack([dt.real, dt.imag], axis=1).astype(dy.dtype)
        return y, back

    def inverse(y):
        xp = array_module(y)
        stored = xp.fft.rfft2(y, axes=(1, 2)) / xp.asarray(scale, dtype=y.dtype)[:, :, None]
        return xp.stack([stored.real, stored.imag], axis=1).astype(y.dtype)
    return Mapping(forward, inverse)


def _bands(shapes):
    """From the bands of a pyramid, joined to rows (N, P), to its image (N, H, W, C)."""
    ends = np.cumsum([prod(shape) for shape in shapes]).tolist()

    def join(bands):
        rows = [band.reshape(len(band), -1) for band in bands]  # N,h,w,C -> N,hwC
        return array_module(rows[0]).concatenate(rows, axis=1)

    def forward(t):
        bands = [t[:, end - prod(shape) : end].reshape(len(t), *shape)  # N,hwC -> N,h,w,C
                 for end, shape in zip(ends, shapes, strict=True)]
        return (pyramid.merge(bands),
                lambda dy: join(pyramid.merge_backward(dy, len(shapes) - 1)))
    return Mapping(forward, lambda y: join(pyramid.split(y, len(shapes) - 1)))


def _masked(size, radius):
    """The image times 1 / (1 + (r / radius)^6), where r counts from the middle in half sides."""
    down, right = (2 * (np.arange(side) + 0.5) / side - 1 for side in size)
    mask = 1 / (1 + (np.hypot(down[:, None], right) / radius) ** 6)

    def times(t):
        return t * array_module(t).asarray(mask, dtype=t.dtype)[:, :, None]
    return Mapping(lambda t: (times(t), times),
                   lambda y: y / array_module(y).asarray(mask, dtype=y.dtype)[:, :, None])


def _mixed(chroma=1.0):
    """From independent colours to red, green and blue, which are correlated in photos."""
    mixture = np.array(MIXTURE)
    mixture *= np.array([1, chroma, chroma]) / np.linalg.norm(mixture, axis=0).max()

    def times(matrix):
        def multiply(t):
            xp = array_module(t)
            rows = t if xp is np else t.reshape(-1, 3)  # CuPy's stacks of matrices are slow
            return (rows @ xp.asarray(matrix, dtype=t.dtype)).reshape(t.shape)  # (..., 3) @ (3, 3)
        return multiply
    return Mapping(lambda t: (times(mixture.T)(t), times(mixture)), times(np.linalg.inv(mixture).T))


def _squashed():
    """From any number to 0..1, by a sigmoid."""
    def forward(t):
        y, cache = sigmoid.forward(t)
        return y, lambda dy: sigmoid.backward(dy, cache)

    def inverse(y):
        xp = array_module(y)
        y = y.clip(HALF_LEVEL, 1 - HALF_LEVEL)
        return xp.log(y / (1 - y))
    return Mapping(forward, inverse)


def _shifted(mean):
    """From numbers around 0 to numbers around a mean colour, where 0..1 is black to white."""
    def shift(t, sign):
        return t + sign * array_module(t).asarray(mean, dtype=t.dtype)
    return Mapping(lambda t: (shift(t, 1), lambda dy: dy), lambda y: shift(y, -1))


def _in_numbers(preprocessing, size):
    """From red, green and blue in 0..1 to the network's input values, in its channel order."""
    low, high = images.bounds(preprocessing, size)
    order = images.CHANNELS[preprocessing.order]
    back_order = np.argsort(order).tolist()

    def limits(t):
        xp = array_module(t)
        return xp.asarray(low, dtype=t.dtype), xp.asarray(high - low, dtype=t.dtype)

    def forward(t):
        black, span = limits(t)
        return black + span * t[..., order], lambda dy: (span * dy)[..., back_order]

    def inverse(y):
        black, span = limits(y)
        return ((y - black) / span)[..., back_order]
    return Mapping(forward, inverse)
