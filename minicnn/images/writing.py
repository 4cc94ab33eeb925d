"""Writing files: whole or not at all, and never in the place of a file that is being read.

A file is written under a temporary name beside its destination and gets its own name once all of it
is on the disk, so that neither a full disk nor a kill nor a power cut leaves half of it, or takes
the older file of that name away.

Whoever writes into a folder shares a lock on it until the file has its name. Where the lock can be
had alone, nobody is writing, and temporary files are those of processes that were killed: the first
file that a process writes into a folder removes them. (Windows has no such lock; there they stay,
and `minicnn doctor` lists those in the cache.)
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

PREFIX = ".minicnn-"
TEMPORARY = re.compile(re.escape(PREFIX) + r"[0-9a-f]{8}(\.[^.]*)?")
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
KINDS_OF_FILES = (*PICTURES, ".h5", ".hdf5", ".json", ".html", ".csv", ".npz", ".pdf", ".svg",
                  ".ipynb", ".zip")
PATIENCE = 1.0  # seconds to wait for a process that is clearing a folder

_spared: ContextVar[tuple] = ContextVar("_spared", default=())
_cleared: set[str] = set()  # folders that this process has rid of temporary files


# ---- files

@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Write a file completely or not at all: yield a temporary path, then move it to `path`.

    The temporary file is in the same folder and has the same suffix. If the body raises (Ctrl-C
    included), it is removed and an older file stays unchanged. A symbolic link is followed; the
    permissions of an older file are kept.

    Parameters
    ----------
    path : str or path

    Yields
    ------
    temporary : Path
        An empty file; the body writes and closes it.

    Raises
    ------
    ValueError
        The folder does not exist, or `path` is a folder, a device, write-protected or an input.
    OSError
        It cannot be written; the error names `path`, not the temporary file.
    """
    target = _target(path)
    with _temporary(target, path) as temporary:
        if target.exists():
            shutil.copymode(target, temporary)
        yield temporary
        sync(temporary)
        os.replace(temporary, target)
        sync(target.parent)


def write(path: str | Path, contents: str | bytes) -> None:
    """Write text (in UTF-8) or bytes to a file, completely or not at all; errors as for `atomic`.
    """
    data = contents.encode("utf-8") if isinstance(contents, str) else contents
    with atomic(path) as temporary:
        temporary.write_bytes(data)
        if temporary.stat().st_size != len(data):
            raise OSError(errno.EIO, "the disk did not take all bytes", str(temporary))


