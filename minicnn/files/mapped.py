"""The arrays of a file as views of its bytes; the readers of foreign weight files share this.

A file is memory-mapped, not read: its bytes take memory only once they are accessed, and a file of
500 MB opens at once. A reader finds where each array lies, a `Region`. `arrays` checks every region
against the file, and their sum against the file's size, before it makes the views.

The price: if another program truncates the file while views are in use, the process crashes. So
arrays to keep (a network's weights, a mean image) are copied.
"""

import mmap
import sys
from contextlib import contextmanager
from itertools import accumulate
from math import prod
from operator import mul
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minicnn.files.errors import Damaged, WeightsError, reading

BFLOAT16 = "bf2"  # a type that NumPy lacks: the upper half of a float32
MOST_ARRAYS = 50_000
LONGEST_NAME = 500
MOST_DIMENSIONS = 16


class Region(NamedTuple):
    """Where one array lies in a file.

    name: the array's name in the file. kind: NumPy's dtype string with the byte order, "<f4", or
    "<bf2" for bfloat16. start: the array's first byte. strides: in elements; None for row-major.
    """

    name: Any
    kind: str
    shape: tuple
    start: int
    strides: Any = None


@contextmanager
def opened(path, what):
    """The bytes of a file as a memoryview; errors inside the block become one WeightsError.

    Parameters
    ----------
    path : str or path
    what : str
        What the file is read as, for the error: "a PyTorch file".
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"{path}: {no_file(path)}; give the path of {what}")
    with reading(path, what):
        with open(path, "rb") as file:
            if path.stat().st_size == 0:
                raise ValueError("the file is empty (0 bytes); copy or download it again")
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        yield memoryview(data)


def no_file(path):
    """Why a path is not a file, in words."""
    path = Path(path)
    if path.is_dir():
        return "is a folder"
    return "is a pipe or a device, and no file" if path.exists() else "no such file"


def head(path, size):
    """The first bytes of a file, at most `size`; no bytes if the path is not a file."""
    if not Path(path).is_file():
        return b""
    with open(path, "rb") as file:
        return file.read(size)


def take(data, start, size):
    """The `size` bytes from `start` on; ValueError if the data end before that."""
    if not 0 <= start <= start + size <= len(data):
        raise Damaged(f"it declares {size} bytes at byte {start}, but is only {len(data)} bytes "
                      "long")
    return bytes(data[start:start + size])


def arrays(data, regions):
    """The arrays of a file.

    They are read-only views; only bfloat16 is copied, and becomes float32.

    Parameters
    ----------
    data : memoryview
        The file, from `opened`.
    regions : list of Region
        With different names.

    Returns
    -------
    arrays : dict of str to array
        In the order of the regions.

    Raises
    ------
    ValueError
        A name is not printable, numbers lie outside the file, or all arrays together are far larger
        than the file: a few bytes can declare any number of arrays of any size.
    """
    if len(regions) > MOST_ARRAYS:
        raise ValueError(f"it lists {len(regions)} arrays, more than the {MOST_ARRAYS} any network "
                         "of minicnn could have")
    for region in regions:
        _check(data, region)
    check_sum(sum(prod(region.shape) * (4 if BFLOAT16 in region.kind else itemsize(region.kind))
                  for region in regions), len(data))
    return {region.name: _view(data, region) for region in regions}


def let_go(array):
    """Free the memory used by the mapped bytes of an array's file; they can be accessed again.

    Parameters
    ----------
    array : array
        From `arrays`; for any other array nothing happens.
    """
    base = array
    while isinstance(base, np.ndarray):
        base = base.base
    file = getattr(base, "obj", base)  # the object behind a memoryview
    if isinstance(file, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        file.madvise(mmap.MADV_DONTNEED)


def most_bytes(size):
    """The most bytes that the arrays of a file of `size` bytes may take.

    Honest files need up to twice their size (bfloat16, tied weights, compression), small ones more.
    """
    return 3 * size + 2**26


def check_sum(needed, size):
    """Raise ValueError if arrays of `needed` bytes are far larger than a file of `size` bytes."""
    if needed > most_bytes(size):
        raise ValueError(f"its arrays would take {needed:,} bytes, and the file has {size:,}; at "
                         f"most {most_bytes(size):,} are allowed")


def whole(*numbers):
    """Whether all are whole numbers, not negative and of at most 63 bits."""
    return all(type(n) is int and 0 <= n <= sys.maxsize for n in numbers)


def extent(shape, strides):
    """The number of elements that an array spans, from its first to its last."""
    if 0 in shape:
        return 0
    return 1 + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True))


def row_major(shape):
    """The strides of a row-major array, in elements."""
    return tuple(accumulate(shape[:0:-1], mul, initial=1))[::-1][:len(shape)]


def itemsize(kind):
    """The bytes that a number of a kind takes in the file."""
    return 2 if kind.endswith(BFLOAT16) else np.dtype(kind).itemsize


def short(name):
    """An array's name for an error message, whatever its type."""
    return f"{name!r:.60}" if isinstance(name, str) else f"a name that is a {type(name).__name__}"


def _check(data, region):
    if not isinstance(region.name, str) or len(region.name) > LONGEST_NAME or (
            not region.name.isprintable()):
        raise ValueError(f"{short(region.name)}: expected a name of printable characters, at most "
                         f"{LONGEST_NAME}")
    if not whole(region.start, *region.shape, *_strides(region)):
        raise ValueError(f"{short(region.name)}: expected a shape, strides and a first byte of "
                         "whole numbers that are not negative")
    if len(region.shape) > MOST_DIMENSIONS or len(_strides(region)) != len(region.shape):
        raise ValueError(f"{short(region.name)}: expected at most {MOST_DIMENSIONS} dimensions, "
                         f"with one stride each, got {len(region.shape)}")
    if region.start + extent(region.shape, _strides(region)) * itemsize(region.kind) > len(data):
        raise Damaged(f"{short(region.name)}: its numbers, {region.shape} from byte "
                      f"{region.start} on, end beyond the file's {len(data):,} bytes")


def _view(data, region):
    if region.kind.endswith(BFLOAT16):  # the upper 16 bits of a float32
        bits = _view(data, region._replace(kind=region.kind[0] + "u2")).astype(np.uint32)
        np.left_shift(bits, 16, out=bits)
        return bits.view(np.float32)
    strides = [stride * itemsize(region.kind) for stride in _strides(region)]
    return np.ndarray(region.shape, region.kind, data, region.start, strides)


def _strides(region):
    return row_major(region.shape) if region.strides is None else region.strides
