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

All of that can be chosen otherwise. `minicnn.vis.presets` has the published ways by name.

Several channels are climbed at once, each by an image of its own, and each comes out as it would
alone, to the last bit: the same noise, the same transforms, a few images in each pass. Only a dense
layer rounds otherwise for several images than for one, and a hundred steps make that visible; above
one the network therefore looks at image after image.
"""

from pathlib import Path

import numpy as np

from minicnn import images
from minicnn.ascent import loop, objectives
from minicnn.backend import array_module, to_device
from minicnn.network.layers import Dense
from minicnn.vis import presets
from minicnn.vis.arguments import channel_number, settings_of
from minicnn.vis.record import Record

STARTS = ("zeros", "mean", "noise", "grey-noise")
AT_ONCE = 5  # images in a pass: on minivgg one costs 0.6 to 0.75 of one alone, and 10 no less


def maximize(network, layer=None, channel=0, preset=None, steps=None, start=None, size=None,
             rate=None, momentum=None, jitter=None, diffuse=None, settle=None, measure=None,
             sure=None, l2=None, optimizer=None, normalize=None, basis=None, transforms=None,
             moves=None, seed=0, progress=False, watch=None):
    """Find an image that makes a class score, or a channel's mean activation, large.

    Whatever is not given is what the preset says; in brackets what it is without a preset.

    Parameters
    ----------
    network : Network
    layer : str, optional
        Where to look; at the class scores where not given.
    channel : int or str, or sequence of these
        The channel, counted from 0. At the class scores also a class name, see
        `Network.find_class`. For several each gets its own image.
    preset : str, optional
        A key of `presets.PRESETS`: arguments published together.
    steps : int
        (100)
    start : {"zeros", "mean", "noise", "grey-noise"}, photo, or array (1 or N, H, W, C)
        (zeros) zeros: all of the network's numbers 0, its mean colour where its preprocessing
        subtracts one. mean: its mean colour, or mid-grey. noise: around zeros, with a standard
        deviation of 10 grey levels; with another `basis` the noise that belongs to it. grey-noise:
        every number drawn evenly from grey level 128 to 148. A photo is a path or a uint8 array
        (H, W, 3); floating point numbers are an image, or one a channel, already prepared.
    size : int or (H, W), optional
        Of the image; the network's own where not given. With dense layers below `layer` only that
        one fits.
    rate : float
        (2) How long a step is. For "sgd" the mean change of the pixels in grey levels (of 0..255)
        as `normalize` measures it, before momentum, moves and bounds; without that, what a gradient
        by grey levels is multiplied by. For "adam" about the change of each pixel. With another
        `basis` in its own numbers.
    momentum : float in [0, 1]
        (0.5)
    jitter : int
        (a 14th of the image) Most pixels to roll by before each look.
    diffuse : float in [0, 1]
        (0.1) Share of the way each pixel goes to its neighbours' mean after each step.
    settle : float in [0, 1]
        (0.1) Share of the steps, the last ones, without jitter, transforms and moves.
    measure : {"mean", "sum", "squares"}
        (mean) What of a channel of feature maps is made large, see `objectives.channel`.
    sure : float
        (300) Weight of the log-probability of a class; the score itself has weight 1.
    l2 : float
        (0) Weight of |I|^2, subtracted; I in grey levels from the mean colour.
    optimizer : {"sgd", "adam"}
        (sgd)
    normalize : str
        (mean_abs) What a gradient is divided by, a key of `optimizers.NORMALIZERS`; "progress" for
        the step that should raise the objective by 2, see `optimizers.progress`; "none".
    basis : {"pixels", "fourier", "laplacian"}
        (pixels) What is optimised, see `minicnn.ascent.parametrize`.
    transforms : {"none", "lucid"}
        (none) What is done to the image before each look, besides jitter.
    moves : {"none", "yosinski-1", ..., "yosinski-4"}
        (none) What is done to the image after each step, before it is diffused.
    seed : int
        For the start and the transforms; for each of several channels the same.
    progress : bool
        Show a bar on standard error.
    watch : callable, optional
        Called with each step of the ascent as it comes, see `loop.follow`.

    Returns
    -------
    Record, or a list of them where `channel` is a sequence
        The caption has the value reached and, where the network knows classes and the image has
        its size, what the network takes the picture for.

    Raises
    ------
    ValueError
        Naming the argument that is no choice, out of range, or does not go with another; a layer,
        channel or class that is not there.
    loop.DivergedError
        The value is no finite number any more: `rate` is too large.
    """
    settings = _settings(network, settings_of(locals()))
    several = isinstance(channel, (list, tuple, range, np.ndarray)) and np.ndim(channel) > 0
    indices = [channel_number("maximize", network, settings["layer"], one)
               for one in (channel if several else [channel])]
    if not indices:
        raise ValueError("maximize: channel names none; give a number, or a list of them")
    climb = _climb(network, settings)
    name = climb(indices).terms[0].name
    ascent = _ascent(network, settings, indices, climb)
    end = loop.follow(ascent, settings["steps"], progress, name, watch)
    records = [_record(network, settings | {"channel": index}, end, k, end.by_term[name][:, k])
               for k, index in enumerate(indices)]
    return records if several else records[0]


def _settings(network, given):
    """All settings, with what is chosen where nothing was given."""
    chosen = presets.chosen(given["preset"], {name: given[name] for name in presets.OWN})
    settings = given | chosen
    layer, start = settings["layer"], settings["start"]
    layer = network.find(network.logits if layer is None else layer)
    size = _size(network, start, settings["size"])
    one_number = layer == network.logits or len(network.shapes[layer]) != 3
    return settings | {
        "layer": layer, "size": size, "start": str(start) if isinstance(start, Path) else start,
        "jitter": max(size) // 14 if settings["jitter"] is None else settings["jitter"],
        "measure": "mean" if one_number else settings["measure"]}


def _climb(network, settings):
    """The objective of some images, as a function of the channel that each climbs."""
    layer, (h, w) = settings["layer"], settings["size"]
    is_class = layer == network.logits and network.classifies
    numbers = h * w * network.input_shape[2]

    def climb(indices):
        objective = objectives.channel(layer, indices, settings["measure"])
        if is_class and settings["sure"]:
            objective = objective + settings["sure"] * objectives.log_probability(layer, indices)
        if settings["l2"]:  # objectives.l2 is |I|^2 / (2 numbers), in the network's own numbers
            weight = settings["l2"] * 2 * numbers / network.grey_level**2
            objective = objective - weight * objectives.l2()
        return objective
    return climb


def _ascent(network, settings, indices, climb):
    """The ascent, and its end without transforms and moves: an iterator of steps."""
    basis = presets.parametrization(settings, network, settings["size"])
    x = _start(network, settings, len(indices), basis)
    pixels = settings["basis"] == "pixels"
    fixed = {"parametrization": basis, "look": _few_at_once(network, settings, indices, climb),
             "bounds": images.bounds(network.needed_preprocessing(), x.shape) if pixels else None}
    optimizer = presets.optimizer(settings, network.grey_level)
    settling = int(settings["settle"] * settings["steps"])
    ascent = loop.steps(network, climb(indices), x, optimizer, settings["steps"] - settling,
                        presets.before_a_look(settings, settings["size"]),
                        presets.after_a_step(settings), seed=settings["seed"], **fixed)
    return loop.then(ascent, lambda parameters: loop.steps(
        network, climb(indices), parameters, optimizer, settling, **fixed))


def _few_at_once(network, settings, indices, climb):
    """`loop.look`, at a few images of the batch in each pass; every pass draws the same."""
    below = network.until(settings["layer"]).rows
    most = 1 if any(isinstance(row.layer, Dense) for row in below) else AT_ONCE

    def look(network, objective, image, transforms, rng, backward, redirect):
        drawn, seen = rng.bit_generator.state, []
        for first in range(0, len(image), most):
            part = slice(first, first + most)
            rng.bit_generator.state = drawn
            seen.append(loop.look(network, climb(indices[part]), image[part], transforms, rng,
                                    backward, redirect))
        return _joined(objective, seen, backward)
    return look


def _joined(objective, seen, backward):
    """(value, gradient) of a batch from those of its parts, whose terms have other names."""
    values, gradients = zip(*seen, strict=True)
    xp = array_module(values[0].total)
    shares = zip(*[value.by_term.values() for value in values], strict=True)
    by_term = {term.name: xp.concatenate(share)
               for term, share in zip(objective.terms, shares, strict=True)}
    value = objectives.Value(xp.concatenate([value.total for value in values]), by_term, {})
    return value, xp.concatenate(gradients) if backward else None


def _record(network, settings, end, k, values):
    """Image k of the batch, as if it had been alone; `values` are its unit's on the way."""
    x = end.image[k : k + 1]
    picture, start = network.restore(x)[0], settings["start"]
    if _is_prepared(start) and len(start) > 1:
        settings = settings | {"start": start[k : k + 1]}
    preset = "" if settings["preset"] is None else f", preset {settings['preset']}"
    caption = (f"{network.name} {settings['layer']} channel {settings['channel']}: "
               f"{'value' if settings['measure'] == 'mean' else settings['measure']} "
               f"{values[0]:.4g} -> {values[-1]:.4g} in {len(values) - 1} steps{preset}"
               + _verdict(network, picture))
    return Record(image=picture, caption=caption, settings=settings, x=x,
                  trace=end.trace[:, k : k + 1], interrupted=end.interrupted,
                  by_term={name: share[:, k : k + 1] for name, share in end.by_term.items()})


