"""Which units of each channel are most active in many photos: the first part of `strongest`.

It looks at one photo at a time. For each channel it keeps the largest activations so far, the
numbers of their photos, and where in the map they are: a few numbers, however many photos.
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
    """The K strongest units of C channels, at most one of each photo, strongest first; all (C, K).

    values: the activations, 0 where a place is empty. photos: the indices of the photos. places:
    where in the map, counted in row-major order. Both are -1 where a place is empty.
    """

    values: Any
    photos: Any
    places: Any


def empty_table(channels, count):
    """The UnitTable before the first photo: all places are empty."""
    empty = np.full((channels, count), -1, np.int64)
    return UnitTable(np.zeros((channels, count), np.float32), empty, empty)


def strongest_units(maps, channels):
    """The strongest unit of each channel in one photo; of equal ones the first in row-major order.

    Parameters
    ----------
    maps : array (1, H, W, C) or (1, C)
    channels : array of K int

    Returns
    -------
    values, places : arrays (K,)
        The activations, and where in the map they are, counted in row-major order.
    """
    flat = maps.reshape(-1, maps.shape[-1])[:, channels]  # 1,H,W,C -> H*W,K
    places = flat.argmax(axis=0)
    values = flat[places, array_module(flat).arange(len(channels))]
    return to_host(values), to_host(places)


def merge(table, values, photos, places):
    """The UnitTable after more photos.

    Parameters
    ----------
    table : UnitTable
        Of the photos before. Their units stay ahead of new ones that are equally active.
    values, places : (N, C)
        The strongest unit of each channel in N photos, in the order of the photos.
    photos : (N,)
        The numbers of these photos.

    Returns
    -------
    UnitTable
        Only activations above 0 get a place, because an empty place counts as an earlier 0.
    """
    new = UnitTable(values.T, np.broadcast_to(photos, values.T.shape), places.T)  # N,C -> C,N
    both = UnitTable(*(np.concatenate(pair, axis=1) for pair in zip(table, new, strict=True)))
    order = np.argsort(-both.values, axis=1, kind="stable")[:, : table.values.shape[1]]
    return UnitTable(*(np.take_along_axis(table, order, axis=1) for table in both))


# ---- the search through the photos

@dataclass
class UnitFinder:
    """Finds the strongest unit of each channel in each photo; called with the photos' indices."""

    network: Any
    source: Any
    goals: list
    size: tuple

    def __call__(self, numbers):
        """Returns (the indices of the photos that could be read, the values and places (N, C) of
        each goal, a line for each photo that could not)."""
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
        """One photo as the network takes it, (1, H, W, C)."""
        return self.network.prepare(self.source.read(number), self.size)

    def _units(self, x):
        run = self.network.forward(x, to=[goal.layer for goal in self.goals], keep=(), caches=False)
        return [strongest_units(run[goal.layer], goal.channels) for goal in self.goals]


class SearchState(NamedTuple):
    """The state of the search: the number of photos looked at, the UnitTable of each goal so far, a
    line for each photo that could not be read."""

    photos: int
    best: list
    unreadable: list

    def save(self, unfinished):
        """Save it with the unfinished work, each column of each table under its own name."""
        tables = {f"{key}{k}": table for k, best in enumerate(self.best)
                  for key, table in best._asdict().items()}
        unfinished.save(photos=self.photos, unreadable=np.array(self.unreadable, dtype=str),
                        **tables)


def _state(unfinished, goals, count):
    """The SearchState that was saved last, or the one before the first photo."""
    saved = unfinished.state()
    if saved is None:
        return SearchState(0, [empty_table(len(goal.channels), count) for goal in goals], [])
    best = [UnitTable(*(saved[f"{key}{k}"] for key in UnitTable._fields))
            for k in range(len(goals))]
    return SearchState(int(saved["photos"]), best, saved["unreadable"].tolist())


def search(finder, count, unfinished, batch, workers, progress):
    """Go through all photos, from where the search ended last time.

    Parameters
    ----------
    finder : UnitFinder
    count : int
        How many units to keep for each channel.
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
        raise ValueError(f"strongest: none of the {total} photos can be used: "
                         f"{state.unreadable[0]}")
    return state
