"""DeepDream: whatever a layer sees in a photo, more of it (Mordvintsev, Olah & Tyka 2015).

The photo is changed by gradient ascent so that a layer responds more strongly to it; what looks a
little like a bird becomes more like a bird. As google/deepdream does it:

1. Shrink the photo step by step. These are the octaves, from the whole picture down to a rough
   sketch of it.
2. Begin with the smallest. Climb the energy of the layer, 1/2 sum a^2, whose gradient at the layer
   is the activation a itself. Roll the image by a random jitter before each look, and divide the
   gradient by its mean magnitude, so that `rate` means grey levels.
3. What this has changed is the detail. Enlarge it, add it to the next larger octave, and climb
   again: large things come first, and fine ones grow on them.

These are its settings too: 4 octaves, each 1.4 times the one before, 10 steps of 1.5 grey levels,
jitter of 32 pixels. They suit photos of about a thousand pixels and a network of 224; a photo that
is larger, beside the network's own image, gets more octaves, so that large things come up in it as
well. Networks of small images, such as `minivgg` with its 64 pixels, see contrasts of colour sooner
than shapes: all edges of their dreams turn red and blue. So for them the colours of a step are
mixed as in photos (`ascent.colours`).

A guide image can replace the energy: each position then climbs the dot product with the guide's
feature that is most like it. Low layers give strokes and simple ornaments, high ones eyes, animals
and buildings. Dense layers become convolutions (`vis.convolutional`), so any layer takes a photo of
any size that is large enough. Large photos are looked at in tiles (`vis.tiles`); with the full
overlap the gradient is that of the whole image but for rounding, which many steps make visible.
"""

import os
from dataclasses import dataclass, replace
from math import log
from typing import Any

from minicnn import images
from minicnn.ascent import loop, objectives
from minicnn.ascent.colours import natural, of_photos
from minicnn.ascent.optimizers import SGD, mean_abs
from minicnn.ascent.transforms import jitter as roll
from minicnn.backend import to_host
from minicnn.network import receptive
from minicnn.network.layers import Add, Concat, ReLU
from minicnn.ops import resize
from minicnn.vis.arguments import channel_number
from minicnn.vis.convolutional import convolutional
from minicnn.vis.options import Options, option, photo_size, takes
from minicnn.vis.record import Record
from minicnn.vis.tiles import InTiles

OCTAVES = 4  # google/deepdream's
SMALL = 128  # pixels: a network whose images are smaller climbs in natural colours
SEES_MOST = 1.5  # of the network's own image: units of the default layer see no more


@dataclass(frozen=True, kw_only=True)
class DreamOptions(Options):
    """Options of `dream`."""

    octaves: int = option(None, "number of sizes at which the photo is changed, including its own",
                          least=1, kind="int", otherwise=f"{OCTAVES}, and more for a large photo: "
                          "all whose shorter side is at least the network's own")
    octave_scale: float = option(1.4, "ratio of each octave's sides to those of the next smaller "
                                 "octave", above=1)
    steps: int = option(10, "steps of gradient ascent in each octave", least=1)
    rate: float = option(1.5, "step size: mean change of a pixel per step, in grey levels "
                         "(0..255)", above=0)
    colours: str = option(None, "rgb: steps follow the gradient; natural: its colours are mixed "
                          "as they are in photos, so that steps change brightness more than "
                          "colour", choices=("rgb", "natural"), otherwise="rgb; natural for "
                          f"networks of images below {SMALL} pixels")
    jitter: int = option(32, "most pixels by which each step shifts the image at random", least=0)
    guide: Any = option(None, "a photo whose features the dream should show (a path, or a uint8 "
                        "array), prepared at the network's input size", kind="photo",
                        otherwise="no guide")
    size: Any = photo_size("keep")
    tile: Any = option(1024, "an image with a longer side than this, in pixels, is processed in "
                       "tiles of this size; none for the whole image at once", kind="int or None")
    overlap: int = option(None, "pixels that each tile sees around its own region; fewer are "
                          "faster but make the gradient inexact", least=0, kind="int",
                          otherwise="all that the exact gradient needs")
    seed: int = option(0, "seed of the jitter", least=0)


