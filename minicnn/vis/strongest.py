"""The strongest patches of feature maps, over many photos (Zeiler & Fergus 2014, figure 2).

For each chosen channel the units are found that are most active in a whole set of photos, at most
one a photo; what each of them sees is cut out by its exact receptive field (`network.receptive`),
and projected down to the pixels by the deconvnet. Nine patches say together what a channel is for;
the projections say what in them it responds to.

The work has two parts. The first goes through all photos once and keeps for each channel the best
so far: numbers, no pictures. The second goes back to these only, projects them, and writes each
patch as soon as it is there. So memory is that of one photo in each process and of a few numbers a
channel, whatever the number of photos.

Decisions
    Of equal activations in one map the first in row-major order counts, of equal photos the earlier
    one. Only activations above 0 count: a channel without any is silent. Every photo goes through
    the network alone, in a batch of its own, since a product over several photos may round its last
    bit differently: so the result is the same, byte for byte, for any `batch`, any number of
    `workers`, and however often the work was killed and taken up again.
"""

import os
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minicnn import images
from minicnn.backend import to_host
from minicnn.fast.processes import ordered
from minicnn.files import patches
from minicnn.files.digests import digest
from minicnn.files.unfinished import Unfinished
from minicnn.images.photos import find
from minicnn.network import receptive
from minicnn.network.layers import LRN, ReLU
from minicnn.ops.lrn import RULES as LRN_RULES
from minicnn.ops.relu import RULES as RELU_RULES
from minicnn.progress import bar
from minicnn.vis.arguments import channel_number, check_choice, check_counts, settings_of
from minicnn.vis.isolate import isolate
from minicnn.vis.record import Record
from minicnn.vis.strongest_units import UnitFinder, search

FILE = "strongest.h5"
PART = 1 << 24  # bytes of patches and projections written at once
UNIT = np.dtype([("photo", int), ("goal", int), ("row", int), ("place", int),
                 ("position", int, 2), ("box", int, 4)])


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Strongest(Record):
    """The strongest patches of some channels.

    Attributes
    ----------
    patches : files.patches.Patches
        In the file strongest.h5, read when asked for.
    """

    patches: patches.Patches


def strongest(network, photos, folder="strongest", layers=None, channels=None, count=9,
              relu="deconvnet", lrn="gradient", size=None, split="val", batch=16, workers=1,
              progress=False):
    """Find the patches that drive channels most, and project them.

    Parameters
    ----------
    network : Network
    photos : path, or sequence of paths or arrays
        Photos, folders of photos (with those inside them), or a data set, see `photos.find`.
    folder : str or path
        Gets the file strongest.h5; made where it does not exist. Work that was killed is taken up
        where it was, if all that matters to the result is the same.
    layers : sequence of str, or dict of str to sequence of int, optional
        Where to look; a dict names the channels of each layer. Every layer of rectified feature
        maps where not given.
    channels : sequence of int, optional
        The same numbers in every layer; all where not given.
    count : int
        How many places to keep for each channel.
    relu, lrn : str
        The rules on the way down, as for `deconvnet`.
    size : int or (H, W), optional
        Side of the photos; the network's own where not given.
    split : str
        Which part of a data set.
    batch : int
        Photos handed to a process at once.
    workers : int
        Processes; with 1 all is done in this one. A script that asks for more must be guarded by
        ``if __name__ == "__main__":``, see `processes.ordered`.
    progress : bool
        Show bars on standard error.

    Returns
    -------
    Strongest
        `minicnn.report.strongest` makes figures of its patches.

    Raises
    ------
    ValueError
        No photos, none that can be read; unknown layers, channels, rules.
    KeyboardInterrupt
        On Ctrl-C; the same call goes on from there.
    """
    settings = settings_of(locals())
    from minicnn import __version__

    source, goals = find(photos, split), _goals(network, layers, channels)
    _check(relu, lrn, network.device, count=count, batch=batch, workers=workers)
    size = network.needed_preprocessing().size if size is None else images.height_width(size)
    normalises = any(isinstance(network[name], LRN) for name in network.names)
    about = {"network": network.name, "count": count, "relu": relu,
             "lrn": lrn if normalises else None, "size": list(size), "photos": len(source)}
    fields = [receptive.channel_fields(network, goal.layer, goal.channels.tolist(), about["size"])
              for goal in goals]
    unfinished = Unfinished(folder, about | {
        "weights": digest(network), "files": source.fingerprint(), "minicnn": __version__,
        "goals": [(goal.layer, goal.channels.tolist()) for goal in goals]})

    finder = UnitFinder(network, source, goals, about["size"])
    state = search(finder, count, unfinished, batch, workers, progress)
    tables = [_tables(source, *each) for each in zip(goals, state.best, fields, strict=True)]
    project = _Project(finder, _units(tables), relu, lrn, unfinished)
    _make_missing(project, workers, progress)

    path, made = Path(folder) / FILE, unfinished.folder / FILE  # a kill leaves nothing beside it
    patches.write(made, about, state.unreadable,
                  {goal.layer: table for goal, table in zip(goals, tables, strict=True)},
                  project.results())
    os.replace(made, path)
    unfinished.remove()
    settings["layers"] = {goal.layer: goal.channels.tolist() for goal in goals}
    return Strongest(caption=f"{path}: {len(source):,} photos", settings=settings,
                     skipped=state.unreadable, patches=patches.read(path))


# ---- what is looked for

class Goal(NamedTuple):
    """A layer, and the numbers of the channels to look at in it."""

    layer: str
    channels: Any


def rectified(network):
    """The layers that `strongest` looks at where none are named: ReLUs over feature maps."""
    return [name for name in network.names
            if isinstance(network[name], ReLU) and len(network.shapes[name]) == 3]


