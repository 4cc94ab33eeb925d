"""What crosses between a walled process and its parent, seen from the parent.

Values cross as `wire` has them. A set is no value here: one of a single pair stands for what does
not cross, ``("handle", number)`` or ``("ask", number)``.
"""

from itertools import count

from minicnn.gradcheck.apart import wire
from minicnn.gradcheck.apart.owner import Died, clean
from minicnn.gradcheck.own.errors import OwnError

NUMBERS = count(1)  # of handles
QUESTIONS = 200_000  # that one call may ask


class Callback:
    """A function of the parent, given as an argument: the process gets one that asks the parent.

    What the parent's function raises is a RuntimeError in the process. Its time is the call's.
    """

    def __init__(self, function):
        self.function = function


class Handle:
    """Stands for an object that stays in a walled process, which forgets it with the handle."""

    def __init__(self, walled):
        self.walled, self.process, self.number = walled, walled.process, next(NUMBERS)

    def of(self, walled):
        """The handle's number; Died if the process that kept its object has ended."""
        if walled is not self.walled or walled.process is not self.process:
            raise Died(walled.name, "what it kept ended with its process")
        return self.number

    def __del__(self):
        if self.walled.process is self.process:
            self.walled.freed.append(self.number)


class Answers:
    """Answers what a process asks during one call."""

    def __init__(self, callbacks):
        self.callbacks, self.left = callbacks, QUESTIONS

    def __call__(self, asked):
        try:
            number, args = asked
            if type(number) is not int or type(args) is not tuple or number < 0:
                raise TypeError("not a question")
            function, args = self.callbacks[number].function, _plain(args)
        except Exception:
            raise wire.WireError("not a question") from None
        self.left -= 1
        if self.left < 0:
            raise wire.TooLarge(f"it asked more than {QUESTIONS} questions")
        try:
            return wire.packed({"value": function(*args)})
        except Exception as error:
            return wire.packed({"error": f"{type(error).__name__}: {error}"[:2000]})


def packed(walled, callbacks, given):
    """Arguments as they cross: a handle or callback is a set, which no argument can be."""
    if isinstance(given, Handle):
        return {("handle", walled.number(given))}
    if isinstance(given, Callback):
        callbacks.append(given)
        return {("ask", len(callbacks) - 1)}
    if type(given) is dict:
        return {key: packed(walled, callbacks, part) for key, part in given.items()}
    if isinstance(given, (tuple, list)):
        return (list if isinstance(given, list) else tuple)(
            packed(walled, callbacks, part) for part in given)
    if isinstance(given, set):
        raise wire.WireError("a set cannot be sent")
    return given


# ---- what arrives is checked: every function raises TypeError or ValueError for anything else

def taken(value, places, is_one):
    """What was asked for, of the value of an answer: a handle, or "value" for one part of it."""
    parts = [value] if is_one else value
    if not is_one and (type(value) is not tuple or len(value) != len(places)):
        raise TypeError("not so many results")
    found = tuple(one if isinstance(one, Handle) else _plain(part)
                  for one, part in zip(places, parts, strict=True))
    return found[0] if is_one else found


def _plain(value):
    """A value without sets, and without letters that no file can hold."""
    if type(value) is set:
        raise TypeError("a set")
    if type(value) is str:
        value.encode()
    for part in [*value, *value.values()] if type(value) is dict else (
            value if type(value) in (tuple, list) else ()):
        _plain(part)
    return value


def error_of(told, opening):
    """The error that an answer tells of."""
    kind, words, name, deliberate = told
    if kind == "Died":
        return Died("", clean(words))
    error = OwnError(clean(words))
    error.kind, error.deliberate = clean(name)[:80], deliberate is True
    error.opening = opening
    return error
