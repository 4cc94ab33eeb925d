"""The options of `minicnn.vis.maximize`, and presets named after the papers and tools they follow.

A preset gives several options at once. Where a source leaves something open, this is stated
below, beside the number that was chosen. Two things differ from all sources: an image is kept
between black and white, so that what is saved is what the network saw, and lengths are in grey
levels of 0..255 whatever the range of the network's input values.

==============  ===================================================================================
object          a class as one large object on quiet grey, which is how classes of networks of 128
                pixels and more are shown where no preset is named: a spectrum whose fine detail is
                scaled down more than in photos, faded to grey towards the border, in vivid colours;
                one look a step, at a window that is moved, turned and often larger than the image;
                Adam; score + 1 log-probability. Found by experiment with GoogLeNet, judged by a
                network that had no part in the pictures; SqueezeNet's are quieter with --decay 1.7
                --chroma 0.8
object-64       the same for smaller networks, down to 48 pixels: a picture of 128 pixels, whose
                fine detail is scaled down further, in the colours of photos; looks have some noise
none            the default of everything else: the gradient over its mean magnitude, jitter,
                diffusion, and for a class its log-probability
filters         the same for a sheet of filters: fewer steps, from noise, by the root mean square of
                what a ReLU lets through
wolfram         the gradient and nothing else, by Adam (NetTrain's way where none is named), 2000
                steps from zeros, the sum of squares. The rate is not in the source. A class comes
                out as fine noise, in which parts of the thing can be made out; a filter as fine
                patterns of pixels in full colours, at 33 times the steps of preset filters
simonyan        score - l2 |I|^2 from zeros (Simonyan et al. 2014, section 2). The paper gives no
                numbers: rate, l2 and steps are those of CS231n's assignment on it, which counts in
                standard deviations (58 grey levels) and divides by the gradient's length
yosinski        decay, blur and two kinds of clipping (Yosinski et al. 2015, table 1): yosinski-1 to
                yosinski-4 are its four settings, and 3 is meant where none is named
keras-lecture   noise around grey 128, 40 steps of 1 grey level along the gradient over its root
                mean square, and the lecture's way to show it: mid-grey, a standard deviation of a
                tenth (Chollet 2017, section 5.4.2, generate_pattern and deprocess_image). It was
                written for filters, of which it shows textures; a class stays fine noise
lucid           the image as a spectrum of colours that vary independently, optimised with Adam
                under random shifts, scalings and rotations (Olah et al. 2017; render_vis). The
                image has the network's input size; Lucid's default is 128
zoom-crops      a standardised spectrum of 1280 pixels, 1000 steps of Nadam, each along the mean of
                6 looks at windows of a quarter of the side, with noise (Fel et al. 2023; horama's
                fourier, whose windows are those that its formula draws). Many things in one scene.
                It costs 6000 looks; fewer steps on a smaller image show what it is about:
                --steps 40 --size 384 --zoom 0.5,0.6 --looks 3
maco            the same with the magnitudes of photos, only the phases optimised (Fel et al. 2023;
                horama's maco, the magnitudes from a fit, see `minicnn.ascent.maco`). Softer, as if
                in mist; the short form of zoom-crops suits it as well
==============  ===================================================================================
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from minicnn import images
from minicnn.ascent import maco, optimizers, parametrize, regularizers, transforms, views
from minicnn.ascent.objectives.units import MEASURES
from minicnn.vis.options import Options, named, option

NONE = "none"
LARGE, SMALL = 128, 48  # pixels of a network's input, least of presets object and object-64
VIEWS = ("affine", "crops")
FROM_NOISE = ("standardized", "phases")
BASES = ("pixels", "fourier", "laplacian", *FROM_NOISE)
STARTS = ("zeros", "mean", "noise", "grey-noise")
DEVIATION = 255 * 0.226  # grey levels that CS231n's preprocessing divides by
CS231N_LENGTH = 25 / (224 * 224 * 3) ** 0.5  # of its steps, root mean square over the image
PROGRESS = 2.0  # what a step should raise the objective by, in both settings that say so
EPSILON = 1e-5  # the lecture's, added to the root mean square of a gradient by grey levels


@dataclass(frozen=True, kw_only=True)
class MaximizeOptions(Options):
    """Options of `maximize`."""

    steps: int = option(100, "steps of gradient ascent", least=1)
    start: Any = option(
        "zeros", "what the ascent starts from: zeros, the mean colour if the preprocessing "
        "subtracts one; mean, the mean colour, or mid-grey; noise around zeros, with a standard "
        "deviation of 10 grey levels; grey-noise, uniform from level 128 to 148; a photo (a path, "
        "or a uint8 array); or prepared images (1 or N, H, W, C)",
        kind=f"{{{', '.join(STARTS)}}}, photo or array")
    size: Any = option(None, "side of the image in pixels; with dense layers only the network's "
                       "own fits", kind="int or (H, W)", otherwise="the network's own")
    rate: float = option(2.0, "step size: mean change of a pixel per step, in grey levels "
                         "(0..255), as measured by `normalize`; for other bases, in the units of "
                         "their coefficients", above=0)
    momentum: float = option(0.5, "share of the previous step that the next one keeps", least=0,
                             most=1)
    jitter: int = option(None, "most pixels by which each step shifts the image at random", least=0,
                         kind="int", otherwise="a 14th of the side")
    diffuse: float = option(0.1, "share of the way that each pixel moves towards its neighbours' "
                            "mean after each step", least=0, most=1)
    settle: float = option(0.1, "share of the steps, at the end, that run without jitter, "
                           "transforms and moves", least=0, most=1)
    measure: str = option("mean", "for a channel of feature maps, the quantity to maximise",
                          choices=tuple(MEASURES))
    sure: float = option(300.0, "for a class, weight of its log-probability, added to its score",
                         least=0)
    l2: float = option(0.0, "weight of |I|^2, subtracted; I in grey levels from the mean colour",
                       least=0)
    optimizer: str = option("sgd", "algorithm that takes the steps",
                            choices=("sgd", "adam", "nadam"))
    normalize: str = option(
        "mean_abs", "what the gradient is divided by; progress: such that a step should raise the "
        "objective by 2", choices=(NONE, *optimizers.NORMALIZERS, "progress"))
    basis: str = option("pixels", "the numbers that the image is made from, which are optimised: "
                        "pixels, a spectrum (fourier), a pyramid (laplacian), a spectrum whose "
                        "image is standardised, or only the phases of one", choices=BASES)
    decay: float = option(1.0, "for the bases fourier and standardized, how strongly fine detail "
                          "is scaled down: by the frequency to this power", least=0)
    mask: float = option(None, "for other bases than pixels, distance from the middle, in half "
                         "sides, at which the image has faded halfway to grey", above=0,
                         kind="float", otherwise="no fading")
    chroma: float = option(1.0, "for other bases than pixels, factor on all colours but the one "
                           "that is nearly grey", least=0)
    transforms: str = option(NONE, "random changes to the image before each look, besides jitter: "
                             "those of Lucid, or one window that is moved, turned and zoomed "
                             "(affine), or moved and zoomed around the middle (crops)",
                             choices=(NONE, "lucid", *VIEWS))
    zoom: Any = option((0.9, 1.6), "for affine and crops, least and greatest side of the window "
                       "over the image's side; above 1 the image is seen smaller",
                       kind="(float, float)", otherwise="0.9,1.6")
    turn: float = option(10.0, "for affine, the greatest angle of the window in degrees", least=0)
    shift: float = option(0.1, "how far the window's middle moves from the image's, in half sides: "
                          "for affine at most, to which a window smaller than the image adds its "
                          "room; for crops the standard deviation", least=0)
    noise: float = option(0.0, "standard deviation of noise added to each look, in grey levels",
                          least=0)
    looks: int = option(1, "looks at the image in a step, each with random changes of its own; the "
                        "step follows their mean", least=1)
    moves: str = option(NONE, "changes to the image after each step, before diffuse",
                        choices=(NONE, *[f"yosinski-{k}" for k in regularizers.SETTINGS]))
    display: str = option("seen", "how the image becomes the picture: with the grey levels that "
                          "the network saw, or standardized, with the mean at mid-grey and a "
                          "standard deviation of a tenth of the range from black to white",
                          choices=("seen", "standardized"))
    seed: int = option(0, "seed of the start and transforms, the same for each channel", least=0)

    def __post_init__(self):
        super().__post_init__()
        if self.basis != "pixels" and (self.diffuse or self.moves != NONE):
            raise ValueError(f"maximize: diffuse and moves change pixels, and with basis "
                             f"{self.basis} the image is made from other numbers; set diffuse to 0 "
                             "and moves to none, or use basis pixels")
        if self.basis == "pixels" and (self.decay != 1 or self.mask is not None
                                       or self.chroma != 1):
            raise ValueError("maximize: decay, mask and chroma belong to an image that is made "
                             "from other numbers than pixels; set basis to fourier")
        if self.basis in FROM_NOISE and not (isinstance(self.start, str)
                                             and self.start == "noise"):
            raise ValueError(f"maximize: with basis {self.basis} an image can only begin as noise; "
                             "set start to noise, or another basis")
        if len(self.zoom) != 2 or not 0 < self.zoom[0] <= self.zoom[1] < float("inf"):
            raise ValueError("maximize: zoom must be two numbers above 0, the smaller one first, "
                             f"got {self.zoom}")
        if self.optimizer != "sgd" and (self.momentum or self.normalize == "progress"):
            raise ValueError("maximize: Adam sets its own momentum and step length; set momentum "
                             "to 0 and do not set normalize to progress, or set optimizer to sgd")

    def settling(self):
        """The number of steps at the end that run without jitter, transforms and moves."""
        return int(self.settle * self.steps)


OWN = MaximizeOptions()
PLAIN = MaximizeOptions(momentum=0.0, jitter=0, diffuse=0.0, settle=0.0, sure=0.0, normalize=NONE)


def _yosinski(setting):
    published = regularizers.SETTINGS[setting]
    return replace(PLAIN, steps=published.steps, start="noise", rate=published.rate,
                   normalize="progress" if published.progress else NONE,
                   moves=f"yosinski-{setting}")


OBJECT = replace(PLAIN, steps=128, start="noise", rate=0.05, sure=1.0, optimizer="adam",
                 basis="fourier",
                 decay=1.35, mask=0.95, chroma=1.4, transforms="affine")
HORAMA = replace(PLAIN, steps=1000, start="noise", size=1280, rate=1.0, optimizer="nadam",
                 basis="standardized", decay=1.5, transforms="crops", zoom=(0.25, 0.30), shift=0.3,
                 noise=0.05 * DEVIATION, looks=6)
PRESETS = {
    "object": OBJECT,
    "object-64": replace(OBJECT, size=128, sure=3.0, decay=1.7, chroma=1.0, noise=10.0),
    "filters": replace(OWN, steps=60, start="noise", measure="positive"),
    "wolfram": replace(PLAIN, steps=2000, rate=1.0, optimizer="adam", measure="squares"),
    "simonyan": replace(PLAIN, rate=CS231N_LENGTH * DEVIATION, normalize="rms",
                        l2=1e-3 / DEVIATION**2),
    "yosinski": _yosinski(3),
    **{f"yosinski-{k}": _yosinski(k) for k in regularizers.SETTINGS},
    "keras-lecture": replace(PLAIN, steps=40, start="grey-noise", rate=1.0, normalize="rms",
                             display="standardized"),
    "lucid": replace(PLAIN, steps=512, start="noise", rate=0.05, optimizer="adam",
                     basis="fourier", transforms="lucid"),
    "zoom-crops": HORAMA,
    "maco": replace(HORAMA, basis="phases", decay=1.0),
    NONE: OWN,
}


def of(preset, steps=None):
    """The options of a preset, with another number of steps where one is given."""
    options = OWN if preset is None else named("maximize", PRESETS, preset)
    return options if steps is None else replace(options, steps=steps)


def completed(options, size, one_number):
    """The options with what follows from the image's size (H, W), and from a unit that is one
    number, of which there is nothing to measure but itself."""
    return replace(
        options, size=size, jitter=max(size) // 14 if options.jitter is None else options.jitter,
        measure="mean" if one_number else options.measure,
        start=str(options.start) if isinstance(options.start, Path) else options.start)


def usual(network, layer=None, target=None, **others):
    """The preset that is meant where none is named: for a class, one object as large as the
    network's input allows; for anything else, and a class of a very small network, none."""
    is_class = target is not None or layer is None or layer == network.logits
    side = min(network.input_shape[:2])
    if not is_class or not network.classifies or side < SMALL:
        return None
    return "object" if side >= LARGE else "object-64"