def _goals(network, layers, channels):
    layers = rectified(network) if layers is None else layers
    if not isinstance(layers, dict):
        layers = dict.fromkeys(layers, channels)
    if not layers:
        raise ValueError(f"strongest: network {network.name} has no rectified feature maps, or no "
                         "layer was named; name the layers to look at")
    return [_goal(network, network.find(name), chosen) for name, chosen in layers.items()]


def _goal(network, layer, channels):
    count = network.shapes[layer][-1]
    channels = list(range(count) if channels is None else dict.fromkeys(channels))
    if not channels:
        raise ValueError(f"strongest: {layer} has {count} channels, and none was named")
    return Goal(layer, np.array([channel_number("strongest", network, layer, c)
                                 for c in channels]))


def _check(relu, lrn, device, **numbers):
    check_choice("strongest", "relu", relu, RELU_RULES)
    check_choice("strongest", "lrn", lrn, LRN_RULES)
    check_counts("strongest", **numbers)
    if device != "cpu" and numbers["workers"] > 1:
        raise ValueError("strongest: several workers cannot share a GPU; use 1")


# ---- between the two parts: what the units see that were found

def _tables(source, goal, best, fields):
    """The tables of `files.patches` for one layer."""
    shape = best.photos.shape
    positions, corners = np.full((*shape, 2), -1), np.zeros((*shape, 2), int)
    boxes, names = np.zeros((*shape, 4), int), np.full(shape, "", object)
    for row, place in zip(*np.nonzero(best.photos >= 0), strict=True):
        field, at = fields[row], (row, place)
        position = divmod(int(best.places[at]), len(field.columns))
        boxes[at], names[at] = field.box(position), source.name(int(best.photos[at]))
        corners[at] = boxes[at][[0, 2]] - np.array(field.box(position, clipped=False))[[0, 2]]
        positions[at] = position if all(field.stride) else -1
    return {"channels": goal.channels, "values": best.values, "photos": best.photos, "names": names,
            "positions": positions.astype(np.int32), "boxes": boxes.astype(np.int32),
            "corners": corners.astype(np.int32),
            "frames": np.array([field.size for field in fields], np.int32)}


def _units(tables):
    """All units found as one array, photo by photo."""
    units = []
    for number, table in enumerate(tables):
        rows, places = np.nonzero(table["photos"] >= 0)
        part = np.empty(len(rows), UNIT)
        part["goal"], part["row"], part["place"] = number, rows, places
        part["photo"] = table["photos"][rows, places]
        part["position"] = table["positions"][rows, places]
        part["box"] = table["boxes"][rows, places]
        units.append(part)
    return np.sort(np.concatenate(units), order="photo")


# ---- second part: pictures

class _Project:
    """The patches and projections of the units found, a part of the result at a time."""

    def __init__(self, finder, units, relu, lrn, unfinished):
        self.finder, self.units, self.unfinished = finder, units, unfinished
        self.rules = relu, lrn
        top, bottom, left, right = units["box"].T
        reached = np.cumsum((bottom - top) * (right - left) * 15) // PART  # 3 uint8, 3 float32
        bounds = [0, *np.flatnonzero(np.diff(reached)) + 1, len(units)]
        self.parts = [slice(a, b) for a, b in zip(bounds, bounds[1:], strict=False) if a < b]

    def __call__(self, number):
        """Make part `number` and save it; how many patches are in it."""
        found = [self._photo(int(photo), list(units)) for photo, units in
                 groupby(self.units[self.parts[number]], key=lambda unit: unit["photo"])]
        patch, projection = zip(*(pair for pairs in found for pair in pairs), strict=True)
        self.unfinished.save_part(number, patches=np.concatenate([a.ravel() for a in patch]),
                                  projections=np.concatenate([a.ravel() for a in projection]))
        return len(patch)

    def _photo(self, number, units):
        """[(patch, projection), ...] of the units found in one photo."""
        network, goals = self.finder.network, self.finder.goals
        x = self.finder.prepare(number)
        run = network.forward(x, to=list({goals[unit["goal"]].layer for unit in units}), keep=())
        photo = network.restore(x)[0]
        return [self._unit(run, photo, goals[unit["goal"]], unit) for unit in units]

    def _unit(self, run, photo, goal, unit):
        maps, (top, bottom, left, right) = run[goal.layer], unit["box"]
        position = unit["position"].tolist() if maps.ndim == 4 else ()
        seed, _ = isolate(maps, goal.layer, int(goal.channels[unit["row"]]), position)
        projection = to_host(run.backward({goal.layer: seed}, *self.rules))
        rgb = images.to_rgb(projection, run.network.preprocessing)[0]
        return photo[top:bottom, left:right], rgb[top:bottom, left:right]

    def results(self):
        """What the parts hold, as `files.patches.write` wants it."""
        for number, part in enumerate(self.parts):
            arrays, first = self.unfinished.part(number), 0
            for unit in self.units[part]:
                top, bottom, left, right = unit["box"]
                shape = bottom - top, right - left, 3
                here = slice(first, first + int(np.prod(shape)))
                yield (self.finder.goals[unit["goal"]].layer, unit["row"], unit["place"],
                       arrays["patches"][here].reshape(shape),
                       arrays["projections"][here].reshape(shape))
                first = here.stop


def _make_missing(project, workers, progress):
    """Make the parts that are not there yet."""
    missing = [n for n in range(len(project.parts)) if not project.unfinished.has_part(n)]
    total = len(project.units)
    done = total - sum(part.stop - part.start for part in map(project.parts.__getitem__, missing))
    with closing(ordered(project, missing, workers)) as results, \
            bar(name="patches", shown=progress, total=total, initial=done) as shown:
        for count in results:
            shown.update(count)
