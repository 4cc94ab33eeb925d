"""The picture of a probe, and the fingerprint: a few numbers that represent a layer's output.

A fingerprint holds the output's mean, standard deviation, minimum and maximum, MIXTURES mixtures,
and VALUES single numbers spread over it. A mixture is a weighted sum of all numbers divided by the
root of their count; each weight is a cosine of the row times one of the column times one of the
channel. No two positions have the same weight, so any exchange of rows, columns or channels
changes it.
"""

import numpy as np

from minicnn import backend

STATISTICS = ("mean", "deviation", "lowest", "highest")
MIXTURES = 3  # weighted sums of all numbers of a layer, with different weights
VALUES = 9  # single numbers
LENGTH = len(STATISTICS) + MIXTURES + VALUES
FREQUENCIES = np.sqrt([[2, 3, 5], [7, 11, 13], [17, 19, 23]])  # a mixture's row, column, channel
GOLDEN = (5**0.5 - 1) / 2  # its multiples modulo 1 spread evenly over 0..1, for any count
STEP = 16  # grey levels
WAVES = [  # periods over the height, over the width, phase, height: two for each of R, G, B
    [(1.3, 0.7, 0.10, 70), (3.1, -2.3, 0.55, 45)],
    [(-0.9, 1.6, 0.35, 65), (2.7, 4.2, 0.80, 40)],
    [(0.6, 1.1, 0.75, 75), (-5.3, 1.9, 0.20, 35)],
]


def picture(height, width):
    """Waves with different directions in each colour, rounded to steps of STEP grey levels.

    Returns
    -------
    (height, width, 3) uint8, red first
    """
    rows = (np.arange(height) / height)[:, None]  # H -> H,1
    columns = (np.arange(width) / width)[None]  # W -> 1,W
    planes = [128 + sum(strength * np.sin(2 * np.pi * (down * rows + right * columns + phase))
                        for down, right, phase, strength in waves) for waves in WAVES]
    steps = np.floor(np.stack(planes, axis=2) / STEP) * STEP + STEP // 2  # H,W,3
    return steps.clip(0, 255).astype(np.uint8)


def prepared(network, picture):
    """A picture preprocessed for a network without resizing: (1, H, W, C), on its device.

    `neutral` prepares it if the network has no preprocessing.
    """
    if network.preprocessing is None:
        return backend.to_device(neutral(picture, network.input_shape[2]), network.device)
    return network.prepare(picture, "keep")


def neutral(picture, channels):
    """Pixels as -2..2, (1, H, W, channels) float32; channels are red, green, blue, red, ..."""
    return (picture[None, ..., np.arange(channels) % 3].astype(np.float32) - 128) / 64


@np.errstate(all="ignore")  # numbers that are not finite show in the fingerprint
def of(y):
    """The fingerprint of one layer's output.

    Parameters
    ----------
    y : array (1, H, W, C) or (1, D)

    Returns
    -------
    (LENGTH,) float64
    """
    y = np.asarray(y, np.float64)
    y = y.reshape(y.shape[1:] if y.ndim == 4 else (1, 1, -1))  # 1,H,W,C -> H,W,C; 1,D -> 1,1,D
    return np.array([y.mean(), y.std(), y.min(), y.max(), *_mixtures(y),
                     *(y[place] for place in _places(y.shape))])


def name(number, shape):
    """The name of a fingerprint's number, for an output of `shape` (H, W, C) or (D,)."""
    if number < len(STATISTICS):
        return STATISTICS[number]
    if number < LENGTH - VALUES:
        return f"mixture {number - len(STATISTICS) + 1}"
    place = _places((1, 1, *shape) if len(shape) == 1 else shape)[number - LENGTH + VALUES]
    return "value at " + ", ".join(str(k) for k in place[-len(shape):])


def _mixtures(y):
    for frequencies in FREQUENCIES[:MIXTURES]:
        row, column, channel = (np.cos(f * np.arange(1, side + 1))
                                for f, side in zip(frequencies, y.shape, strict=True))
        yield row @ (y @ channel) @ column / np.sqrt(y.size)  # (H,W,C) @ C -> H,W; H @ H,W @ W


def _places(shape):
    """The VALUES positions in an array (H, W, C) whose numbers are stored."""
    shares = (GOLDEN * np.arange(1, VALUES + 1)) % 1
    places = np.unravel_index((shares * np.prod(shape)).astype(int), shape)
    return [tuple(int(k) for k in place) for place in zip(*places, strict=True)]
