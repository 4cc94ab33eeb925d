"""Reader of NumPy's own files: .npy, one array, and .npz, a ZIP file of .npy files.

An array of Python objects is a pickle, which can contain any program; it is never opened. The
numbers are not copied: arrays are views of the mapped file; only a compressed .npz is decompressed.

An .npz does not give the layout of its kernels. The majority of the kernels with an unambiguous
shape decides: (3, 3, 64, 128) can only be HWIO. (Source of the form: numpy/lib/format.py.)
"""

import re
from math import prod
from pathlib import Path

from minicnn.files import mapped
from minicnn.foreign import zips
from minicnn.foreign.contents import Foreign
from minicnn.foreign.settings import intact, require

WHAT = "a NumPy file"
MAGIC = b"\x93NUMPY"
SIZES = {1: 2, 2: 4}  # {major version: bytes of the header's length}
LONGEST_HEADER = 10_000
FIELDS = {
    "descr": r"'([<>|=]?[fiub][1248]|\|?O\d?)'",
    "fortran_order": r"(True|False)",
    "shape": r"\(([\dL, ]*)\)",
}


def recognises(path):
    """Whether a file is an .npy, or a ZIP file with .npy members, damaged or not."""
    head = mapped.head(path, len(MAGIC))
    return head == MAGIC or head.startswith(zips.MAGIC) and zips.has(path, ".npy")


def read(path):
    """Read the arrays of a file.

    Parameters
    ----------
    path : str or path
        An .npy or .npz file, with any name.

    Returns
    -------
    Foreign
        The arrays of an .npz under their names in it; the array of an .npy under the file's name.
        They are read-only views of the file.

    Raises
    ------
    WeightsError
        Naming the file: it has another format or is damaged, it holds arrays of objects, or the
        shapes of its kernels do not tell their layout.
    """
    with mapped.opened(path, WHAT) as data:
        if data[:4] == zips.MAGIC:
            kind, (arrays, notes) = "NumPy archive (.npz)", _archive(data)
        else:
            arrays, notes = mapped.arrays(data, [_region(data, Path(path).stem)]), []
            kind = "NumPy array (.npy)"
        layout = layout_of(arrays)
        require(layout or not any(array.ndim == 4 for array in arrays.values()),
                "the shapes of its kernels do not tell whether their axes are (out, in, height, "
                "width) or (height, width, in, out); save them as safetensors, or with Keras or "
                "PyTorch")
    notes += [f"The file does not give the layout of its kernels; their shapes suggest {layout}."
              ] if layout else []
    return Foreign(kind, arrays, layout or "HWIO", notes=notes)


def _archive(data):
    """The arrays of an .npz, in its order; and notes."""
    members = zips.members(data)
    others = [name for name in members if not name.endswith(".npy")]
    require(len(others) < len(members), "it is a ZIP file without any .npy member")
    arrays = {}
    for name in [name for name in members if name not in others]:
        contents = zips.contents(data, members[name])
        arrays |= mapped.arrays(contents, [_region(contents, name.removesuffix(".npy"))])
    return arrays, [f"{len(others)} members that are not .npy are left out, the first "
                    f"{others[0]!r:.60}."] if others else []


def _region(data, name):
    """The Region of the numbers in an .npy."""
    descr, fortran, shape, begin = _header(data)
    require("O" not in descr, "{} holds Python objects; their pickle can contain any program, so "
            "it is not opened. Save arrays of numbers, each by its name, with numpy.savez",
            mapped.short(name))
    size = prod(shape) * mapped.itemsize(descr)
    intact(begin + size == len(data), "{}: numbers of shape {} and type {} take {:,} bytes, but it "
           "has {:,}", mapped.short(name), shape, descr, size, len(data) - begin)
    strides = mapped.row_major(shape[::-1])[::-1] if fortran else None
    return mapped.Region(name, descr, shape, begin, strides)


def _header(data):
    """(descr, whether in Fortran order, shape, the byte after the header)."""
    first = mapped.take(data, 0, 8)
    require(first[:6] == MAGIC and first[6] in SIZES,
            "it does not begin like version 1 or 2 of NumPy's form")
    begin = 8 + SIZES[first[6]]
    size = int.from_bytes(mapped.take(data, 8, SIZES[first[6]]), "little")
    require(size <= LONGEST_HEADER, "its header would take {:,} bytes, more than {:,}", size,
            LONGEST_HEADER)
    text = mapped.take(data, begin, size).decode("latin-1")
    found = {key: re.search(f"['\"]{key}['\"]: *{pattern}", text)
             for key, pattern in FIELDS.items()}
    require(all(found.values()), "its header does not describe an array of numbers: {!a}",
            text[:60])
    shape = tuple(int(n) for n in re.findall(r"\d+", found["shape"][1]))
    return found["descr"][1], found["fortran_order"][1] == "True", shape, begin + size


def layout_of(arrays):
    """The layout of kernels, "OIHW" or "HWIO", from their shapes; None if it is ambiguous.

    Nearly all kernels are square. So a kernel with only its first two axes equal suggests HWIO, one
    with only its last two equal suggests OIHW, and the majority decides.
    """
    shapes = [array.shape for array in arrays.values() if array.ndim == 4]
    first = sum(a == b and c != d for a, b, c, d in shapes)
    last = sum(a != b and c == d for a, b, c, d in shapes)
    if first == last:
        return None
    return "HWIO" if first > last else "OIHW"
