"""A ladybird on a leaf, drawn by formulas: a picture whose class networks know, without a file.

Everything is a distance: inside a form it is negative, and over `soft` units around 0 a colour goes
over into the one behind. Coordinates go from -1 to 1; (u, v) are turned to the beetle's own axes.
"""

import numpy as np

from minicnn import images

BLACK = (16, 11, 11)
SPOTS = ((0.3, 0.22), (0.3, -0.22), (-0.02, 0.28), (-0.02, -0.28), (-0.33, 0.17), (-0.33, -0.17),
         (0.44, 0.0))  # centres: seven, as Coccinella septempunctata has


def ladybird(side=256, seed=0):
    """The picture, (side, side, 3) uint8; `seed` is that of the leaf and of the noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    u, v = _turned(x, y)
    image = _leaf(x, y, rng)

    def paint(colour, distance, soft=0.012, cover=1.0):
        share = cover * np.clip(0.5 - distance / soft, 0, 1)[..., None]
        image[:] = image + share * (np.asarray(colour, float) - image)

    paint((15, 40, 10), np.hypot((u - 0.05) / 0.68, (v - 0.1) / 0.56) - 1, 0.3, 0.5)  # its shadow
    for side_of_it in (-1, 1):
        for place in (-0.3, 0.0, 0.3):  # legs
            along = v * side_of_it
            away = np.abs(u - place * (1.1 + 0.25 * along)) - 0.022
            paint(BLACK, np.where((along > 0.2) & (along < 0.66), away, 1))
    paint(BLACK, _head(u, v), 0.04)
    for side_of_it in (-1, 1):
        paint((235, 232, 220), np.hypot((u - 0.55) / 0.06, (v - 0.17 * side_of_it) / 0.07) - 1, 0.1)
        away = np.abs(v - side_of_it * (0.08 + 0.6 * (u - 0.66))) - 0.014
        paint(BLACK, np.where((u > 0.66) & (u < 0.9), away, 1))  # antennae
    shell = _shell(u, v)
    height = np.sqrt(np.clip(1 - (shell + 1) ** 2, 0, 1))
    light = np.clip(0.45 + 0.6 * height - 0.25 * (0.6 * x + 0.8 * y), 0.1, 1.25)
    paint(light[..., None] * (205, 28, 18), shell, 0.03)
    paint(BLACK, np.maximum(shell, np.abs(v) - 0.012))  # where its wing cases meet
    for row, column in SPOTS:
        paint(BLACK, np.maximum(shell, np.hypot(u - row, v - column) - 0.11), 0.02)
    shine = 0.7 * np.exp(-(((x + 0.2) / 0.12) ** 2) - ((y + 0.25) / 0.08) ** 2)[..., None]
    image += shine * (255 - image) + rng.normal(0, 5, image.shape)
    return np.rint(image.clip(0, 255)).astype(np.uint8)


def outline(side=256):
    """Where the ladybird is in the picture, without its legs and antennae: (side, side) bool."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    return np.minimum(_shell(*_turned(x, y)), _head(*_turned(x, y))) < 0


def _turned(x, y):
    return np.cos(0.5) * x + np.sin(0.5) * y, np.cos(0.5) * y - np.sin(0.5) * x


def _shell(u, v):
    return np.hypot(u / 0.6, v / 0.5) - 1


def _head(u, v):
    return np.hypot((u - 0.52) / 0.22, v / 0.3) - 1


def _leaf(x, y, rng):
    """Green with lighter veins, blotched, and darker towards the corners: (H, W, 3) float."""
    blotches = images.resize(rng.integers(90, 166, (24, 24), np.uint8), x.shape, "bicubic")
    blotches = (blotches.astype(float) - 128) / 20
    veins = np.abs(np.sin(14 * (y + 0.5 * np.abs(x + 0.2))))
    green = [60 + 14 * blotches + 16 * veins, 128 + 22 * (blotches + veins),
             38 + 8 * (blotches + veins)]
    return np.stack(green, axis=-1) * (1 - 0.25 * np.hypot(x, y)[..., None])
