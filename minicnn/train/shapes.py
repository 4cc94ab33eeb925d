"""Shapes and textures drawn by formulas: a data set without files, for lessons and tests.

Ten classes, an equal number of each. Five are shapes, told by their outline: disc, ring, square,
triangle, cross. Five are textures, told by what fills the image: stripes, checks, dots, rings
around a centre, waves. Position, size, angle, both colours, brightness across the image and noise
are random, so neither one pixel nor one colour tells the class.

Image i of a seed is a function of (seed, i) alone: images can be drawn one by one, in any order,
and there is no end of them. Each class is a function of the coordinates (u, v), turned, moved and
scaled at random; its value is above 0 inside and below 0 outside, and changes by about 1 over one
unit of length.
"""

from __future__ import annotations

import numpy as np

TURN = 2 * np.pi


def _triangle(u, v):
    sides = [np.cos(a) * u + np.sin(a) * v for a in (TURN / 12, 5 * TURN / 12, 3 * TURN / 4)]
    return 0.6 - np.max(sides, axis=0)


def _cross(u, v):
    bars = [np.maximum(abs(a) - 1, abs(b) - 0.33) for a, b in ((u, v), (v, u))]
    return -np.min(bars, axis=0)


def _wave(x):
    """A triangle wave of period 2 between -0.5 and 0.5."""
    return abs((x - 0.5) % 2 - 1) - 0.5


def _dots(u, v):
    return 0.3 - np.hypot(*((a + 0.5) % 1 - 0.5 for a in (u, v)))


SHAPES = {
    "disc": lambda u, v: 0.9 - np.hypot(u, v),
    "ring": lambda u, v: 0.25 - abs(np.hypot(u, v) - 0.75),
    "square": lambda u, v: 0.8 - np.maximum(abs(u), abs(v)),
    "triangle": _triangle,
    "cross": _cross,
}
TEXTURES = {
    "stripes": lambda u, v: _wave(2 * u),
    "checks": lambda u, v: np.where(_wave(2 * u) > 0, 1, -1) * _wave(2 * v),
    "dots": lambda u, v: _dots(1.6 * u, 1.6 * v),
    "circles": lambda u, v: _wave(2 * np.hypot(u, v)),
    "waves": lambda u, v: _wave(2 * u + 0.8 * np.sin(3 * v)),
}
CLASSES = (*SHAPES, *TEXTURES)


class Shapes:
    """`count` drawn images; ``shapes[indices]`` is an array (n, H, W, 3) uint8.

    Parameters
    ----------
    count : int
    seed : int
    size : int
        Side of an image in pixels.

    Attributes
    ----------
    labels : (count,) integers
        Image i has class i modulo 10, an index of `CLASSES`.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, count: int = 2000, seed: int = 0, size: int = 64) -> None:
        if count < 1 or size < 8:
            raise ValueError(f"shapes: expected at least one image of at least 8 pixels, got count "
                             f"{count} and size {size}")
        self.seed, self.size, self.labels = seed, size, np.arange(count) % len(CLASSES)

    @property
    def shape(self):
        """(N, H, W, 3)."""
        return len(self.labels), self.size, self.size, 3

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, chosen):
        found = np.arange(len(self))[chosen]
        if np.ndim(found) == 0:
            return self.draw(int(found))
        return np.stack([self.draw(int(i)) for i in found]) if len(found) else np.empty(
            (0, *self.shape[1:]), np.uint8)

    def draw(self, index: int) -> np.ndarray:
        """Image `index`, (H, W, 3) uint8."""
        rng, name = np.random.default_rng((self.seed, index)), CLASSES[self.labels[index]]
        y, x = np.mgrid[: self.size, : self.size] * (2 / (self.size - 1)) - 1  # -1 ... 1
        is_shape = name in SHAPES
        scale = rng.uniform(0.35, 0.65) if is_shape else rng.uniform(0.2, 0.45)
        x0, y0 = rng.uniform(-1, 1, 2) * ((1 - scale) * 0.7 if is_shape else 1)
        angle = rng.uniform(0, TURN)
        turned = (np.exp(1j * angle) * (x - x0 + 1j * (y - y0))) / scale
        inside = (SHAPES | TEXTURES)[name](turned.real, turned.imag)
        share = np.clip(0.5 + inside * scale * self.size / 2, 0, 1)[..., None]  # a soft edge
        front, back = _colours(rng)
        light = 1 + rng.uniform(-0.25, 0.25, 2) @ np.stack([x, y]).reshape(2, -1)
        image = (back + share * (front - back)) * light.reshape(self.size, self.size, 1)
        image += rng.uniform(2, 14) * rng.standard_normal(image.shape)
        return np.rint(image.clip(0, 255)).astype(np.uint8)


def _colours(rng):
    """Two random colours that differ clearly in brightness."""
    while True:
        front, back = rng.uniform(20, 235, (2, 3))
        if abs(front.mean() - back.mean()) > 50:
            return front, back
