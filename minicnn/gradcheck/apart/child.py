"""A process of its own for somebody else's layers: whatever they do, the parent lives on.

    with Child("mine.py") as child:
        for found in child.found:
            remote = child.form(found)             # to be used like a Form
            y, kept = remote.forward({"x": x}, {})

The parent never imports the file. It starts a Python (`minicnn.gradcheck.apart.inside`) in an empty
temporary folder, with a small environment, no standard input, and limits on memory, files,
processes and signals (`minicnn.gradcheck.apart.limits`). They talk over a socket of their own:

1. The child says which limits the system could not set, before it runs anything.
2. The parent sends a request: what to do, with which form, the arrays, and a random number.
3. The child answers with that number and a value, or with an error in words. Only plain values and
   numbers cross (`wire`). The cache of a forward stays in the child, where a token stands for it.
4. An answer that is late, malformed, too large or of another number is no answer. The child is then
   killed, `Died` says why, and the next request starts a fresh one.
5. What an op is, the parent knows itself: an answer that does not fit to a known op, or a fresh
   child with other ops than the first, is no answer.

What is computed is judged by the numbers, so a file that lies about it gains nothing. What it says
of its conduct, and which of its settings it claims, is found in the child: there its word counts.

The output is read all the time; its last 64 kB are kept. The child ends by itself once the parent
is gone. One Child serves one thread at a time.
"""

import secrets
from itertools import count
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import numpy as np

from minicnn.gradcheck.apart import wire
from minicnn.gradcheck.apart.limits import MEGABYTE
from minicnn.gradcheck.apart.owner import Died, Owner, clean
from minicnn.gradcheck.apart.process import OPENING, Process
from minicnn.gradcheck.gradients.conduct import CHECKS, FIRST
from minicnn.gradcheck.own.forms import EXTRAS, KINDS, Called, Form, Gradients
from minicnn.gradcheck.own.known import BEYOND, known
from minicnn.gradcheck.own.layouts import LAYOUTS
from minicnn.gradcheck.own.sources import FormError, OwnError

NUMBERS = count(1)  # of tokens
TIMES, LARGE = 16, 63 * MEGABYTE  # an answer has at most 16 times the bytes sent, 1 MB, and LARGE
SPARE = 256 * MEGABYTE  # what all answers of a file may have together beyond the first two
MOST_OPS, MOST_LINES = 1000, 40
LONGEST_NAME, LONGEST_LINE = 40, 2000  # letters; 60 numbers of a script are one line
RANKS = range(1, 6)
CONDUCT = {*FIRST, *CHECKS, "runs", "same object twice", "some gradients only"}


class Found(NamedTuple):
    """An op of the file: its name, its variant, what was taken for it, or why it cannot be."""

    op: str
    variant: str
    told: object
    error: object


