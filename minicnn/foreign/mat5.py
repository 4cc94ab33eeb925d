"""MATLAB's .mat files of level 5, read with distrust: what `save` writes unless told -v7.3.

A file is a header of 128 bytes, then elements: a tag of 8 bytes (type, size) and `size` bytes. An
element of type 15 is packed by zlib; unpacked it is one of type 14, a matrix, which is itself a
run of elements: flags, dimensions, name, then the contents by class: numbers, text, or, for cells
and structures, matrices again. A tag whose size is at most 4 may hold its data in its own 8 bytes.

Sizes are checked against what is left, values counted, their bytes added up and nesting bounded,
because a few bytes can ask for any amount of memory. (SciPy's reader trusts the sizes: on files
with a few bytes changed it ends the whole process.) Functions and objects are never made.

Source: MathWorks, "MAT-File Format", level 5.
"""

import zlib
from math import prod

import numpy as np

from minicnn.files.mapped import most_bytes

START = b"MATLAB 5.0 MAT-file"
HEADER = 128
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8",
           13: "u8"}  # by an element's type
TEXTS = {1: "latin-1", 2: "latin-1", 4: "utf-16{}", 16: "utf-8", 17: "utf-16{}", 18: "utf-32{}"}
ORDERS = {"<": "-le", ">": "-be"}  # in a code's name
MATRIX, COMPRESSED = 14, 15
CELL, STRUCT, CHAR = 1, 2, 4
CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8",
           15: "u8"}  # of numbers
COMPLEX = 0x08
MOST_VALUES = 200_000
DEEPEST = 20  # cells in structures in cells


def read(data, wanted):
    """The variables of those names in a file.

    Parameters
    ----------
    data : memoryview
        The whole file.
    wanted : set of str

    Returns
    -------
    dict of str to value
        An array for numbers (in MATLAB's shape, at least two dimensions), a str for one line of
        text, a list of them for several, a list for a cell (column by column), a dict for a
        structure and a list of dicts for an array of them, and None for what is none of these:
        functions, objects, sparse and complex numbers.

    Raises
    ------
    ValueError
        Saying what is wrong, and where.
    """
    if bytes(data[:10]) == b"MATLAB 7.3":
        raise ValueError("it was saved with -v7.3, another form; in MATLAB load it and save it "
                         "again with -v7")
    if bytes(data[:len(START)]) != START or len(data) < HEADER:
        raise ValueError("it does not begin as a MATLAB file of level 5 does")
    order = {b"IM": "<", b"MI": ">"}.get(bytes(data[126:128]))
    if order is None:
        raise ValueError("its header does not say in which order its bytes lie")
    return _File(data, order).variables(wanted)


class _File:
    def __init__(self, data, order):
        self.data, self.order = data, order
        self.values = 0
        self.bytes_left = most_bytes(len(data))

    def variables(self, wanted):
        """{name: value} of the variables that are wanted; the others' contents are not read."""
        found, at = {}, HEADER
        while at < len(self.data):
            kind, part, after = self.element(self.data, at, padded=False)
            if kind == COMPRESSED:
                kind, part, _ = self.element(self.unpacked(part, at), 0)
            if kind != MATRIX:
                raise ValueError(f"at byte {at:,}: expected a variable, got an element of type "
                                 f"{kind}")
            name, value = self.matrix(part, 0, wanted)
            if name in wanted:
                found[name] = value
            at = after
        return found

    def element(self, data, at, padded=True):
        """(type, contents, where the next one begins) of the element at byte `at`."""
        if at + 8 > len(data):
            raise ValueError("it breaks off in the middle of an element")
        first, size = (int(v) for v in np.frombuffer(data, f"{self.order}u4", 2, at))
        if first >> 16:
            kind, size, start, after = first & 0xFFFF, first >> 16, at + 4, at + 8
            if size > 4:
                raise ValueError(f"a short element says it holds {size} bytes")
        else:
            kind, start = first, at + 8
            after = start + (-(-size // 8) * 8 if padded else size)
        if start + size > len(data):
            raise ValueError(f"an element says it holds {size:,} bytes, {len(data) - start:,} "
                             "are left")
        return kind, data[start:start + size], after

    def unpacked(self, part, at):
        """The bytes of a compressed element, as long as they stay in proportion."""
        engine = zlib.decompressobj()
        try:
            whole = engine.decompress(part, self.bytes_left + 1)
        except zlib.error as error:
            raise ValueError(f"at byte {at:,}: cannot be unpacked: {error}") from None
        self.spend(len(whole))
        if not engine.eof:
            raise ValueError(f"at byte {at:,}: what is packed breaks off")
        return memoryview(whole)

    def spend(self, size):
        """Count bytes that are made out of the file, and refuse too many."""
        self.bytes_left -= size
        if self.bytes_left < 0:
            raise ValueError("it unpacks to far more than the file's size")

    def matrix(self, data, depth, wanted=None):
        """(name, value) of a matrix's contents; the value is None where the name is not wanted."""
        self.values += 1
        if self.values > MOST_VALUES or depth > DEEPEST:
            raise ValueError(f"it holds more than {MOST_VALUES:,} values, or values in values "
                             f"more than {DEEPEST} deep")
        if not len(data):
            return "", np.zeros((0, 0))
        flags, at = self.numbers(data, 0)
        dims, at = self.numbers(data, at) if len(flags) else (flags, at)
        if not len(flags) or int(flags[0]) & 0xFF not in (CELL, STRUCT, CHAR, *CLASSES):
            return "", None  # objects and functions say other things here
        shape = tuple(int(side) for side in dims)
        if len(shape) < 2 or len(shape) > 16 or min(shape) < 0:
            raise ValueError(f"an array of the shape {shape!r:.80}")
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
        if array.dtype != wanted:  # MATLAB saves whole numbers in as few bytes as they need
            self.spend(array.size * wanted.itemsize)
            array = array.astype(wanted)
        return array.reshape(shape, order="F")

    def several(self, count, data, at, depth):
        """A number of matrices, one after the other, and where they end."""
        if count > (len(data) - at) // 8:
            raise ValueError(f"a cell or structure says it holds {count:,} values, more than there "
                             "is room for")
        values = []
        for _ in range(count):
            kind, part, at = self.element(data, at)
            if kind != MATRIX:
                raise ValueError(f"expected a value, got an element of type {kind}")
            values.append(self.matrix(part, depth + 1)[1])
        return values, at

    def structure(self, count, data, at, depth):
        """A dict, or a list of them."""
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
        """Text; several lines lie column by column."""
        text, _ = self.text(data, at)
        if shape[0] <= 1:
            return text
        if len(text) != prod(shape):
            raise ValueError(f"{len(text):,} letters do not fill the shape {shape!r:.80}")
        return [text[row::shape[0]].rstrip() for row in range(shape[0])]

    def text(self, data, at):
        """The text of the element at byte `at`, and where the next one begins."""
        kind, part, after = self.element(data, at)
        if kind not in TEXTS:
            raise ValueError(f"expected text, got an element of type {kind}")
        self.spend(4 * len(part))
        return bytes(part).decode(TEXTS[kind].format(ORDERS[self.order]), "replace"), after

    def numbers(self, data, at):
        """The numbers of the element at byte `at`, a view, and where the next one begins."""
        kind, part, after = self.element(data, at)
        if kind not in NUMBERS or len(part) % int(NUMBERS[kind][1]):
            raise ValueError(f"expected numbers, got {len(part):,} bytes of an element of type "
                             f"{kind}")
        return np.frombuffer(part, self.order + NUMBERS[kind]), after
