"""The child's side of `child`: runs somebody else's file and answers requests.

It is started as ``python -m minicnn.gradcheck.apart.inside CONNECTION STACK MEMORY_MB PARENT``;
STACK is the file for the line that runs when the parent asks for it, or when Python crashes; with
PARENT, the number of that process or 0, the system kills this one. Own code shares this process, so
nothing here is safe from it; the parent believes only what it has checked.
"""

import faulthandler
import os
import signal
import socket
import sys

from minicnn.gradcheck.apart import limits, wire
from minicnn.gradcheck.apart.serving import Server, end_with_the_parent, plain, serve
from minicnn.gradcheck.own.found import found_in
from minicnn.gradcheck.own.sources import FormError, Source

DESCRIBED = ("told", "takes", "arrays", "extras", "layout", "channels_first", "kind", "inputs",
             "ranks", "remarks", "sees_images")


class Worker(Server):
    """Answers requests about the forms of one file."""

    def __init__(self, connection, memory_mb):
        super().__init__(connection, memory_mb)
        self.found = {}

    def do(self, request):
        """The value that a request asks for."""
        return getattr(self, request["do"])(*request["form"], **request["given"])

    # ---- requests

    def open(self, path, layout, form, left_out):
        """Run the file; returns (op, variant, told, error) of every op that is found.

        The parent is told of each op before it is tried, so that it knows which one ended or
        blocked this process; next time that one is `left_out`, {words for it: why}.
        """
        def before(what):
            if what in left_out:
                raise FormError(f"{os.path.basename(self.file)}: {what}: {left_out[what]}")
            limits.allow_processor_time(self.request["seconds"])
            wire.send(self.connection, wire.packed(
                {"nonce": self.request["nonce"], "tries": what}))

        self.file = os.path.realpath(path.partition(".py:")[0].removesuffix(".py") + ".py")
        self.found = {(one.op, one.variant): one
                      for one in found_in(Source(path), layout, form, before)}
        return [(*op, one.form and one.form.told, one.error and str(one.error))
                for op, one in self.found.items()]

    def _form(self, op):
        """The Form of an op; it may be missing though it was there when the file was opened."""
        if self.found[op].error:
            raise self.found[op].error
        return self.found[op].form

    def describe(self, *op):
        """What a form takes."""
        form = self._form(op)
        about = {name: getattr(form, name) for name in DESCRIBED}
        return about | {"others": {name: repr(value)[:200] for name, value in form.others.items()}}

    def holds(self, *op, name, value):
        return self._form(op).holds(name, value)

    def forward(self, *op, arrays, settings, memory, token):
        y, self.kept[token] = self._form(op).forward(arrays, settings, memory)
        return plain("the output", y)

    def backward(self, *op, dy, kept, extras, memory):
        found = self._form(op).backward(dy, self.kept[kept], extras, memory)
        return _plain_dict("d", found), list(found.notes)

    def unread(self, *op, name, kept):
        return bool(self._form(op).unread(name, self.kept[kept]))

    def statistics(self, *op, kept):
        found = self._form(op).statistics(self.kept[kept])
        return found and _plain_dict("", found)

    def script(self, *op, **given):
        return self._form(op).script(**given)

    def conduct(self, *op, arrays, settings, dy):
        return self._form(op).conduct(arrays, settings, dy)


def _plain_dict(prefix, found):
    """{name: array, None, or a list of these} with plain arrays."""
    def each(name, array):
        return array if array is None else plain(f"{prefix}{name}", array)

    return {name: [each(name, part) for part in array]
            if type(array) in (list, tuple) and len(array) <= wire.TOO_MANY
            else each(name, array) for name, array in found.items()}


def main(connection, stack, memory_mb, parent):
    """Limit this process, tell the parent what is missing, and serve."""
    if sys.platform == "win32":
        connection = socket.fromshare(sys.stdin.buffer.read())
    else:
        connection = socket.socket(fileno=int(connection))
        faulthandler.register(signal.SIGUSR1, int(stack), all_threads=False)  # the parent asks
        faulthandler.enable(int(stack), all_threads=False)
    connection.set_inheritable(False)
    if int(parent):
        limits.end_with(int(parent))
    lacks = limits.confine(int(memory_mb))
    end_with_the_parent(connection)
    wire.send(connection, wire.packed(lacks))
    serve(Worker(connection, int(memory_mb)))


if __name__ == "__main__":
    main(*sys.argv[1:])
