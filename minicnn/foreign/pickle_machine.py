"""The stack machine that a pickle is a program for: its stacks, its memo, and what it may spend.

The instructions are in `pickles`.
"""

import struct
from typing import NamedTuple

from minicnn.files.mapped import take


class Global(NamedTuple):
    """What the file names instead of containing: "torch.FloatStorage". Only its name is kept."""

    name: str


class Machine:
    """A pickle half read.

    Attributes
    ----------
    data : memoryview
    at : int
        The byte it is at.
    calls, stored
        As for `pickles.load`.
    stack : list
        The values since the last mark.
    below : list of list
        The stacks below the marks, the lowest first.
    memo : dict of int to value
    steps_left : int
        How many instructions it may still have.
    """

    def __init__(self, data, at, calls, stored, steps):
        self.data, self.at, self.calls, self.stored = data, at, calls, stored
        self.stack, self.below, self.memo, self.steps_left = [], [], {}, steps

    def next_code(self):
        """The next instruction, as a letter."""
        if self.at >= len(self.data):
            raise ValueError("its pickle has no end: it is damaged or cut short")
        self.at += 1
        return chr(self.data[self.at - 1])

    def take(self, size):
        """The next `size` bytes."""
        self.at += size
        return take(self.data, self.at - size, size)

    def number(self, form):
        """The next number, of a form of `struct`: "<H"."""
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def spend(self, steps):
        """Count instructions, and refuse too many."""
        self.steps_left -= steps
        if self.steps_left < 0:
            raise ValueError("its pickle is far longer or more entangled than any weight file's")

    def push(self, value):
        """Put a value on the stack."""
        self.stack.append(value)

    def pop(self):
        """Take the value on top of the stack."""
        if not self.stack:
            raise ValueError(f"its pickle is damaged: at byte {self.at} a value is missing")
        return self.stack.pop()

    def pop_mark(self):
        """Everything since the last mark."""
        if not self.below:
            raise ValueError(f"its pickle is damaged: at byte {self.at} a mark is missing")
        values, self.stack = self.stack, self.below.pop()
        return values

    def top(self, kind=None):
        """The value on top of the stack, which stays; of type `kind`, where one is asked for."""
        value = self.pop()
        if kind not in (None, type(value)):
            raise ValueError(f"its pickle treats a {type(value).__name__} as a {kind.__name__}")
        self.push(value)
        return value
