"""Saliency: which pixels a class's score depends on (Simonyan, Vedaldi & Zisserman 2014).

Section 3: near one photo I0 the score is about linear, S_c(I) = w . I + b. Its slope

    w = dS_c / dI  at  I0

is large at the pixels that need to change least to change the score most. Their map is

    M[i, j] = max over the channels of |w[i, j, c]|

S_c is the score of class c before the softmax, as in the paper. A probability can also grow because
the scores of other classes fall, and where the network is sure it has no slope left.

The slope is ragged, and it tells of small changes only: where a feature is saturated the slope is
zero, however much the score owes to that feature. Six methods:

guided_gradcam  guided backpropagation times the enlarged Grad-CAM map of the last feature maps
             (Selvaraju et al. 2017, `vis.gradcam`): sharp, and about the class. Of all methods here
             its map lies best on the object, so it is the default
gradient     w
smooth       SmoothGrad (Smilkov et al. 2017): the mean of w over copies of the photo with normal
             noise added. It averages signed slopes and then takes the magnitude
guided       guided backpropagation (Springenberg et al. 2015): the way back with both rules at the
             ReLUs, `ops.relu`. Sharp, but not the slope of anything; hardly depends on the class.
             Like the deconvnet it passes through local response normalisations
times_input  I0 * w. With convolutions, ReLUs, poolings and dense layers without biases these
             numbers add up to the score
integrated   integrated gradients (Sundararajan et al. 2017, eq. 1): from a baseline I' straight to
             I0, (I0 - I') * (the mean of w along the way). They are complete: they add up to
             S_c(I0) - S_c(I'). Here the mean is that of `steps` midpoints; how far the sum is from
             the difference shows whether these were enough

The last two are shares of the score, which add up. Their map is the sum of the magnitudes over the
channels, or with shares="signed" the plain sum, negative where a pixel speaks against the class.
Of the other methods the size matters: the map takes the largest magnitude over the channels.

The map is blurred a little (`blur`): a class's score depends on edges, and between two edges of an
object the map has gaps. With blur=0 it is the paper's.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minicnn.ascent import pyramid
from minicnn.backend import to_device, to_host
from minicnn.images.display import ColourBar, signed
from minicnn.images.markup import View
from minicnn.network.layers import LRN
from minicnn.ops.lrn import RULES as LRN_RULES
from minicnn.progress import bar
from minicnn.vis import attribution
from minicnn.vis.arguments import check_choice
from minicnn.vis.attribution import ARBITRARY, SHARE
from minicnn.vis.deconvnet import limit, signed_picture
from minicnn.vis.gradcam import guided_gradcam
from minicnn.vis.options import Options, option, photo_size, takes
from minicnn.vis.record import Record

METHODS = ("guided_gradcam", "gradient", "smooth", "guided", "times_input", "integrated")
GUIDED = ("guided_gradcam", "guided")
WHITE = 0.99  # share of the map's numbers below what is shown white
UNITS = {"gradient": "score per input value", "smooth": "score per input value",
         "times_input": SHARE, "integrated": SHARE, "guided": ARBITRARY,
         "guided_gradcam": ARBITRARY}
SHARES = ("times_input", "integrated")  # they add up to a score; the others are slopes
NOTHING = {"gradient": "; the score does not depend on any pixel",  # what a black map says
           "guided_gradcam": "; no positive evidence"}
ENOUGH = 0.05  # of the difference of scores: how far off Sundararajan et al. let the sum be


@dataclass(frozen=True, kw_only=True)
class SaliencyOptions(Options):
    """Options of `saliency`."""

    blur: float = option(None, "standard deviation in pixels of a blur of the map; 0 for the "
                         "papers' maps", least=0, kind="float",
                         otherwise="a 224th of the photo's shorter side, at least 0.5")
    lrn: str = option("through", "guided_gradcam, guided: what local response normalisations do on "
                      "the way down, as for `deconvnet`", choices=LRN_RULES)
    samples: int = option(25, "smooth: number of noisy copies of the photo", least=1)
    noise: float = option(0.1, "smooth: standard deviation of the noise, as a share of the "
                          "photo's range (largest minus smallest number); the paper finds 0.1 to "
                          "0.2 best",
                          least=0)
    shares: str = option("magnitude", "times_input, integrated: what a pixel's channels make "
                         "together: magnitude, the sum of their magnitudes; signed, their sum, "
                         "negative where the pixel speaks against the class",
                         choices=("magnitude", "signed"))
    steps: int = option(50, "integrated: number of points on the path from the baseline", least=1)
    baseline: Any = option(None, "integrated: colour of the plain picture from which the path "
                           "starts: one grey level or red, green and blue, each in 0..255; 0 is "
                           "black, as in the paper, and black parts of a photo then get no share; "
                           "None (--baseline mean) is the network's mean colour",
                           kind="number, (R, G, B) or None", otherwise="the mean colour")
    size: Any = photo_size()
    seed: int = option(0, "smooth: seed of the noise", least=0)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Saliency(Record):
    """How one class's score depends on each pixel of one photo.

    `image` is the map's magnitude in grey; the strongest 1 in 100 are white. `x` is the slope, or
    the shares of the score, at every number of the network's input, signed.

    Attributes
    ----------
    map : array (H, W)
        One number a pixel, `pixel_map` of x, blurred.
    signed : (H, W, 3) uint8
        x as a picture: zero is mid-grey.
    score : float
        The class's score.
    completeness : (float, float) or None
        Of integrated gradients: their sum, and the difference of scores that it should be.
    """

    map: Any
    signed: Any
    score: float
    completeness: Any = None
    main = "magnitude"

    def views(self):
        """The photo, the map of magnitudes, and the signed slope or shares in colour."""
        method = self.settings["method"]
        high, unit = np.quantile(np.abs(self.map), WHITE), UNITS[method]
        return [View("photo", "photo", self.photo),
                View("magnitude", "magnitude", self.image,
                     ColourBar(0, high, unit, "gray")),
                View("signed", "signed, zero is grey", self.signed, signed(limit(self.x[0]), unit))]


@takes(SaliencyOptions)
def saliency(network, image, target=None, method="guided_gradcam", *, options, progress=False):
    """Find the pixels that a class's score depends on.

    Parameters
    ----------
    network : Network
    image : path, uint8 array (H, W, 3), or anything `Network.prepare` takes
    target : int or str, optional
        The class, by its number or its name (`Network.find_class`). By default, the one with
        the highest score.
    method : {"guided_gradcam", "gradient", "smooth", "guided", "times_input", "integrated"}
    **options
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    Saliency
        On Ctrl-C, "smooth" gives the mean of the samples so far.

    Raises
    ------
    ValueError
        Unknown class or method, options out of range, a network without class scores; for
        "guided_gradcam" also one without feature maps.
    """
    check_choice("saliency", "method", method, METHODS)
    x = network.prepare(image, options.size)  # I0
    if options.blur is None:
        options = replace(options, blur=max(0.5, min(x.shape[1:3]) / 224))
    run = network.forward(x, to=attribution.score_layer(network), keep=(), caches=False)
    c = attribution.find_target(network, target, run.output)
    score, _ = attribution.seed_score(run, c)  # S_c(I0)

    count, completeness = 1, None
    match method:
        case "guided_gradcam":
            w = guided_gradcam(network, x, c, options.lrn)
        case "gradient":
            _, w = slope(network, x, c)
        case "guided":  # another rule at the ReLUs on the way back
            _, w = slope(network, x, c, "guided", options.lrn)
        case "smooth":  # w = mean of dS_c / dI at I0 + noise
            copies = noisy(x, options.samples, options.noise, options.seed, network.device)
            w, count = mean_slope(network, bar(copies, "saliency", progress, options.samples), c)
        case "times_input":
            _, w = slope(network, x, c)
            w = x * w
        case "integrated":  # w = (I0 - I') * mean of dS_c / dI at points from I' to I0
            start = attribution.plain(network, options.baseline, x.shape)  # I'
            points = bar(between(start, x, options.steps), "saliency", progress, options.steps)
            w, count = mean_slope(network, points, c)
            if count < options.steps:  # the mean over half the way is no integral
                raise KeyboardInterrupt
            w = (x - start) * w
            difference = score - slope(network, start, c)[0]  # S_c(I0) - S_c(I')
            completeness = float(w.sum(dtype=np.float64)), difference
    w = to_host(w)
    heat = blurred(pixel_map(w, method, options.shares), options.blur)  # M
    return Saliency(
        image=attribution.grey(np.abs(heat), np.quantile(np.abs(heat), WHITE)),
        caption=f"{network.name} {attribution.unit(network, c)}: score {score:.4g}, rule {method}"
                + _told(network, method, options, count, completeness)
                + ("" if heat.any() else NOTHING.get(method, NOTHING["gradient"])),
        settings={"target": c, "method": method, **options.settings()},
        x=w, map=heat, signed=signed_picture(w, network.preprocessing),
        photo=network.restore(x)[0], score=score, completeness=completeness,
        interrupted=method == "smooth" and count < options.samples)


def _told(network, method, options, count, completeness):
    """What a caption says of how a method was carried out."""
    blur = f", blur {options.blur:g}" if options.blur else ""
    if method in GUIDED and any(isinstance(row.layer, LRN) for row in network.rows):
        return f", LRN {options.lrn}{blur}"
    if method == "smooth":
        return (f", mean of {count} gradients, with noise of {options.noise:g} of the photo's range"
                + blur)
    if method == "integrated":
        total, difference = completeness
        colour = "the mean colour" if options.baseline is None else options.baseline
        more = "; take more steps" if abs(total - difference) > ENOUGH * abs(difference) else ""
        return (f" from {colour} in {options.steps} steps{blur}; the shares add up to {total:.4g}, "
                f"the score's difference is {difference:.4g}{more}")
    return blur


def pixel_map(x, method="gradient", shares="magnitude"):
    """One number per pixel: the largest magnitude over the channels, or a sum.

    Parameters
    ----------
    x : array (1, H, W, C)
    method : str
        A sum for the shares of a score, "times_input" and "integrated"; else the largest.
    shares : {"magnitude", "signed"}
        What is summed: magnitudes, or the shares themselves.

    Returns
    -------
    array (H, W)
    """
    if method not in SHARES:
        return np.abs(x[0]).max(axis=2)  # H,W,C -> H,W
    return (x if shares == "signed" else np.abs(x))[0].sum(axis=2)  # H,W,C -> H,W


def blurred(heat, sigma):
    """A map (H, W) smoothed by a Gaussian of so many pixels; 0 leaves it as it is."""
    return pyramid.blur(heat[None, :, :, None], sigma)[0, :, :, 0] if sigma else heat


def slope(network, x, index, relu="gradient", lrn="gradient"):
    """dS_c / dI at one image: (the score, the slope (1, H, W, C)).

    Parameters
    ----------
    network : Network
    x : array (1, H, W, C)
        As `Network.prepare` gives it.
    index : int
        The class.
    relu, lrn : str
        The rules on the way back, `ops.relu.RULES` and `ops.lrn.RULES`.
    """
    run = network.forward(x, to=network.logits, keep=())
    score, seeds = attribution.seed_score(run, index)
    return score, run.backward(seeds, relu, lrn)


def mean_slope(network, points, index):
    """The mean of the slope at several images: (the mean, how many there were).

    Ctrl-C ends it early with the mean so far; before the first slope it raises KeyboardInterrupt.
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
    """Yield copies of an image, each with its own normal noise."""
    rng = np.random.default_rng(seed)
    deviation = noise * float(x.max() - x.min())
    for _ in range(samples):
        grain = deviation * rng.standard_normal(x.shape, dtype=np.float32)
        yield x + to_device(grain, device)


def between(start, end, steps):
    """Yield the midpoints of `steps` equal pieces of the straight path."""
    for k in range(steps):
        yield start + (k + 0.5) / steps * (end - start)
