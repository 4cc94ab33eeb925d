"""Inversion: an image that a layer cannot tell from the photo (Mahendran & Vedaldi 2015).

What does a layer still know of a photo? Its activation phi0 is all that is kept. Then, from noise,
an image x is found that has nearly the same one and otherwise looks natural, by making small

    E = 1/2 (|phi(x) - phi0|^2 / |phi0|^2  +  R_alpha(x)  +  lambda V(x))

    R_alpha = mean of (|x| / B)^alpha                   keeps colours within a range; alpha is 6
    V = mean of (differences of neighbours / s)^beta    smooths; beta is 2

What all such images share, the layer knows; what differs from start to start, it has lost.

The paper divides the image by sigma, the norm of an average photo, so that E, lambda and the step
length mean the same for every image. Here sigma is s times the square root of the count of
numbers; s = 69 grey levels makes it the 27098 of the authors' program at 227 x 227 pixels. The
program's B is 134, its lambda 1, 10 or 100 by depth. It steps by gradient descent with momentum
0.9 and a rate of 0.004 for the first quarter of the steps, a tenth of that for the next half, a
hundredth for the rest, from rest each time. That is ``basis="pixels", optimizer="momentum",
steps=400, noise=69, level=134, variation=1`` (or 10, or 100).

The same authors later show the layer the image moved at random in every step (2016, "Visualizing
deep convolutional neural networks using natural pre-images"): ``jitter``, in pixels, for gradient
descent. It takes away patterns of the grid that a layer with a stride samples; moved copies differ
from the photo by a part of the stride, which such a layer hardly sees.

Two later things come much nearer in fewer passes, and are the defaults: L-BFGS (`ascent.lbfgs`),
and the image as a spectrum whose fine detail is scaled down (`parametrize.fourier`), where broad
colours come first and a lambda of 0.1 is enough. Either way the image is kept between black and
white, as the paper's is not; so R_alpha has little left to do, and B = 400 lets bright and dark
colours be what they are. For a photo of 96 pixels and conv3_3 of VGG-16, 100 such steps come
within 22 dB of the photo (PSNR), the 400 above within 13.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minicnn import images
from minicnn.ascent import loop, objectives, parametrize
from minicnn.ascent.lbfgs import LBFGS
from minicnn.ascent.optimizers import SGD
from minicnn.ascent.transforms import jitter
from minicnn.backend import to_device, to_host
from minicnn.network.layers import Dropout
from minicnn.vis.hypercolumn_maps import usual
from minicnn.vis.options import Options, OptionsError, option, photo_size, takes
from minicnn.vis.record import Record, Records

S = 68.92  # grey levels: the root mean square of a photo less its mean colour
SCHEDULE = ((0.25, 1.0), (0.5, 0.1), (0.25, 0.01))  # (share of the steps, factor of the rate)
SPREAD = 69.0  # grey levels: what a deviation of 1 in each number of the spectrum is in pixels
FIRST = 0.05  # root mean square of the first step tried in the spectrum
ALL = "all"


@dataclass(frozen=True, kw_only=True)
class InvertOptions(Options):
    """Options of `invert`."""

    steps: int = option(100, "steps down", least=1)
    basis: str = option("fourier", "what is changed: the spectrum of the image, or its pixels",
                        choices=("fourier", "pixels"))
    optimizer: str = option("lbfgs", "L-BFGS; or momentum, the paper's gradient descent, for "
                            "pixels", choices=("lbfgs", "momentum"))
    rate: float = option(0.004, "step length of gradient descent, in units of sigma^2", above=0)
    momentum: float = option(0.9, "share of a step of gradient descent that the next one repeats",
                             least=0, most=1)
    jitter: int = option(0, "greatest shift, in pixels each way, of what the layer sees in a step "
                         "of gradient descent", least=0)
    variation: float = option(0.1, "lambda, the weight of the differences of neighbours", least=0)
    beta: float = option(2.0, "power of these differences", least=1)
    alpha: float = option(6.0, "power of the alpha norm", least=1)
    level: float = option(400.0, "B, the distance from the mean colour at which the alpha norm is "
                          "1, in grey levels (0..255)", above=0)
    size: Any = photo_size()
    noise: float = option(10.0, "deviation of pixels at the start from the middle colour, in grey "
                          "levels", above=0)
    starts: int = option(1, "number of starts, each with a picture of its own", least=1)
    seed: int = option(0, "seed of the noise that the first start is; the next has the next seed",
                       least=0)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Inversion(Record):
    """An image that a layer takes for the photo, and how far it is from that.

    Attributes
    ----------
    error : float
        |phi(x) - phi0| / |phi0|: 0 if the layer cannot tell the image from the photo.
    psnr : float
        Of the picture against the photo, in decibels: see `psnr`.
    """

    error: float = 0.0
    psnr: float = 0.0


@takes(InvertOptions)
def invert(network, image, layers=None, *, options, progress=False, watch=None):
    """Find an image that a layer cannot tell from a photo.

    Parameters
    ----------
    network : Network
    image : path, uint8 array (H, W, 3), or anything `Network.prepare` takes
    layers : str or sequence of str, optional
        The layer, or several, each inverted on its own; "all" for every one of `Network.trunk`. By
        default, `default_layers`. Of these two, a photo of another size than the network's own
        has those with feature maps.
    **options
    progress : bool
        Show a bar on standard error.
    watch : callable, optional
        Called with each step of each ascent as it comes, see `loop.follow`.

    Returns
    -------
    Inversion, or a list of them unless `layers` is one name and `starts` is 1
        Start by start, each with all layers. `trace` holds -E. After Ctrl-C, those found so far;
        the last one says that it was interrupted.

    Raises
    ------
    ValueError
        An option out of range, a layer that is not there or is silent for the photo.
    """
    if options.optimizer == "momentum" and options.basis != "pixels":
        raise OptionsError("invert: optimizer momentum steps in pixels; add basis='pixels'")
    if options.jitter and options.optimizer != "momentum":
        raise OptionsError("invert: jitter changes the loss in every step, and L-BFGS compares "
                           "steps; add optimizer='momentum', basis='pixels'")
    photo = network.prepare(image, options.size)
    names = _names(network, layers, photo.shape[1:3])
    seen = network.forward(photo, to=names, keep=(), caches=False)
    found = []
    try:
        for seed in range(options.seed, options.seed + options.starts):
            for name in names:
                one = replace(options, seed=seed, starts=1)
                found.append(_inverted(network, photo, name, seen[name], one, progress, watch))
                if found[-1].interrupted:
                    return _as_asked(found, layers, options)
    except KeyboardInterrupt:  # before the next one had its first step
        if not found:
            raise
        found[-1] = replace(found[-1], interrupted=True)
    return _as_asked(found, layers, options)


def _inverted(network, photo, layer, target, options, progress, watch):
    """One layer from one start: an Inversion."""
    loss = inversion_loss(network, photo.shape, layer, target, options)
    ascent = descent(network, loss, photo.shape, options)
    end = loop.follow(ascent, options.steps, progress, layer, watch)

    picture, original = network.restore(end.image)[0], network.restore(photo)[0]
    reached = network.forward(to_device(end.image, network.device), to=layer, caches=False).output
    error = float(to_host(((reached - target) ** 2).sum() / (target**2).sum())) ** 0.5
    decibels = psnr(picture, original)
    caption = (f"{network.name} {layer} inverted: its activation is {error:.1%} off, the picture "
               f"{decibels:.1f} dB from the photo; loss {-end.trace[0, 0]:.4g} -> "
               f"{-end.trace[-1, 0]:.4g} in {len(end.trace) - 1} steps")
    return Inversion(image=picture, caption=caption, photo=original, x=end.image, error=error,
                     settings={"layers": layer, **options.settings()}, psnr=decibels,
                     trace=end.trace, by_term=end.by_term, minus_loss=True,
                     interrupted=end.interrupted)


def inversion_loss(network, shape, layer, target, options):
    """E, an objective to be made small, for images of a shape (N, H, W, C)."""
    grey = network.grey_level
    return 0.5 * (
        objectives.distance(layer, target)
        + (options.level * grey) ** -options.alpha
        * objectives.alpha_norm(options.alpha, middle(network, shape))
        + options.variation * (S * grey) ** -options.beta
        * objectives.total_variation(options.beta))


def descent(network, loss, shape, options):
    """The ascent of -E from noise, an iterator of steps; `shape` is (1, H, W, C)."""
    grey, rng = network.grey_level, np.random.default_rng(options.seed)
    if options.basis == "fourier":
        basis = parametrize.fourier(network, shape[1:3], sd=options.noise / SPREAD)
        return loop.steps(network, -loss, basis.start(1, options.seed), LBFGS(first=FIRST),
                          options.steps, parametrization=basis)
    noise = middle(network, shape) + rng.normal(0, options.noise * grey, shape)
    start = to_device(noise.astype(np.float32), network.device)
    bounds = images.bounds(network.needed_preprocessing(), shape)
    if options.optimizer == "lbfgs":
        return loop.steps(network, -loss, start, LBFGS(first=grey), options.steps, bounds=bounds)
    sigma = S * grey * start.size ** 0.5

    moved = [jitter(options.jitter)] if options.jitter else []

    def part(factor, first, last):
        optimizer = SGD(factor * options.rate * sigma**2, options.momentum)
        return lambda x: loop.steps(network, -loss, x, optimizer, last - first, moved,
                                    bounds=bounds, seed=[options.seed, first])
    ascent, done = None, 0.0
    for share, factor in SCHEDULE:
        following = part(factor, *(round(options.steps * until) for until in (done, done + share)))
        ascent = following(start) if ascent is None else loop.then(ascent, following)
        done += share
    return ascent


def middle(network, shape):
    """What an image is counted from: 0, the mean colour, or mid-grey where no mean is subtracted.

    Returns
    -------
    float, or array that broadcasts to `shape`
    """
    preprocessing = network.needed_preprocessing()
    low, high = images.bounds(preprocessing, shape)
    return 0.0 if np.any(preprocessing.mean) else (low + high) / 2


def psnr(picture, photo):
    """The peak signal-to-noise ratio of two pictures of 8 bits, in decibels.

        10 log10(255^2 / mean square of the difference)        infinite if they are equal
    """
    square = np.mean((np.asarray(picture, float) - photo) ** 2)
    return float("inf") if square == 0 else float(10 * np.log10(255**2 / square))


def default_layers(network):
    """The last feature maps of each size on the trunk, and the class scores if there are any."""
    return usual(network) + [network.logits] * network.classifies


def all_layers(network):
    """The layers of the trunk that change anything here."""
    return [name for name in network.trunk if not isinstance(network[name], Dropout)]


def _names(network, layers, size):
    """The layers to invert for a photo of size (H, W)."""
    if layers is None or layers == ALL:
        names = default_layers(network) if layers is None else all_layers(network)
        return [name for name in names if size == tuple(network.input_shape[:2])
                or max(network.shapes[name][:-1], default=1) > 1]
    names = [network.find(name) for name in ([layers] if isinstance(layers, str) else layers)]
    if not names:
        raise ValueError("invert: layers is an empty list; give a layer, or several")
    return names


def _as_asked(found, layers, options):
    single = isinstance(layers, str) and layers != ALL and options.starts == 1
    return found[0] if single else Records(found)
