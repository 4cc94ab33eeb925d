"""Saliency: which pixels a class's score depends on (Simonyan, Vedaldi & Zisserman 2014).

Section 3: near one photo I0 the score is about linear, S_c(I) = w . I + b, and its slope

    w = dS_c / dI  at  I0

is large at the pixels that need to change least to change the score most. Their map is

    M[i, j] = max over the channels of |w[i, j, c]|

S_c is the class's score before the softmax, as in the paper: a probability can also grow because
other classes' scores fall, and where the network is sure it has no slope left.

The slope is ragged, and it tells of small changes only: where a feature is saturated it is zero,
however much the score owes to that feature. Five methods:

gradient     w
smooth       SmoothGrad (Smilkov et al. 2017): the mean of w over copies of the photo with normal
             noise added. Signed slopes are averaged, then the magnitude is taken
guided       guided backpropagation (Springenberg et al. 2015): the way back with both rules at the
             ReLUs, `ops.relu`. Sharp, but not the slope of anything; hardly depends on the class
times_input  I * w. For convolutions, ReLUs, poolings and dense layers without biases these add up
             to the score
integrated   integrated gradients (Sundararajan et al. 2017, eq. 1): from a baseline I' the straight
             way to I, (I - I') * (the mean of w along the way). They are complete: they add up to
             S_c(I) - S_c(I'). The mean is that of `steps` midpoints, so how far the sum is from
             the difference says whether these were enough

The first three are slopes, of which the size matters: the map takes the largest magnitude over the
channels. The last two are shares of the score, which add up: the map is the sum over the channels,
negative where a pixel speaks against the class.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from minicnn.backend import to_device, to_host
from minicnn.progress import bar
from minicnn.vis import attribution
from minicnn.vis.arguments import check_choice, check_counts, settings_of
from minicnn.vis.deconvnet import signed_picture
from minicnn.vis.record import Record

ENOUGH = 0.05  # of the difference of scores: how far off Sundararajan et al. let the sum be


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Saliency(Record):
    """How one class's score depends on each pixel of one photo.

    `image` is the map's magnitude in grey; the strongest 1 in 100 are white. `x` is the slope, or
    the shares of the score, at every number of the network's input, signed.

    Attributes
    ----------
    map : array (H, W)
        One number a pixel, `pixel_map` of x.
    signed : (H, W, 3) uint8
        x as a picture: zero is mid-grey.
    score : float
        The class's score.
    completeness : (float, float) or None
        Of integrated gradients: what they add up to, and the difference of scores they should.
    """

    map: Any
    signed: Any
    score: float
    completeness: Any = None


def saliency(network, image, target=None, method="gradient", samples=50, noise=0.15, steps=100,
             baseline=0, size=None, seed=0, progress=False):
    """Ask which pixels a class's score depends on.

    Parameters
    ----------
    network : Network
    image : path, uint8 array (H, W, 3), or anything `Network.prepare` takes
    target : int or str, optional
        The class, by its number or its name (`Network.find_class`); the one with the highest score
        where not given.
    method : {"gradient", "smooth", "guided", "times_input", "integrated"}
    samples : int
        Of "smooth": noisy copies of the photo.
    noise : float
        Of "smooth": the noise's standard deviation, as a share of the photo's range (its largest
        minus its smallest number). The paper finds 0.1 to 0.2 best.
    steps : int
        Of "integrated": points on the way from the baseline.
    baseline : number or (R, G, B) in 0..255, or None
        Of "integrated": the colour of a picture without content; black, as in the paper, unless
        told otherwise. None is the network's mean colour.
    size : int, (H, W) or "keep", optional
        As for `Network.prepare`.
    seed : int
        For the noise.
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    Saliency
        On Ctrl-C, "smooth" gives the mean of the samples so far.

    Raises
    ------
    ValueError
        Unknown class or method, settings out of range, a network without class scores.
    """
    settings = settings_of(locals())
    check_choice("saliency", "method", method, METHODS)
    check_counts("saliency", samples=samples, steps=steps)
    if not 0 <= noise < np.inf:
        raise ValueError(f"saliency: noise is a share of the range, at least 0, got {noise}")
    x = network.prepare(image, size)
    run = network.forward(x, to=attribution.score_layer(network), keep=(), caches=False)
    index = attribution.find_target(network, target, run.output)
    score, _ = attribution.seed_score(run, index)
    found = METHODS[method](network, x, index, settings, progress)
    slopes = to_host(found.x)
    heat = pixel_map(slopes, method)
    nothing = "" if heat.any() else "; the score does not depend on any pixel"
    return Saliency(
        image=attribution.grey(np.abs(heat), np.quantile(np.abs(heat), 0.99)),
        caption=f"{network.name} {attribution.unit(network, index)}: score {score:.4g}, "
                f"rule {method}{found.words}{nothing}",
        settings=settings | {"target": index},
        x=slopes, map=heat, signed=signed_picture(slopes, network.preprocessing),
        photo=network.restore(x)[0], score=score,
        completeness=found.completeness, interrupted=found.interrupted)


def pixel_map(x, method="gradient"):
    """One number a pixel: the largest magnitude over the channels, or their sum.

    Parameters
    ----------
    x : array (1, H, W, C)
    method : str
        The sum for the shares of a score, "times_input" and "integrated"; else the largest.

    Returns
    -------
    array (H, W)
    """
    return x[0].sum(axis=2) if method in SHARES else np.abs(x[0]).max(axis=2)  # H,W,C -> H,W


# ---- the methods

class _Found(NamedTuple):
    x: Any
    words: str = ""
    completeness: Any = None
    interrupted: bool = False


def slope(network, x, index, relu="gradient"):
    """dS_c / dI at one image: (the score, the slope (1, H, W, C)).

    Parameters
    ----------
    network : Network
    x : array (1, H, W, C)
        As `Network.prepare` gives it.
    index : int
        The class.
    relu : str
        The rule at the ReLUs on the way back, `ops.relu.RULES`.
    """
    run = network.forward(x, to=network.logits, keep=())
    score, seeds = attribution.seed_score(run, index)
    return score, run.backward(seeds, relu=relu)


def mean_slope(network, points, index):
    """The mean of the slope at several images: (the mean, how many there were).

    Ctrl-C ends it early; before the first slope is there it goes through.
    """
    total, count = 0, 0
    try:
        for x in points:
            total, count = total + slope(network, x, index)[1], count + 1
    except KeyboardInterrupt:
        if count == 0:
            raise
    return total / count, count


def noisy(x, samples, noise, seed=0, device="cpu"):
    """Copies of an image, each with normal noise of its own; a copy at a time."""
    rng = np.random.default_rng(seed)
    deviation = noise * float(x.max() - x.min())
    for _ in range(samples):
        grain = deviation * rng.standard_normal(x.shape, dtype=np.float32)
        yield x + to_device(grain, device)


def between(start, end, steps):
    """The midpoints of `steps` equal pieces of the straight way; a point at a time."""
    for k in range(steps):
        yield start + (k + 0.5) / steps * (end - start)


def _smooth(network, x, index, settings, progress):
    samples, noise = settings["samples"], settings["noise"]
    copies = noisy(x, samples, noise, settings["seed"], network.device)
    mean, count = mean_slope(network, bar(copies, "saliency", progress, samples), index)
    return _Found(mean, f", mean of {count} with noise {noise:g} of the photo's range",
                  interrupted=count < samples)


def _integrated(network, x, index, settings, progress):
    steps, baseline = settings["steps"], settings["baseline"]
    start = attribution.plain(network, baseline, x.shape)
    path = bar(between(start, x, steps), "saliency", progress, steps)
    mean, count = mean_slope(network, path, index)
    if count < steps:  # the mean over half the way is no integral
        raise KeyboardInterrupt
    shares = (x - start) * mean
    total = float(shares.sum(dtype=np.float64))
    difference = slope(network, x, index)[0] - slope(network, start, index)[0]
    more = "; take more steps" if abs(total - difference) > ENOUGH * abs(difference) else ""
    words = (f" from {'the mean colour' if baseline is None else baseline} in {steps} steps; the "
             f"map adds up to {total:.4g}, the score's difference is {difference:.4g}{more}")
    return _Found(shares, words, (total, difference))


METHODS = {
    "gradient": lambda network, x, index, *_: _Found(slope(network, x, index)[1]),
    "smooth": _smooth,
    "guided": lambda network, x, index, *_: _Found(slope(network, x, index, relu="guided")[1]),
    "times_input": lambda network, x, index, *_: _Found(x * slope(network, x, index)[1]),
    "integrated": _integrated,
}
SHARES = ("times_input", "integrated")  # they add up to a score; the others are slopes