class Child(Owner):
    """A process that runs the layers of a file.

    Parameters
    ----------
    path : str or Path
        The Python file, or ``FILE.py:NAME`` for one class of it.
    seconds : float
        For each request, and for trying each op while the file is opened.
    memory_mb : int
        Megabytes that the file may use beyond those of Python and NumPy.
    layout, form : str, optional
        As for `minicnn.gradcheck.own.found.found_in`.
    lives : int
        After so many deaths it is not started again.
    import_seconds : float
        For running the file, which may import a large library. With all its ops the process has
        ten times as long, and after that time it is not started again.

    Attributes
    ----------
    found : list of Found
        The ops of the file. One that ends or blocks the process when it is tried has an error.
    lacks : list of str
        The limits that this system cannot set, some of `minicnn.gradcheck.apart.limits.LACKING`.
    deaths : list of str
        Why each process before this one has ended.

    Raises
    ------
    FormError
        If the file cannot be imported.
    Died
        If it ends or blocks the process while it is imported.
    """

    def __init__(self, path, seconds=10, memory_mb=2048, layout=None, form=None, lives=5,
                 import_seconds=30):
        self.path = self.file = str(path)
        self.name = Path(path).name
        self.seconds, self.import_seconds = seconds, import_seconds
        self.memory_mb, self.lives = memory_mb, lives
        self._options = {"path": str(Path(path).absolute()), "layout": layout, "form": form,
                         "left_out": {}}
        self.process, self.lacks, self.deaths, self.freed = None, [], [], []
        self.found, self.called, self._spare, self._sent = None, {}, SPARE, 0
        self.found = self._opened()

    def form(self, found):
        """The `Remote` of an op in `found`; FormError if it has an error."""
        if found.error:
            raise FormError(found.error)
        return Remote(self, found)

    def ask(self, do, form, read, **given):
        """Have the child do something; returns what `read` makes of its answer.

        Raises
        ------
        OwnError, FormError
            An error of the own code, with its line. `kind` is the name of its class; `deliberate`
            says whether a ``raise`` or ``assert`` of the file asked for it.
        Died
            If there is no complete answer, or `read` cannot read it.
        """
        if self.process is None:
            self._opened()
        return self._asked(do, form, read, given)

    def _opened(self):
        """Start a process and run the file in it; returns what is found there."""
        if len(self.deaths) >= self.lives:
            raise Died(self.name, f"given up: it ended {self.lives} times, the last time because "
                       f"{self.deaths[-1]}")
        end, left_out = monotonic() + OPENING * self.import_seconds, self._options["left_out"]
        while True:
            self.freed.clear()
            self.process = Process(self.memory_mb)
            self.lacks = _sentences(self._talk("start", self.process.started))
            try:
                called, found = self._asked("open", (), _found, self._options)
            except Died as died:
                if died.tries is None or died.tries in left_out or monotonic() > end:
                    raise
                left_out[died.tries] = self.deaths.pop()
                continue
            if self.found is not None and called != self.called:
                raise self._died("it has other ops than when it was opened first")
            self.called = called
            return found

    def _asked(self, do, form, read, given):
        """`ask`, of the process that runs."""
        seconds, each = (self.import_seconds, self.seconds) if do == "open" else (
            self.seconds, None)
        nonce, freed = secrets.token_hex(8), list(self.freed)
        pieces = wire.packed({"do": do, "form": form, "given": given, "free": freed,
                              "nonce": nonce, "seconds": max(seconds, self.seconds)})
        del self.freed[:len(freed)]
        if do == "forward":  # of backward not: dy has the shape of its own y
            self._sent = max(self._sent, sum(map(len, pieces)))
        fair = TIMES * self._sent + MEGABYTE
        answer = self._talk(do, self.process.ask, pieces, nonce, seconds, each,
                            fair + min(LARGE, self._spare))
        self._spare -= max(0, wire.size_of(answer) - fair)
        try:
            if "error" not in answer:
                return read(answer["value"])
            kind, words, name, deliberate = answer["error"]
            kind, words, name = map(clean, (kind, words, name))
        except Exception:
            raise self._died(f"it gave an answer that is none in {do}") from None
        if kind == "Died":
            raise self._died(words)
        if do == "open":
            self.close()
            kind, words = "FormError", words if kind == "FormError" else f"{self.name}: {words}"
        words = words.replace(self._options["path"], self.path)
        error = (FormError if kind == "FormError" else OwnError)(words)
        error.kind, error.deliberate = name, deliberate is True
        raise error


