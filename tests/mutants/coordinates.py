"""Bugs on the way back through a transform, or from an image to the numbers that make it.

All but one go the right way forward, and a picture comes out, only not the one it should be.
"""

import numpy as np

from minicnn.ascent import parametrize, transforms
from minicnn.ops import resize
from mutants.mutant import Mutant

IMAGE, SPECTRUM, ODD_SPECTRUM = (4, 5, 2), (2, 4, 3, 1), (2, 3, 3, 1)


def rng():
    """Draws other shifts than none."""
    return np.random.default_rng(3)


def changed(transform, way_back, shape=IMAGE):
    """A transform with another way back, a function of (dy, the right one, x)."""

    def forward(x):
        y, back = transform(x, rng())
        return y, lambda dy: way_back(dy, back, x)

    return forward, shape


def spectrum(way_back, shape=SPECTRUM, width=4):
    stage = parametrize._spectrum(shape[1], width, 1.0)
    return changed(lambda t, rng: stage.forward(t), way_back, shape)


def turned_back(dy, back, x):
    """The image turned by the opposite angle is near to the adjoint, and not it."""
    return transforms.rotate([-25])(dy, rng())[0]


def first_column_twice(dy, back, t):
    gradient = back(dy)
    gradient[:, :, :, 0] *= 2
    return gradient


def last_column_once(dy, back, t):
    gradient = back(dy)
    gradient[:, :, :, -1] /= 2
    return gradient


def conjugate(dy, back, t):
    return back(dy) * np.array([1, -1])[:, None, None, None]


def not_scaled(dy, back, t):
    """The plain transform of the gradient: every frequency alike."""
    both = np.fft.rfft2(dy, axes=(1, 2)) / (dy.shape[1] * dy.shape[2])
    return np.stack([both.real, both.imag], axis=1) * 2


MUTANTS = [
    Mutant("rotated back by the opposite angle", "adjoint",
           *changed(transforms.rotate([25]), turned_back)),
    Mutant("rotated, the gradient as it came", "adjoint",
           *changed(transforms.rotate([25]), lambda dy, back, x: dy)),
    Mutant("rolled the same way again", "adjoint", *changed(
        transforms.jitter(2), lambda dy, back, x: transforms.jitter(2)(dy, rng())[0])),
    Mutant("padding's gradient from the upper left corner", "adjoint", *changed(
        transforms.pad(2), lambda dy, back, x: dy[:, : x.shape[1], : x.shape[2]])),
    Mutant("a crop's gradient always in the middle", "adjoint", *changed(
        transforms.crop(2), lambda dy, back, x: np.pad(dy, ((0, 0), (1, 1), (1, 1), (0, 0))))),
    Mutant("the gradient resized, as an image is", "adjoint", *changed(
        transforms.scale([0.6]), lambda dy, back, x: resize.forward(dy, x.shape[1:3])[0])),
    Mutant("the gradient not blurred", "adjoint",
           *changed(transforms.blur(0.8), lambda dy, back, x: dy)),
    Mutant("no frequency answers for its negative", "adjoint",
           *spectrum(lambda dy, back, t: back(dy) / 2)),
    Mutant("frequency 0 counted twice", "adjoint", *spectrum(first_column_twice)),
    Mutant("an odd width's last column counted once", "adjoint",
           *spectrum(last_column_once, ODD_SPECTRUM, width=5)),
    Mutant("the imaginary part's sign", "adjoint", *spectrum(conjugate)),
    Mutant("the gradient's spectrum not scaled", "adjoint", *spectrum(not_scaled)),
]