def sync(path: str | Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk and survive a power cut."""
    if os.path.isdir(path):
        with suppress(OSError):  # Windows cannot open folders, some file systems not sync them
            _sync(path, os.O_RDONLY)
    else:
        _sync(path, os.O_RDWR | getattr(os, "O_BINARY", 0))


def _sync(path, how):
    file = os.open(path, how)
    try:
        os.fsync(file)
    finally:
        os.close(file)


@contextmanager
def _temporary(target, path):
    """A new empty file beside `target`, removed at the end if it is still there; errors in writing
    it name `path`."""
    temporary = target.with_name(f"{PREFIX}{secrets.token_hex(4)}{target.suffix}")
    lock = _shared(target.parent)
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield temporary
    except OSError as error:
        if error.errno is None or error.filename not in (None, str(temporary)):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error  # the name the user gave
    finally:
        with suppress(OSError):  # it has its name, or was never made
            temporary.unlink()
        if lock is not None:
            os.close(lock)


def _shared(folder):
    """A folder, opened and locked together with all who write into it; None where that cannot be.

    The first time, temporary files of processes that were killed are removed.
    """
    if fcntl is None:
        return None
    try:
        lock = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    if str(folder) not in _cleared and _locked(lock, fcntl.LOCK_EX):
        _cleared.add(str(folder))
        for name in filter(TEMPORARY.fullmatch, os.listdir(folder)):
            with suppress(OSError):
                (folder / name).unlink()
    end = time.monotonic() + PATIENCE
    while not _locked(lock, fcntl.LOCK_SH) and time.monotonic() < end:
        time.sleep(0.01)
    return lock


@contextmanager
def held(folder: str | Path) -> Iterator[None]:
    """Hold a folder of temporary files; if the process is killed, it is `abandoned`."""
    lock = None if fcntl is None else os.open(folder, os.O_RDONLY)
    try:
        if lock is not None:
            _locked(lock, fcntl.LOCK_SH)
        yield
    finally:
        if lock is not None:
            os.close(lock)


def abandoned(folder: str | Path) -> bool:
    """Whether no process holds a folder; False where the system cannot tell."""
    if fcntl is None:
        return False
    try:
        lock = os.open(folder, os.O_RDONLY)
    except OSError:
        return False
    try:
        return _locked(lock, fcntl.LOCK_EX)
    finally:
        os.close(lock)


def _locked(lock, how):
    with suppress(OSError):
        fcntl.flock(lock, how | fcntl.LOCK_NB)
        return True
    return False


# ---- before the work

def check_writable(path: str | Path) -> None:
    """Raise unless a file can be written at `path`; call it before hours of work, not after.

    Raises
    ------
    ValueError
        As for `atomic`.
    OSError
        Nothing can be written there: no permission, a read-only or full disk.
    """
    with _temporary(_target(path), path):
        pass


def check_folder(path: str | Path, names: Iterable[str] = ()) -> None:
    """Raise unless files of these names can be written into a folder, which may not be there yet.

    Parameters
    ----------
    path : str or path
    names : iterable of str
        Files that will be written into it.

    Raises
    ------
    ValueError
        It is a file, or it is new and named like one; or a file of these names is an input.
    OSError
        Nothing can be written there.
    """
    if not str(path):
        raise ValueError("the name of the folder is empty; give one")
    folder = Path(path)
    if not folder.is_dir():
        if os.path.lexists(folder):
            raise ValueError(f"{path}: is no folder; give the name of a folder")
        if folder.suffix.lower() in KINDS_OF_FILES:
            raise ValueError(f"{path}: a folder is made here, and {folder.suffix} is the end of a "
                             "file's name; give the name of a folder")
        folder = next(one for one in folder.absolute().parents if os.path.lexists(one))
        if not folder.is_dir():
            raise ValueError(f"{path}: {folder} is no folder")
    with _temporary(folder.resolve() / "probe", path):
        for name in names:
            if os.path.lexists(Path(path) / name):
                _target(Path(path) / name)


@contextmanager
def sparing(*paths: str | Path) -> Iterator[None]:
    """Within the block, let no file be written in the place of these, which are being read.

    Parameters
    ----------
    *paths : str or path
        Files, whatever names and links lead to them; and folders, whose pictures are meant, with
        those of folders inside. What does not exist is passed over.
    """
    there = tuple(os.path.realpath(path) for path in paths if os.path.exists(path))
    token = _spared.set(_spared.get() + there)
    try:
        yield
    finally:
        _spared.reset(token)


def _target(path):
    """The file to write, with links resolved; ValueError if it cannot be a file."""
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise ValueError(f"{path}: the folder {Path(path).parent} does not exist; create it first")
    if target.exists() and not target.is_file():
        what = "a folder" if target.is_dir() else "not an ordinary file"
        raise ValueError(f"{path}: cannot be written, because it is {what}; give the name of a "
                         "file")
    if target.exists() and not os.access(target, os.W_OK):
        raise ValueError(f"{path}: is there already and write-protected; give another name")
    for spared in _spared.get() if target.exists() else ():
        inside = target.suffix.lower() in PICTURES and Path(spared) in target.parents
        if inside or os.path.exists(spared) and os.path.samefile(spared, target):
            what = f"one of the photos of {spared}" if inside else "an input of this command"
            raise ValueError(f"{path}: is {what} and would be replaced; give another name")
    return target
