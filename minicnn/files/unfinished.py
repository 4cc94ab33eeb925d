"""Store the progress of a long computation, so that it can be resumed after any interruption.

A folder holds `state.npz` and numbered parts of the result. Each file is written or replaced
atomically, so all files are complete whenever the process is killed. The folder's name contains a
hash of everything the result depends on: a different computation never resumes from this folder but
starts one of its own.
"""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np

from minicnn.images import atomic

PREFIX = "minicnn-unfinished-"


class Unfinished:
    """The stored progress of one computation.

    Parameters
    ----------
    folder : path
        The folder of the result; created if missing.
    about : dict
        Everything that the result depends on, as plain values.
    """

    def __init__(self, folder, about):
        text = json.dumps(about, sort_keys=True)
        digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
        self.folder = Path(folder) / f"{PREFIX}{digest[:16]}"
        self.folder.mkdir(parents=True, exist_ok=True)

    def state(self):
        """The arrays saved last, by name; None if nothing was saved."""
        path = self.folder / "state.npz"
        return _load(path) if path.exists() else None

    def save(self, **arrays):
        """Replace the state."""
        _save(self.folder / "state.npz", arrays)

    def has_part(self, number):
        """Whether a part of the result has been saved."""
        return self._part(number).exists()

    def part(self, number):
        """The arrays of a part."""
        return _load(self._part(number))

    def save_part(self, number, **arrays):
        """Save a part."""
        _save(self._part(number), arrays)

    def remove(self):
        """Delete the stored progress, once the result is complete."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _part(self, number):
        return self.folder / f"part{number:06}.npz"


def _save(path, arrays):
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


def _load(path):
    with np.load(path) as arrays:
        return {name: arrays[name] for name in arrays.files}
