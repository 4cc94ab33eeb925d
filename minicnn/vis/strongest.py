"""The strongest patches of feature maps, over many photos (Zeiler & Fergus 2014, figure 2).

For each chosen channel this finds the units that are most active in a whole set of photos, at most
one in each photo. What such a unit sees is cut out of the photo by its exact receptive field
(`network.receptive`), and the unit is projected down to these pixels.

What a channel is for is what its nine patches share. A projection tells where in its patch the unit
looks, and draws the photo's contours there; in deep layers it is nearly the same for any channel
that is active at that place, since what is rectified on the way down soon has one direction only.

The first part of the work (`strongest_units`) goes through all photos once and keeps the best units
so far of each channel: numbers, no pictures. The second part (`strongest_pictures`) goes back to
the photos of these units and projects them. So memory is that of one photo in each process
and of a few numbers for each channel, whatever the number of photos.

Decisions
    Of equal activations in one map the first in row-major order counts; of equal photos the earlier
    one. Only activations above 0 count: a channel that has none is silent. Every photo goes through
    the network in a batch of its own, since a product over several photos may round its last bit
    differently. So the result is the same, byte for byte, for any `batch` and any number of
    `workers`, and however often the work was killed and taken up again.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minicnn import images
from minicnn.files import patches
from minicnn.files.digests import digest
from minicnn.files.photos import find
from minicnn.files.unfinished import Unfinished
from minicnn.images import markup
from minicnn.network import receptive
from minicnn.network.layers import LRN, ReLU
from minicnn.ops.lrn import RULES as LRN_RULES
from minicnn.ops.relu import RULES as RELU_RULES
from minicnn.vis.arguments import channel_number
from minicnn.vis.deconvnet import AUTO, lrn_rule
from minicnn.vis.options import Options, option, takes
from minicnn.vis.record import Record
from minicnn.vis.strongest_pictures import SHIFTS, Pictures, relu_rule
from minicnn.vis.strongest_units import UnitFinder, search

FILE = "strongest.h5"
UNIT = np.dtype([("photo", int), ("goal", int), ("row", int), ("place", int),
                 ("position", int, 2), ("window", int, 4)])


@dataclass(frozen=True, kw_only=True)
class StrongestOptions(Options):
    """Options of `strongest`."""

    count: int = option(9, "number of units to keep for each channel, the strongest of all photos",
                        least=1)
    relu: str = option(AUTO, "the rule at the ReLUs on the way down, as for `deconvnet`; auto, the "
                       "deconvnet up to the second pooling and guided deeper, where the deconvnet "
                       "no longer finds the contours", choices=(AUTO, *RELU_RULES))
    lrn: str = option(AUTO, "the rule at the local response normalisations on the way down, as for "
                      "`deconvnet`", choices=(AUTO, *LRN_RULES))
    shifts: int = option(1, "number of projections of a unit to take the mean of: 9 are of the "
                         "photo moved by a pixel each way, which is smoother and takes nine times "
                         "as long", choices=tuple(SHIFTS))
    size: Any = option(None, "side of the photos in pixels", kind="int or (H, W)",
                       otherwise="the network's own")
    split: str = option("val", "which split of a data set to use, if it has several")
    batch: int = option(16, "number of photos that a process handles at once; does not change the "
                       "result", least=1)
    workers: int = option(1, "number of processes; does not change the result; a Python script "
                          'that asks for more than one must be guarded by `if __name__ == '
                          '"__main__":`', least=1)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Strongest(Record):
    """The strongest patches of some channels.

    Attributes
    ----------
    patches : files.patches.Patches
        In the file strongest.h5, read when asked for.
    """

    patches: patches.Patches

    def views(self):
        """For some layers the patches of the first channels, the strongest first, a channel a row;
        nothing if the file has been taken away."""
        if not self.patches.path.is_file():
            return []
        views = []
        for layer in markup.some(list(self.patches.layers), 6):
            channels = self.patches.channels(layer, self.patches.layers[layer][:4])
            rows = {one.channel: one.patches[:6] for one in channels if one.patches}
            tiles = [images.resize(patch, (40, 40)) for row in rows.values()
                     for patch in [*row, *[row[-1] * 0 + 255] * (6 - len(row))]]
            if tiles:
                views.append(markup.sheet(layer, tiles, 6, f"{layer} {', '.join(map(str, rows))}"))
        return views


@takes(StrongestOptions)
def strongest(network, photos, folder="strongest", layers=None, channels=None, *, options,
              progress=False):
    """Find the patches of photos that activate channels most, and project the units to pixels.

    Parameters
    ----------
    network : Network
    photos : path, or sequence of paths or arrays
        Photos, folders of photos (with the folders in them), or a data set, see `photos.find`.
    folder : str or path
        Where the file strongest.h5 goes; made where it does not exist. Work that was killed is
        taken up where it was, if all that the result depends on is still the same.
    layers : sequence of str, or dict of str to sequence of int, optional
        Where to look; a dict names the channels of each layer. By default, every layer of
        rectified feature maps.
    channels : sequence of int, optional
        The indices of the channels to look at, the same in every layer. By default, all.
    **options
    progress : bool
        Show bars on standard error.

    Returns
    -------
    Strongest
        `minicnn.report.strongest` makes figures of its patches.

    Raises
    ------
    ValueError
        No photos, or none that can be used; a layer or channel that does not exist; an option out
        of range.
    KeyboardInterrupt
        On Ctrl-C; the same call goes on from there.
    """
    from minicnn import __version__

    if network.device != "cpu" and options.workers > 1:
        raise ValueError("strongest: several workers cannot share a GPU; use workers=1")
    source, goals = find(photos, options.split), _goals(network, layers, channels)
    size = images.height_width(network.needed_preprocessing().size if options.size is None
                               else options.size)
    network.check_size(size, [goal.layer for goal in goals])
    fields = [receptive.channel_fields(network, goal.layer, goal.channels.tolist(), size)
              for goal in goals]
    rules = _rules(network, goals, options)
    about = {"network": network.name, "count": options.count, "relu": options.relu,
             "lrn": options.lrn, "rules": rules, "shifts": options.shifts, "size": list(size),
             "photos": len(source)}
    unfinished = Unfinished(folder, about | {
        "weights": digest(network), "files": source.fingerprint(), "minicnn": __version__,
        "goals": [(goal.layer, goal.channels.tolist()) for goal in goals]})

    # first part: the strongest units of each channel
    finder = UnitFinder(network, source, goals, size)
    state = search(finder, options.count, unfinished, options.batch, options.workers, progress)

    # second part: what each of them sees of its photo, and its projection down to these pixels
    tables = [_tables(source, size, *each) for each in zip(goals, state.best, fields, strict=True)]
    pictures = Pictures(finder, _units(tables), rules, options.shifts, unfinished)
    pictures.make_missing(options.workers, progress)

    path = Path(folder) / FILE
    patches.write(path, about, state.unreadable,
                  {goal.layer: table for goal, table in zip(goals, tables, strict=True)},
                  pictures.results())
    unfinished.remove()
    settings = {"layers": {goal.layer: goal.channels.tolist() for goal in goals},
                "channels": channels, **replace(options, size=size).settings()}
    return Strongest(caption=f"{path}: strongest patches of {len(source):,} photos",
                     settings=settings, skipped=state.unreadable, patches=patches.read(path))


# ---- what to look for

class Goal(NamedTuple):
    """A layer, and the indices of the channels to look at in it."""

    layer: str
    channels: Any


def rectified(network):
    """The layers that `strongest` looks at by default: ReLUs over feature maps."""
    return [name for name in network.names
            if isinstance(network[name], ReLU) and len(network.shapes[name]) == 3]


def _goals(network, layers, channels):
    """A Goal for each layer to look at."""
    layers = rectified(network) if layers is None else layers
    if not layers:
        raise ValueError(f"strongest: network {network.name} has no rectified feature maps, or no "
                         "layer was named; name the layers to look at")
    goals = []
    for name, chosen in (layers if isinstance(layers, dict)
                         else dict.fromkeys(layers, channels)).items():
        layer = network.find(name)
        count = network.shapes[layer][-1]
        chosen = range(count) if chosen is None else dict.fromkeys(chosen)
        if not chosen:
            raise ValueError(f"strongest: {layer} has {count} channels, and none was named; name "
                             "at least one")
        goals.append(Goal(layer, np.array([channel_number("strongest", network, layer, c)
                                           for c in chosen])))
    return goals


def _rules(network, goals, options):
    """{layer: [rule at ReLUs, rule at LRNs, or None if the network has none]}."""
    normalises = any(isinstance(network[name], LRN) for name in network.names)
    at_relus = {goal.layer: relu_rule(network, goal.layer, options.relu) for goal in goals}
    return {layer: [relu, lrn_rule(relu, options.lrn) if normalises else None]
            for layer, relu in at_relus.items()}


# ---- between the two parts: where the units are, and what they see

def _tables(source, size, goal, best, fields):
    """The tables of `files.patches` for one layer."""
    shape = best.photos.shape
    positions, names = np.full((*shape, 2), -1), np.full(shape, "", object)
    boxes, windows = np.zeros((2, *shape, 4), int)
    for row, place in zip(*np.nonzero(best.photos >= 0), strict=True):
        field, at = fields[row], (row, place)
        position = divmod(int(best.places[at]), len(field.columns))
        boxes[at], names[at] = field.box(position), source.name(int(best.photos[at]))
        windows[at] = moved_inside(field.box(position, clipped=False), size)
        positions[at] = position if all(field.stride) else -1
    return {"channels": goal.channels, "values": best.values, "photos": best.photos, "names": names,
            "positions": positions.astype(np.int32), "boxes": boxes.astype(np.int32),
            "windows": windows.astype(np.int32),
            "frames": np.array([field.size for field in fields], np.int32)}


def moved_inside(box, size):
    """A rectangle (top, bottom, left, right) moved into a photo of size (H, W); as large as the
    photo where it is larger."""
    bounds = []
    for first, last, side in zip(box[::2], box[1::2], size, strict=True):
        length = min(last - first, side)
        first = min(max(first, 0), side - length)
        bounds += [first, first + length]
    return bounds


def _units(tables):
    """All units that were found as one array of UNIT, ordered by photo."""
    units = []
    for number, table in enumerate(tables):
        rows, places = np.nonzero(table["photos"] >= 0)
        part = np.empty(len(rows), UNIT)
        part["goal"], part["row"], part["place"] = number, rows, places
        part["photo"] = table["photos"][rows, places]
        part["position"] = table["positions"][rows, places]
        part["window"] = table["windows"][rows, places]
        units.append(part)
    return np.sort(np.concatenate(units), order="photo")