class Remote(Called):
    """A form whose code runs in a `Child`; it is used like a `minicnn.gradcheck.own.forms.Form`.

    Attributes
    ----------
    op, variant, told, takes, arrays, extras, layout, channels_first, sees_images, kind, inputs,
    ranks, remarks
        As a Form has them.
    others : dict
        Parameters that are not settings, with their defaults in words.
    source : Place
        The file.
    """

    def __init__(self, child, found):
        self.child, self.op, self.variant = child, found.op, found.variant
        self.source = Place(child.name, child.path)
        self._ask("describe", self._look)
        if self.inputs is not None and not any(
                type(array) is np.ndarray and array.dtype.kind == "f" and array.size
                for array in self.inputs.values()):
            raise FormError(f"{child.name}: {self.op}: none of its inputs has a gradient")

    def _look(self, about):
        self.told, op = _line(about["told"]), known(self.op)
        self.layout, self.kind = _one_of(LAYOUTS, about["layout"]), _one_of(KINDS, about["kind"])
        self.channels_first = LAYOUTS[self.layout]
        self.takes = {_name(name): _names(own) for name, own in about["takes"].items()}
        self.arrays, self.extras = _names(tuple(about["arrays"])), {*about["extras"]}
        self.others = {_name(name): _line(value) for name, value in about["others"].items()}
        self.sees_images = about["sees_images"] is True
        self.ranks = about["ranks"] and tuple(_one_of(RANKS, rank) for rank in about["ranks"])
        self.remarks = _lines(about["remarks"])
        self.inputs = None if op else _arrays(about["inputs"])  # a known op has its page's
        settings = {*op.settings, *BEYOND.get(self.op, ()), "training"} if op else {*self.takes}
        if not (self.extras <= {*EXTRAS} and {*self.takes} <= settings
                and {*self.arrays} <= {*(op.arrays if op else self.inputs)}
                and len({*self.arrays}) == len(self.arrays) > 0):
            raise ValueError("takes what this op has not")

    def holds(self, name, value):
        """Whether setting `name` can have this value."""
        return self._ask("holds", bool, name=name, value=value)

    def forward(self, arrays, settings, memory="C"):
        """Run the op's forward; returns (y, a token for what it keeps)."""
        number = next(NUMBERS)
        y = self._ask("forward", _array, arrays=arrays, settings=settings, memory=memory,
                      token=number)
        return y, Token(self.child, number)

    def backward(self, dy, kept, extras=None, memory="C"):
        """Run the op's backward; returns the gradients by the arrays' names, as Gradients."""
        return self._ask("backward", _noted, dy=dy, kept=kept.of(self.child), extras=extras or {},
                         memory=memory)

    def unread(self, name, kept):
        """Whether the op got a setting in a dict of settings but did not read it."""
        return self._ask("unread", bool, name=name, kept=kept.of(self.child))

    def statistics(self, kept):
        """The running statistics after a forward of batch norm, {"mean", "variance"}, or None."""
        return self._ask("statistics", lambda found: found and _arrays(found),
                         kept=kept.of(self.child))

    def conduct(self, arrays, settings, dy):
        """What the op must not do: {kind: complaints}, found in the child."""
        return self._ask("conduct", _complaints, arrays=arrays, settings=settings, dy=dy)

    def script(self, arrays, settings, wrong, expected, dy=None, case=""):
        """Lines of Python that show what is wrong at these numbers."""
        return self._ask("script", _lines, arrays=arrays, settings=settings, wrong=wrong,
                         expected=expected, dy=dy, case=case)

    its_shape = Form.its_shape

    def _ask(self, do, read, **given):
        return self.child.ask(do, self.child.called[self.op, self.variant], read, **given)


class Place(NamedTuple):
    """Where a Remote's code comes from; its file is not hashed."""

    name: str
    file: str
    sha256: None = None
    token: str = ""


class Token:
    """Stands for what a forward pass keeps in the child, which forgets it with the token."""

    def __init__(self, child, number):
        self.child, self.number, self.process = child, number, child.process

    def of(self, child):
        """The token's number; Died if the process that kept its cache has ended."""
        if child is not self.child or child.process is not self.process:
            raise Died(child.name, "the cache of this forward ended with its process")
        return self.number

    def __del__(self):
        if self.child.process is self.process:
            self.child.freed.append(self.number)


# ---- what arrives is checked: every function raises TypeError or ValueError for anything else

def _found(rows):
    """{(op, variant) as they are shown: as the child calls them}, and a list of Found."""
    called, found = {}, []
    for op, variant, told, error in rows:
        shown = _name(op) or "(no name)", _name(variant)
        if shown in called or len(found) == MOST_OPS or bool(told) == bool(error):
            raise ValueError("not the ops of a file")
        called[shown] = op, variant
        found.append(Found(*shown, told and _line(told), error and clean(error)))
    return called, found


def _array(value):
    if type(value) is not np.ndarray:
        raise TypeError("not an array")
    return value


def _arrays(value):
    """{name: array, None, or a list of these}."""
    def each(found):
        return found if found is None else _array(found)

    return {_name(name): [each(part) for part in found] if type(found) is list else each(found)
            for name, found in value.items()}


def _noted(value):
    found, notes = value
    gradients = Gradients(_arrays(found))
    gradients.notes = tuple(_lines(notes))
    return gradients


def _complaints(value):
    return {_one_of(CONDUCT, kind): _lines(found) for kind, found in value.items()}


def _sentences(value):
    return [clean(words) for words in value]


def _lines(value):
    return [_line(words) for words in value[:MOST_LINES]]


def _names(value):
    return tuple(_name(name) for name in value) if type(value) is tuple else _name(value)


def _name(words):
    """A name of one line."""
    return " ".join(_line(words).split())[:LONGEST_NAME].strip()


def _line(words):
    """Words on one line."""
    return clean(words, LONGEST_LINE).replace("\n", " ")


def _one_of(these, value):
    if type(value) not in (str, int) or value not in these:
        raise ValueError("not one of those that there are")
    return value
