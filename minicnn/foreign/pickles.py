"""A reader of pickles that can make plain values, and of classes and functions only the allowed.

A pickle is a program for a small stack machine, and Python's own `pickle` runs it: any function
that the file names, with any arguments. This one knows the instructions that describe data, looks
up the few names it is given in a table of stand-ins, imports nothing and calls nothing else.

It is written out, not made from `pickle.Unpickler` with a `find_class` of its own, because that
closes the door and leaves the windows: nine bytes (the memo place 2**27) make it take 2 GB, and a
hundred bytes of tuples in tuples, used as a key, keep it busy for ever. Here every instruction is
counted, and whoever has too many is refused.
The instructions are described in the standard library's pickletools.py.
"""

from minicnn.foreign.pickle_machine import Global, Machine

MOST_STEPS = 500_000  # a network of 1000 arrays takes 60,000; these take half a second
TEXT_A_STEP = 64  # bytes of text that count as one instruction
LONGEST_INTEGER = 16  # bytes
LONGEST_LINE = 200  # bytes of a module's or a class's name
ORDERED_DICT = "collections.OrderedDict"  # made as a dict, which keeps the order too


def load(data, start, calls, stored=None, most=MOST_STEPS):
    """Read one pickle.

    Parameters
    ----------
    data : memoryview
    start : int
        The byte it begins at.
    calls : dict of str to (function or None)
        What it may name, "torch._utils._rebuild_tensor_v2", and what stands in for calling that;
        None: it may be named, not called. A stand-in gets the tuple of the arguments, of whatever
        length and kind. OrderedDict may always be named and called.
    stored : function, optional
        What stands for an object that is kept outside the pickle, from its persistent id.
    most : int
        Instructions that it may have; for many short pickles.

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
    machine = Machine(data, start, {ORDERED_DICT: None} | calls, stored, most)
    while (code := machine.next_code()) != ".":
        if code not in STEPS:
            raise ValueError(f"its pickle has at byte {machine.at - 1} the instruction "
                             f"{ord(code):#04x}, which no weight file needs")
        machine.spend(1)
        form, step = STEPS[code]
        step(machine, *([] if form is None else [machine.number(form)]))
    return machine.pop(), machine.at


# ---- the instructions: each a function of the machine, and of the number behind it if there is one

def _integer(machine, size):
    if size > LONGEST_INTEGER:
        raise ValueError(f"its pickle has an integer of {size} bytes, more than {LONGEST_INTEGER}")
    machine.push(int.from_bytes(machine.take(size), "little", signed=True))


def _text(machine, size):
    text = machine.take(size)
    machine.spend(len(text) // TEXT_A_STEP)
    try:
        machine.push(text.decode("utf-8"))
    except UnicodeDecodeError:
        raise ValueError(f"its pickle has a text that is not UTF-8 before byte {machine.at}"
                         ) from None


def _mark(machine):
    machine.below.append(machine.stack)
    machine.stack = []


def _short_tuple(size):
    return lambda machine: machine.push(tuple([machine.pop() for _ in range(size)][::-1]))


def _append(machine):
    value = machine.pop()
    machine.top(list).append(value)


def _append_all(machine):
    values = machine.pop_mark()
    machine.top(list).extend(values)


def _set_item(machine):
    value, key = machine.pop(), machine.pop()
    _filled(machine.top(dict), [key, value])


def _set_items(machine):
    items = machine.pop_mark()
    _filled(machine.top(dict), items)


def _put(machine, place):
    machine.memo[place] = machine.top()


def _get(machine, place):
    if place not in machine.memo:
        raise ValueError(f"its pickle is damaged: nothing was put at place {place}")
    machine.push(machine.memo[place])


def _skip(machine, _):
    """The protocol's number, a frame's size: they say nothing that is needed."""


def _global_from_stack(machine):
    name, module = machine.pop(), machine.pop()
    if not (type(name) is str and type(module) is str):
        raise ValueError("its pickle names something by what is no text")
    _name(machine, module, name)


def _call(machine):
    arguments, function = machine.pop(), machine.pop()
    if type(function) is not Global or type(arguments) is not tuple:
        raise ValueError("its pickle calls something that is not a function it may name")
    if function.name == ORDERED_DICT:
        machine.push(_ordered(machine, arguments))
    elif machine.calls[function.name] is None:
        raise ValueError(f"its pickle would call {function.name}, which weights need not")
    else:
        machine.push(machine.calls[function.name](arguments))


def _set_attributes(machine):
    """A state dict has notes on its modules as an attribute; they are not kept."""
    if type(machine.pop()) is not dict:
        raise ValueError("its pickle would set the state of an object to what is no dict")
    machine.top(dict)


def _persistent(machine):
    if machine.stored is None:
        raise ValueError("its pickle refers to something outside, where nothing is")
    machine.push(machine.stored(machine.pop()))


STEPS = {  # the number behind an instruction, as `struct` calls it; what the instruction does
    "N": (None, lambda machine: machine.push(None)),
    "\x88": (None, lambda machine: machine.push(True)),
    "\x89": (None, lambda machine: machine.push(False)),
    ")": (None, lambda machine: machine.push(())),
    "]": (None, lambda machine: machine.push([])),
    "}": (None, lambda machine: machine.push({})),
    "K": ("<B", Machine.push), "M": ("<H", Machine.push), "J": ("<i", Machine.push),
    "G": (">d", Machine.push), "\x8a": ("<B", _integer),
    "X": ("<I", _text), "\x8c": ("<B", _text), "\x8d": ("<Q", _text),
    "U": ("<B", _text), "T": ("<I", _text),
    "(": (None, _mark),
    "l": (None, lambda machine: machine.push(machine.pop_mark())),
    "t": (None, lambda machine: machine.push(tuple(machine.pop_mark()))),
    "d": (None, lambda machine: machine.push(_filled({}, machine.pop_mark()))),
    "\x85": (None, _short_tuple(1)), "\x86": (None, _short_tuple(2)),
    "\x87": (None, _short_tuple(3)),
    "a": (None, _append), "e": (None, _append_all), "s": (None, _set_item), "u": (None, _set_items),
    "q": ("<B", _put), "r": ("<I", _put), "h": ("<B", _get), "j": ("<I", _get),
    "\x94": (None, lambda machine: _put(machine, len(machine.memo))),
    "\x80": ("<B", _skip), "\x95": ("<Q", _skip),
    "c": (None, lambda machine: _name(machine, _line(machine), _line(machine))),
    "\x93": (None, _global_from_stack), "R": (None, _call), "b": (None, _set_attributes),
    "Q": (None, _persistent),
}


def _filled(result, items):
    """The dict with items (key, value, key, value, ...) added; keys are texts or small integers.

    Of larger integers, and of tuples, a file could make keys that Python is for ever comparing.
    """
    if len(items) % 2:
        raise ValueError("its pickle has a key without a value")
    for key, value in zip(items[::2], items[1::2], strict=True):
        if type(key) is not str and not (type(key) is int and abs(key) < 2**63):
            raise ValueError(f"its pickle has a {type(key).__name__} as a key")
        result[key] = value
    return result


def _ordered(machine, arguments):
    """An OrderedDict; Python 2 gives its items, [[key, value], ...], as the one argument."""
    pairs = arguments[0] if arguments else []
    if len(arguments) > 1 or type(pairs) is not list or not all(
            type(pair) in (list, tuple) and len(pair) == 2 for pair in pairs):
        raise ValueError("its pickle makes an OrderedDict of what is no list of pairs")
    machine.spend(len(pairs))
    return _filled({}, [item for pair in pairs for item in pair])


def _line(machine):
    found = bytes(machine.data[machine.at:machine.at + LONGEST_LINE]).find(b"\n")
    if found < 0:
        raise ValueError(f"its pickle is damaged: at byte {machine.at} a name does not end")
    return machine.take(found + 1)[:-1].decode("ascii", "backslashreplace")


def _name(machine, module, name):
    whole = f"{module}.{name}"
    if whole not in machine.calls:
        raise ValueError(f"its pickle names {whole[:LONGEST_LINE]!r}: only tensors and dicts are "
                         "made from a pickle, and nothing in it is ever run. Of a whole model, "
                         "save model.state_dict() instead")
    machine.push(Global(whole))
