"""Create an HDF5 file, completely or not at all, also on a disk that fills up.

HDF5's library may lose the error of a failed write, because what it keeps in memory is written when
an object is closed, which happens at any time and must not fail; or it crashes. So it never sees
the error: it writes through a file of ours, which keeps the first one and raises it at the end.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from minicnn.images import atomic

if TYPE_CHECKING:
    import h5py


@contextmanager
def created(path: str | Path) -> Iterator[h5py.File]:
    """A new HDF5 file, open to write; it gets its name at the end of the block.

    Parameters
    ----------
    path : str or path

    Yields
    ------
    h5py.File

    Raises
    ------
    ValueError, OSError
        As for `images.atomic`; an older file of that name then stays.
    """
    import h5py

    with atomic(path) as temporary, _Disk(temporary, "r+") as disk:
        try:
            with h5py.File(disk, "w", libver="latest") as file:
                yield file
        finally:
            if disk.error is not None:
                raise disk.error from None
        if os.fstat(disk.fileno()).st_size != disk.end:
            raise OSError(f"{path}: {disk.end:,} bytes were written, and the file has "
                          f"{os.fstat(disk.fileno()).st_size:,}")


class _Disk(io.FileIO):
    """A file that keeps its first error in writing as `error`, and then takes all and writes none.

    `end` is the size that it should have.
    """

    error, end = None, 0

    def write(self, data):
        """Write bytes at the present place; returns their number, whatever became of them."""
        rest = memoryview(data).cast("B")
        self.end = max(self.end, self.tell() + len(rest))
        try:
            while rest and self.error is None:  # a full disk may take a part
                rest = rest[os.write(self.fileno(), rest):]
        except OSError as error:
            self.error = error
        return len(data)

    def truncate(self, size=None):
        """Give the file a size, or the present place as its end; returns that size."""
        self.end = self.tell() if size is None else size
        try:
            return super().truncate(size)
        except OSError as error:
            self.error = self.error or error
            return self.end
