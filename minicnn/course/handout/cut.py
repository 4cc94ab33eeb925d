"""Cut an assignment from the real pages: the student's file, its solution, and their parts.

    print(handout(assignment("convolution")))

Everything is read from the pages' text by name, so that a handout always follows the pages.
"""

import re
import textwrap
from typing import NamedTuple

from minicnn.course.handout.derivation import check_choice, number_of, with_derivations
from minicnn.course.handout.derivation import derivation as told
from minicnn.course.handout.gather import IN_PLACE, gather
from minicnn.course.handout.heading import WIDTH, heading
from minicnn.course.handout.source import read
from minicnn.course.handout.writer import Writer, docstring, imported

DEFINITION = re.compile(r"^(def|class|@)", re.MULTILINE)


class Piece(NamedTuple):
    """A part of a handout, in the order of the file.

    Attributes
    ----------
    kind : {"text", "given", "solution"}
        Words; code that the student is given; code that the student writes.
    name : str
        Of a text the assignment's or a module's, of code the function's, "imports" of the imports.
    text : str
    """

    kind: str
    name: str
    text: str


def handout(assignment, derivation="keep", seed=0, version=None):
    """The student's file.

    Parameters
    ----------
    assignment : Assignment
    derivation : {"keep", "short", "ask"}
        What stays of the pages' derivations; "ask" adds the questions of `with_derivations`.
    seed : int
        Of the numbers at which it is tested: the file names it.
    version : str, optional
        Of minicnn, by default this one's: the file names it.

    Returns
    -------
    str
        Python that needs NumPy only.

    Raises
    ------
    ValueError
        A page has no such name, something needs more than NumPy, or two definitions would have one
        name.
    """
    return _file(pieces(assignment, derivation, seed, version))


def solution(assignment, derivation="keep", seed=0, version=None):
    """The same file with the pages' own bodies, and the private helpers that these use."""
    return _file(pieces(assignment, derivation, seed, version, solved=True))


def pieces(assignment, derivation="keep", seed=0, version=None, solved=False):
    """The parts of the handout, or of the solution, in their order.

    Parameters
    ----------
    assignment, derivation, seed, version
        As for `handout`.
    solved : bool
        With the pages' own bodies. What the handout has no text of (a private helper) then has
        the kind "solution", too.

    Returns
    -------
    list of Piece
    """
    check_choice(derivation)
    assignment = with_derivations(assignment) if derivation == "ask" else assignment
    given = gather(assignment, solved=False)
    _check_functions(assignment, given.names.values())
    writer = Writer(assignment, gather(assignment, solved) if solved else given, given, solved)
    single = len(assignment.pages) == 1
    words = {page.module: told(page, derivation, number_of(assignment, page))
             for page in assignment.pages}
    head = [heading(assignment, seed, version, _helpers(assignment, given.names))]
    head += words.values() if single else []
    code = []
    for module, things in writer.found.pages.items():
        code += [] if single else [Piece("text", module, words[module])]
        code += [Piece(*part) for part in writer.parts(things)]
    for module, things in writer.found.companions.items():
        code.append(Piece("text", module, _about(module)))
        code += [Piece(*part) for part in writer.parts(things)]
    texts = [piece.text for piece in code if piece.kind != "text"]
    return [Piece("text", assignment.name, "\n\n\n".join(head)),
            Piece("given", "imports", imported(writer.found.imports, texts)), *code]


def _helpers(assignment, names):
    """What the assignment gives, under the names of the handout."""
    given = [name.rpartition(".") for page in assignment.pages for name in page.given]
    things = [read(module).meaning(name)[0] for module, _, name in given]
    return list(dict.fromkeys(names[thing.key] for thing in things))


def _check_functions(assignment, names):
    """Raise ValueError if a question asks for a function that the handout has not."""
    for one in assignment.questions:
        if one.function and one.function.partition(".")[0] not in names:
            raise ValueError(f"{one.id} asks for {one.function}, which is not in the handout")


def _about(module):
    """What is said of a module's definitions that are given."""
    if module in IN_PLACE:
        return "Given, in its place. minicnn itself computes on GPUs and with several threads, too."
    return "Given. " + read(module).docstring.partition("\n")[0]


def _file(parts):
    """The parts as one Python file."""
    head, *rest = parts
    text = docstring(head.text)
    for before, part in zip(parts, rest, strict=False):
        shown = _section(part) if part.kind == "text" else part.text
        text += "\n" * (1 + _blank(before, part)) + shown
    return text + "\n"


def _blank(before, part):
    """How many empty lines are between two parts: two around functions and classes, else one."""
    after_rule = before.kind == "text" and "\n" not in before.text
    if part.name == "imports" or after_rule or before.name == "imports" and part.kind == "text":
        return 1
    around = part.kind == "text" or any(DEFINITION.search(one.text) for one in (before, part))
    return 2 if around else int(before.name == "imports" or before.kind == "text")


def _section(part):
    """A text between two rules of a file: as comment if it is one line, else as a string."""
    line = f"# ---- {part.name} "
    line += "-" * (WIDTH - len(line))
    if "\n" in part.text:
        return f"{line}\n\n{docstring(part.text)}"
    return line + "\n" + "\n".join(textwrap.wrap(part.text, WIDTH, initial_indent="# ",
                                                subsequent_indent="# "))
