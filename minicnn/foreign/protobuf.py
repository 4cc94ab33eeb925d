"""Reader of untrusted messages in the wire format of protocol buffers.

A message is a sequence of fields. A field begins with a varint, `number << 3 | wire type`, followed
by its value, depending on the wire type:

    0  a varint: seven bits per byte, lowest first; the eighth bit says that more bytes follow
    1  eight bytes
    2  a varint n, then n bytes: text, another message, or packed numbers
    5  four bytes

The file does not say what a number means; the caller provides a schema. Fields outside the schema
are skipped, so messages nest no deeper than the schema. Lengths are checked against the remaining
bytes, fields are counted, and numbers are not copied: memory and time stay in proportion to the
file.

Source: protobuf.dev, "Encoding". Groups (wire types 3 and 4), long deprecated, raise an error.
"""

from functools import partial

import numpy as np

from minicnn.foreign.settings import require

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
WIDTHS = {FIXED64: 8, FIXED32: 4}
INT, TEXT, FLOAT, FLOATS, DOUBLES, IGNORED = "int", "text", "float", "floats", "doubles", "ignored"
WIRES = {INT: (VARINT, BYTES), TEXT: (BYTES,), FLOAT: (FIXED32, BYTES),
         FLOATS: (FIXED32, BYTES), DOUBLES: (FIXED64, BYTES)}
MOST_FIELDS = 200_000  # fields read in one file, ten letters count as one; networks have 10,000
LONGEST_TEXT = 10_000  # bytes
MOST_PIECES = 100  # pieces of one array; writers make one


class WireError(ValueError):
    """The bytes are not a valid message of the schema; the error says where and why."""


valid = partial(require, error=WireError)


class Reader:
    """The fields of a message in memory.

    Parameters
    ----------
    data : bytes
        Not copied; the arrays that `message` returns are views of it.
    """

    def __init__(self, data):
        self.data, self.visited = data, 0

    def varint(self, at, end):
        """(value, the byte after it) of the varint at a byte."""
        value = 0
        for k in range(10):
            valid(at + k < end, "at byte {:,}: it ends in the middle of a number", at)
            byte = self.data[at + k]
            value |= (byte & 127) << 7 * k
            if byte < 128:
                return value & (1 << 64) - 1, at + k + 1
        raise WireError(f"at byte {at:,}: a number of more than 64 bits")

    def message(self, schema, start=0, end=None):
        """A message as plain values.

        Parameters
        ----------
        schema : dict
            {number: (name, kind)}; a kind is INT, TEXT, FLOAT, FLOATS, DOUBLES, IGNORED, or the
            schema of a message.

        Returns
        -------
        dict of str to list
            {name: values in the file's order}, as int (signed), str, float or dict; FLOATS and
            DOUBLES are lists of arrays. A field outside the schema becomes "field 7": [None].
        """
        found, at, end = {}, start, len(self.data) if end is None else end
        while at < end:
            number, wire, value, at = self._field(at, end)
            name, kind = schema.get(number, (f"field {number}", None))
            if kind is None:
                found[name] = [None]
            elif kind != IGNORED:
                found.setdefault(name, []).extend(self._values(name, kind, wire, value))
        return found

    def _field(self, start, end):
        """(number, wire type, value, first byte of the next field) of the field at byte `start`.

        The value of a varint is an unsigned int of 64 bits; that of wire type 2 is (first byte, the
        byte after its last). Consecutive fields with the same number and a fixed width are returned
        as one array, (n,) uint32 or uint64, a view.
        """
        tag, at = self.varint(start, end)
        self._count(start)
        number, wire = tag >> 3, tag & 7
        valid(number and wire in (VARINT, BYTES, *WIDTHS), "at byte {:,}: not the beginning of a "
              "field (number {:,}, wire type {})", start, number, wire)
        if wire in WIDTHS:
            return number, wire, *self._fixed(start, at, end, WIDTHS[wire])
        value, at = self.varint(at, end)
        if wire == VARINT:
            return number, wire, value, at
        valid(value <= end - at, "at byte {:,}: a field declares {:,} bytes, but {:,} are left",
              start, value, end - at)
        return number, wire, (at, at + value), at + value

    def _values(self, name, kind, wire, value):
        expected = (BYTES,) if isinstance(kind, dict) else WIRES[kind]
        valid(wire in expected, "field {!r} has wire type {}, expected {}", name, wire,
              " or ".join(map(str, expected)))
        if isinstance(kind, dict):
            return [self.message(kind, *value)]
        if kind == TEXT:
            return [self._text(name, *value)]
        if kind == INT:
            numbers = [value] if wire == VARINT else self._varints(*value)
            return [n - (1 << 64) if n >> 63 else n for n in numbers]  # int64 in two's complement
        array = value if wire != BYTES else self._packed(name, WIDTHS[expected[0]], *value)
        array = array.view("<f8" if kind == DOUBLES else "<f4")
        if kind != FLOAT:
            return [array]
        self._count(0, array.size)
        return [float(str(number)) for number in array]  # 1e-4, not 9.99999974e-05

    def _text(self, name, start, end):
        valid(end - start <= LONGEST_TEXT, "at byte {:,}: {!r} is a text of {:,} bytes, more than "
              "{:,}", start, name, end - start, LONGEST_TEXT)
        self._count(start, (end - start) // 10)
        return bytes(self.data[start:end]).decode("utf-8", "backslashreplace")

    def _packed(self, name, width, start, end):
        valid((end - start) % width == 0, "at byte {:,}: {!r} has {:,} bytes, not a multiple of {}",
              start, name, end - start, width)
        return np.frombuffer(self.data, f"<u{width}", (end - start) // width, start)

    def _varints(self, at, end):
        while at < end:
            self._count(at)
            value, at = self.varint(at, end)
            yield value

    def _fixed(self, tag_at, at, end, width):
        """(the array of all consecutive fields with the same tag, the byte after the last)."""
        step = at - tag_at + width
        valid(tag_at + step <= end, "at byte {:,}: it ends in the middle of a number", tag_at)
        count = self._run(tag_at, at, (end - tag_at) // step, step) if at - tag_at == 1 else 1
        values = np.ndarray((count,), f"<u{width}", self.data, at, (step,))
        return values, tag_at + count * step

    def _run(self, tag_at, at, most, step):
        """The number of consecutive fields, `step` bytes apart, with the same one-byte tag."""
        tags = np.ndarray((most,), np.uint8, self.data, tag_at, (step,))
        count, block = 1, 64  # the block doubles: VGG-16's 138 million single numbers take 0.7 s
        while count < most:
            other = np.flatnonzero(tags[count:count + block] != tags[0])
            if len(other):
                return count + int(other[0])
            count, block = min(count + block, most), 2 * block
        return count

    def _count(self, at, fields=1):
        self.visited += fields
        valid(self.visited <= MOST_FIELDS, "at byte {:,}: more than {:,} fields, far more than a "
              "network has", at, MOST_FIELDS)


def joined(pieces, name):
    """One array from the pieces of FLOATS or DOUBLES; a view if there is only one piece."""
    valid(len(pieces) <= MOST_PIECES, "{!r} is in {:,} pieces, more than {}", name, len(pieces),
          MOST_PIECES)
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