def _verdict(network, picture):
    """What the network takes the picture for, as saved (rounded to 8 bits)."""
    if not network.labels or picture.shape[:2] != network.input_shape[:2]:
        return ""
    (label, probability), *_ = network.classify(picture, top=1, size="keep")
    return f"; the network sees {label} ({probability:.2%})"


# ---- where it starts

def _size(network, start, size):
    """(H, W) of the image."""
    if _is_prepared(start) and start.ndim == 4:
        return tuple(start.shape[1:3])
    return tuple(network.input_shape[:2] if size is None else images.height_width(size))


def _is_prepared(start):
    return hasattr(start, "dtype") and start.dtype != np.uint8


def _start(network, settings, count, basis):
    """What the ascent starts from, for `count` images: parameters (N, ...) of the basis."""
    start, size = settings["start"], settings["size"]
    if isinstance(start, str) and start == "noise" and settings["basis"] != "pixels":
        return _each(basis.start(1, settings["seed"]), count)
    if _is_prepared(start):
        if start.ndim != 4 or len(start) not in (1, count):
            raise ValueError("maximize: a start must be one prepared image (1, H, W, C), or one a "
                             f"channel, got {start.shape} for {count}")
        x = to_device(start.astype(np.float32), network.device)
    elif isinstance(start, str) and start in STARTS:
        x = to_device(_drawn(network, start, size, settings["seed"]), network.device)
    elif isinstance(start, str) and not Path(start).is_file():
        raise ValueError(f"maximize: start must be one of {', '.join(STARTS)} or an array "
                         f"(1, H, W, C) or the path of a photo, got {start!r}")
    else:
        x = network.prepare(start, size)
    return basis.encode(_each(x, count))


def _each(x, count):
    return x if len(x) == count else array_module(x).repeat(x, count, axis=0)


def _drawn(network, start, size, seed):
    """An image (1, H, W, C) of one colour, or of noise."""
    low, high = images.bounds(network.needed_preprocessing(), size)
    rng, shape = np.random.default_rng(seed), (1, *size, network.input_shape[2])
    if start == "noise":
        return rng.normal(0, 10 * network.grey_level, shape).astype(np.float32)
    if start == "grey-noise":
        return (low + (high - low) * rng.uniform(128, 148, shape) / 255).astype(np.float32)
    x = np.zeros(shape, np.float32)
    subtracted = np.any(network.needed_preprocessing().mean)
    return x if start == "zeros" or subtracted else (x + (low + high) / 2).astype(np.float32)
