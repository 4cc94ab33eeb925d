"""Sources of many photos: folders, lists of files, a data set in one HDF5 file.

A source has a length; ``name(i)`` is a name to show for photo i and ``read(i)`` reads the photo.
Only the photo being read is in memory, however many there are. A source can be sent to another
process, which then reads the photos itself.

A data set's file holds, under each split (`train`, `val`): `bytes`, the picture files end to end;
`offsets`, such that picture i is bytes[offsets[i]:offsets[i+1]]; `labels`, for each picture the
index of its class in `classes`, the names at the file's root. Labels and classes may be missing.
Nothing outside the file is read, and all but the pictures is checked when it is opened.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from minicnn import images
from minicnn.files import hdf5_arrays
from minicnn.files.errors import WeightsError
from minicnn.files.hdf5 import open_file
from minicnn.files.hdf5_created import created
from minicnn.images.writing import PICTURES as SUFFIXES

DATA_SETS = (".h5", ".hdf5")


def find(where: str | Path | Sequence[str | Path], split: str = "val") -> Files | DataSet:
    """The source of the photos that a user names.

    Parameters
    ----------
    where : path, array (H, W, 3), or a sequence of these
        A folder stands for all picture files in it and in its subfolders, sorted by name; names
        that begin with a dot are skipped. A path that ends in .h5 or .hdf5 is a data set and must
        be given alone. Any other path counts as a photo; it is checked only when it is read.
    split : str
        The part of a data set to use.

    Returns
    -------
    Files or DataSet

    Raises
    ------
    ValueError
        No photos: no such file, a folder without photos, an empty list, no such split.
    """
    several = isinstance(where, (list, tuple))
    places = list(where) if several else [where]
    if not places:
        raise ValueError("photos: the list is empty; give photos, folders of photos, or a data set")
    sets = [place for place in places if _is_path(place)
            and Path(place).suffix.lower() in DATA_SETS and not Path(place).is_dir()]
    if sets and len(places) > 1:
        raise ValueError(f"{sets[0]}: a data set must be given alone, got {len(places)} places; "
                         "leave out the others")
    if sets:
        return DataSet(sets[0], split)
    return Files([item for place in places for item in _expanded(place)])


class Files:
    """Photos in files, or as arrays (H, W, 3) uint8 already in memory."""

    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def name(self, index):
        """The path of a file, or the number of an array."""
        item = self.items[index]
        return str(item) if _is_path(item) else f"picture {index}"

    def read(self, index):
        """The photo, (H, W, 3) uint8; ImageError if it cannot be read."""
        item = self.items[index]
        return images.load(item) if _is_path(item) else item

    def fingerprint(self):
        """A hash of the photos: of the names of files (not their contents), and of the arrays."""
        digest = hashlib.sha256()
        for index, item in enumerate(self.items):
            digest.update(os.fsencode(self.name(index)) + b"\0")
            if not _is_path(item):
                digest.update(str(item.shape).encode() + np.ascontiguousarray(item).tobytes())
        return digest.hexdigest()


class DataSet:
    """One split of a data set in an HDF5 file."""

    def __init__(self, path, split="val"):
        self.path, self.split = str(path), split
        if not Path(path).is_file():
            raise ValueError(f"{path}: no such file; give the path of a data set, or of photos")
        with open_file(path) as file:
            self.offsets, self.labels, self.classes = self._checked(file)

    def _checked(self, file):
        """(offsets, labels or None, names of classes) of an open file."""
        if not hdf5_arrays.has(file, self.split):
            found = ", ".join(name for name in file if _has_bytes(file, name))
            raise WeightsError(f"{self.path}: there is no split {self.split!r}; there are "
                               f"{found or 'none: this file is not a data set of photos'}")
        part = hdf5_arrays.item(file, self.split)
        sets = {"bytes": hdf5_arrays.plain(part, "bytes", "u", 1),
                "offsets": hdf5_arrays.plain(part, "offsets", "iu", 1)}
        labelled = hdf5_arrays.has(part, "labels") and hdf5_arrays.has(file, "classes")
        if labelled:
            sets["labels"] = hdf5_arrays.plain(part, "labels", "iu", 1)
            sets["classes"] = hdf5_arrays.plain(file, "classes", "t", 1)
        hdf5_arrays.check_sets(sets.values(), os.path.getsize(self.path))
        offsets = sets["offsets"][()].astype(np.int64)
        labels = sets["labels"][()].astype(np.int64) if labelled else None
        names = sets["classes"][()] if labelled else []
        classes = [name.decode("utf-8", "replace") for name in names]
        wrong = [*_of_offsets(offsets, len(sets["bytes"])), *_of_labels(labels, offsets, classes)]
        if wrong:
            raise WeightsError(f"{self.path}: split {self.split!r} is damaged: {'; '.join(wrong)}")
        return offsets, labels, classes

    def __len__(self):
        return len(self.offsets) - 1

    def __reduce__(self):  # an open file stays in its process
        return DataSet, (self.path, self.split)

    def name(self, index):
        """The split, the number, and the class if it is known."""
        name = f"{self.split} {index}"
        return name if self.labels is None else f"{name}, {self.classes[self.labels[index]]}"

    def read(self, index):
        """The photo, (H, W, 3) uint8; ImageError if it cannot be read."""
        first, last = self.offsets[index : index + 2]
        data = self._file[self.split]["bytes"][first:last].tobytes()
        return images.decode(data, self.name(index))

    def fingerprint(self):
        """A hash of the split's name, offsets and labels; it does not depend on the file's path."""
        labels = b"" if self.labels is None else self.labels.tobytes()
        return hashlib.sha256(self.split.encode() + self.offsets.tobytes() + labels).hexdigest()

    @cached_property
    def _file(self):
        import h5py

        return h5py.File(self.path, "r")  # `open_file` has checked it


def write(path: str | Path, splits: dict[str, Any]) -> None:
    """Write a data set.

    Parameters
    ----------
    path : str or path
        Ends in .h5 or .hdf5; the folder must exist.
    splits : dict of str to train.Data
        The images (uint8), labels and classes of each split; the classes of all are the same.

    Raises
    ------
    ValueError, OSError
        The file cannot be written.
    """
    with created(path) as file:
        for name, data in splits.items():
            encoded = [images.encode(data.images[k]) for k in range(len(data.labels))]
            group = file.create_group(name)
            group["bytes"] = np.frombuffer(b"".join(encoded), np.uint8)
            group["offsets"] = np.cumsum([0, *map(len, encoded)])
            group["labels"] = np.asarray(data.labels)
        file["classes"] = np.array([one.encode() for one in data.classes])


def _has_bytes(file, name):
    with suppress(ValueError):
        return hdf5_arrays.item(file, f"{name}/bytes") is not None
    return False


def _of_offsets(offsets, size):
    """What is wrong with the offsets of pictures in so many bytes, in words."""
    if len(offsets) < 2:
        yield f"it has no pictures: {len(offsets)} offsets, where N pictures have N + 1"
    elif offsets[0] < 0 or offsets[-1] > size or (np.diff(offsets) < 0).any():
        yield f"its offsets do not rise from 0 to at most {size:,}, the number of its bytes"


def _of_labels(labels, offsets, classes):
    """What is wrong with the labels, in words."""
    if labels is None:
        return
    if len(labels) != len(offsets) - 1:
        yield f"it has {len(labels)} labels for {len(offsets) - 1} pictures"
    elif len(labels) and not 0 <= labels.min() <= labels.max() < len(classes):
        yield (f"its labels are {labels.min()} to {labels.max()}, and the {len(classes)} classes "
               "are counted from 0")


def _is_path(place):
    return isinstance(place, (str, os.PathLike))


def _expanded(place):
    """The photos that one place stands for."""
    if not _is_path(place):
        return [place]
    path = Path(place)
    if not path.exists():
        raise ValueError(f"{place}: no such file or folder; give photos, or a folder of photos")
    if not path.is_dir():
        return [str(place)]
    found = sorted(str(file) for file in _walk(path))
    if not found:
        raise ValueError(f"{place}: no photos in this folder, nor in folders inside it; expected "
                         f"names ending in {', '.join(SUFFIXES)}")
    return found


def _walk(folder):
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent, name) for name in names
                    if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES)
