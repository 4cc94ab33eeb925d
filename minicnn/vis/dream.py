"""DeepDream: whatever a layer sees in a photo, more of it (Mordvintsev, Olah & Tyka 2015).

The photo is changed by gradient ascent so that a layer responds more strongly than it does; what
looks a little like a bird becomes more like a bird. As google/deepdream does it:

1. Shrink the photo again and again: octaves, from the whole picture down to a rough sketch of it.
2. Begin with the smallest. Climb the energy of the layer, 1/2 sum a^2, whose gradient at the layer
   is the activation itself; roll the image by a random jitter before each look; make the step the
   gradient over its mean magnitude, so that `rate` means grey levels.
3. What that changed is the detail. Enlarge it, add it to the next larger octave, and climb again,
   so that large things come first and fine ones grow on them.

In place of the energy a guide image may say what is wanted: at each position the direction of the
likest of the guide's features. Low layers give strokes and simple ornaments, high ones eyes,
animals and buildings. Dense layers become convolutions (`vis.convolutional`), so any layer takes a
photo of any size that is large enough; large ones are looked at in tiles (`vis.tiles`).
"""

import os
from itertools import pairwise

from minicnn import images
from minicnn.ascent import loop, objectives
from minicnn.ascent.optimizers import SGD
from minicnn.ascent.transforms import jitter as roll
from minicnn.backend import to_host
from minicnn.network import receptive
from minicnn.network.layers import Add, Concat, ReLU
from minicnn.ops import resize
from minicnn.vis.arguments import channel_number, check_counts, settings_of
from minicnn.vis.convolutional import convolutional
from minicnn.vis.record import Record
from minicnn.vis.tiles import InTiles

SEES_MOST = 1.5  # of the network's own image: units of the default layer see no more


def dream(network, image, layers=None, octaves=4, octave_scale=1.4, steps=10, rate=1.5, jitter=32,
          guide=None, size="keep", tile=1024, overlap=None, seed=0, progress=False):
    """Let a network see more of what it sees in a photo.

    Parameters
    ----------
    network : Network
    image : path, uint8 array (H, W, 3), or anything `Network.prepare` takes
    layers : str, sequence of str, or dict of str to float, optional
        "inception_4c/output" climbs the layer's energy, "inception_4c/output:7" that of its channel
        7, counted from 0; a dict gives each a weight. Where there are several, each counts in
        what it is for the photo, so that equal weights weigh equally whatever the layers' sizes.
        Where not given, `default_layer`.
    octaves : int
        How many sizes, the photo's own included.
    octave_scale : float above 1
        From one octave to the next.
    steps : int
        In each octave.
    rate : float
        Mean change of a step over the pixels, in grey levels (of 0..255).
    jitter : int
        Most pixels to roll by before each look.
    guide : path, uint8 array (H, W, 3), ..., optional
        A photo whose features are wanted; looked at in the network's own size.
    size : int, (H, W) or "keep"
        Of the photo, see `images.prepare`.
    tile : int or None
        Most pixels along a side that are looked at without tiles; None: always the whole image.
    overlap : int, optional
        What tiles see beyond their own part, in pixels; where not given, all they need for the
        gradient of the whole image (but rounding differs, and many steps make that visible). Less
        is quicker.
    seed : int
        For the jitter.
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    Record
        `trace` holds the objective, which is larger in larger octaves: each octave's steps follow
        those of the one before. After Ctrl-C, the photo with the detail found so far.

    Raises
    ------
    ValueError
        Unknown layers or channels, a photo whose smallest octave is too small for them.
    """
    settings = settings_of(locals())
    weights = places(network, layers)
    dreaming = Dreaming(network, weights, octaves, octave_scale, steps, rate, jitter, guide, tile,
                        overlap)
    base = network.prepare(image, size)
    end = dreaming.follow(base, seed, progress=progress)
    settings |= {"layers": weights, "guide": named(guide)}
    return Record(image=network.restore(end.image)[0], caption=dreaming.caption(end),
                  settings=settings, x=end.image, trace=end.trace, by_term=end.by_term,
                  interrupted=end.interrupted)


