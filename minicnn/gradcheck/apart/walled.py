"""A walled process: a stranger's file runs as far from this machine as the system allows.

    with Walled(source, "convolution.py") as walled:
        y, cache = walled.call("conv_forward", x, w, None, stride=2, take=("value", "handle"))
        dx, dw, db = walled.call("conv_backward", dy, cache, take=("value",) * 3)

`minicnn.gradcheck.apart.child` guards against accidents, and shows the file all of the machine.
This one is for a grader: the file sees NumPy and Python's own library, and neither minicnn nor any
other package, no other file, no network, no process. What keeps it in are the layers of
`minicnn.gradcheck.apart.wall`, as many as the system has; ``layers`` names those in force, and
without a minimum of them there is no process at all.

1. The program of the process crosses as text, from the files of this package, by standard input.
   The file crosses as bytes. The command line and the environment name nothing else.
2. Requests and answers are those of `wire`: plain values and raw numbers, of limited size, with the
   random number of the request. A file can answer anything it likes in place of its functions: it
   is judged by the values. It cannot answer for a later request, late, or with an object.
3. What the parent has not, such as a cache, it names by a `Handle`. What the process may ask of the
   parent while it computes, the parent gives it as a `Callback`.
4. A late, malformed or missing answer is `Died`; the next call starts a fresh process, which runs
   the file again. Handles end with their process.

The values are the file's word and nothing more: an answer that was copied is as good as one that
was computed. What the layers leave open is told in `wall`. A hole in the kernel is a hole in it.
"""

import secrets
from functools import partial

import numpy as np

from minicnn.gradcheck.apart import wall, wire
from minicnn.gradcheck.apart.crossing import (  # noqa: F401  a Callback is given to a Walled
    Answers,
    Callback,
    Handle,
    error_of,
    packed,
    taken,
)
from minicnn.gradcheck.apart.launch import WalledProcess
from minicnn.gradcheck.apart.limits import MEGABYTE
from minicnn.gradcheck.apart.owner import Died, Owner
from minicnn.gradcheck.own.errors import OwnError

TIMES, LARGE = 16, 63 * MEGABYTE  # an answer has at most 16 times the bytes sent, 1 MB, and LARGE
class WallError(RuntimeError):
    """This system cannot keep a file as far away as a grader needs it."""


class Walled(Owner):
    """A stranger's module in a process behind a wall.

    Parameters
    ----------
    source : bytes or str
        Of a Python module.
    name : str
        Of its file, for messages; the module's name is its stem.
    seconds : float
        For each call, with what it asks.
    memory_mb : int
        Megabytes that the file may use beyond those of Python and NumPy.
    import_seconds : float
        For running the file.
    minimum : bool
        Whether to refuse a system that lacks what a grader needs
        (`minicnn.gradcheck.apart.wall.MINIMUM`).
    layers : collection of str, optional
        Those of `minicnn.gradcheck.apart.wall.LAYERS` to be tried. Default: all.

    Attributes
    ----------
    layers : tuple of str
        The layers in force.

    Raises
    ------
    WallError
        If `minimum` is asked for, and missing.
    OwnError
        What the file raises when it is run, in words with its line. `kind` is the name of its
        class, `deliberate` whether a ``raise`` or ``assert`` of the file asked for it, and
        `opening` whether the file was being run, rather than called.
    Died
        If there is no complete answer.
    """

    def __init__(self, source, name="convolution.py", seconds=5, memory_mb=1024,
                 import_seconds=10, minimum=True, layers=None):
        self.source = source.encode() if isinstance(source, str) else bytes(source)
        self.name = self.file = name
        self.seconds, self.import_seconds = seconds, import_seconds
        self.memory_mb, self.minimum = memory_mb, minimum
        self.wanted = tuple(wall.LAYERS if layers is None else layers)
        self.process, self.layers, self.deaths, self.freed = None, (), [], []
        self._open()

    def call(self, function, *args, take="value", **kwargs):
        """Call something of the file; returns its result.

        Parameters
        ----------
        function : str or tuple
            A name in the file; (handle, name) for a method, (handle,) for the object itself.
        *args, **kwargs
            None, booleans, numbers, words, tuples, lists, dicts and arrays of these; handles;
            callbacks, as arguments of their own or in what holds them.
        take : {"value", "handle"} or tuple of these
            What to return. For a tuple the result must be a tuple or list of that length. A value
            is as an argument; a NumPy scalar is a Python number, a named tuple a tuple.

        Raises
        ------
        OwnError, Died
            As when the file is run. If there is no such name, `kind` is "Missing".
        """
        callbacks = []
        pack = partial(packed, self, callbacks)
        name = function if isinstance(function, str) else "a call" if len(
            function) == 1 else str(function[1])
        if not isinstance(function, str):
            function = [self.number(function[0]), *function[1:]]
        return self._asked("call", name, take, callbacks, {
            "function": function, "args": pack(args), "kwargs": pack(kwargs)})

    def attribute(self, handle, name, take="value"):
        """An attribute of what a handle stands for."""
        return self._asked("attribute", name, take, (),
                           {"handle": self.number(handle), "name": name})

    def number(self, handle):
        """The number of a handle of this process; Died for any other."""
        self._ready()
        return handle.of(self)

    def _ready(self):
        if self.process is None:
            self._open()

    def _open(self):
        """Start a process and run the file in it."""
        self.freed.clear()
        self.layers = self._started()
        if self.minimum and (words := wall.missing(self.layers)):
            self.close()
            raise WallError(f"{words}; in force: {', '.join(self.layers) or 'nothing'}")
        try:
            self._asked("open", "open", "value", (), {
                "name": self.name, "source": np.frombuffer(self.source, np.uint8)})
        except OwnError:
            self.close()
            raise

    def _started(self):
        """Start a process; returns its layers. Where it cannot start in a root folder of its own,
        its library is at a place that `places` does not know: it gets none."""
        self.process = WalledProcess(self.memory_mb, self.wanted, self.source)
        try:
            return tuple(self._talk("start", self.process.started))
        except Died as died:
            self.deaths.pop()
            if "root" not in self.wanted:
                raise WallError(f"no walled Python can start here: {died}") from None
        self.wanted = tuple(name for name in self.wanted if name != "root")
        return self._started()

    def _asked(self, do, name, take, callbacks, given):
        """Send a request; returns what is taken from its answer."""
        self._ready()
        nonce, freed = secrets.token_hex(16), list(self.freed)
        seconds = self.import_seconds if do == "open" else self.seconds
        places = [Handle(self) if one == "handle" else one
                  for one in ([take] if isinstance(take, str) else take)]
        if do != "open":
            crossing = [str(one.number) if isinstance(one, Handle) else one for one in places]
            given["take"] = crossing[0] if isinstance(take, str) else crossing
        pieces = wire.packed({"do": do, "given": given, "free": freed, "nonce": nonce,
                              "seconds": seconds})
        del self.freed[:len(freed)]
        most = TIMES * sum(map(len, pieces)) + MEGABYTE + LARGE
        answer = self._talk(name, self.process.ask, pieces, nonce, seconds, None, most,
                            Answers(callbacks))
        try:
            if "error" in answer:
                error = error_of(answer["error"], do == "open")
            else:
                return taken(answer["value"], places, isinstance(take, str))
        except Exception:
            raise self._died(f"it gave an answer that is none in {name}") from None
        raise self._died(error.reason) if type(error) is Died else error
