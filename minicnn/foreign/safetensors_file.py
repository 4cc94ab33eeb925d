"""Reader of safetensors files: a JSON header and arrays, without any program code.

The first 8 bytes are the size of the header. The header is JSON, {name: {"dtype": "F32", "shape":
[64, 3, 3, 3], "data_offsets": [begin, end]}, ...}, with offsets counted from the header's end. The
numbers follow, little-endian and row-major, without holes. "__metadata__" holds texts; "format" in
it names the framework. (Source: the README of huggingface/safetensors.)

The numbers are not copied: the arrays are views of the mapped file; only bfloat16 becomes float32.
"""

from math import prod

from minicnn.files import mapped
from minicnn.foreign import json_text
from minicnn.foreign.contents import Foreign
from minicnn.foreign.numpy_file import layout_of
from minicnn.foreign.settings import intact, require
from minicnn.foreign.torch_file import widened, without_prefix

WHAT = "a safetensors file"
KINDS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<" + mapped.BFLOAT16, "I64": "<i8",
         "I32": "<i4", "I16": "<i2", "I8": "|i1", "U8": "|u1", "BOOL": "|b1", "U16": "<u2",
         "U32": "<u4", "U64": "<u8"}
LAYOUTS = {"pt": "OIHW", "tf": "HWIO", "flax": "HWIO"}  # {framework: its usual layout}
ENTRY = {"dtype", "shape", "data_offsets"}


def recognises(path):
    """Whether a file begins like a safetensors file."""
    head = mapped.head(path, 10)
    return len(head) == 10 and head[8:9] == b"{" and head[9:10] in b'"} \n\t' and (
        2 <= int.from_bytes(head[:8], "little") <= 2**27)


def read(path):
    """Read the arrays of a file.

    Parameters
    ----------
    path : str or path
        A safetensors file, with any name.

    Returns
    -------
    Foreign
        The layout is that of the framework named in the file. If none is named, the kernels' shapes
        decide, in favour of PyTorch's if they fit both. The arrays are read-only views of the file.

    Raises
    ------
    WeightsError
        Naming the file: it has another format, or is damaged.
    """
    with mapped.opened(path, WHAT) as data:
        size = int.from_bytes(mapped.take(data, 0, 8), "little")
        require(size <= json_text.LONGEST, "its header would take {:,} bytes, more than {:,}", size,
                json_text.LONGEST)
        header = json_text.parsed(mapped.take(data, 8, size), "its header")
        require(type(header) is dict, "its header is not a table of arrays")
        says = header.pop("__metadata__", {})
        require(type(says) is dict and all(type(word) is str for word in says.values()),
                "its __metadata__ is not a table of texts")
        regions = [_region(name, entry, 8 + size) for name, entry in header.items()]
        _check_no_holes(header, len(data) - 8 - size)
        arrays, notes = mapped.arrays(data, regions), []
        layout = _layout(says.get("format", "np"), arrays, notes)
    notes += widened(regions)
    return Foreign("safetensors", without_prefix(arrays, notes), layout, says=says, notes=notes)


def _layout(framework, arrays, notes):
    if framework == "np":
        layout = layout_of(arrays) or "OIHW"
        notes.append("The file does not name a framework; the shapes of its kernels suggest the "
                     f"layout {layout}.")
        return layout
    require(framework in LAYOUTS, "it is of the framework {!r:.40}, whose layout is not known; the "
            "known frameworks are {}", framework, ", ".join(LAYOUTS))
    return LAYOUTS[framework]


def _region(name, entry, begin):
    where = mapped.short(name)
    require(type(entry) is dict and set(entry) == ENTRY, "{}: expected an entry of {}", where,
            ", ".join(sorted(ENTRY)))
    kind, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    require(type(kind) is str and kind in KINDS, "{}: the type of its numbers, {!r:.20}, is not "
            "known; the known types are {}", where, kind, ", ".join(KINDS))
    require(all(type(numbers) is list and len(numbers) <= mapped.MOST_DIMENSIONS
                and mapped.whole(*numbers) for numbers in (shape, offsets)),
            "{}: expected a shape and offsets of whole numbers", where)
    size = prod(shape) * mapped.itemsize(KINDS[kind])
    require(len(offsets) == 2 and offsets[1] - offsets[0] == size, "{}: with shape {} and type {} "
            "it takes {} bytes, but its offsets are {}", where, tuple(shape), kind, size, offsets)
    return mapped.Region(name, KINDS[kind], tuple(shape), begin + offsets[0])


def _check_no_holes(header, size):
    """Raise Damaged unless the arrays fill all bytes after the header without overlap."""
    end = 0
    for first, last in sorted(entry["data_offsets"] for entry in header.values()):
        intact(first == end, "its arrays overlap or leave a hole at byte {} of its numbers", end)
        end = last
    intact(end == size, "its arrays take {:,} bytes, but it has {:,}", end, size)