def pictures(options, network, x):
    """Images (N, H, W, C) in the network's input values as pictures (N, H, W, 3) uint8.

    Of `display` standardized: (x - mean) / (deviation + 1e-5) / 10 + 1/2, from black, 0, to white,
    1, each image on its own (Chollet 2017, deprocess_image).
    """
    if options.display == "seen":
        return network.restore(x)
    preprocessing = network.needed_preprocessing()
    levels = np.asarray(x, dtype=float) / preprocessing.scale + preprocessing.mean
    levels -= levels.mean(axis=(1, 2, 3), keepdims=True)
    levels /= levels.std(axis=(1, 2, 3), keepdims=True) + EPSILON
    shown = (255 * (levels / 10 + 0.5)).clip(0, 255).astype(np.uint8)
    return images.to_rgb(shown, preprocessing)


# ---- the pieces that the options name

def optimizer(options, grey_level):
    """The optimizer that takes the steps.

    Parameters
    ----------
    options : MaximizeOptions
    grey_level : float
        `Network.grey_level`. A gradient at pixels is divided by it to be one by grey levels, and a
        step of grey levels multiplied. Other bases have numbers of their own.
    """
    unit = grey_level if options.basis == "pixels" else 1.0
    by, rate = options.normalize, options.rate
    if by == "progress":
        return optimizers.SGD(1.0, options.momentum,
                              normalize=optimizers.progress(PROGRESS, rate * unit**2))
    normalize = {NONE: None, "rms": partial(optimizers.rms, epsilon=EPSILON / unit)}.get(by, by)
    if options.optimizer != "sgd":
        kind = {"adam": optimizers.Adam, "nadam": optimizers.Nadam}[options.optimizer]
        return kind(rate * unit, normalize=normalize)
    return optimizers.SGD(rate * (unit**2 if by == NONE else unit), options.momentum,
                          normalize=normalize)


