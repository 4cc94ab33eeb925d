"""What is done to an image after each step, whatever the objective: regularisation.

A regulariser, as Yosinski et al. (2015) call it, is a function of (image, gradient, index) that
gives a new image. It acts on the image's own numbers, not through the objective, so its strength
means the same for every layer of every network. `gradient` is that of the objective at the image
the step came from, `index` how many steps were taken before this one. Each image of a batch is
regularised on its own.

Where a regulariser pulls pixels to zero, that is the mean colour of networks whose preprocessing
subtracts one.
"""

from typing import NamedTuple

from minicnn.ascent import pyramid
from minicnn.backend import array_module


def diffuse(share):
    """Every pixel goes a `share` of the way to the mean of its four neighbours.

    It is a step down the gradient of total variation (beta = 2), and what heat does. Fine noise
    dies out within a few steps, broad shapes last. Beyond the border its pixels are repeated.

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
    """Every number goes a `share` of the way to zero (L2 decay).

    Parameters
    ----------
    share : float in [0, 1]
    """
    _check("decay", 1, share=share)
    return lambda image, gradient, index: (1 - share) * image


def blur(sigma):
    """Blur by a Gaussian of `sigma` pixels, see `minicnn.ascent.pyramid.blur`.

    Parameters
    ----------
    sigma : float
        Above 0; below 0.3 it does nearly nothing.
    """
    return lambda image, gradient, index: pyramid.blur(image, sigma)


def small_norm(percent):
    """Set to zero the pixels whose colour is weakest: so many percent of each image's pixels.

    Parameters
    ----------
    percent : float in [0, 100]
    """
    _check("small_norm", 100, percent=percent)

    def regularize(image, gradient, index):
        return _without_least(image, (image * image).sum(axis=3, keepdims=True), percent)
    return regularize


def small_contribution(percent):
    """Set to zero the pixels that matter least to the objective, in percent of each image's pixels.

    What the objective would lose without a pixel is, to first order, |sum over its colours of
    image * gradient|.

    Parameters
    ----------
    percent : float in [0, 100]
    """
    _check("small_contribution", 100, percent=percent)

    def regularize(image, gradient, index):
        lost = abs((image * gradient).sum(axis=3, keepdims=True))  # N,H,W,C -> N,H,W,1
        return _without_least(image, lost, percent)
    return regularize


def every(count, regularizer):
    """A regulariser that is done at the first step and then every `count` steps.

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

    Four in their order: decay, blur every few steps, small norms to zero, small contributions to
    zero. The numbers are those of their program's documentation. They were found for CaffeNet's
    class scores; 3 made most of the paper's figures.

    Parameters
    ----------
    setting : {1, 2, 3, 4}
        How they step then is in `SETTINGS`, for `minicnn.vis.presets`: 1 and 4 as far as should
        raise the score by 2 (`optimizers.progress`), 2 and 3 by 100 times the gradient.
    """
    if setting not in SETTINGS:
        raise ValueError(f"yosinski: setting must be one of {', '.join(map(str, SETTINGS))}, "
                         f"got {setting!r}")
    chosen = SETTINGS[setting]
    return ([decay(chosen.decay)] * (chosen.decay > 0)
            + [every(chosen.every, blur(chosen.blur))] * (chosen.blur > 0)
            + [small_norm(chosen.norm)] * (chosen.norm > 0)
            + [small_contribution(chosen.contribution)] * (chosen.contribution > 0))


def _without_least(image, sizes, percent):
    """The image (N, H, W, C), zero where `sizes` (N, H, W, 1) is below its percentile."""
    xp = array_module(image)
    limit = xp.percentile(sizes, percent, axis=(1, 2), keepdims=True)
    return xp.where(sizes < limit, 0, image).astype(image.dtype)


def _check(name, most, **given):
    (what, value), = given.items()
    if not 0 <= value <= most:
        raise ValueError(f"{name}: {what} must lie in 0..{most}, got {value}")
