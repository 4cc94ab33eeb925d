"""Reader of safetensors files: arrays beside a JSON header, and no program anywhere.

The first 8 bytes are the size of the header; the header is JSON, {name: {"dtype": "F32", "shape":
[64, 3, 3, 3], "data_offsets": [begin, end]}, ...}, with the offsets counted from its end; the
numbers follow, little-endian and row-major, without holes. "__metadata__" holds texts, of which
"format" names the framework. (Source: the README of huggingface/safetensors.)

The numbers are not copied: the arrays are views of the mapped file; bfloat16 becomes float32.
"""

from math import prod

from minicnn.files import mapped
from minicnn.files.errors import Damaged
from minicnn.files.mapped import BFLOAT16, Region, take
from minicnn.foreign import json_text
from minicnn.foreign.contents import Foreign
from minicnn.foreign.numpy_file import layout_of
from minicnn.foreign.torch_file import without_prefix

WHAT = "a safetensors file"
KINDS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<" + BFLOAT16, "I64": "<i8",
         "I32": "<i4", "I16": "<i2", "I8": "|i1", "U8": "|u1", "BOOL": "|b1", "U16": "<u2",
         "U32": "<u4", "U64": "<u8"}
LAYOUTS = {"pt": "OIHW", "tf": "HWIO", "flax": "HWIO"}  # by the framework's habit
ENTRY = {"dtype", "shape", "data_offsets"}


def recognises(path):
    """Whether a file begins as a safetensors file does."""
    head = mapped.head(path, 10)
    return len(head) == 10 and head[8:9] == b"{" and head[9:10] in b'"} \n\t' and (
        2 <= int.from_bytes(head[:8], "little") <= 2**27)


def read(path):
    """Read the arrays of a file.

    Parameters
    ----------
    path : str or path
        Of a .safetensors file, whatever its name.

    Returns
    -------
    Foreign
        The layout is that of the framework the file names; where it names none, the one that the
        kernels' shapes fit, PyTorch's if they fit both. The arrays are views of the file, and
        cannot be written to.

    Raises
    ------
    WeightsError
        Naming the file: not such a file, or damaged.
    """
    with mapped.opened(path, WHAT) as data:
        header, begin = _header(data)
        says = header.pop("__metadata__", {})
        if type(says) is not dict or not all(type(word) is str for word in says.values()):
            raise ValueError("its __metadata__ is no table of texts")
        regions = [_region(name, entry, begin) for name, entry in header.items()]
        _check_no_holes(header, len(data) - begin)
        arrays, notes = mapped.arrays(data, regions), []
        layout = _layout(says.get("format", "np"), arrays, notes)
    if any(region.kind.endswith(BFLOAT16) for region in regions):
        notes.append("Its bfloat16 numbers were widened to float32, which loses nothing.")
    return Foreign("safetensors", without_prefix(arrays, notes), layout, says=says, notes=notes)


def _header(data):
    """The header, and the byte after it."""
    size = int.from_bytes(take(data, 0, 8), "little")
    if size > json_text.LONGEST:
        raise ValueError(f"its header would take {size:,} bytes, more than {json_text.LONGEST:,}")
    header = json_text.parsed(take(data, 8, size), "its header")
    if type(header) is not dict:
        raise ValueError("its header is no table of arrays")
    return header, 8 + size


def _layout(framework, arrays, notes):
    if framework == "np":
        layout = layout_of(arrays) or "OIHW"
        notes.append("The file does not name a framework; by their shapes its kernels are taken "
                     f"as {layout}.")
        return layout
    if framework not in LAYOUTS:
        raise ValueError(f"it is of the framework {framework!r:.40}, whose layout is not known "
                         f"here; known are {', '.join(LAYOUTS)}")
    return LAYOUTS[framework]


def _region(name, entry, begin):
    if type(entry) is not dict or set(entry) != ENTRY:
        raise ValueError(f"{mapped.short(name)}: expected an entry of {', '.join(sorted(ENTRY))}")
    kind, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if type(kind) is not str or kind not in KINDS:
        raise ValueError(f"{mapped.short(name)}: numbers of a type {kind!r:.20} are not known "
                         f"here; known are {', '.join(KINDS)}")
    for numbers in (shape, offsets):
        if type(numbers) is not list or len(numbers) > mapped.MOST_DIMENSIONS or not (
                mapped.whole(*numbers)):
            raise ValueError(f"{mapped.short(name)}: expected a shape and offsets of whole numbers")
    size = prod(shape) * mapped.itemsize(KINDS[kind])
    if len(offsets) != 2 or offsets[1] - offsets[0] != size:
        raise ValueError(f"{mapped.short(name)}: of shape {tuple(shape)} and type {kind} it takes "
                         f"{size} bytes, and its offsets are {offsets}")
    return Region(name, KINDS[kind], tuple(shape), begin + offsets[0])


def _check_no_holes(header, size):
    """The arrays, one after the other, are to fill all that follows the header."""
    end = 0
    for first, last in sorted(entry["data_offsets"] for entry in header.values()):
        if first != end:
            raise Damaged(f"its arrays overlap or leave a hole at byte {end} of its numbers")
        end = last
    if end != size:
        raise Damaged(f"its arrays take {end:,} bytes, and {size:,} are there")
