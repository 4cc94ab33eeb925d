"""Maximise a class or a channel: the picture that a part of the network responds to most.

Simonyan, Vedaldi & Zisserman (2014, section 2) look for the image I that makes the score S_c of a
class c large,

    argmax over I of  S_c(I) - lambda |I|^2

by gradient ascent from an empty image. The score is the logit, not the probability: a softmax
that is nearly sure has hardly a gradient left. But a logit alone may rise together with that of a
sister class, so the log-probability is added; its gradient pushes down whichever class is ahead,
and rests once this one is. A channel of any other layer is maximised by its mean.

Followed to the letter the paper finds noise that only a network could love. It becomes a picture
where it must please the network however it is shown. For a class of a large network (preset
"object") each step looks at it from elsewhere: moved, turned, and often from further away, so that
one large object pays. It is made from a spectrum whose fine detail is scaled down, and fades to
grey towards its border (`ascent.views`, `ascent.parametrize`). For everything else the image is
rolled by some pixels before each look (`jitter`), fine noise is worn away after each step
(`diffuse`, in place of the pull towards zero), and the step is the gradient over its own mean
magnitude, so that `rate` means grey levels for every layer of any network; the last tenth of the
steps does without the first two, and settles. The image is kept between black and white throughout:
what is saved is what the network saw. It may be larger than the network's input where each look
shows a window of it.

All of that can be chosen otherwise. `minicnn.vis.presets` has the options, and the published ways
by name. Several channels are climbed at once, each by an image of its own, and each comes out as it
would alone, to the last bit.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from minicnn import images
from minicnn.ascent import loop, objectives, views
from minicnn.ascent.objectives.term import words
from minicnn.backend import array_module, to_device
from minicnn.network.layers import Dense
from minicnn.vis import presets
from minicnn.vis.arguments import channel_number
from minicnn.vis.attribution import short_name
from minicnn.vis.options import takes
from minicnn.vis.record import Record, Records

AT_ONCE = 5  # images in a pass: on minivgg one costs 0.6 to 0.75 of one alone, and 10 no less
MEASURED = {"mean": "mean activation", "sum": "sum of activations",
            "squares": "sum of squared activations",
            "positive": "root mean square above 0 + a tenth of the mean below"}


@takes(presets.MaximizeOptions, presets.PRESETS, presets.usual)
def maximize(network, layer=None, channel=0, preset=None, *, target=None, options, progress=False,
             watch=None):
    """Find an image that makes a class score, or a channel's mean activation, large.

    Parameters
    ----------
    network : Network
    layer : str, optional
        The layer of the channel. By default, that of the class scores.
    channel : int, or sequence of these
        The channel, counted from 0. For several each gets its own image.
    preset : str, optional
        A key of `presets.PRESETS`: options that go together. Options given as well take
        precedence. By default, "object" for a class of a network of 128 pixels or more, else
        "none".
    target : int or str, or sequence of these, optional
        The class, in place of layer and channel: its number, or its name (`Network.find_class`).
    **options
    progress : bool
        Show a bar on standard error.
    watch : callable, optional
        Called with each step of the ascent as it comes, see `loop.follow`.

    Returns
    -------
    Record, or a list of them where `channel` or `target` is a sequence
        The caption has what the unit reached and, where the network knows classes and the image
        has its size, what the network takes the picture for.

    Raises
    ------
    ValueError
        An option that is not a valid choice, is out of range, or does not go with another; the
        message names it. A layer, channel or class that does not exist.
    loop.DivergedError
        The objective is no longer a finite number: `rate` is too large.
    """
    layer, units, several = _asked_for(network, layer, channel, target)
    size = _size(network, options)
    options = presets.completed(options, size, one_number=len(network.shapes[layer]) != 3)
    basis = presets.parametrization(options, network, size)

    objective = _objective(network, layer, units, options)
    unit = objective.terms[0].name
    image = _start(network, options, size, len(units), basis)
    optimizer, settling = presets.optimizer(options, network.grey_level), options.settling()
    seen, at_once = _passes(network, layer, size)
    look = loop.averaged(options.looks, loop.few_at_once(at_once))
    always = {"parametrization": basis, "look": look,
              "bounds": images.bounds(network.needed_preprocessing(), image.shape)
              if options.basis == "pixels" else None}  # others have a range of their own
    ascent = loop.steps(network, objective, image, optimizer, options.steps - settling,
                        presets.before_a_look(options, size, seen, network.grey_level),
                        presets.after_a_step(options), seed=options.seed, **always)
    if settling:
        ascent = loop.then(ascent, lambda image: loop.steps(
            network, objective, image, optimizer, settling, **always))

    end = loop.follow(ascent, options.steps, progress, unit, watch)
    settings = {"layer": layer, "preset": preset, **options.settings()}
    made = presets.pictures(options, network, end.image)
    records = [_record(network, settings | {"channel": number}, end, k, end.by_term[unit][:, k],
                       made[k]) for k, number in enumerate(units)]
    return Records(records) if several else records[0]


def _asked_for(network, layer, channel, target):
    """(layer, the numbers of its channels, whether several were asked for)."""
    if target is not None and layer not in (None, network.logits):
        raise ValueError(f"maximize: target names a class, found at {network.logits}; leave layer "
                         f"{layer!r} out, or give its channel")
    layer = network.find(network.logits if layer is None else layer)
    asked = channel if target is None else target
    several = isinstance(asked, (list, tuple, range, np.ndarray)) and np.ndim(asked) > 0
    units = [channel_number("maximize", network, layer, one)
             for one in (asked if several else [asked])]
    if not units:
        raise ValueError("maximize: channel is an empty list; give a number, or a list of numbers")
    return layer, units, several


def _objective(network, layer, units, options):
    """What is made large: first of all S_c(I), the measure of each unit."""
    objective = objectives.channel(layer, units, options.measure)
    if layer == network.logits and network.classifies and options.sure:
        objective += options.sure * objectives.log_probability(layer, units)
    if layer == network.logits and network.labels:  # "goldfish" in place of "fc6:0"
        told = short_name(network, units[0]) if len(units) == 1 else f"{len(units)} classes"
        objective = objectives.Objective(
            replace(term, name=term.name.replace(f"{layer}:{words(units)}", told))
            for term in objective.terms)
    if options.l2:  # objectives.l2 is |I|^2 / (2 numbers), in the network's input values
        count = np.prod((*options.size, network.input_shape[2]))
        objective -= options.l2 * 2 * count / network.grey_level**2 * objectives.l2()
    return objective


def _passes(network, layer, size):
    """What size (H, W) a window of the image shows the network, and how many images a pass has.

    A dense layer takes the network's own size only, and would round several images otherwise than
    one. Without one a look is no larger than the image.
    """
    own = tuple(network.input_shape[:2])
    if any(isinstance(row.layer, Dense) for row in network.until(layer).rows):
        return own, 1
    return (own if min(size) > min(own) else size), AT_ONCE


def _record(network, settings, end, k, values, picture):
    """Image k of the batch, as if it had been alone; `values` are its unit's on the way."""
    x, start = end.image[k : k + 1], settings["start"]
    if _is_prepared(start) and len(start) > 1:
        settings = settings | {"start": start[k : k + 1]}
    is_class = settings["layer"] == network.logits and network.classifies
    unit = (f"class {network.label(settings['channel'])}" if is_class and network.labels
            else f"channel {settings['channel']}")
    measured = "score" if is_class else MEASURED[settings["measure"]]
    preset = ("" if settings["preset"] in (None, presets.NONE)
              else f", preset {settings['preset']}")
    caption = (f"{network.name} {settings['layer']} {unit}: {measured} {values[0]:.4g} -> "
               f"{values[-1]:.4g} in {len(values) - 1} steps{preset}"
               + _verdict(network, network.restore(x)[0]))
    return Record(image=picture, caption=caption, settings=settings, x=x,
                  trace=end.trace[:, k : k + 1], interrupted=end.interrupted,
                  by_term={name: share[:, k : k + 1] for name, share in end.by_term.items()})


