"""Protocol buffers' wire format, read with distrust.

A message is a run of fields. A field begins with a varint, `number << 3 | wire type`; then comes,
for each wire type,

    0  a varint: seven bits a byte, lowest first, the eighth bit says that more follow
    1  eight bytes
    2  a varint n, then n bytes: text, another message, or numbers packed end to end
    5  four bytes

What a number means is not in the file; the caller brings a schema. What the schema does not name is
skipped, never entered, so that messages nest as deep as the schema does and no deeper. Lengths are
checked against what is left, fields are counted, and numbers are looked at where they lie: nothing
here takes memory or time out of proportion to the file.

Source: protobuf.dev, "Encoding". Groups (wire types 3 and 4), given up long ago, are refused.
"""

import numpy as np

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
WIDTHS = {FIXED64: 8, FIXED32: 4}
INT, TEXT, FLOAT, FLOATS, DOUBLES, IGNORED = "int", "text", "float", "floats", "doubles", "ignored"
WIRES = {INT: (VARINT, BYTES), TEXT: (BYTES,), FLOAT: (FIXED32, BYTES),
         FLOATS: (FIXED32, BYTES), DOUBLES: (FIXED64, BYTES)}
MOST_FIELDS = 200_000  # visited in one file, ten letters counting as one; networks have 10,000
LONGEST_TEXT = 10_000  # bytes
MOST_PIECES = 100  # in which one array may lie; writers make one


class WireError(ValueError):
    """Bytes that are no message, or not one of this schema; the message says where and why."""


class Reader:
    """The fields of a message in memory.

    Parameters
    ----------
    data : bytes
        Never copied; the arrays that `message` returns are views of it.
    """

    def __init__(self, data):
        self.data, self.visited = data, 0

    def varint(self, at, end):
        """(value, where it ends) of the varint at a byte."""
        value = 0
        for k in range(10):
            if at + k >= end:
                raise WireError(f"at byte {at:,}: it breaks off in the middle of a number")
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
            By name, in the file's order: int (signed), str, float, dict; FLOATS and DOUBLES are
            lists of arrays. A number without a name is noted as "field 7": [None].
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
        """(number, wire type, value, where the next begins) of the field at byte `start`.

        A varint's value is an int of 64 bits without sign; that of wire type 2 the two places
        between which its bytes lie. Neighbours of the same number and fixed width come as one
        array, (n,) uint32 or uint64, looked at in place.
        """
        tag, at = self.varint(start, end)
        self._count(start)
        number, wire = tag >> 3, tag & 7
        if number == 0 or wire not in (VARINT, BYTES, *WIDTHS):
            raise WireError(f"at byte {start:,}: no field begins there (number {number:,}, wire "
                            f"type {wire})")
        if wire in WIDTHS:
            return number, wire, *self._fixed(start, at, end, WIDTHS[wire])
        value, at = self.varint(at, end)
        if wire == VARINT:
            return number, wire, value, at
        if value > end - at:
            raise WireError(f"at byte {start:,}: a field says it holds {value:,} bytes, "
                            f"{end - at:,} are left")
        return number, wire, (at, at + value), at + value

    def _values(self, name, kind, wire, value):
        expected = (BYTES,) if isinstance(kind, dict) else WIRES[kind]
        if wire not in expected:
            raise WireError(f"field {name!r} has wire type {wire}, expected "
                            f"{' or '.join(map(str, expected))}")
        if isinstance(kind, dict):
            return [self.message(kind, *value)]
        if kind == TEXT:
            return [self._text(name, *value)]
        if kind == INT:
            numbers = [value] if wire == VARINT else self._varints(*value)
            return [n - (1 << 64) if n >> 63 else n for n in numbers]  # int64 in two's complement
        dtype = np.dtype("<f8" if kind == DOUBLES else "<f4")
        array = value.view(dtype) if wire != BYTES else self._packed(name, dtype, *value)
        if kind != FLOAT:
            return [array]
        self._count(0, array.size)
        return [float(str(number)) for number in array]  # 1e-4, not 9.99999974e-05

    def _text(self, name, start, end):
        if end - start > LONGEST_TEXT:
            raise WireError(f"at byte {start:,}: {name!r} is a text of {end - start:,} bytes")
        self._count(start, (end - start) // 10)
        return bytes(self.data[start:end]).decode("utf-8", "backslashreplace")

    def _packed(self, name, dtype, start, end):
        if (end - start) % dtype.itemsize:
            raise WireError(f"at byte {start:,}: {name!r} has {end - start:,} bytes, which are no "
                            f"whole number of {dtype.itemsize}-byte numbers")
        return np.frombuffer(self.data, dtype, (end - start) // dtype.itemsize, start)

    def _varints(self, at, end):
        while at < end:
            self._count(at)
            value, at = self.varint(at, end)
            yield value

    def _fixed(self, tag_at, at, end, width):
        """The array of all neighbours with the same tag, and where the last one ends."""
        step = at - tag_at + width
        if tag_at + step > end:
            raise WireError(f"at byte {tag_at:,}: it breaks off in the middle of a number")
        count = self._run(tag_at, at, (end - tag_at) // step, step) if at - tag_at == 1 else 1
        values = np.ndarray((count,), f"<u{width}", self.data, at, (step,))
        return values, tag_at + count * step

    def _run(self, tag_at, at, most, step):
        """How many fields follow each other, `step` bytes apart, with the one-byte tag here."""
        tags = np.ndarray((most,), np.uint8, self.data, tag_at, (step,))
        count, block = 1, 64  # doubled: VGG-16's 138 million numbers one by one take 0.7 s
        while count < most:
            other = np.flatnonzero(tags[count:count + block] != tags[0])
            if len(other):
                return count + int(other[0])
            count, block = min(count + block, most), 2 * block
        return count

    def _count(self, at, fields=1):
        self.visited += fields
        if self.visited > MOST_FIELDS:
            raise WireError(f"at byte {at:,}: more than {MOST_FIELDS:,} fields; no network has so "
                            "many")


def joined(pieces, name):
    """One array from the pieces of FLOATS or DOUBLES; a view where there is one piece."""
    if len(pieces) > MOST_PIECES:
        raise WireError(f"{name!r} lies in {len(pieces):,} pieces")
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
