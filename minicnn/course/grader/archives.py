"""The files of a folder or a zip, listed and read within limits; nothing is unpacked.

Left out: names that lead out of the folder, links, what is hidden or made by the system
(`__MACOSX`). Encrypted or damaged files, and files that are too large, are refused when
they are read.
"""

import io
import os
import stat
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

MOST_FILES = 20_000  # in a zip or below a folder
MOST_BYTES = 32 << 20  # of one file: notebooks hold pictures
MOST_TOTAL = 1 << 30  # that is read of one zip
MOST_ZIP = 256 << 20  # of a zip inside a zip or folder
RATIO = 200  # of a file's size to its size in the zip, from SMALL on
SMALL = 1 << 20
BROKEN = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError,
          NotImplementedError, KeyError, MemoryError, OverflowError, IndexError)
SYSTEM = ("__MACOSX", "__pycache__", "Thumbs.db", "desktop.ini", ".DS_Store",
          ".ipynb_checkpoints", ".git", ".vscode", ".idea")
OF_SYSTEM = "of the system"


class Entry(NamedTuple):
    """A file: its path in the folder or zip ("anna/convolution.py"), time, and how to read it."""

    path: str
    time: float
    read: Callable

    @property
    def name(self):
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def suffix(self):
        """".py", in small letters."""
        return PurePosixPath(self.path).suffix.lower()


class Bundle(NamedTuple):
    """The files of a folder or zip, its subfolders (empty ones, too), and what was left out.

    Attributes
    ----------
    entries : list of Entry
    folders : list of str
    left : list of (path, reason)
    """

    entries: list
    folders: list
    left: list

    def below(self, wrapper):
        """The Bundle inside a folder that holds all of it."""
        strip = len(wrapper) + 1
        return Bundle([one._replace(path=one.path[strip:]) for one in self.entries],
                      [one[strip:] for one in self.folders if one[strip:]],
                      [(path[strip:] if path.startswith(f"{wrapper}/") else path, why)
                       for path, why in self.left])


class ArchiveError(ValueError):
    """A zip or a file in it that cannot be read."""


def notes(left):
    """What was left out, a note for each reason; of the system's files there is nothing to say.

    Parameters
    ----------
    left : list of (path, reason)
    """
    reasons = {}
    for path, why in left:
        if why != OF_SYSTEM:
            reasons.setdefault(why, []).append(path)
    return [f"left out ({why}): " + ", ".join(paths[:3])
            + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
            for why, paths in reasons.items()]


def folder(path):
    """The Bundle of a folder."""
    entries, folders, left = [], [], []
    for here, inner, files in os.walk(path):
        inner.sort()
        for name in [*inner, *sorted(files)]:
            place = Path(here) / name
            inside = place.relative_to(path).as_posix()
            about = place.lstat()
            if why := _unwanted(name) or _no_file(about.st_mode):
                left.append((inside, why))
            elif stat.S_ISDIR(about.st_mode):
                folders.append(inside)
            else:
                entries.append(Entry(inside, about.st_mtime, reader(place)))
        inner[:] = [name for name in inner if not _unwanted(name)]
        if len(entries) > MOST_FILES:
            raise ArchiveError(f"{path}: there are more than {MOST_FILES:,} files in it; give a "
                               "folder of submissions")
    return Bundle(entries, folders, left)


def _no_file(mode):
    return "" if stat.S_ISREG(mode) or stat.S_ISDIR(mode) else "a link or device"


def zipped(file):
    """The Bundle of a zip.

    Parameters
    ----------
    file : path or bytes

    Raises
    ------
    ArchiveError
        It is no zip, or has too many files.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(file) if isinstance(file, bytes) else file)
        infos = archive.infolist()
    except BROKEN as error:
        raise ArchiveError(f"the zip cannot be read: {str(error)[:100]}") from error
    if len(infos) > MOST_FILES:
        raise ArchiveError(f"the zip has more than {MOST_FILES:,} files")
    entries, folders, left, budget = {}, [], [], [MOST_TOTAL]
    for info in infos:
        path = info.filename.replace("\\", "/")
        if why := _refused(path, info):
            left.append((path, why))
        elif path.endswith("/"):
            folders.append(path.rstrip("/"))
        else:
            path = str(PurePosixPath(path))
            if path in entries:
                left.append((path, "another file of this name follows"))
            entries[path] = Entry(path, _time(info), _unzipper(archive, info, budget))
    return Bundle(list(entries.values()), folders, left)


def _refused(path, info):
    """Why a file of a zip is left out, or ""."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or ":" in parts[0]:
        return "a path out of the folder"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "a link or device"
    return next(filter(None, map(_unwanted, parts)), "")


def _unwanted(name):
    if name in SYSTEM or name.startswith("._"):
        return OF_SYSTEM
    return "hidden" if name.startswith(".") else ""


def reader(path):
    """A function that reads a file of a folder."""
    def read(most=MOST_BYTES):
        try:
            with path.open("rb") as file:
                return _limited(file, most)
        except OSError as error:
            raise ArchiveError(f"cannot be read: {error.strerror}") from error
    return read


def _unzipper(archive, info, budget):
    """A function that reads a file of a zip; what all of them read lessens the budget."""
    def read(most=MOST_BYTES):
        if info.file_size > SMALL and info.file_size > RATIO * max(info.compress_size, 1):
            raise ArchiveError("is packed more tightly than any source file")
        try:
            with archive.open(info) as file:
                data = _limited(file, min(most, budget[0]))
        except BROKEN as error:
            raise ArchiveError(f"cannot be unpacked: {str(error)[:100]}") from error
        budget[0] -= len(data)
        return data
    return read


def _limited(file, most):
    data = file.read(most + 1)
    if len(data) > most:
        raise ArchiveError(f"is larger than {most / 2**20:.0f} MiB")
    return data


def _time(info):
    """The time of a file in a zip; 0 if it is none."""
    try:
        return time.mktime((*info.date_time, 0, 0, -1))
    except (ValueError, OverflowError):
        return 0.0
