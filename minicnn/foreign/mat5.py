"""Reader of untrusted MATLAB .mat files of level 5, which `save` writes unless -v7.3 is given.

A file is a header of 128 bytes and then elements, each a tag of 8 bytes (type, size) and `size`
bytes. An element of type 15 is compressed with zlib; it contains one of type 14, a matrix, which is
a sequence of elements: flags, dimensions, name, and contents according to the class: numbers, text
or, for cells and structures, matrices again. If the size is at most 4, a tag may hold the data
itself in its 8 bytes.

Sizes are checked against the remaining bytes, and the values, their bytes and the nesting are
limited, because a few bytes can demand any amount of memory. (SciPy's reader trusts the sizes: a
file with a few changed bytes can crash the process.) Functions and objects are never created.

Source: MathWorks, "MAT-File Format", level 5.
"""

import zlib
from math import prod

import numpy as np

from minicnn.files.mapped import most_bytes
from minicnn.foreign.settings import require

START = b"MATLAB 5.0 MAT-file"
HEADER = 128
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8",
           13: "u8"}  # {an element's type: NumPy's}
TEXTS = {1: "latin-1", 2: "latin-1", 4: "utf-16{}", 16: "utf-8", 17: "utf-16{}", 18: "utf-32{}"}
ORDERS = {"<": "-le", ">": "-be"}  # suffixes of UTF-16 and UTF-32
MATRIX, COMPRESSED = 14, 15
CELL, STRUCT, CHAR = 1, 2, 4
CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8",
           15: "u8"}  # {a class of numbers: NumPy's type}
COMPLEX = 0x08
MOST_VALUES = 200_000
DEEPEST = 20  # cells in structures in cells


def read(data, wanted):
    """Read the variables with the wanted names.

    Parameters
    ----------
    data : memoryview
        The whole file.
    wanted : set of str

    Returns
    -------
    dict of str to value
        An array for numbers (in MATLAB's shape, at least two dimensions), a str for one line of
        text, a list of str for several lines, a list for a cell (column by column), a dict for a
        structure, a list of dicts for an array of structures, and None for anything else:
        functions, objects, sparse and complex numbers.

    Raises
    ------
    ValueError
        Naming what is wrong, and where.
    """
    require(bytes(data[:10]) != b"MATLAB 7.3", "it was saved with -v7.3, a form that is not read; "
            "load it in MATLAB and save it again with -v7")
    if bytes(data[:len(START)]) != START or len(data) < HEADER:
        raise ValueError("it does not begin like a MATLAB file of level 5")
    order = {b"IM": "<", b"MI": ">"}.get(bytes(data[126:128]))
    require(order is not None, "its header does not give the byte order")
    return _File(data, order).variables(wanted)


