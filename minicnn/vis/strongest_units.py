"""Which units of each channel are the most active in many photos: the first part of `strongest`.

The photos go by one at a time. What is kept of them is for each channel the best values so far,
which photo they were in, and where: numbers only, however many photos.
"""

import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from minicnn.backend import array_module, to_host
from minicnn.fast.processes import ordered
from minicnn.images import ImageError
from minicnn.progress import bar

SAVE_EVERY = 10.0  # seconds


class UnitTable(NamedTuple):
    """For C channels the K strongest units, at most one a photo, strongest first; all (C, K).

    values: the activations, 0 where a place is empty. photos: the photos' numbers. places: where in
    the map, counted in row-major order. Both are -1 where a place is empty.
    """

    values: Any
    photos: Any
    places: Any


def empty_table(channels, count):
    """UnitTable before the first photo."""
    empty = np.full((channels, count), -1, np.int64)
    return UnitTable(np.zeros((channels, count), np.float32), empty, empty)


def strongest_units(maps, channels):
    """The strongest unit of each channel of one photo, of equals the first in row-major order.

    Parameters
    ----------
    maps : array (1, H, W, C) or (1, C)
    channels : array of K int

    Returns
    -------
    values, places : arrays (K,)
    """
    flat = maps.reshape(-1, maps.shape[-1])[:, channels]  # 1,H,W,C -> H*W,K
    places = flat.argmax(axis=0)
    values = flat[places, array_module(flat).arange(len(channels))]
    return to_host(values), to_host(places)


def merge(table, values, photos, places):
    """UnitTable after more photos.

    Parameters
    ----------
    table : UnitTable
        Of earlier photos: of equal values they stay ahead.
    values, places : (N, C)
        The strongest unit of each channel in N photos, in their order.
    photos : (N,)
        Their numbers.

    Returns
    -------
    UnitTable
        Only values above 0 get a place: an empty one counts as an earlier 0.
    """
    new = UnitTable(values.T, np.broadcast_to(photos, values.T.shape), places.T)  # N,C -> C,N
    both = UnitTable(*(np.concatenate(pair, axis=1) for pair in zip(table, new, strict=True)))
    order = np.argsort(-both.values, axis=1, kind="stable")[:, : table.values.shape[1]]
    return UnitTable(*(np.take_along_axis(table, order, axis=1) for table in both))


# ---- the search through the photos

@dataclass
class UnitFinder:
    """The strongest unit of each channel, of each of some photos."""

    network: Any
    source: Any
    goals: list
    size: list

    def __call__(self, numbers):
        """(numbers of the photos that could be read, values and places (N, C) of each goal, a line
        for each photo that could not)."""
        seen, found, unreadable = [], [], []
        for number in numbers:
            try:
                found.append(self._units(self.prepare(number)))
                seen.append(number)
            except ImageError as error:
                unreadable.append(str(error))
        return seen, [tuple(map(np.stack, zip(*units, strict=True)))
                      for units in zip(*found, strict=True)], unreadable

    def prepare(self, number):
        """One photo as the network wants it."""
        return self.network.prepare(self.source.read(number), self.size)

    def _units(self, x):
        run = self.network.forward(x, to=[goal.layer for goal in self.goals], keep=(), caches=False)
        return [strongest_units(run[goal.layer], goal.channels) for goal in self.goals]


class SearchState(NamedTuple):
    """After the first so many photos: the UnitTable of each goal, lines for photos not readable."""

    photos: int
    best: list
    unreadable: list

    def save(self, unfinished):
        """Keep all of it in the file of an unfinished run, the columns of each table by name."""
        tables = {f"{key}{k}": table for k, best in enumerate(self.best)
                  for key, table in best._asdict().items()}
        unfinished.save(photos=self.photos, unreadable=np.array(self.unreadable, dtype=str),
                        **tables)


def _state(unfinished, goals, count):
    """The state saved last, or that before the first photo."""
    saved = unfinished.state()
    if saved is None:
        return SearchState(0, [empty_table(len(goal.channels), count) for goal in goals], [])
    best = [UnitTable(*(saved[f"{key}{k}"] for key in UnitTable._fields))
            for k in range(len(goals))]
    return SearchState(int(saved["photos"]), best, saved["unreadable"].tolist())


def search(finder, count, unfinished, batch, workers, progress):
    """Go through all photos, from where it ended last time.

    Parameters
    ----------
    finder : UnitFinder
    count : int
        Places a channel.
    unfinished : files.unfinished.Unfinished
    batch, workers, progress
        As for `strongest`.

    Returns
    -------
    SearchState
        After the last photo.
    """
    state, total = _state(unfinished, finder.goals, count), len(finder.source)
    tasks = [range(first, min(first + batch, total))
             for first in range(state.photos, total, batch)]
    saved = time.monotonic()
    try:
        with closing(ordered(finder, tasks, workers)) as results, \
                bar(name="photos", shown=progress, total=total, initial=state.photos) as shown:
            for task, (seen, found, unreadable) in zip(tasks, results, strict=True):
                best = [merge(old, values, np.array(seen), places) for old, (values, places)
                        in zip(state.best, found, strict=True)] if seen else state.best
                state = SearchState(state.photos + len(task), best, state.unreadable + unreadable)
                shown.update(len(task))
                if time.monotonic() - saved > SAVE_EVERY:
                    state.save(unfinished)
                    saved = time.monotonic()
    finally:
        state.save(unfinished)
    if len(state.unreadable) == total:
        unfinished.remove()
        raise ValueError(f"strongest: of {total} photos not one can be read: "
                         f"{state.unreadable[0]}")
    return state
