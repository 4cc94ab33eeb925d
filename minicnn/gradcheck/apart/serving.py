"""What the child's side does whatever it serves: read a request, answer it with a value or words.

Every process that runs somebody else's code has this: `inside`, and `behind` a wall.
"""

import _thread
import os
import select
import shutil
import sys
from contextlib import suppress

import numpy as np

from minicnn.gradcheck.apart import limits, wire
from minicnn.gradcheck.own.errors import FormError, OwnError, is_deliberate, told

NO_ANSWER = 70  # exit status of a process that cannot answer
LONGEST_WORDS = 10_000  # letters of an error


class Server:
    """Answers requests about one file; `do` says how.

    Attributes
    ----------
    file : str
        The file, as its code objects name it.
    request : dict
        The request that is being answered.
    kept : dict
        What stays here, by the numbers for which the parent has tokens.
    """

    def __init__(self, connection, memory_mb):
        self.connection, self.memory_mb = connection, memory_mb
        self.file, self.request, self.kept = None, None, {}
        self.printed = sys.stdout

    def serve(self):
        """Answer one request after the other until the parent closes the connection."""
        while True:
            request = self.request = wire.receive(
                self.connection, self.memory_mb * limits.MEGABYTE)
            limits.allow_processor_time(request["seconds"])
            for token in request["free"]:
                self.kept.pop(token, None)
            try:
                value = self.do(request)
                pieces = wire.packed({"nonce": request["nonce"], "value": value})
            except BaseException as error:  # whatever own code raises is an answer
                pieces = wire.packed({"nonce": request["nonce"], **self.failure(error)})
            with suppress(Exception):  # own code may have closed it
                self.printed.flush()
            wire.send(self.connection, pieces)

    def failure(self, error):
        """An error in words, with the line of the own file that raised it, its class, and whether
        a ``raise`` or ``assert`` in that file asked for it."""
        if isinstance(error, (FormError, OwnError, wire.WireError)):
            kind = "FormError" if isinstance(error, FormError) else "OwnError"
            return {"error": (kind, str(error), type(error).__name__, False)}
        try:
            words = told(error, self.file)[:LONGEST_WORDS]
        except BaseException:  # its own class may do anything
            words = "an error that cannot be printed"
        kind = "OwnError"
        if isinstance(error, (SystemExit, KeyboardInterrupt)):
            code = repr(error.code) if type(getattr(error, "code", None)) in (int, str) else ""
            what = f"sys.exit({code})" if isinstance(error, SystemExit) else "a KeyboardInterrupt"
            line = words[words.rfind(" (line "):] if words.endswith(")") else ""
            kind, words = "Died", f"it ended Python with {what}{line}"
        elif isinstance(error, MemoryError):
            words += f"; it may use {self.memory_mb} MB"
        return {"error": (kind, words, type(error).__name__, is_deliberate(error, self.file))}


def plain(what, array):
    """A result as a plain array of numbers."""
    kind = type(array)
    if issubclass(kind, np.generic) or kind in (bool, int, float, complex):
        array = np.array(array)
    elif not issubclass(kind, np.ndarray):
        raise OwnError(f"expected {what} as an array, got a {kind.__name__}")
    array = np.ndarray.view(array, np.ndarray)  # whatever a class of its own says about itself
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype.str not in wire.DTYPES:
        raise OwnError(f"expected {what} as an array of numbers, got one of {array.dtype}")
    return array


def serve(server):
    """Serve until the parent has gone, then end this process."""
    try:
        server.serve()
    except EOFError:
        os._exit(0)
    except BaseException:
        os._exit(NO_ANSWER)


def end_with_the_parent(connection):
    """Have a thread wait until the parent has closed its side, clean up, and end the process."""
    if hasattr(select, "poll"):
        _thread.start_new_thread(_wait, (connection, os.getcwd()))


def _wait(connection, folder):
    gone = select.poll()
    gone.register(connection, 0)  # reports nothing but the other side's end
    gone.poll()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)