class Dreaming:
    """How to dream: everything but the photo. For those who dream more than once.

    Parameters
    ----------
    As for `dream`; `weights` is what `places` gives.
    """

    def __init__(self, network, weights, octaves=4, octave_scale=1.4, steps=10, rate=1.5,
                 jitter=32, guide=None, tile=1024, overlap=None):
        check_counts("dream", octaves=octaves, steps=steps)
        if not 1 < octave_scale < float("inf"):
            raise ValueError(f"dream: octave_scale must be above 1, got {octave_scale}")
        if not 0 < rate < float("inf"):
            raise ValueError(f"dream: rate must be above 0 grey levels, got {rate}")
        self.octaves, self.octave_scale, self.steps = octaves, octave_scale, steps
        self.rate, self.jitter, self.weights, self.guided = rate, jitter, weights, guide is not None
        self.layers = list(dict.fromkeys(_split(place)[0] for place in weights))
        self.network = convolutional(network, self.layers)
        self.eyes = (self.network if tile is None
                     else InTiles(self.network, self.layers, tile, overlap))
        self.terms = _terms(self.network, weights, self.layers, guide)

    def follow(self, base, seed=0, frame=0, progress=False):
        """Dream of a photo (1, H, W, C) in the network's numbers: an `loop.Ascent` whose image
        has the photo's size, however early it ended. Each `frame` has jitter of its own."""
        bases = shrunk(base, self.octaves, self.octave_scale)
        objective = self.objective(bases[0])
        ascent = self._octave(objective, bases[0], [seed, frame, 0])
        for k, (small, large) in enumerate(pairwise(bases), start=1):
            ascent = loop.then(ascent, lambda image, k=k, small=small, large=large: self._octave(
                objective, carried(image, small, large), [seed, frame, k]))
        end = loop.follow(ascent, self.steps * self.octaves, progress, "dream")
        reached = next(b for b in bases if b.shape == end.image.shape)
        image = end.image
        if end.interrupted and reached is not bases[-1]:
            low, high = images.bounds(self.network.needed_preprocessing(), base.shape)
            image = carried(image, to_host(reached), to_host(base)).clip(low, high)
        return end._replace(image=image)

    def objective(self, photo):
        """The weighted sum of terms; where there are several, each over its value for a photo."""
        try:
            run = self.eyes.forward(photo, to=self.layers, keep=(), caches=False)
        except ValueError as error:
            raise ValueError(f"dream: {error}; the smallest octave has {photo.shape[1]}x"
                             f"{photo.shape[2]} pixels: take fewer octaves, a smaller octave_scale "
                             "or a larger photo") from None
        values = [float(to_host(term.evaluate(run).total)[0]) for term in self.terms]
        if len(values) == 1:
            return self.terms[0]
        shares = [weight / abs(value) if value else weight
                  for weight, value in zip(self.weights.values(), values, strict=True)]
        weighted = [share * term for share, term in zip(shares, self.terms, strict=True)]
        return sum(weighted[1:], weighted[0])

    def caption(self, end):
        """What the picture shows."""
        seen = ", ".join(place if weight == 1 else f"{place} x {weight:g}"
                         for place, weight in self.weights.items())
        return (f"{self.network.name} dreams {'after a guide at ' if self.guided else ''}{seen}: "
                f"{len(end.trace) - 1} steps in {self.octaves} octaves, value "
                f"{end.trace[0, 0]:.4g} -> {end.trace[-1, 0]:.4g}")

    def _octave(self, objective, start, seed):
        optimizer = SGD(self.rate * self.network.grey_level, normalize="mean_abs")
        bounds = images.bounds(self.network.needed_preprocessing(), start.shape)
        return loop.steps(self.eyes, objective, start, optimizer, self.steps,
                            [roll(self.jitter)], bounds=bounds, seed=seed)


def shrunk(base, octaves, octave_scale):
    """A photo (1, H, W, C) in all its octaves, the smallest first and itself last."""
    bases = [base]
    for k in range(1, octaves):
        size = tuple(max(1, round(side / octave_scale**k)) for side in base.shape[1:3])
        bases.insert(0, resize.forward(bases[0], size)[0])
    return bases


def carried(image, small, large):
    """The next octave's start: what was added to the small photo, enlarged, on the large one."""
    return large + resize.forward(image - small, large.shape[1:3])[0]


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
