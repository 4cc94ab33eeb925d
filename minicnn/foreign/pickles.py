"""Read untrusted pickles: only plain values and an allowed set of classes and functions.

A pickle is a program for a small stack machine, and Python's own `pickle` runs it: it can call any
function by name, with any arguments. `_Reader` is the standard library's machine written in Python,
with four restrictions:

- `find_class` imports nothing; it looks up the few allowed names in a table of stand-ins.
- Only instructions that describe data are known.
- Keys of dicts are texts and small integers, and only dicts accept attributes.
- All reading is counted, and too much of it raises an error.

The documented `pickle.Unpickler`, written in C, supports only the first: nine bytes (memo index
2**27) make it take 2 GB, and a hundred bytes of nested tuples, used as a key, make it run for ever.
`pickle._Unpickler` is private, but its table of instructions and its stack, which are used here,
have not changed since Python 3.4. pickletools.py describes the instructions.
"""

import pickle
from typing import Any, NamedTuple

from minicnn.files.mapped import take
from minicnn.foreign.settings import require

MOST_READS = 600_000  # reads of an instruction or a number; 1000 arrays take 50,000
TEXT_A_READ = 64  # bytes of text that count as one more read
LONGEST_LINE = 200  # bytes of a module's or a class's name
INSTRUCTIONS = """
    PROTO FRAME STOP NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT BINSTRING
    SHORT_BINSTRING BINUNICODE SHORT_BINUNICODE MARK EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3
    EMPTY_LIST APPEND APPENDS EMPTY_DICT SETITEM SETITEMS BINPUT LONG_BINPUT MEMOIZE BINGET
    LONG_BINGET GLOBAL STACK_GLOBAL REDUCE BUILD BINPERSID"""  # as pickletools calls them


class Global(NamedTuple):
    """A class or function that the file names, "torch.FloatStorage", and its stand-in."""

    name: str
    stand_in: Any = None

    def __call__(self, *arguments):
        """Call the stand-in; ValueError if there is none."""
        require(self.stand_in is not None, "its pickle would call {}, which weights do not need",
                self.name)
        return self.stand_in(*arguments)


def load(data, start, calls, stored=None, most=MOST_READS):
    """Read one pickle.

    Parameters
    ----------
    data : memoryview
    start : int
        The pickle's first byte.
    calls : dict of str to (function or None)
        {allowed name, "torch._utils._rebuild_tensor_v2": its stand-in}; None if the name may occur
        but not be called. A stand-in must accept arguments of any type, but not any number of them.
        OrderedDict is always allowed, and becomes a dict.
    stored : function, optional
        Takes the persistent id of an object stored outside the pickle; returns its stand-in.
    most : int
        The limit of reads; lower for many short pickles.

    Returns
    -------
    value
        None, bools, ints, floats, texts, tuples, lists, dicts, Globals, and what `calls` and
        `stored` return.
    end : int
        The byte after the pickle.

    Raises
    ------
    ValueError
        The bytes are not a pickle, or it holds, names or does anything that is not allowed.
    """
    source = _Source(data, start, most)
    try:
        return _Reader(source, calls, stored).load(), source.at
    except KeyError as error:
        raise ValueError(f"its pickle has the instruction {error.args[0]:#04x} at byte "
                         f"{source.at - 1}, which no weight file needs") from None
    except (pickle.UnpicklingError, AttributeError, IndexError, TypeError, UnicodeDecodeError
            ) as error:
        raise ValueError(f"its pickle is damaged before byte {source.at}: {error}") from None


class _Source:
    """The bytes as a file to read from; all reads are counted."""

    def __init__(self, data, at, most):
        self.data, self.at, self.left = data, at, most

    def read(self, size):
        self.spend(1 + size // TEXT_A_READ)
        self.at += size
        return take(self.data, self.at - size, size)

    def readline(self):
        """A module's or a class's name, up to the end of its line."""
        size = bytes(self.data[self.at:self.at + LONGEST_LINE]).find(b"\n") + 1
        require(size, "its pickle is damaged: at byte {} a name does not end", self.at)
        return self.read(size)

    def spend(self, readings):
        self.left -= readings
        require(self.left >= 0, "its pickle is far longer or more complex than any weight file's")


class _Reader(pickle._Unpickler):
    """Python's unpickler with the restrictions above."""

    def __init__(self, source, calls, stored):
        super().__init__(source, encoding="utf-8")
        self.source = source
        self.calls = calls | {"collections.OrderedDict": self.ordered}
        self.persistent_load = stored or super().persistent_load

    def find_class(self, module, name):
        """The Global of an allowed name; nothing is imported."""
        whole = f"{module}.{name}"
        require(whole in self.calls, "its pickle names {!r}: only tensors and dicts are read from "
                "a pickle, and nothing in it is ever run. If it is a whole model, save "
                "model.state_dict() instead", whole[:LONGEST_LINE])
        return Global(whole, self.calls[whole])

    def ordered(self, pairs=()):
        """An OrderedDict as a dict; Python 2 passes its items, [[key, value], ...]."""
        result = {}
        for pair in pairs:
            require(type(pair) in (list, tuple) and len(pair) == 2,
                    "its pickle makes an OrderedDict from something other than pairs")
            self.source.spend(1)
            _fill(result, pair)
        return result

    load_binunicode = pickle._Unpickler.load_binstring  # strictly UTF-8
    load_short_binunicode = pickle._Unpickler.load_short_binstring

    def load_frame(self):
        self.read(8)  # its size, which is not needed

    def load_reduce(self):
        require(type(self.stack[-1]) is tuple and type(self.stack[-2]) is Global,
                "its pickle calls something that is not an allowed function")
        super().load_reduce()

    def load_build(self):
        """Drop the attributes of a state dict, which are notes on its modules."""
        require(type(self.stack.pop()) is dict and type(self.stack[-1]) is dict, "its pickle would "
                "set a state that is not a dict, or of something that is not a dict")

    def load_setitem(self):
        items = [self.stack.pop(), self.stack.pop()]
        _fill(self.stack[-1], items[::-1])

    def load_setitems(self):
        items = self.pop_mark()
        _fill(self.stack[-1], items)


_Reader.dispatch = {code: getattr(_Reader, pickle._Unpickler.dispatch[code].__name__)
                    for code in (getattr(pickle, name)[0] for name in INSTRUCTIONS.split())}


def _fill(result, items):
    """Add items (key, value, key, value, ...) to a dict; keys are texts or small integers.

    With larger integers or tuples, a file could make keys that take Python for ever to compare.
    """
    if type(result) is not dict or len(items) % 2:
        raise ValueError("its pickle has a key without a value, or outside a dict")
    for key, value in zip(items[::2], items[1::2], strict=True):
        if type(key) is not str and not (type(key) is int and abs(key) < 2**63):
            raise ValueError(f"its pickle has a {type(key).__name__} as a key; expected a text or "
                             "an integer below 2**63")
        result[key] = value
