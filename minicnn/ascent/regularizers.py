"""Regularisers: changes of the image after each step, whatever the objective.

A regulariser, in the sense of Yosinski et al. (2015), is a function of (image, gradient, index)
that returns a new image. It acts on the image directly, not through the objective, so its strength
means the same for every layer of every network. `gradient` is the objective's gradient at the
image before the step, `index` the number of earlier steps. Each image of a batch is regularised on
its own.

Some regularisers pull pixels to zero, which is the mean colour if the preprocessing subtracts one.
"""

from typing import NamedTuple

from minicnn.ascent import pyramid
from minicnn.backend import array_module


def diffuse(share):
    """Move every pixel a `share` of the way to the mean of its four neighbours.

    This is a descent step on the total variation (beta = 2), and a step of heat diffusion. Fine
    noise dies out within a few steps; broad shapes last. Pixels at the border are repeated.

    Parameters
    ----------
    share : float in [0, 1]
    """
    _check("diffuse", 1, share=share)

    def regularize(image, gradient, index):
        xp = array_module(image)
        p = xp.pad(image, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
        neighbours = p[:, :-2, 1:-1] + p[:, 2:, 1:-1] + p[:, 1:-1, :-2] + p[:, 1:-1, 2:]
        return image + share * (neighbours / 4 - image)
    return regularize


def decay(share):
    """Move every number a `share` of the way to zero (L2 decay).

    Parameters
    ----------
    share : float in [0, 1]
    """
    _check("decay", 1, share=share)
    return lambda image, gradient, index: (1 - share) * image


def blur(sigma):
    """Blur by a Gaussian, see `minicnn.ascent.pyramid.blur`.

    Parameters
    ----------
    sigma : float
        Standard deviation in pixels, above 0; below 0.3 the effect is very small.
    """
    return lambda image, gradient, index: pyramid.blur(image, sigma)


def small_norm(percent):
    """Set the pixels with the weakest colour to zero.

    Parameters
    ----------
    percent : float in [0, 100]
        Share of each image's pixels.
    """
    return _without_least("small_norm", percent, lambda image, _: image * image)


def small_contribution(percent):
    """Set the pixels that matter least to the objective to zero.

    To first order, removing a pixel changes the objective by |sum over its colours of
    image * gradient|.

    Parameters
    ----------
    percent : float in [0, 100]
        Share of each image's pixels.
    """
    return _without_least("small_contribution", percent, lambda image, gradient: image * gradient)


def every(count, regularizer):
    """A regulariser that acts at the first step and then every `count` steps.

    Parameters
    ----------
    count : int, at least 1
    regularizer : callable
    """
    if count != int(count) or count < 1:
        raise ValueError(f"every: expected at least 1 step, got {count}")

    def sometimes(image, gradient, index):
        return image if index % count else regularizer(image, gradient, index)
    return sometimes


class Setting(NamedTuple):
    """One row of Yosinski et al. (2015), table 1; rates and progress in grey levels of 0..255."""

    decay: float = 0.0
    blur: float = 0.0
    every: int = 1
    norm: float = 0.0
    contribution: float = 0.0
    steps: int = 500
    rate: float = 100.0
    progress: float | None = None


SETTINGS = {
    1: Setting(blur=0.5, every=4, norm=50, steps=500, rate=100, progress=2),
    2: Setting(decay=0.3, norm=20, steps=750, rate=100),
    3: Setting(decay=1e-4, blur=1.0, every=4, steps=1000, rate=100),
    4: Setting(blur=0.5, every=4, contribution=90, steps=1000, rate=1e8, progress=2),
}


def yosinski(setting=3):
    """The regularisers of Yosinski et al. (2015, section 3 and table 1), a list.

    Up to four, in the paper's order: decay, blur every few steps, set small norms to zero, set
    small contributions to zero. The numbers come from the documentation of the authors' program
    and were found for CaffeNet's class scores; setting 3 made most of the paper's figures.

    Parameters
    ----------
    setting : {1, 2, 3, 4}
        `SETTINGS` also holds the step lengths, for `minicnn.vis.presets`: 1 and 4 step far enough
        to raise the score by about 2 (`optimizers.progress`), 2 and 3 by 100 times the gradient.
    """
    if setting not in SETTINGS:
        raise ValueError(f"yosinski: setting must be one of {', '.join(map(str, SETTINGS))}, "
                         f"got {setting!r}")
    chosen = SETTINGS[setting]
    return ([decay(chosen.decay)] * (chosen.decay > 0)
            + [every(chosen.every, blur(chosen.blur))] * (chosen.blur > 0)
            + [small_norm(chosen.norm)] * (chosen.norm > 0)
            + [small_contribution(chosen.contribution)] * (chosen.contribution > 0))


def _without_least(name, percent, size):
    """A regulariser that sets pixels to zero where |the sum over the colours of ``size(image,
    gradient)``| is below its percentile."""
    _check(name, 100, percent=percent)

    def regularize(image, gradient, index):
        xp = array_module(image)
        sizes = abs(size(image, gradient).sum(axis=3, keepdims=True))  # N,H,W,C -> N,H,W,1
        limit = xp.percentile(sizes, percent, axis=(1, 2), keepdims=True)
        return xp.where(sizes < limit, 0, image).astype(image.dtype)
    return regularize


def _check(name, most, **given):
    (what, value), = given.items()
    if not 0 <= value <= most:
        raise ValueError(f"{name}: {what} must lie in 0..{most}, got {value}")
