"""What of a download has arrived: NAME.part beside its destination, locked while it grows.

NAME.part.json says of which address and of which version of the file it is the beginning. The lock
is the operating system's, on the open .part, and ends with the process however that ends; so of two
processes that want one file the second is told to wait, and none ever writes into the other's.
"""

import errno
import json
import os
from contextlib import contextmanager, suppress

from minicnn.images import atomic

LOCKED = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)


class PartError(ValueError):
    """A part that is another process's, or cannot be written; the message is one line."""


@contextmanager
def opened(to):
    """The part of a file, made where there is none, locked; an empty one is removed at the end.

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
        Another process has it.
    """
    path = to.with_name(f"{to.name}.part")
    while True:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(path, flags, 0o644), "r+b") as file:
            if not _lock(file):
                raise PartError(f"{to.name} is being downloaded by another process; wait until it "
                                "has finished")
            if _is(path, file):  # and was not given its name before the lock was had
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
        Of the destination.
    path : Path
        Of the part itself.
    """

    def __init__(self, file, to, path):
        self._file, self._to, self.path, self.name = file, to, path, to.name
        self._state = to.with_name(f"{to.name}.part.json")

    def length(self):
        """How many bytes there are."""
        return self._file.seek(0, os.SEEK_END)

    def conditions(self, url, provable):
        """The headers that ask an address for the rest; none where there is nothing to go on from.

        If-Range makes a server send the whole where the file is another one by now. Without it, or
        at another address, going on is a risk, taken only where a hash will prove the result.

        Parameters
        ----------
        url : str
        provable : bool

        Returns
        -------
        dict of str to str
        """
        begun, said = self.length(), {}
        with suppress(OSError, ValueError):
            said = json.loads(self._state.read_text(encoding="utf-8"))
        same = isinstance(said, dict) and said.get("url") == url
        validator = said.get("version") if same else None
        if not begun or not (validator or provable):
            return {}
        return {"Range": f"bytes={begun}-"} | ({"If-Range": validator} if validator else {})

    def restart(self, url=None, headers=None):
        """Forget what there is; what comes now is from `url`, described by its `headers`."""
        tag, modified = (headers or {}).get("ETag"), (headers or {}).get("Last-Modified")
        strong = tag and not tag.startswith("W/")  # only such a one is of use for If-Range
        said = {"url": url, "version": tag if strong else modified}
        with self._written():
            self._file.truncate(0)
            with atomic(self._state) as temporary:
                temporary.write_text(json.dumps(said), encoding="utf-8")

    def append(self, block):
        """Write at the end, at once."""
        with self._written():
            self._file.seek(0, os.SEEK_END)
            self._file.write(block)
            self._file.flush()

    def finish(self):
        """Give the file its name."""
        with self._written():
            os.fsync(self._file.fileno())
            if os.name == "nt":  # where an open file cannot be renamed
                self._file.close()
            os.replace(self.path, self._to)
            self._state.unlink(missing_ok=True)

    def tidy(self):
        """Leave no empty part behind."""
        if not self._file.closed and _is(self.path, self._file) and self.length() == 0:
            self.path.unlink(missing_ok=True)
            self._state.unlink(missing_ok=True)

    @contextmanager
    def _written(self):
        try:
            yield
        except OSError as error:
            raise PartError(f"{self.path}: cannot be written: {error.strerror or error}") from None


def _is(path, file):
    try:
        return os.path.samestat(os.stat(path), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _lock(file):
    """False where another process has the lock; a file system without locks has to do without."""
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(1 << 40)  # beyond the end: what is locked there nobody can read
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in LOCKED
    return True
