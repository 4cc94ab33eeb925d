"""The program of a walled process: runs a file and calls what is in it. See `walled`.

The process sees NumPy and Python's own library, not this package: the parent sends it the text of
this file and of those that it needs. Whatever runs here is the stranger's to change.
"""

import os
import socket
import sys
import types
from contextlib import contextmanager

import numpy as np

from minicnn.gradcheck.apart import wall, wire
from minicnn.gradcheck.apart.serving import Server, plain, serve
from minicnn.gradcheck.own.errors import OwnError

DEEPEST = 50  # values in values


class Missing(OwnError):
    """There is nothing of this name in the file."""


class Behind(Server):
    """Runs one file, calls its functions, and keeps what the parent has handles for."""

    def do(self, request):
        """The value that a request asks for."""
        return getattr(self, request["do"])(**request["given"])

    def failure(self, error):
        """As of every server; it says what there is to import."""
        told = super().failure(error)
        if isinstance(error, ImportError):
            kind, words, *rest = told["error"]
            told["error"] = (kind, f"{words}: there is NumPy and Python's own library", *rest)
        return told

    def open(self, source, name):
        """Run the file as a module of its own name."""
        stem = name.rpartition("/")[2].removesuffix(".py").replace(".", "_") or "own"
        stem = f"{stem}_" if stem in {*sys.modules, *sys.stdlib_module_names, "numpy"} else stem
        self.file = name
        self.module = types.ModuleType(stem)
        self.module.__file__ = name
        sys.modules[stem] = self.module
        source = source.tobytes() if isinstance(source, np.ndarray) else source
        exec(compile(source, name, "exec", dont_inherit=True), self.module.__dict__)

    def call(self, function, args, kwargs, take):
        """Call a function of the file, a handle, or its method."""
        function, args, kwargs = self._function(function), self._received(args), self._received(
            kwargs)
        with unchanged(args, kwargs):
            result = function(*args, **kwargs)
        if type(take) is str:
            return self._taken(result, take)
        if not issubclass(type(result), (tuple, list)):
            raise OwnError(f"expected {len(take)} results, got {_a(result)}")
        parts = _parts(result)
        if len(parts) != len(take):
            raise OwnError(f"expected {len(take)} results, got {len(parts)}")
        return tuple(map(self._taken, parts, take))

    def attribute(self, handle, name, take):
        """An attribute of what a handle stands for."""
        return self._taken(getattr(self.kept[handle], name), take)

    def _function(self, function):
        if type(function) is str:
            if function not in self.module.__dict__:
                raise Missing(f"there is no {function} in {self.file}")
            return self.module.__dict__[function]
        handle, *names = function
        return getattr(self.kept[handle], names[0]) if names else self.kept[handle]

    def _taken(self, result, take):
        """A result as it crosses; with a number, it stays here under it."""
        if take == "value":
            return value(result)
        self.kept[int(take)] = result
        return None

    def _received(self, given):
        """Arguments, with what stays here in its place, and questions as functions."""
        kind = type(given)
        if kind is set:
            (what, number), = given
            return self.kept[number] if what == "handle" else self._asking(number)
        if kind is dict:
            return {key: self._received(part) for key, part in given.items()}
        if kind in (tuple, list):
            return kind(map(self._received, given))
        return given

    def _asking(self, number):
        """A function that asks the parent."""
        def asked(*args):
            wire.send(self.connection, wire.packed(
                {"nonce": self.request["nonce"], "asks": (number, value(args))}))
            answer = wire.receive(self.connection, self.memory_mb << 20)
            if "error" in answer:
                raise RuntimeError(answer["error"])
            return answer["value"]

        return asked


@contextmanager
def unchanged(*given):
    """Raises OwnError if the block changes one of the arrays in some values."""
    before = [(array, array.copy()) for array in _arrays(given)]
    yield
    if any(array.tobytes() != copy.tobytes() for array, copy in before):
        raise OwnError("it changes an array that it was given; work on a copy")


def _arrays(given):
    """The arrays in tuples, lists and dicts."""
    if type(given) is np.ndarray:
        return [given]
    parts = given.values() if type(given) is dict else given if isinstance(
        given, (tuple, list)) else ()
    return [array for part in parts for array in _arrays(part)]


def value(given, depth=0):
    """A result as plain values and arrays: what a class of its own says of itself does not count.

    Raises
    ------
    OwnError
        For anything else.
    """
    kind = type(given)
    if given is None or kind in (bool, int, float, str):
        return given
    if issubclass(kind, np.ndarray):
        return plain("the result", given)
    if issubclass(kind, np.generic):
        return value(plain("the result", given).item())
    for known, exact in ((int, int.__int__), (float, float.__float__), (str, str.__str__)):
        if issubclass(kind, known):
            return exact(given)
    if depth == DEEPEST:
        raise OwnError(f"expected values, got {DEEPEST} of them in each other")
    if issubclass(kind, (tuple, list)):
        return (tuple if issubclass(kind, tuple) else list)(
            value(part, depth + 1) for part in _parts(given))
    if issubclass(kind, dict):
        return {value(key): value(part, depth + 1) for key, part in dict.items(given)}
    raise OwnError(f"expected numbers or arrays, got {_a(given)}")


def _parts(given):
    return [*(tuple if issubclass(type(given), tuple) else list).__iter__(given)]


def _a(given):
    return f"a {type(given).__name__}"


def main(given):
    """Enclose this process, tell the parent which layers are in force, and serve.

    Parameters
    ----------
    given : dict
        "connection", the number of the socket; "memory_mb"; "wanted" and "made", names of layers;
        "imports", names of modules.
    """
    connection = (socket.socket(fileno=given["connection"]) if "connection" in given
                  else socket.fromshare(bytes.fromhex(given["shared"])))
    connection.set_inheritable(False)
    if given.get("stack") is not None:
        import faulthandler
        import signal

        faulthandler.register(signal.SIGUSR1, given["stack"], all_threads=False)
        faulthandler.enable(given["stack"], all_threads=False)
    made = wall.enclose(given["memory_mb"], np.__file__, {*given["wanted"]}, {*given["made"]},
                        given["imports"])
    wire.send(connection, wire.packed(sorted(made, key=[*wall.LAYERS].index)))
    for name in [name for name in sys.modules if name.partition(".")[0] == "minicnn"]:
        del sys.modules[name]
    os.environ.pop("LD_LIBRARY_PATH", None)
    serve(Behind(connection, given["memory_mb"]))
