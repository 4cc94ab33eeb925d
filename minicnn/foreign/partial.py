"""A partial download: NAME.part beside its destination, locked while it grows.

NAME.part.json records the address and the version of the file. The operating system locks the open
.part and releases it when the process ends, however it ends. If two processes download the same
file, the second is told to wait, and neither writes into the other's part.
"""

import errno
import json
import os
from contextlib import contextmanager, suppress

from minicnn.images import write

LOCKED = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)


class PartError(ValueError):
    """A part is locked by another process, or cannot be written; the message is one line."""


@contextmanager
def opened(to):
    """Open the part of a file, created if missing, and lock it; remove it at the end if empty.

    Parameters
    ----------
    to : Path
        The destination.

    Yields
    ------
    PartialDownload

    Raises
    ------
    PartError
        Another process has locked it.
    """
    path = to.with_name(f"{to.name}.part")
    while True:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(path, flags, 0o644), "r+b") as file:
            if not _lock(file):
                raise PartError(f"{to.name} is being downloaded by another process; wait until it "
                                "has finished")
            if _is(path, file):  # else another process finished and renamed it before we locked
                part = PartialDownload(file, to, path)
                try:
                    yield part
                finally:
                    part.tidy()
                return


class PartialDownload:
    """The beginning of a file, open and locked.

    Attributes
    ----------
    name : str
        The destination's name.
    path : Path
        The part's path.
    """

    def __init__(self, file, to, path):
        self._file, self._to, self.path, self.name = file, to, path, to.name
        self._state = _state(to)

    def length(self):
        """The number of bytes downloaded so far."""
        return self._file.seek(0, os.SEEK_END)

    def conditions(self, url, provable):
        """The headers that request the rest of the file; none if the download must start afresh.

        If-Range makes a server send the whole file if it has changed. Without it, or at another
        address, resuming is only safe if a hash will verify the result.

        Parameters
        ----------
        url : str
        provable : bool
            Whether a hash of the file is known.

        Returns
        -------
        dict of str to str
        """
        begun, said = self.length(), _said(self._to)
        same = said.get("url") == url
        validator = said.get("version") if same else None
        if not begun or not (validator or provable):
            return {}
        return {"Range": f"bytes={begun}-"} | ({"If-Range": validator} if validator else {})

    def restart(self, url=None, headers=None):
        """Discard the bytes so far; the next ones come from `url`, which sent these `headers`."""
        tag, modified = (headers or {}).get("ETag"), (headers or {}).get("Last-Modified")
        strong = tag and not tag.startswith("W/")  # If-Range requires a strong ETag
        said = {"url": url, "version": tag if strong else modified}
        with self._written():
            self._file.truncate(0)
            write(self._state, json.dumps(said))

    def append(self, block):
        """Append a block and flush it."""
        with self._written():
            self._file.seek(0, os.SEEK_END)
            self._file.write(block)
            self._file.flush()

    def finish(self, remember=False):
        """Rename the complete part to its destination; `remember` keeps its `origin`."""
        with self._written():
            os.fsync(self._file.fileno())
            if os.name == "nt":  # Windows cannot rename an open file
                self._file.close()
            os.replace(self.path, self._to)
            if not remember:
                forget(self._to)

    def tidy(self):
        """Remove an empty part."""
        if not self._file.closed and _is(self.path, self._file) and self.length() == 0:
            self.path.unlink(missing_ok=True)
            self._state.unlink(missing_ok=True)

    @contextmanager
    def _written(self):
        try:
            yield
        except OSError as error:
            raise PartError(f"{self._to}: cannot be written: {error.strerror or error}") from None


def origin(to):
    """The address that a file came from, if `finish` remembered it."""
    return _said(to).get("url")


def forget(to):
    """Remove what is remembered of a file."""
    _state(to).unlink(missing_ok=True)


def _state(to):
    return to.with_name(f"{to.name}.part.json")


def _said(to):
    with suppress(OSError, ValueError):
        said = json.loads(_state(to).read_text(encoding="utf-8"))
        return said if isinstance(said, dict) else {}
    return {}


def _is(path, file):
    try:
        return os.path.samestat(os.stat(path), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _lock(file):
    """False if another process has the lock; True also on a file system without locks."""
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(1 << 40)  # beyond the end, as Windows forbids reading locked bytes
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in LOCKED
    return True
