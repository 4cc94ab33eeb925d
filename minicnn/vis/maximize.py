"""Maximise a class or a channel: the picture that a part of the network responds to most.

Simonyan, Vedaldi & Zisserman (2014, section 2) look for the image that makes a class score large,

    argmax over I of  S_c(I) - lambda |I|^2

by gradient ascent from an empty image. The score is the logit, not the probability: raising a
probability can also be done by lowering the other classes, and a softmax that is nearly sure has
hardly a gradient left. A channel of any other layer is maximised alike, by its mean.

Followed to the letter this finds noise that only a network could love. Three things keep it a
picture: the image is rolled by some pixels before each look (`jitter`), fine noise is worn away
after each step (`diffuse`, in place of the pull towards zero), and the step is the gradient over
its own mean magnitude, so that `rate` means grey levels for every layer of any network. The image
is kept between black and white throughout: what is saved is what the network saw.
"""

import numpy as np

from minicnn import ascend, images, objectives
from minicnn.backend import to_device
from minicnn.optimizers import SGD
from minicnn.transforms import diffuse as wear
from minicnn.transforms import jitter as roll
from minicnn.vis.record import Record

STARTS = ("zeros", "noise")


def maximize(network, layer=None, channel=0, steps=100, start="zeros", size=None, rate=2.0,
             momentum=0.5, jitter=None, diffuse=0.2, seed=0, progress=False):
    """Find an image that makes a class score, or a channel's mean activation, large.

    Parameters
    ----------
    network : Network
    layer : str, optional
        Where to look; at the class scores where not given.
    channel : int or str
        The channel, counted from 0. At the class scores also a class name, see
        `Network.find_class`.
    steps : int
    start : {"zeros", "noise"} or array (1, H, W, C)
        zeros: the network's mean colour. noise: around it, with a standard deviation of 10 grey
        levels.
    size : int or (H, W), optional
        Of the image; the network's own where not given. With dense layers below `layer` only that
        one fits.
    rate : float
        Mean change of a pixel in a step, in grey levels (of 0..255).
    momentum : float in [0, 1)
    jitter : int, optional
        Most pixels to roll by before each look; a 14th of the image where not given.
    diffuse : float in [0, 1]
        Share of the way each pixel goes to its neighbours' mean after each step.
    seed : int
        For the start and the jitter.
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    Record
        The caption has the value reached and, where the network knows classes and the image has
        its size, what the network takes the picture for.
    """
    settings = {k: v for k, v in locals().items() if k not in ("network", "progress")}
    layer = network.find(network.logits if layer is None else layer)
    index = network.find_class(channel) if isinstance(channel, str) else channel
    x = _start(network, start, size, seed)
    scale = float(np.mean(network.preprocessing.scale))  # of the network's numbers a grey level
    most = max(x.shape[1:3]) // 14 if jitter is None else jitter
    walk = ascend.steps(network, objectives.channel(layer, index), x,
                        SGD(rate * scale, momentum, normalize="mean_abs"), steps, [roll(most)],
                        [wear(diffuse)], images.bounds(network.preprocessing, x.shape), seed)
    end = ascend.follow(walk, steps, progress, f"{layer}:{channel}")
    picture = network.restore(end.image)[0]
    caption = (f"{network.name} {layer} channel {index}: value {end.trace[0, 0]:.4g} -> "
               f"{end.trace[-1, 0]:.4g} in {len(end.trace) - 1} steps"
               + _verdict(network, picture))
    return Record(picture, caption, settings, end.image, end.trace, end.interrupted)


def _start(network, start, size, seed):
    if not isinstance(start, str):
        return start
    if start not in STARTS:
        raise ValueError(f"maximize: start must be one of {', '.join(STARTS)} or an array "
                         f"(1, H, W, C), got {start!r}")
    h, w = network.input_shape[:2] if size is None else images.height_width(size)
    x = np.zeros((1, h, w, network.input_shape[2]), np.float32)
    if start == "noise":
        noise = np.random.default_rng(seed).normal(0, 10, x.shape).astype(np.float32)
        x = noise * np.float32(network.preprocessing.scale)
    return to_device(x, network.device)


def _verdict(network, picture):
    """What the network takes the picture for, as saved (rounded to 8 bits)."""
    if not network.labels or picture.shape[:2] != network.input_shape[:2]:
        return ""
    (label, probability), *_ = network.classify(picture, top=1, size="keep")
    return f"; the network sees {label} ({probability:.2%})"