def after_a_step(options):
    """The changes made to the image after each step, as a list of functions."""
    chosen = [regularizers.diffuse(options.diffuse)] * (options.diffuse != 0)
    if options.moves != NONE:
        chosen = regularizers.yosinski(int(options.moves[-1])) + chosen
    return chosen


def before_a_look(options, size, seen, grey_level):
    """The changes made to the image before each forward pass, as a list of functions.

    Lucid's transforms change the size. The middle is taken of what comes out, or zeros put around
    it, so that dense layers find what they need.

    Parameters
    ----------
    options : MaximizeOptions
    size : (H, W)
        Of the image.
    seen : (H, W)
        Of what a window of the image shows the network.
    grey_level : float
        `Network.grey_level`.
    """
    changes = [transforms.jitter(options.jitter)] * (options.jitter != 0)
    if options.transforms == "lucid":
        changes += [*transforms.lucid(), transforms.fit(*size)]
    if options.transforms == "affine":
        changes.append(views.affine(seen, options.zoom, options.turn, options.shift))
    if options.transforms == "crops":
        changes.append(views.crops(seen, options.zoom, options.shift))
    return changes + [views.noise(options.noise * grey_level)] * (options.noise != 0)


def parametrization(options, network, size):
    """The parametrization of the image."""
    colours = {"mask": options.mask, "chroma": options.chroma}
    return {"pixels": lambda: parametrize.ITSELF,
            "fourier": lambda: parametrize.fourier(network, size, decay=options.decay, **colours),
            "laplacian": lambda: parametrize.laplacian(network, size, **colours),
            "standardized": lambda: maco.standardized(network, size, options.decay, **colours),
            "phases": lambda: maco.phases(network, size, **colours)}[options.basis]()