class _File:
    def __init__(self, data, order):
        self.data, self.order = data, order
        self.values = 0
        self.bytes_left = most_bytes(len(data))

    def variables(self, wanted):
        """{name: value} of the wanted variables; the contents of the others are not read."""
        found, at = {}, HEADER
        while at < len(self.data):
            kind, part, after = self.element(self.data, at, padded=False)
            if kind == COMPRESSED:
                kind, part, _ = self.element(self.unpacked(part, at), 0)
            require(kind == MATRIX,
                    "at byte {:,}: expected a variable, got an element of type {}", at, kind)
            name, value = self.matrix(part, 0, wanted)
            if name in wanted:
                found[name] = value
            at = after
        return found

    def element(self, data, at, padded=True):
        """(type, contents, first byte of the next element) of the element at byte `at`."""
        require(at + 8 <= len(data), "it ends in the middle of an element")
        first, size = (int(v) for v in np.frombuffer(data, f"{self.order}u4", 2, at))
        if first >> 16:
            kind, size, start, after = first & 0xFFFF, first >> 16, at + 4, at + 8
            require(size <= 4, "a short element declares {} bytes, more than 4", size)
        else:
            kind, start = first, at + 8
            after = start + (-(-size // 8) * 8 if padded else size)
        require(start + size <= len(data),
                "an element declares {:,} bytes, but {:,} are left", size, len(data) - start)
        return kind, data[start:start + size], after

    def unpacked(self, part, at):
        """The decompressed bytes of an element; ValueError if there are too many."""
        engine = zlib.decompressobj()
        try:
            whole = engine.decompress(part, self.bytes_left + 1)
        except zlib.error as error:
            raise ValueError(f"at byte {at:,}: cannot be decompressed: {error}") from None
        self.spend(len(whole))
        require(engine.eof, "at byte {:,}: the compressed data are cut short", at)
        return memoryview(whole)

    def spend(self, size):
        """Count the bytes of memory that the file takes; ValueError if there are too many."""
        self.bytes_left -= size
        require(self.bytes_left >= 0, "it decompresses to far more than the file's size")

    def matrix(self, data, depth, wanted=None):
        """(name, value) of a matrix's contents; the value is None if the name is not wanted."""
        self.values += 1
        require(self.values <= MOST_VALUES and depth <= DEEPEST, "it holds more than {:,} values, "
                "or values in values more than {} deep", MOST_VALUES, DEEPEST)
        if not len(data):
            return "", np.zeros((0, 0))
        flags, at = self.numbers(data, 0)
        dims, at = self.numbers(data, at) if len(flags) else (flags, at)
        if not len(flags) or int(flags[0]) & 0xFF not in (CELL, STRUCT, CHAR, *CLASSES):
            return "", None  # an object or a function, which has other elements
        shape = tuple(int(side) for side in dims)
        if len(shape) < 2 or len(shape) > 16 or min(shape) < 0:
            raise ValueError(f"an array has the shape {shape!r:.80}; expected 2 to 16 sides")
        name, at = self.text(data, at)
        if wanted is not None and name not in wanted:
            return name, None
        return name, self.contents(int(flags[0]), shape, data, at, depth)

    def contents(self, flags, shape, data, at, depth):
        """The value of a matrix whose contents begin at byte `at`; None for complex numbers."""
        kind = flags & 0xFF
        if kind == CELL:
            return self.several(prod(shape), data, at, depth)[0]
        if kind == STRUCT:
            return self.structure(prod(shape), data, at, depth)
        if kind == CHAR:
            return self.lines(shape, data, at)
        if flags >> 8 & COMPLEX:
            return None
        array, _ = self.numbers(data, at)
        if array.size != prod(shape):
            raise ValueError(f"{array.size:,} numbers do not fill the shape {shape!r:.80}")
        wanted = np.dtype(self.order + CLASSES[kind])
        if array.dtype != wanted:  # MATLAB stores whole numbers in as few bytes as possible
            self.spend(array.size * wanted.itemsize)
            array = array.astype(wanted)
        return array.reshape(shape, order="F")

    def several(self, count, data, at, depth):
        """(the values of `count` consecutive matrices, the byte after them)."""
        require(count <= (len(data) - at) // 8,
                "a cell or structure declares {:,} values, more than fit into it", count)
        values = []
        for _ in range(count):
            kind, part, at = self.element(data, at)
            require(kind == MATRIX,
                    "expected a matrix element (type {}), got an element of type {}", MATRIX, kind)
            values.append(self.matrix(part, depth + 1)[1])
        return values, at

    def structure(self, count, data, at, depth):
        """A dict for one structure, a list of dicts for several."""
        length, at = self.numbers(data, at)
        _, raw, at = self.element(data, at)
        width = int(length[0]) if length.size == 1 else 0
        if not 0 < width <= 1000 or len(raw) % width:
            raise ValueError("the names of a structure's fields cannot be read")
        names = [bytes(raw[k:k + width]).split(b"\0")[0].decode("latin-1")
                 for k in range(0, len(raw), width)]
        records = []
        for _ in range(count if names else 0):
            values, at = self.several(len(names), data, at, depth)
            records.append(dict(zip(names, values, strict=True)))
        return records[0] if count == 1 and names else records

    def lines(self, shape, data, at):
        """Text: a str for one line, a list for several, which are stored column by column."""
        text, _ = self.text(data, at)
        if shape[0] <= 1:
            return text
        if len(text) != prod(shape):
            raise ValueError(f"{len(text):,} letters do not fill the shape {shape!r:.80}")
        return [text[row::shape[0]].rstrip() for row in range(shape[0])]

    def text(self, data, at):
        """(the text of the element at byte `at`, first byte of the next element)."""
        kind, part, after = self.element(data, at)
        require(kind in TEXTS, "expected text, got an element of type {}", kind)
        self.spend(4 * len(part))
        return bytes(part).decode(TEXTS[kind].format(ORDERS[self.order]), "replace"), after

    def numbers(self, data, at):
        """(a view of the numbers of the element at byte `at`, first byte of the next element)."""
        kind, part, after = self.element(data, at)
        require(kind in NUMBERS and not len(part) % int(NUMBERS[kind][1]),
                "expected numbers, got {:,} bytes of an element of type {}", len(part), kind)
        return np.frombuffer(part, self.order + NUMBERS[kind]), after
