"""Reader of NumPy's own files: .npy, one array, and .npz, a ZIP file of such files.

An array of Python objects is a pickle, which can hold any program, and is never opened. The numbers
are not copied: arrays are views of the mapped file; those of a compressed .npz are unpacked.

An .npz does not say how its kernels lie: of those whose shape tells (3, 3, 64, 128 can only be
HWIO), most decide. (Source of the form: numpy/lib/format.py.)
"""

import re
import struct
from math import prod
from pathlib import Path

from minicnn.files import mapped
from minicnn.files.errors import Damaged
from minicnn.files.mapped import Region, take
from minicnn.foreign import zips
from minicnn.foreign.contents import Foreign

WHAT = "a NumPy file"
MAGIC = b"\x93NUMPY"
SIZES = {1: "<H", 2: "<I"}  # of the header's length, by the major version
LONGEST_HEADER = 10_000
FIELDS = {
    "descr": r"'([<>|=]?[fiub][1248]|\|?O\d?)'",
    "fortran_order": r"(True|False)",
    "shape": r"\(([\dL, ]*)\)",
}


def recognises(path):
    """Whether a file is an .npy, or a ZIP file with members of that name, damaged or not."""
    head = mapped.head(path, len(MAGIC))
    return head == MAGIC or head.startswith(zips.MAGIC) and zips.has(path, ".npy")


def read(path):
    """Read the arrays of a file.

    Parameters
    ----------
    path : str or path
        Of an .npy or .npz file, whatever its name.

    Returns
    -------
    Foreign
        The arrays of an .npz by their names in it; that of an .npy by the file's. They are views
        of the file, and cannot be written to.

    Raises
    ------
    WeightsError
        Naming the file: not such a file, damaged, arrays of objects, or kernels that do not tell
        which way they lie.
    """
    with mapped.opened(path, WHAT) as data:
        if data[:4] == zips.MAGIC:
            kind, (arrays, notes) = "NumPy archive (.npz)", _archive(data)
        else:
            arrays, notes = mapped.arrays(data, [_region(data, Path(path).stem)]), []
            kind = "NumPy array (.npy)"
        layout = _layout(arrays, notes)
    return Foreign(kind, arrays, layout, notes=notes)


def _archive(data):
    """The arrays of an .npz, in its order; and notes."""
    members = zips.members(data)
    others = [name for name in members if not name.endswith(".npy")]
    if len(others) == len(members):
        raise ValueError("it is a ZIP file without a single .npy in it")
    notes = [f"Members that are no .npy are left out: {len(others)}, the first {others[0]!r:.60}."
             ] if others else []
    arrays = {}
    for name in [name for name in members if name.endswith(".npy")]:
        contents = zips.contents(data, members[name])
        arrays |= mapped.arrays(contents, [_region(contents, name.removesuffix(".npy"))])
    return arrays, notes


def _region(data, name):
    """Where the numbers of an .npy lie."""
    descr, fortran, shape, begin = _header(data)
    if "O" in descr:
        raise ValueError(f"{mapped.short(name)} holds Python objects, which are pickled and can "
                         "hold any program: it is not opened. Save arrays of numbers, each by its "
                         "name, with numpy.savez")
    size = prod(shape) * mapped.itemsize(descr)
    if begin + size != len(data):
        raise Damaged(f"{mapped.short(name)}: numbers of shape {shape} and type {descr} take "
                      f"{size:,} bytes, and {len(data) - begin:,} are there")
    strides = mapped.row_major(shape[::-1])[::-1] if fortran else None
    return Region(name, descr, shape, begin, strides)


def _header(data):
    """(descr, whether in Fortran's order, shape, the byte after the header)."""
    first = take(data, 0, 8)
    if first[:6] != MAGIC or first[6] not in SIZES:
        raise ValueError("it does not begin as version 1 or 2 of NumPy's form")
    form = SIZES[first[6]]
    size, = struct.unpack(form, take(data, 8, struct.calcsize(form)))
    if size > LONGEST_HEADER:
        raise ValueError(f"its header would take {size:,} bytes, more than {LONGEST_HEADER:,}")
    begin = 8 + struct.calcsize(form)
    text = take(data, begin, size).decode("latin-1")
    found = {key: re.search(f"['\"]{key}['\"]: *{pattern}", text)
             for key, pattern in FIELDS.items()}
    if not all(found.values()):
        raise ValueError(f"its header does not describe an array of numbers: {text[:60]!a}")
    shape = tuple(int(n) for n in re.findall(r"\d+", found["shape"][1]))
    return found["descr"][1], found["fortran_order"][1] == "True", shape, begin + size


def _layout(arrays, notes):
    layout = layout_of(arrays)
    if layout is None and any(array.ndim == 4 for array in arrays.values()):
        raise ValueError("the shapes of its kernels do not tell whether they lie as (out, in, "
                         "height, width) or (height, width, in, out); write them as safetensors, "
                         "or as Keras or PyTorch do")
    if layout is not None:
        notes.append(f"The file does not say how its kernels lie; by their shapes, as {layout}.")
    return layout or "HWIO"


def layout_of(arrays):
    """How kernels lie, "OIHW" or "HWIO", by their shapes; None where that does not tell.

    The kernels of which only the first two axes are equal, or only the last two, decide, by their
    number: nearly all kernels are square.
    """
    shapes = [array.shape for array in arrays.values() if array.ndim == 4]
    first = sum(a == b and c != d for a, b, c, d in shapes)
    last = sum(a != b and c == d for a, b, c, d in shapes)
    if first == last:
        return None
    return "HWIO" if first > last else "OIHW"
