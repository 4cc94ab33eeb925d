"""What a long piece of work has so far, kept so that it can be taken up again after any end.

The folder holds `state.npz`, which replaces the one before it in one go, and numbered parts of the
result, which appear in one go each. So whenever the work is killed, what is there is whole. The
folder's name has a hash of everything the result depends on: work of another kind never goes on
from it, but begins a folder of its own.
"""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np

from minicnn.images import atomic

PREFIX = "minicnn-unfinished-"


class Unfinished:
    """The unfinished work in a folder.

    Parameters
    ----------
    folder : path
        Where the result will be; made where it does not exist.
    about : dict
        Everything that the result depends on, as plain values.
    """

    def __init__(self, folder, about):
        text = json.dumps(about, sort_keys=True)
        digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
        self.folder = Path(folder) / f"{PREFIX}{digest[:16]}"
        self.folder.mkdir(parents=True, exist_ok=True)

    def state(self):
        """The arrays saved last, by name; None where nothing was saved."""
        path = self.folder / "state.npz"
        return _load(path) if path.exists() else None

    def save(self, **arrays):
        """Replace the state."""
        _save(self.folder / "state.npz", arrays)

    def has_part(self, number):
        """Whether a part of the result is there."""
        return self._part(number).exists()

    def part(self, number):
        """The arrays of a part."""
        return _load(self._part(number))

    def save_part(self, number, **arrays):
        """Add a part."""
        _save(self._part(number), arrays)

    def remove(self):
        """The result is there: nothing is unfinished any more."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _part(self, number):
        return self.folder / f"part{number:06}.npz"


def _save(path, arrays):
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


def _load(path):
    with np.load(path) as arrays:
        return {name: arrays[name] for name in arrays.files}
