"""Maximise a class or a channel: the picture that a part of the network responds to most.

Simonyan, Vedaldi & Zisserman (2014, section 2) look for the image that makes a class score large,

    argmax over I of  S_c(I) - lambda |I|^2

by gradient ascent from an empty image. The score is the logit, not the probability: a softmax
that is nearly sure has hardly a gradient left. But a logit alone may rise together with that of a
sister class, so the log-probability is added; its gradient pushes down whichever class is ahead,
and rests once this one is. A channel of any other layer is maximised by its mean.

Followed to the letter the paper finds noise that only a network could love. Three things keep it a
picture: the image is rolled by some pixels before each look (`jitter`), fine noise is worn away
after each step (`diffuse`, in place of the pull towards zero), and the step is the gradient over
its own mean magnitude, so that `rate` means grey levels for every layer of any network. The last
tenth of the steps does without the first two, and settles. The image is kept between black and
white throughout: what is saved is what the network saw.
"""

import numpy as np

from minicnn import ascend, images, objectives
from minicnn.backend import to_device
from minicnn.optimizers import SGD
from minicnn.transforms import diffuse as wear
from minicnn.transforms import jitter as roll
from minicnn.vis.record import Record

STARTS = ("zeros", "noise")
SURE = 300  # weight of the log-probability: rests at 1 - 1/300; with 30 one class in ten fell short


def maximize(network, layer=None, channel=0, steps=100, start="zeros", size=None, rate=2.0,
             momentum=0.5, jitter=None, diffuse=0.1, seed=0, progress=False):
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
        Mean length of one gradient step over the pixels, in grey levels (of 0..255), before
        momentum, diffusion and bounds.
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
    index = _index(network, layer, channel)
    x = _start(network, start, size, seed)
    most = max(x.shape[1:3]) // 14 if jitter is None else jitter
    objective = objectives.channel(layer, index)
    if layer == network.logits and network.classifies:
        objective = objective + SURE * objectives.log_probability(layer, index)
    optimizer = SGD(rate * network.grey_level, momentum, normalize="mean_abs")
    bounds = images.bounds(network.needed_preprocessing(), x.shape)
    settling = steps // 10
    walk = ascend.steps(network, objective, x, optimizer, steps - settling, [roll(most)],
                        [wear(diffuse)], bounds, seed)
    walk = ascend.then(walk, lambda image: ascend.steps(network, objective, image, optimizer,
                                                        settling, bounds=bounds))
    end = ascend.follow(walk, steps, progress, f"{layer}:{channel}")
    picture = network.restore(end.image)[0]
    values = end.parts[f"{layer}:{index}"][:, 0]
    caption = (f"{network.name} {layer} channel {index}: value {values[0]:.4g} -> "
               f"{values[-1]:.4g} in {len(values) - 1} steps"
               + _verdict(network, picture))
    settings |= {"layer": layer, "channel": index, "size": x.shape[1:3], "jitter": most}
    return Record(picture, caption, settings, end.image, end.trace, end.interrupted)


def _index(network, layer, channel):
    if not isinstance(channel, str):
        return channel
    if layer != network.logits:
        raise ValueError(f"maximize: the channels of {layer} have no names, only those of "
                         f"{network.logits} do; give a number in place of {channel!r}")
    return network.find_class(channel)


def _start(network, start, size, seed):
    if not isinstance(start, str):
        if start.ndim != 4 or len(start) != 1:
            raise ValueError(f"maximize: a start must be one prepared image (1, H, W, C), got "
                             f"{start.shape}")
        return to_device(start.astype(np.float32), network.device)
    if start not in STARTS:
        raise ValueError(f"maximize: start must be one of {', '.join(STARTS)} or an array "
                         f"(1, H, W, C), got {start!r}")
    h, w = network.input_shape[:2] if size is None else images.height_width(size)
    x = np.zeros((1, h, w, network.input_shape[2]), np.float32)
    if start == "noise":
        noise = np.random.default_rng(seed).normal(0, 10 * network.grey_level, x.shape)
        x = noise.astype(np.float32)
    return to_device(x, network.device)


def _verdict(network, picture):
    """What the network takes the picture for, as saved (rounded to 8 bits)."""
    if not network.labels or picture.shape[:2] != network.input_shape[:2]:
        return ""
    (label, probability), *_ = network.classify(picture, top=1, size="keep")
    return f"; the network sees {label} ({probability:.2%})"