@takes(DreamOptions)
def dream(network, image, layers=None, *, options, progress=False):
    """Change a photo so that the network sees more of what it already sees in it.

    Parameters
    ----------
    network : Network
    image : path, uint8 array (H, W, 3), or anything `Network.prepare` takes
    layers : str, sequence of str, or dict of str to float, optional
        "inception_4c/output" climbs the layer's energy, "inception_4c/output:7" the sum of squares
        of its channel 7, counted from 0; a dict gives each a weight. Several are each divided by
        their value for the smallest octave, so that equal weights weigh equally whatever the
        layers' sizes. By default, `default_layer`.
    **options
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    Record
        `trace` holds the objective, octave after octave; it is larger in larger octaves. After
        Ctrl-C, the photo with the detail found so far.

    Raises
    ------
    ValueError
        An option out of range, a layer or channel that is not there, a photo whose smallest octave
        is too small for them.
    """
    eyes, photo = Eyes(network, layers, options), network.prepare(image, options.size)
    return octave_by_octave(eyes, photo, chosen(options, network, photo), progress=progress)


def chosen(options, network, photo):
    """The options, with what depends on the network and the photo (1, H, W, C) filled in."""
    own = min(network.input_shape[:2])
    fitting = int(log(max(min(photo.shape[1:3]) / own, 1)) / log(options.octave_scale)) + 1
    return replace(options, octaves=options.octaves or max(OCTAVES, fitting),
                   colours=options.colours or ("natural" if own < SMALL else "rgb"))


def octave_by_octave(eyes, photo, options, frame=0, progress=False):
    """One dream: `dream` makes one, `zoom` one per frame.

    Parameters
    ----------
    eyes : Eyes
    photo : array (1, H, W, C)
        In the network's input values.
    options : DreamOptions
        With nothing left open (`chosen`).
    frame : int
        Each has jitter of its own.
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    Record
        Of the photo's size, even if Ctrl-C came in a smaller octave.
    """
    network, preprocessing = eyes.network, eyes.network.needed_preprocessing()
    octaves = shrunk(photo, options.octaves, options.octave_scale)  # the smallest first
    objective = eyes.objective(octaves[0])  # 1/2 sum a^2
    optimizer = SGD(options.rate * network.grey_level,
                    normalize=in_colours(options.colours, network))  # g / mean |g|

    def ascent():
        x = octaves[0]
        for k, octave in enumerate(octaves):
            if k > 0:
                x = carried(x, octaves[k - 1], octave)
            for step in loop.steps(eyes.sees, objective, x, optimizer, options.steps,
                                   [roll(options.jitter)],
                                   bounds=images.bounds(preprocessing, octave.shape),
                                   seed=[options.seed, frame, k]):
                if k == 0 or step.index > 0:  # a later start is the end of the octave before
                    yield step
            x = step.image

    end = loop.follow(ascent(), options.octaves * options.steps, progress, "dream")
    x = end.image
    if x.shape != photo.shape:  # Ctrl-C in a smaller octave
        reached = next(octave for octave in octaves if octave.shape == x.shape)
        x = carried(x, to_host(reached), to_host(photo)).clip(
            *images.bounds(preprocessing, photo.shape))
    return Record(image=network.restore(x)[0], caption=_caption(eyes, options, end),
                  settings=settings(eyes, options), x=x, trace=end.trace, by_term=end.by_term,
                  interrupted=end.interrupted)


def in_colours(colours, network):
    """What a gradient is made before each step: divided by its mean magnitude."""
    if colours == "rgb":
        return mean_abs
    covariance = of_photos(network)[1]
    return lambda gradient: mean_abs(natural(gradient, covariance))


def settings(eyes, options):
    """All that a dream of some Eyes depends on, as its record has it."""
    return {"layers": eyes.weights, **options.settings(), "guide": named(options.guide)}


def shrunk(photo, octaves, octave_scale):
    """A photo (1, H, W, C) at the size of every octave, from the smallest to the photo itself."""
    found = [photo]
    for k in range(1, octaves):
        size = tuple(max(1, round(side / octave_scale**k)) for side in photo.shape[1:3])
        found.insert(0, resize.forward(found[0], size)[0])
    return found


def carried(image, small, large):
    """The start of the next octave: the larger photo plus the last octave's detail, enlarged."""
    return large + resize.forward(image - small, large.shape[1:3])[0]


