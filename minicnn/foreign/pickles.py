"""A reader of pickles that can make plain values, and of classes and functions only the allowed.

A pickle is a program for a small stack machine, and Python's own `pickle` runs it: any function
that the file names, with any arguments. `_Reader` is that machine, the one of the standard library
that is written in Python, with four doors closed:

- `find_class` imports nothing: it looks up the few names that are allowed in a table of stand-ins.
- Only the instructions that describe data are known.
- The keys of dicts are texts and small integers, and nothing but a dict gets attributes.
- Whatever is read is counted, and who reads too much is refused.

The documented `pickle.Unpickler`, written in C, has but the first: nine bytes (the memo place
2**27) make it take 2 GB, and a hundred bytes of tuples in tuples, used as a key, keep it busy for
ever. `pickle._Unpickler` is private, but what is used of it, its table of instructions and its
stack, has been the same since Python 3.4. The instructions are described in pickletools.py.
"""

import pickle
from typing import Any, NamedTuple

from minicnn.files.mapped import take

MOST_READS = 600_000  # of an instruction, of its number; a network of 1000 arrays takes 50,000
TEXT_A_READ = 64  # bytes of text that count as one more
LONGEST_LINE = 200  # bytes of a module's or a class's name
INSTRUCTIONS = """
    PROTO FRAME STOP NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT BINSTRING
    SHORT_BINSTRING BINUNICODE SHORT_BINUNICODE MARK EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3
    EMPTY_LIST APPEND APPENDS EMPTY_DICT SETITEM SETITEMS BINPUT LONG_BINPUT MEMOIZE BINGET
    LONG_BINGET GLOBAL STACK_GLOBAL REDUCE BUILD BINPERSID"""  # as pickletools calls them


class Global(NamedTuple):
    """What the file names instead of containing: "torch.FloatStorage", and what stands for it."""

    name: str
    stand_in: Any = None

    def __call__(self, *arguments):
        """What the stand-in returns."""
        if self.stand_in is None:
            raise ValueError(f"its pickle would call {self.name}, which weights need not")
        return self.stand_in(*arguments)


def load(data, start, calls, stored=None, most=MOST_READS):
    """Read one pickle.

    Parameters
    ----------
    data : memoryview
    start : int
        The byte it begins at.
    calls : dict of str to (function or None)
        What it may name, "torch._utils._rebuild_tensor_v2", and what stands in for calling that;
        None: it may be named, not called. A stand-in gets arguments of whatever kind; it must not
        take any number of them. OrderedDict may always be named and called, and is a dict.
    stored : function, optional
        What stands for an object that is kept outside the pickle, from its persistent id.
    most : int
        What it may read; for many short pickles.

    Returns
    -------
    value
        None, bools, ints, floats, texts, tuples, lists, dicts, Globals, and what `calls` and
        `stored` return.
    end : int
        The byte after it.

    Raises
    ------
    ValueError
        The bytes are no pickle, or one that holds, names or does anything else.
    """
    source = _Source(data, start, most)
    try:
        return _Reader(source, calls, stored).load(), source.at
    except KeyError as error:
        raise ValueError(f"its pickle has at byte {source.at - 1} the instruction "
                         f"{error.args[0]:#04x}, which no weight file needs") from None
    except (pickle.UnpicklingError, AttributeError, IndexError, TypeError, UnicodeDecodeError
            ) as error:
        raise ValueError(f"its pickle is damaged: before byte {source.at}: {error}") from None


class _Source:
    """The bytes, as the file that they are read from; every reading counts."""

    def __init__(self, data, at, most):
        self.data, self.at, self.left = data, at, most

    def read(self, size):
        self.spend(1 + size // TEXT_A_READ)
        self.at += size
        return take(self.data, self.at - size, size)

    def readline(self):
        """A module's or a class's name, up to the end of its line."""
        size = bytes(self.data[self.at:self.at + LONGEST_LINE]).find(b"\n") + 1
        if not size:
            raise ValueError(f"its pickle is damaged: at byte {self.at} a name does not end")
        return self.read(size)

    def spend(self, readings):
        self.left -= readings
        if self.left < 0:
            raise ValueError("its pickle is far longer or more entangled than any weight file's")


class _Reader(pickle._Unpickler):
    """Python's unpickler, with closed doors."""

    def __init__(self, source, calls, stored):
        super().__init__(source, encoding="utf-8")
        self.source = source
        self.calls = calls | {"collections.OrderedDict": self.ordered}
        self.persistent_load = stored or super().persistent_load

    def find_class(self, module, name):
        """The Global of that name, if it is in the table; nothing is imported."""
        whole = f"{module}.{name}"
        if whole not in self.calls:
            raise ValueError(f"its pickle names {whole[:LONGEST_LINE]!r}: only tensors and dicts "
                             "are made from a pickle, and nothing in it is ever run. Of a whole "
                             "model, save model.state_dict() instead")
        return Global(whole, self.calls[whole])

    def ordered(self, pairs=()):
        """An OrderedDict; Python 2 gives its items, [[key, value], ...], as the one argument."""
        result = {}
        for pair in pairs:
            if type(pair) not in (list, tuple) or len(pair) != 2:
                raise ValueError("its pickle makes an OrderedDict of what is no list of pairs")
            self.source.spend(1)
            _fill(result, pair)
        return result

    load_binunicode = pickle._Unpickler.load_binstring  # strictly UTF-8
    load_short_binunicode = pickle._Unpickler.load_short_binstring

    def load_frame(self):
        self.read(8)  # its size, which says nothing that is needed

    def load_reduce(self):
        if type(self.stack[-1]) is not tuple or type(self.stack[-2]) is not Global:
            raise ValueError("its pickle calls something that is not a function it may name")
        super().load_reduce()

    def load_build(self):
        """A state dict has notes on its modules as an attribute; they are not kept."""
        if type(self.stack.pop()) is not dict or type(self.stack[-1]) is not dict:
            raise ValueError("its pickle would set the state of what is no dict, or to none")

    def load_setitem(self):
        value, key = self.stack.pop(), self.stack.pop()
        _fill(self.stack[-1], [key, value])

    def load_setitems(self):
        items = self.pop_mark()
        _fill(self.stack[-1], items)


_Reader.dispatch = {code: getattr(_Reader, pickle._Unpickler.dispatch[code].__name__)
                    for code in (getattr(pickle, name)[0] for name in INSTRUCTIONS.split())}


def _fill(result, items):
    """Add items (key, value, key, value, ...) to a dict; keys are texts or small integers.

    Of larger integers, and of tuples, a file could make keys that Python is for ever comparing.
    """
    if type(result) is not dict or len(items) % 2:
        raise ValueError("its pickle has a key without a value, or one where no dict is")
    for key, value in zip(items[::2], items[1::2], strict=True):
        if type(key) is not str and not (type(key) is int and abs(key) < 2**63):
            raise ValueError(f"its pickle has a {type(key).__name__} as a key")
        result[key] = value
