"""Messages between two processes: values of plain kinds and arrays, and nothing that could run.

A message is the length of its head (4 bytes), the head in JSON, and the raw bytes of its arrays in
the order in which the head names them. JSON has no tuples, no sets and no arrays, so the head
writes each object with its kind:

    {"array": "<f8", "shape": [2, 3]}    {"tuple": [1, 2]}    {"set": ["x"]}    {"dict": [[k, v]]}

Whoever receives a message checks every size before it makes room for an array, and every array is
a `numpy.ndarray` of its own, in C order, of numbers. Anything else is a `WireError`.
"""

import json
import struct
from math import prod
from time import monotonic

import numpy as np

LENGTH = struct.Struct(">I")
LONGEST = 1 << 20  # bytes of a head
TOO_MANY = 1000  # arrays in one result
COUNTED = 8  # bytes of a number, or more: whoever receives small ones computes in float64
MOST_AXES, LARGEST = 64, 1 << 40
SMALL = 1 << 16  # bytes that are sent in one piece
DTYPES = {np.dtype(kind).str: np.dtype(kind) for kind in "?bhilqBHILQefdFD"}
PLAIN = (type(None), bool, int, float, str)


class WireError(ValueError):
    """Something that is not a message, or that no message can hold."""


class TooLarge(WireError):
    """A message with more bytes than are received."""


def packed(value):
    """The pieces of a message, each bytes or a view of an array's bytes.

    Raises
    ------
    WireError
        If the value is too long, or holds anything but None, booleans, numbers, words, lists,
        tuples, sets, dicts and arrays of numbers.
    """
    arrays = []
    head = json.dumps(_written(value, arrays)).encode()
    if len(head) > LONGEST:
        raise WireError(f"a head of {len(head)} bytes; at most {LONGEST} can be sent")
    return [LENGTH.pack(len(head)) + head,
            *(array.reshape(-1).view(np.uint8).data for array in arrays)]


def _written(value, arrays):
    """`value` as JSON has it; its arrays are added to the list `arrays`."""
    kind = type(value)
    if kind in PLAIN:
        return value
    if kind is np.ndarray and value.dtype.str in DTYPES:
        arrays.append(np.ascontiguousarray(value))
        return {"array": value.dtype.str, "shape": value.shape}
    if kind is list:
        return [_written(part, arrays) for part in value]
    if kind is dict:
        return {"dict": [[_written(part, arrays) for part in pair] for pair in value.items()]}
    if kind in (tuple, set):
        return {kind.__name__: [_written(part, arrays) for part in value]}
    if isinstance(value, np.generic):
        return _written(value.item(), arrays)
    raise WireError(f"a {kind.__name__} cannot be sent")


def send(socket, pieces, deadline=None):
    """Send the pieces of a message; TimeoutError once `deadline` (of `time.monotonic`) is over."""
    if sum(map(len, pieces)) < SMALL:
        pieces = [b"".join(pieces)]
    for piece in pieces:
        socket.settimeout(_left(deadline))
        socket.sendall(piece)


def receive(socket, most, deadline=None):
    """Receive one message, whose arrays have at most `most` bytes together.

    Raises
    ------
    EOFError
        If the other side is closed.
    TimeoutError
        Once `deadline` is over.
    WireError
        If what arrives is not a message.
    """
    length, = LENGTH.unpack(_exactly(socket, bytearray(LENGTH.size), deadline))
    if length > LONGEST:
        raise WireError(f"a head of {length} bytes")
    head = _exactly(socket, bytearray(length), deadline)
    try:
        return _read(json.loads(head), _Arrays(socket, most, deadline))
    except (OSError, EOFError, TooLarge):
        raise
    except Exception as error:  # whatever JSON or NumPy says to it
        raise WireError(f"not a message: {error}") from None


class _Arrays:
    """The arrays that follow a head."""

    def __init__(self, socket, most, deadline):
        self.socket, self.most, self.left, self.deadline = socket, most, most, deadline

    def next(self, dtype, shape):
        """The next array, of this dtype and shape."""
        dtype = DTYPES[dtype]
        if len(shape) > MOST_AXES or not all(
                type(size) is int and 0 <= size < LARGEST for size in shape):
            raise WireError("a shape that is none")
        self.left -= max(prod(shape), 1) * max(dtype.itemsize, COUNTED)
        if self.left < 0:
            raise TooLarge(f"it gave arrays of more than {self.most // (1 << 20)} MB")
        array = np.empty(shape, dtype)
        _exactly(self.socket, array.reshape(-1).view(np.uint8).data, self.deadline)
        return array


def _read(value, arrays):
    """The inverse of `_written`."""
    if isinstance(value, list):
        return [_read(part, arrays) for part in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"array", "shape"}:
        return arrays.next(value["array"], value["shape"])
    (kind, parts), = value.items()
    return {"tuple": tuple, "set": set, "dict": dict}[kind](_read(parts, arrays))


def size_of(value):
    """The bytes of the arrays in a message, as `receive` counts them."""
    if isinstance(value, np.ndarray):
        return value.size * max(value.itemsize, COUNTED)
    parts = value.values() if isinstance(value, dict) else value
    return sum(map(size_of, parts)) if isinstance(value, (dict, list, tuple, set)) else 0


def _exactly(socket, buffer, deadline):
    """Fill a buffer from the socket."""
    view = memoryview(buffer)
    while view:
        socket.settimeout(_left(deadline))
        count = socket.recv_into(view)
        if not count:
            raise EOFError("the other side is closed")
        view = view[count:]
    return buffer


def _left(deadline):
    """Seconds until the deadline, or None without one."""
    if deadline is None:
        return None
    if (left := deadline - monotonic()) <= 0:
        raise TimeoutError("the time is over")
    return left