def _verdict(network, picture):
    """What the network takes the picture for, as saved (rounded to 8 bits), seen as a whole."""
    if not network.labels:
        return ""
    x = views.whole(network.prepare(picture, "keep"), network.input_shape[:2])
    p = network.probabilities(x)[0]
    return f"; the network sees {network.label(int(p.argmax()))} ({p.max():.2%})"


# ---- where it starts

def _size(network, options):
    """(H, W) of the image."""
    if _is_prepared(options.start) and options.start.ndim == 4:
        return tuple(options.start.shape[1:3])
    return tuple(network.input_shape[:2] if options.size is None
                 else images.height_width(options.size))


def _is_prepared(start):
    return hasattr(start, "dtype") and start.dtype != np.uint8


def _start(network, options, size, count, basis):
    """What the ascent starts from, for `count` images: parameters (N, ...) of the basis."""
    start = options.start
    if isinstance(start, str) and start == "noise" and options.basis != "pixels":
        return _each(basis.start(1, options.seed), count)
    if _is_prepared(start):
        if start.ndim != 4 or len(start) not in (1, count):
            raise ValueError("maximize: start must be one prepared image (1, H, W, C), or one for "
                             f"each channel, got {start.shape} for {count} channels")
        x = to_device(start.astype(np.float32), network.device)
    elif isinstance(start, str) and start in presets.STARTS:
        x = to_device(_drawn(network, start, size, options.seed), network.device)
    elif isinstance(start, str) and not Path(start).is_file():
        raise ValueError(f"maximize: start must be one of {', '.join(presets.STARTS)} or an array "
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