def _caption(eyes, options, end):
    seen = ", ".join(place if weight == 1 else f"{place} x {weight:g}"
                     for place, weight in eyes.weights.items())
    guided = options.guide is not None
    measured = ("dot product with the guide's features" if guided
                else "sum of squared activations" if ":" in seen else "energy")
    if len(eyes.terms) > 1:
        measured = f"weighted sum of relative {'dot products' if guided else 'energies'}"
    return (f"{eyes.network.name} dream at {seen}{', with a guide' * guided}: "
            f"{len(end.trace) - 1} steps in {options.octaves} octaves, {measured} "
            f"{end.trace[0, 0]:.4g} -> {end.trace[-1, 0]:.4g}")


# ---- where it looks, and for what

class Eyes:
    """A network that takes photos of any size, and what it looks for in them.

    Parameters
    ----------
    network : Network
    layers : str, sequence of str, or dict of str to float, optional
        As for `dream`.
    options : DreamOptions

    Attributes
    ----------
    network : Network
    weights : dict of str to float
        What `places` gives.
    layers : list of str
        Those of the places, each once.
    sees : Network or InTiles
        What looks at photos of any size.
    terms : list of Objective
        One for each place, all of weight 1.
    """

    def __init__(self, network, layers, options):
        self.network, self.weights = network, places(network, layers)
        self.layers = list(dict.fromkeys(_split(place)[0] for place in self.weights))
        wide = convolutional(network, self.layers)
        self.sees = (wide if options.tile is None
                     else InTiles(wide, self.layers, options.tile, options.overlap))
        self.terms = _terms(wide, self.weights, self.layers, options.guide)

    def objective(self, photo):
        """The weighted sum of the terms; several are each divided by their value for a photo."""
        try:
            run = self.sees.forward(photo, to=self.layers, keep=(), caches=False)
        except ValueError as error:
            raise ValueError(f"dream: {error}; the smallest octave has {photo.shape[1]}x"
                             f"{photo.shape[2]} pixels: take fewer octaves, a smaller octave_scale "
                             "or a larger photo") from None
        values = [float(to_host(term.evaluate(run).total)[0]) for term in self.terms]
        sizes = [abs(value) or 1.0 for value in values] if len(values) > 1 else [1.0]
        weighted = [weight / size * term for weight, size, term
                    in zip(self.weights.values(), sizes, self.terms, strict=True)]
        return sum(weighted[1:], weighted[0])


def places(network, layers=None):
    """Where to look, as a dict of "layer" or "layer:channel" to weight; see `dream`.

    Names and channels are checked, and class names made numbers.
    """
    layers = default_layer(network) if layers is None else layers
    layers = [layers] if isinstance(layers, str) else layers
    weights = layers if isinstance(layers, dict) else dict.fromkeys(layers, 1.0)
    if not weights:
        raise ValueError("dream: no layers were given; leave `layers` out for the default")
    return {_place(network, place): float(weight) for place, weight in weights.items()}


def named(photo):
    """A photo as a setting: its path as text, or itself."""
    return str(photo) if isinstance(photo, os.PathLike) else photo


def default_layer(network):
    """The deepest ReLU or join of feature maps whose units see at most 1.5 times as much as the
    network's own image has: in GoogLeNet inception_4c/output, as in google/deepdream."""
    fields = receptive.fields(network)
    maps = [name for name in network.trunk if isinstance(network[name], ReLU | Concat | Add)
            and len(network.shapes[name]) == 3]
    fitting = [name for name in maps
               if max(fields[name].size) <= SEES_MOST * max(network.input_shape[:2])]
    if not maps:
        raise ValueError(f"dream: network {network.name} has no rectified feature maps; name a "
                         "layer")
    return (fitting or maps[:1])[-1]


def _place(network, place):
    layer, channel = _split(place)
    network.find(layer)
    if channel is None:
        return layer
    channel = int(channel) if channel.isdecimal() else channel
    return f"{layer}:{channel_number('dream', network, layer, channel)}"


def _split(place):
    layer, colon, channel = place.partition(":")
    return layer, channel if colon else None


def _terms(network, weights, layers, guide):
    """One objective for each place, all of weight 1."""
    if guide is None:
        return [objectives.energy(layer) if channel is None
                else objectives.channel(layer, int(channel), "squares")
                for layer, channel in map(_split, weights)]
    single = [place for place in weights if ":" in place]
    if single:
        raise ValueError(f"dream: a guide says which features are wanted; name the layer without "
                         f"its channel in place of {single[0]!r}, or leave the guide out")
    seen = network.forward(network.prepare(guide), to=layers, keep=(), caches=False)
    return [objectives.guide(layer, seen[layer]) for layer in weights]
