"""How features grow while a network is trained (Zeiler & Fergus 2014, section 4 and figure 4).

For each chosen channel, at each snapshot of the training: the photo that activates the channel
most, of all photos, and the unit projected down to its pixels by the deconvnet. Where the picture
jumps from one snapshot to the next, another photo has become the strongest.

The paper's claim is that lower layers converge within a few epochs and upper ones much later. Two
measures, with the last snapshot T as the goal, tell whether that is so:

Responses
    For a channel, the correlation of its activations a(t) with a(T), over all places of all photos:

        r = cov(a(t), a(T)) / sqrt(var a(t) var a(T))

    and for a layer the mean of its channels. Gradient descent does not exchange channels, so
    channel k is compared with itself. A measure that does not ask which channel is which (such as
    CKA) would call a layer settled while what its channels stand for still changes, which is what
    the pictures show. A channel that is constant at t but not at T counts as 0, and one that is
    constant at T does not count.

Weights
    What is left of the way of a layer's weights: |w(t) - w(T)| / |w(0) - w(T)|, where 0 is the
    first snapshot.

The response of a layer also changes because the layers below it change, so by the first measure an
upper layer can hardly settle before a lower one does. The second knows each layer's own weights
only. Neither is absolute: when the learning rate falls, all layers settle.
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from minicnn import images
from minicnn.backend import to_host
from minicnn.files.photos import find
from minicnn.images import markup
from minicnn.network import Network, receptive
from minicnn.ops.lrn import RULES as LRN_RULES
from minicnn.ops.relu import RULES as RELU_RULES
from minicnn.progress import bar
from minicnn.train import snapshots
from minicnn.vis.arguments import channel_number
from minicnn.vis.deconvnet import AUTO, deconvnet, shown
from minicnn.vis.options import Options, option, takes
from minicnn.vis.record import Record
from minicnn.vis.strongest import moved_inside, rectified
from minicnn.vis.strongest_pictures import relu_rule
from minicnn.vis.strongest_units import strongest_units


@dataclass(frozen=True, kw_only=True)
class EvolutionOptions(Options):
    """Options of `evolution`."""

    at: Any = option(None, "epochs whose snapshots are used; the last of them is the goal of both "
                     "measures", kind="sequence of int", otherwise="all there are")
    count: int = option(4, "channels to show of each layer, drawn at random among those that some "
                        "photo activates at the last snapshot", least=1)
    relu: str = option(AUTO, "the rule at the ReLUs on the way down, as for `strongest`",
                       choices=(AUTO, *RELU_RULES))
    lrn: str = option(AUTO, "the rule at the local response normalisations on the way down, as for "
                      "`deconvnet`", choices=(AUTO, *LRN_RULES))
    size: Any = option(None, "side of the photos in pixels", kind="int or (H, W)",
                       otherwise="the network's own")
    split: str = option("val", "which split of a data set to use, if it has several")
    seed: int = option(0, "seed of the channels that are drawn", least=0)


class Feature(NamedTuple):
    """What a channel was for, at one snapshot: its strongest unit in all photos.

    Attributes
    ----------
    photo : int
        The index of the photo.
    name : str
    value : float
        The activation.
    position : (row, column)
        Of the unit in its map; () in a layer without positions.
    patch : (h, w, 3) uint8
        What the unit sees of the photo.
    projection : (h, w, 3) float32
        The unit projected down to these pixels, red first.
    """

    photo: int
    name: str
    value: float
    position: tuple
    patch: Any
    projection: Any


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Evolution(Record):
    """Features at T snapshots, and how far each layer was.

    Attributes
    ----------
    epochs : tuple of int
        Of the snapshots.
    features : dict of str to dict of int to list of Feature or None
        ``features[layer][channel]`` has one for each snapshot; None where no photo activates the
        channel.
    responses : dict of str to array (T,)
        For each layer, the mean correlation of its channels with themselves at the last snapshot.
    weights : dict of str to array (T,)
        For each layer, how much of the way of its weights is left: 1 at the first snapshot, 0 at
        the last. NaN where nothing moves.
    jumps : dict of str to array (T,)
        For each layer, the share of its channels whose strongest photo is another one than at the
        snapshot before; NaN at the first. Channels that are silent in both do not count.
    silent : dict of str to array (T,)
        For each layer, the share of its channels that no photo activates.
    photos : int
        How many photos were looked at.
    """

    epochs: tuple
    features: dict
    responses: dict
    weights: dict
    jumps: dict
    silent: dict
    photos: int

    def views(self):
        """For some layers the projections of some channels: a row each, a snapshot a column."""
        views, empty = [], np.full((40, 40, 3), 255, np.uint8)
        for layer in markup.some(list(self.features), 6):
            rows = dict(list(self.features[layer].items())[:4])
            tiles = [empty if one is None or not one.patch.size else
                     images.resize(shown(one.projection), empty.shape[:2])
                     for features in rows.values() for one in features]
            views.append(markup.sheet(layer, tiles, len(self.epochs),
                                      f"{layer} {', '.join(map(str, rows))}"))
        return views


@takes(EvolutionOptions)
def evolution(networks, photos, layers=None, channels=None, *, options, progress=False):
    """Follow features through the snapshots of a training.

    Parameters
    ----------
    networks : path, or dict of int to Network
        A folder of `minicnn.train.snapshots`, or {epoch: network}; all of one architecture. They
        are in memory together.
    photos : path, or sequence of paths or arrays
        Photos, folders of photos, or a data set, see `files.photos.find`. Those that cannot be
        read are skipped and listed.
    layers : sequence of str, or dict of str to sequence of int, optional
        Where to look; a dict names the channels to show of each layer. By default, every layer of
        rectified feature maps.
    channels : sequence of int, optional
        The channels to show, the same in every layer. By default, `count` of each are drawn.
    **options
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    Evolution
        `minicnn.report.evolution` makes figures of it. After Ctrl-C, of the photos until then.

    Raises
    ------
    ValueError
        No snapshots, or of different networks; an epoch, layer or channel that does not exist; no
        photo, or none that can be used.
    """
    networks = _networks(networks, options.at)
    last = [*networks.values()][-1]
    layers = rectified(last) if layers is None else layers
    wanted = _shown(last, layers, channels)
    size = images.height_width(last.needed_preprocessing().size if options.size is None
                               else options.size)
    last.check_size(size, wanted)
    source = find(photos, options.split)
    seen, count, skipped, interrupted = _search([*networks.values()], list(wanted), source, size,
                                                progress)

    rng = np.random.default_rng(options.seed)
    drawn = {layer: _drawn(each, options.count, rng) for layer, each in seen.items()}
    chosen = {layer: drawn[layer] if given is None else given for layer, given in wanted.items()}
    features = {layer: {channel: [
        _feature(network, layer, channel, seen[layer].unit(t, channel), source, size, options)
        for t, network in enumerate(networks.values())] for channel in which}
        for layer, which in chosen.items()}
    found = Evolution(
        epochs=tuple(networks), features=features, photos=count,
        responses={layer: each.correlations() for layer, each in seen.items()},
        weights={layer: _way_left([*networks.values()], layer) for layer in seen},
        jumps={layer: each.jumps() for layer, each in seen.items()},
        silent={layer: (each.photos < 0).mean(axis=1) for layer, each in seen.items()},
        settings={"layers": chosen, "channels": None, **options.settings(),
                  "at": list(networks), "size": size},
        skipped=skipped, interrupted=interrupted)
    return replace(found, caption=_words(last.name, found))


# ---- what to look at

def _networks(given, at):
    """{epoch: Network}, in the order of the epochs, of one architecture."""
    if isinstance(given, Network):
        raise ValueError("evolution: networks must be {epoch: Network}, or a folder of snapshots, "
                         "got a Network")
    if not isinstance(given, dict):
        networks = snapshots.load(given, at)
    elif given:
        networks = snapshots.chosen(given, at)
    else:
        raise ValueError("evolution: there are no networks; give {epoch: network}, or a folder of "
                         "snapshots")
    (_, first), *others = networks.items()
    for epoch, network in others:
        if (network.rows, network.input_shape) != (first.rows, first.input_shape):
            raise ValueError(f"evolution: the snapshot after epoch {epoch} is of another network "
                             "than the first; give snapshots of one training")
    return networks


def _shown(network, layers, channels):
    """{layer: the channels to show, None for some that are drawn}."""
    if not layers:
        raise ValueError(f"evolution: network {network.name} has no rectified feature maps, or no "
                         "layer was named; name the layers to look at")
    named = layers if isinstance(layers, dict) else dict.fromkeys(layers, channels)
    return {network.find(layer): None if which is None else [
        channel_number("evolution", network, network.find(layer), c) for c in which]
        for layer, which in named.items()}


def _drawn(seen, count, rng):
    """Some of the channels that are active at the last snapshot, in order; of a layer that is
    silent, of all."""
    active = np.flatnonzero(seen.photos[-1] >= 0)
    active = active if len(active) else np.arange(seen.photos.shape[1])
    return sorted(rng.choice(active, min(count, len(active)), replace=False).tolist())


# ---- all photos, once

class _Seen:
    """What the C channels of a layer did at T snapshots, in the photos so far.

    values, photos, places (T, C): the largest activation, the index of its photo (-1: none above
    0), where in the map it is, in row-major order. shape: the map's. sums (T, 3, C): of a, a**2 and
    ab over all places of all photos, with a at a snapshot and b at the last. total: the number of
    these places.
    """

    def __init__(self, snapshots, channels):
        self.values = np.zeros((snapshots, channels))
        self.photos = np.full((snapshots, channels), -1)
        self.places = np.zeros((snapshots, channels), int)
        self.sums = np.zeros((snapshots, 3, channels))
        self.shape, self.total = (), 0

    def add(self, photo, maps):
        """One photo more: the map (1, H, W, C) or (1, C) at each snapshot."""
        channels = np.arange(maps[0].shape[-1])
        last = to_host(maps[-1]).reshape(-1, len(channels)).astype(float)  # 1,H,W,C -> H*W,C
        for t, each in enumerate(maps):
            values, places = strongest_units(each, channels)
            more = values > self.values[t]
            self.values[t, more], self.places[t, more] = values[more], places[more]
            self.photos[t, more] = photo
            a = to_host(each).reshape(last.shape).astype(float)
            self.sums[t] += a.sum(axis=0), (a * a).sum(axis=0), (a * last).sum(axis=0)
        self.shape, self.total = maps[0].shape[1:-1], self.total + len(last)

    def unit(self, t, channel):
        """(photo, activation, position) of the strongest unit; None if there is none."""
        photo = int(self.photos[t, channel])
        position = np.unravel_index(self.places[t, channel], self.shape) if self.shape else ()
        return None if photo < 0 else (photo, float(self.values[t, channel]),
                                       tuple(map(int, position)))

    def correlations(self):
        """The mean over channels of the correlation with the last snapshot, (T,)."""
        a, aa, ab = self.sums.transpose(1, 0, 2) / self.total  # T,3,C -> 3,T,C
        variance = np.where(aa - a**2 > 1e-9 * aa, aa - a**2, 0)  # rounding leaves a little
        scale, counts = np.sqrt(variance * variance[-1]), variance[-1] > 0
        r = np.divide(ab - a * a[-1], scale, out=np.zeros_like(scale), where=scale > 0)
        return r[:, counts].mean(axis=1) if counts.any() else np.full(len(r), np.nan)

    def jumps(self):
        """The share of channels whose strongest photo is another one than before, (T,)."""
        found = [np.nan]
        for before, after in zip(self.photos, self.photos[1:], strict=False):
            counts = (before >= 0) | (after >= 0)
            found.append((before != after)[counts].mean() if counts.any() else np.nan)
        return np.array(found)


def _search(networks, layers, source, size, progress):
    """({layer: _Seen}, the number of photos, a line for each that could not be read, whether Ctrl-C
    came)."""
    channels = [networks[-1].shapes[layer][-1] for layer in layers]
    seen = {layer: _Seen(len(networks), c) for layer, c in zip(layers, channels, strict=True)}
    skipped, interrupted, done = [], False, 0
    try:
        for k in bar(range(len(source)), "photos", progress):
            try:
                photo = source.read(k)
                runs = [network.forward(network.prepare(photo, size), to=layers, keep=(),
                                        caches=False) for network in networks]
            except images.ImageError as error:
                skipped.append(str(error))
                continue
            for layer, each in seen.items():
                each.add(k, [run[layer] for run in runs])
            done += 1
    except KeyboardInterrupt:
        if not done:
            raise
        interrupted = True
    if not done:
        raise ValueError(f"evolution: none of the {len(source)} photos can be used: {skipped[0]}")
    return seen, done, skipped, interrupted


# ---- each feature, and how far each layer's weights are

def _feature(network, layer, channel, unit, source, size, options):
    """The Feature of a channel's strongest unit; None for no unit."""
    if unit is None:
        return None
    photo, value, position = unit
    run = network.forward(network.prepare(source.read(photo), size), to=layer, keep=())
    record = deconvnet(network, run, layer, channel, position,
                       relu=relu_rule(network, layer, options.relu), lrn=options.lrn)
    box = receptive.field(network, layer, channel, size).box(position, clipped=False)
    top, bottom, left, right = moved_inside(box, size)
    rgb = images.to_rgb(record.x, network.preprocessing)[0]
    return Feature(photo, source.name(photo), value, position,
                   record.photo[top:bottom, left:right], rgb[top:bottom, left:right])


def _way_left(networks, layer):
    """How much of the way from the first to the last snapshot the weights below a layer still have
    to go, (T,): those of the nearest layer that has any."""
    name = next((row.name for row in networks[-1].until(layer).rows[::-1]
                 if "w" in networks[-1].params.get(row.name, ())), None)
    if name is None:
        return np.full(len(networks), np.nan)
    w = [to_host(network.params[name]["w"]).astype(float) for network in networks]
    left = np.array([np.linalg.norm(each - w[-1]) for each in w])
    return left / left[0] if left[0] else np.full(len(w), np.nan)


def _words(name, found):
    """The caption: what was followed, and the measures of each layer at each snapshot."""
    lines = [f"{name}: {len(found.epochs)} snapshots, after epochs "
             f"{', '.join(map(str, found.epochs))}; {found.photos:,} photos"]
    for layer, r in found.responses.items():
        lines.append(f"{layer}: correlation of responses with the last {_numbers(r)}; way of the "
                     f"weights that is left {_numbers(found.weights[layer])}; channels with "
                     f"another strongest photo than before {_numbers(found.jumps[layer])}")
    return "\n".join(lines)


def _numbers(values):
    return " ".join("-" if np.isnan(value) else f"{value:.2f}" for value in values)
