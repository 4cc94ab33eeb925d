"""What the strongest units see, and their projections: the second part of `strongest`.

It goes back to the photos in which the first part found units, one photo at a time, and writes the
pictures in parts, so that work that was killed goes on where it was.
"""

from contextlib import closing
from itertools import groupby, product

import numpy as np

from minicnn import images
from minicnn.backend import array_module, to_host
from minicnn.fast.processes import ordered
from minicnn.network.layers import AveragePool, Conv, MaxPool
from minicnn.ops.window import pair
from minicnn.progress import bar
from minicnn.vis.deconvnet import AUTO
from minicnn.vis.isolate import isolate

PART = 1 << 24  # bytes of patches and projections written at once
SHIFTS = {1: [(0, 0)], 9: list(product((-1, 0, 1), repeat=2))}  # rows, columns


def relu_rule(network, layer, relu=AUTO):
    """The rule at ReLUs that `relu` names, for a projection from `layer`.

    "auto" is "deconvnet" up to the second pooling and "guided" deeper. The deconvnet knows where
    things are only from the switches of poolings, and with several convolutions between two
    poolings that is not enough: from the third stage on its pictures are dots. In a network with
    fewer than two poolings strided convolutions count as well, except the first layer.
    """
    if relu != AUTO:
        return relu
    kinds = (MaxPool,)
    if sum(_reduces(row, kinds) for row in network.rows) < 2:
        kinds = MaxPool, AveragePool, Conv
    first, *before = network.until(layer).rows[:-1] or [None]
    return "guided" if sum(_reduces(row, kinds) for row in before) >= 2 else "deconvnet"


def _reduces(row, kinds):
    """Whether a row is one of these layers, with a stride above 1."""
    stride = getattr(row.layer, "stride", 1)
    stride = row.layer.window if stride is None else stride  # a pooling's own default
    return isinstance(row.layer, kinds) and max(pair(stride, "stride")) > 1


def moved(x, rows, columns, mode="edge"):
    """Images (N, H, W, C) moved down and right by at most a pixel; negative moves up and left.

    What comes in at the border repeats the edge, or is zero with mode "constant".
    """
    if rows == columns == 0:
        return x
    h, w = x.shape[1:3]
    padded = array_module(x).pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode=mode)
    return padded[:, 1 - rows : 1 - rows + h, 1 - columns : 1 - columns + w]


class Pictures:
    """The patches and projections of all units that were found, made in parts of about PART bytes.

    Called with the number of a part it makes that part, in whichever process.

    Parameters
    ----------
    finder : strongest_units.UnitFinder
    units : array of strongest.UNIT
        Ordered by photo.
    rules : dict of str to (relu, lrn)
        By layer.
    shifts : int
        A key of SHIFTS.
    unfinished : files.unfinished.Unfinished
    """

    def __init__(self, finder, units, rules, shifts, unfinished):
        self.finder, self.units, self.unfinished = finder, units, unfinished
        self.rules, self.shifts = rules, shifts
        top, bottom, left, right = units["window"].T
        reached = np.cumsum((bottom - top) * (right - left) * 15) // PART  # 3 uint8, 3 float32
        bounds = [0, *np.flatnonzero(np.diff(reached)) + 1, len(units)]
        self.parts = [slice(a, b) for a, b in zip(bounds, bounds[1:], strict=False) if a < b]

    def make_missing(self, workers, progress):
        """Make the parts that earlier work has not left."""
        sizes = [part.stop - part.start for part in self.parts]
        missing = [n for n in range(len(sizes)) if self.unfinished.part(n) is None]
        done = sum(sizes) - sum(sizes[n] for n in missing)
        with closing(ordered(self, missing, workers)) as results, \
                bar(name="patches", shown=progress, total=sum(sizes), initial=done) as shown:
            for count in results:
                shown.update(count)

    def __call__(self, number):
        """Make part `number` and save it; returns the number of patches in it."""
        found = [self._photo(int(photo), list(units)) for photo, units in
                 groupby(self.units[self.parts[number]], key=lambda unit: unit["photo"])]
        patch, projection = zip(*(pair for pairs in found for pair in pairs), strict=True)
        self.unfinished.save_part(number, patches=np.concatenate([a.ravel() for a in patch]),
                                  projections=np.concatenate([a.ravel() for a in projection]))
        return len(patch)

    def _photo(self, number, units):
        """[(patch, projection), ...] of the units that were found in one photo."""
        network, goals = self.finder.network, self.finder.goals
        layers = list({goals[unit["goal"]].layer for unit in units})
        x, shifted = self.finder.prepare(number), [[] for _ in units]
        for rows, columns in SHIFTS[self.shifts]:
            run = network.forward(moved(x, rows, columns), to=layers, keep=())
            for found, unit in zip(shifted, units, strict=True):
                found += [moved(one, -rows, -columns, "constant")
                          for one in self._projection(run, unit)]
        photo = network.restore(x)[0]
        return [self._cut(photo, sum(found) / len(found), unit)
                for found, unit in zip(shifted, units, strict=True)]

    def _projection(self, run, unit):
        """[one unit's projection (1, H, W, C)]; [] if a moved photo does not activate it."""
        goal = self.finder.goals[unit["goal"]]
        maps, channel = run[goal.layer], int(goal.channels[unit["row"]])
        position = unit["position"].tolist() if maps.ndim == 4 else ()
        if not maps[0, *position, channel] > 0:
            return []
        seed, _ = isolate(maps, goal.layer, channel, position)
        relu, lrn = self.rules[goal.layer]
        return [to_host(run.backward({goal.layer: seed}, relu, lrn or "through"))]

    def _cut(self, photo, projection, unit):
        """(patch, projection) of one unit in its window, red first."""
        top, bottom, left, right = unit["window"]
        rgb = images.to_rgb(projection, self.finder.network.preprocessing)[0]
        return photo[top:bottom, left:right], rgb[top:bottom, left:right]

    def results(self):
        """What the parts hold, unit by unit, as `files.patches.write` takes it."""
        for number, part in enumerate(self.parts):
            arrays, first = self.unfinished.part(number), 0
            for unit in self.units[part]:
                top, bottom, left, right = unit["window"]
                shape = bottom - top, right - left, 3
                here = slice(first, first + int(np.prod(shape)))
                yield (self.finder.goals[unit["goal"]].layer, unit["row"], unit["place"],
                       arrays["patches"][here].reshape(shape),
                       arrays["projections"][here].reshape(shape))
                first = here.stop
