"""Images whose spectrum keeps its size: MACO and its rival (Fel et al. 2023, "Unlocking Feature
Visualization for Deeper Networks with MAgnitude Constrained Optimization").

An ascent on a whole spectrum may put all of its strength into fine detail. `phases` leaves it no
choice: every wave has the magnitude that it has in photos, and only its phase, its place in the
image, is optimised. `standardized` is what the authors' program (horama) compares it with: a free
spectrum. Both images are standardised, which means shifted and divided to have mean 0 and
deviation 1, so that an ascent can arrange contrast, but not raise it. Colours and limit are those
of `minicnn.ascent.parametrize`.

The authors take the magnitudes from all of ImageNet. Averages of a few dozen photos are close to a
power of the frequency; its three exponents and gains are fits to 40 photos.
"""

import numpy as np

from minicnn.ascent.parametrize import Mapping, composed, fourier, shape_of
from minicnn.backend import array_module

SLOPES, GAINS = (1.25, 1.6, 1.5), (1.0, 0.5, 0.6)  # of the independent colours; gains at FREQUENCY
FREQUENCY = 0.1  # cycles per pixel
EPSILON = 1e-8


def standardized(network, size=None, decay=1.5, mask=None, chroma=1.0):
    """A spectrum, and the image it makes standardised: parameters (N, 2, H, W // 2 + 1, C).

    Parameters
    ----------
    network : Network
    size : int or (H, W), optional
        Size of the image; by default the network's own.
    decay, mask, chroma
        As for `parametrize.fourier`.

    Returns
    -------
    Parametrization
    """
    made = fourier(network, size, sd=1.0, decay=decay, mask=mask, chroma=chroma)
    made.mappings = (standard(), made.mappings[0], standard(), *made.mappings[1:])
    return made


def phases(network, size=None, mask=None, chroma=1.0):
    """The phases of a spectrum with the magnitudes of photos: parameters (N, H, W // 2 + 1, C).

    Parameters
    ----------
    network, size, mask, chroma
        As for `standardized`.

    Returns
    -------
    Parametrization
    """
    h, w, channels = shape_of(network, size)
    return composed(network, (h, w), [standard(), waves(h, w, channels), standard()],
                    (h, w // 2 + 1, channels), sd=1.0, mask=mask, chroma=chroma)


def standard():
    """From any numbers (N, ...) to those with mean 0 and deviation 1, each image on its own.

    With c = t - mean(t), s = sqrt(mean(c^2) + epsilon) and y = c / s, the gradient at c is
    (dy - y mean(y dy)) / s, and that at t the same less its mean.
    """
    def mean(t):
        return t.mean(axis=tuple(range(1, t.ndim)), keepdims=True)

    def forward(t):
        centred = t - mean(t)
        size = (mean(centred * centred) + EPSILON) ** 0.5
        y = centred / size

        def back(dy):
            along = (dy - y * mean(y * dy)) / size
            return along - mean(along)
        return y, back
    return Mapping(forward, None)


def waves(height, width, channels):
    """From phases to an image (N, H, W, C): the real part of the sum of waves m exp(i phase).

    The slope of exp(i phase) is i exp(i phase): the gradient at a phase is the imaginary part of
    conj(m exp(i phase)) times the gradient's own spectrum. As in `parametrize`, only half of the
    columns are stored, and each counts twice but those that are their own negatives.
    """
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    frequency = np.maximum(frequency, 1 / max(height, width))[:, :, None] / FREQUENCY
    magnitude = np.array(GAINS)[:channels] / frequency ** np.array(SLOPES)[:channels]
    twice = np.full(width // 2 + 1, 2.0)
    twice[0] = 1
    if width % 2 == 0:
        twice[-1] = 1

    def forward(t):
        xp = array_module(t)
        size = xp.asarray(magnitude, dtype=t.dtype)
        stored = size * xp.cos(t) + 1j * (size * xp.sin(t))
        y = xp.fft.irfft2(stored, s=(height, width), axes=(1, 2)).astype(t.dtype)

        def back(dy):
            share = xp.asarray(twice / (height * width), dtype=dy.dtype)[:, None]
            seen = xp.fft.rfft2(dy, axes=(1, 2))  # N,H,W,C -> N,H,F,C
            return (share * (seen.imag * stored.real - seen.real * stored.imag)).astype(dy.dtype)
        return y, back
    return Mapping(forward, None)
