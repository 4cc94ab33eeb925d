"""The text of definitions in a handout: cut, under their new names, with their questions."""

import re
import textwrap

from minicnn.course.handout.body import cut_nodes, without_bodies
from minicnn.course.handout.gather import NUMPY, meaning
from minicnn.course.handout.heading import WIDTH
from minicnn.course.handout.names import narrow, rename
from minicnn.course.handout.scopes import uses
from minicnn.course.handout.source import Thing, read

PROMPT = re.compile(r"^(\s*(?:>>>|\.\.\.) )(.*)$", re.MULTILINE)


class Writer:
    """Writes the definitions of an assignment.

    Parameters
    ----------
    assignment : Assignment
    found, given : Gathered
        What is to be written, and what the handout has: the same, except for the solution.
    solved : bool
    """

    def __init__(self, assignment, found, given, solved):
        self.assignment, self.found, self.solved = assignment, found, solved
        self.pages = {page.module: page for page in assignment.pages}
        self.given = {thing.key for things in (*given.pages.values(), *given.companions.values())
                      for thing in things}
        self.written = {}  # by name: two modules may have the same definition

    def parts(self, things):
        """(kind, name, text) of every Thing that was not written before."""
        parts = []
        for thing in things:
            name, text = self.found.names[thing.key], self._text(thing)
            if name not in self.written:
                parts.append((self._kind(thing), name, text))
            elif self.written[name] != text:
                raise ValueError(f"two different things are called {name} in the handout")
            self.written[name] = text
        return parts

    def questions(self, thing, name):
        """The lines that tell which questions ask for a function, "forward" or "SGD.step"."""
        top, dot, method = name.partition(".")
        full = self.found.names[thing.module, top] + dot + method
        lines = []
        for one in self.assignment.questions:
            if one.function in (full, full.partition(".")[0]):
                usual = f", usually {one.lines} line{'s' * (one.lines > 1)}" if one.lines else ""
                lines += textwrap.wrap(f"{one.id}, {one.title}: {one.points} points, "
                                       f"{one.minutes} minutes{usual}", WIDTH - 10,
                                       initial_indent="# ", subsequent_indent="#   ")
        return lines

    def _kind(self, thing):
        page = self.pages.get(thing.module)
        cut = page and cut_nodes(thing, page.cut)
        return "solution" if cut or thing.key not in self.given else "given"

    def _text(self, thing):
        text, page = thing.text, self.pages.get(thing.module)
        if page and not self.solved:
            text = without_bodies(thing, page.cut, lambda name: self.questions(thing, name))
        own = {thing.name: self.found.names[thing.key]}
        text = rename(text, lambda use: self._new(thing, use), own,
                      lambda words: self.prose(thing.module, words))
        return narrow(text, WIDTH)

    def _new(self, thing, use):
        """What stands in the handout for a use of a name; None for the same."""
        other, whole = meaning(thing, use)
        if not isinstance(other, Thing):
            return None
        name = use.attribute if whole else use.name
        if read(other.module).things.get(name) != other or name == other.name:
            name = self.found.names[other.key]  # else it is B of ``A, B = 1, 2``
        return name if whole or not use.attribute else f"{name}.{use.attribute}"

    def prose(self, module, text):
        """Words about functions, under their names in the handout.

        These are `forward` between backticks, conv.forward and minicnn.ops.conv.forward anywhere,
        and the names in examples.
        """
        for (where, name), new in self.found.names.items():
            if name not in text:
                continue
            stem = where.rpartition(".")[2]
            text = re.sub(rf"(?<![\w./])(?:minicnn\.(?:\w+\.)*)?{stem}\.{name}\b", new, text)
            if where == module and new != name:
                text = text.replace(f"`{name}`", f"`{new}`")
                text = PROMPT.sub(lambda line, name=name, new=new: line[1] + re.sub(
                    rf"(?<![\w.]){name}\b(?!\s*=[^=])", new, line[2]), text)
        return text


def docstring(text):
    """A text between triple quotes."""
    mark = 'r"""' if "\\" in text else '"""'
    return f'{mark}{text}\n"""'


def imported(imports, texts):
    """The import lines of definitions; NumPy is there in any case, for what is to be written."""
    used = {use.name for text in texts for use in uses(text)}
    note = "" if NUMPY.alias in used else "  # noqa: F401 - for the bodies that you write"
    standard = sorted(one for one in imports if one.module.partition(".")[0] != "numpy")
    plain = [f"import {one.module}" for one in standard if not one.name]
    named = {}
    for one in standard:
        if one.name:
            as_ = f" as {one.alias}" if one.alias != one.name else ""
            named.setdefault(one.module, []).append(one.name + as_)
    lines = [*plain, *(f"from {module} import {', '.join(named[module])}" for module in named)]
    return "\n".join([*lines, "", f"import numpy as np{note}"]).lstrip("\n")
