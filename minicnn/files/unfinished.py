"""Store the progress of a long computation, so that it can be resumed after any interruption.

A folder holds `state.npz` and numbered parts of the result. Each file is written or replaced
atomically, so all files are complete whenever the process is killed. One that is damaged all the
same, by a power cut or a bad disk, is set aside, and what it held is computed anew. The folder's
name contains a hash of everything the result depends on: a different computation never resumes from
this folder but starts one of its own.
"""

import hashlib
import io
import json
import os
import shutil
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from minicnn.images import check_writable, write

PREFIX = "minicnn-unfinished-"
BROKEN = ".broken"  # the end of the name of a file that was set aside


class Unfinished:
    """The stored progress of one computation.

    Parameters
    ----------
    folder : path
        The folder of the result; created if missing.
    about : dict
        Everything that the result depends on, as plain values.

    Raises
    ------
    OSError
        Nothing can be written into the folder; also from every method that saves.
    """

    def __init__(self, folder, about):
        text = json.dumps(about, sort_keys=True)
        digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
        self.folder = Path(folder) / f"{PREFIX}{digest[:16]}"
        with self._naming_the_folder():
            self.folder.mkdir(parents=True, exist_ok=True)
            check_writable(self.folder / "state.npz")

    def state(self):
        """The arrays saved last, by name; None if nothing was saved, or it is damaged."""
        return _whole(self.folder / "state.npz")

    def save(self, **arrays):
        """Replace the state."""
        self._save(self.folder / "state.npz", arrays)

    def part(self, number):
        """The arrays of a part of the result; None if it was not saved, or it is damaged."""
        return _whole(self._part(number))

    def save_part(self, number, **arrays):
        """Save a part."""
        self._save(self._part(number), arrays)

    def remove(self):
        """Delete the stored progress, once the result is complete."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _part(self, number):
        return self.folder / f"part{number:06}.npz"

    def _save(self, path, arrays):
        file = io.BytesIO()
        np.savez(file, **arrays)
        with self._naming_the_folder():
            write(path, file.getvalue())

    @contextmanager
    def _naming_the_folder(self):
        """Errors name the folder that the user gave, not ours inside it."""
        try:
            yield
        except OSError as error:
            if error.errno is None:
                raise
            raise OSError(error.errno, error.strerror, str(self.folder.parent)) from error


def _whole(path):
    """The arrays of a file; None if there is none. A damaged one is set aside with a warning."""
    if not path.exists():
        return None
    data = io.BytesIO(path.read_bytes())
    try:
        with np.load(data) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except Exception:  # damaged bytes raise almost any error
        aside = path.with_name(path.name + BROKEN)
        os.replace(path, aside)
        warnings.warn(f"{path}: damaged, as by a power cut; it is set aside as {aside.name}, and "
                      "what it held is computed anew", stacklevel=3)
        return None
