"""Arrays that lie in a file, as views of it: what the readers of foreign weight files share.

A file is mapped, not read: its bytes take memory only where they are looked at, and a file of
500 MB opens at once. A reader finds out where each array lies, a `Region`; `arrays` checks every
region against the file, and their sum against the file's size, and only then makes the views.

The price: bytes that another program cuts off the file while views are in use end the process. So
what is kept (a network's weights, a mean image) is copied off the file.
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

BFLOAT16 = "bf2"  # the kind NumPy lacks: the upper half of a float32
MOST_ARRAYS = 50_000
LONGEST_NAME = 500
MOST_DIMENSIONS = 16


class Region(NamedTuple):
    """Where one array lies in a file.

    name: its name in the file. kind: NumPy's name of the numbers' type with their byte order,
    "<f4", or "<bf2" for bfloat16. start: byte it begins at. strides: in elements; None for
    row-major.
    """

    name: Any
    kind: str
    shape: tuple
    start: int
    strides: Any = None


@contextmanager
def opened(path, what):
    """The bytes of a file as a memoryview; whatever goes wrong inside becomes one WeightsError.

    Parameters
    ----------
    path : str or path
    what : str
        "a PyTorch file", for the error.
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
    """What is at a path where no file is, in words."""
    path = Path(path)
    if path.is_dir():
        return "is a folder"
    return "is a pipe or a device, and no file" if path.exists() else "no such file"


def head(path, size):
    """The first bytes of a file, at most `size`; none of what is no file."""
    if not Path(path).is_file():
        return b""
    with open(path, "rb") as file:
        return file.read(size)


def take(data, start, size):
    """`size` bytes from `start` on; ValueError where the data end before that."""
    if not 0 <= start <= start + size <= len(data):
        raise Damaged(f"{size} bytes are to lie at byte {start}, of {len(data)}")
    return bytes(data[start:start + size])


def arrays(data, regions):
    """The arrays of a file.

    Nothing is copied but bfloat16, which becomes float32. The arrays cannot be written to.

    Parameters
    ----------
    data : memoryview
        The file, from `opened`.
    regions : list of Region
        Of different names.

    Returns
    -------
    arrays : dict of str to array
        In the order of the regions.

    Raises
    ------
    ValueError
        A name that is not printable, numbers outside the file, or arrays that together are far
        larger than the file: a few bytes can describe any number of arrays of any size.
    """
    if len(regions) > MOST_ARRAYS:
        raise ValueError(f"it lists {len(regions)} arrays, more than the {MOST_ARRAYS} any network "
                         "here could have")
    for region in regions:
        _check(data, region)
    check_sum(sum(prod(region.shape) * (4 if BFLOAT16 in region.kind else itemsize(region.kind))
                  for region in regions), len(data))
    return {region.name: _view(data, region) for region in regions}


def let_go(array):
    """Free the memory that looking at an array's file has taken; its bytes can be looked at again.

    Parameters
    ----------
    array : array
        From `arrays`, or any other: then nothing is done.
    """
    base = array
    while isinstance(base, np.ndarray):
        base = base.base
    file = getattr(base, "obj", base)  # what a memoryview is of
    if isinstance(file, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        file.madvise(mmap.MADV_DONTNEED)


def most_bytes(size):
    """How many bytes may be made out of a file of `size`: a few can claim any number.

    Twice as many are honest (bfloat16, tied weights, compression), and any number of a small file.
    """
    return 3 * size + 2**26


def check_sum(needed, size):
    """Refuse arrays that together take `needed` bytes where a file of `size` is much smaller."""
    if needed > most_bytes(size):
        raise ValueError(f"its arrays would take {needed:,} bytes, and the file has {size:,}; at "
                         f"most {most_bytes(size):,} are made from it")


def whole(*numbers):
    """Whether these are whole numbers, not negative and of at most 63 bits."""
    return all(type(n) is int and 0 <= n <= sys.maxsize for n in numbers)


def extent(shape, strides):
    """How many elements an array reaches over, from its first to its last."""
    if 0 in shape:
        return 0
    return 1 + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True))


def row_major(shape):
    """The strides of an array that lies row after row, in elements."""
    return tuple(accumulate(shape[:0:-1], mul, initial=1))[::-1][:len(shape)]


def itemsize(kind):
    """Bytes a number of that kind takes in the file."""
    return 2 if kind.endswith(BFLOAT16) else np.dtype(kind).itemsize


def short(name):
    """An array's name for an error, whatever it is."""
    return f"{name!r:.60}" if isinstance(name, str) else f"a name that is a {type(name).__name__}"


def _check(data, region):
    if not isinstance(region.name, str) or len(region.name) > LONGEST_NAME or (
            not region.name.isprintable()):
        raise ValueError(f"{short(region.name)}: expected a name of printable characters, at most "
                         f"{LONGEST_NAME}")
    if not whole(region.start, *region.shape, *_strides(region)):
        raise ValueError(f"{short(region.name)}: expected a shape, strides and a place of whole "
                         "numbers that are not negative")
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
