"""An assignment as cells of a notebook: text, given code, solutions, tests, answers in words.

The cells follow the questions, so that a reader writes a function and tests it at once. What is
given stands before; a name that needs one of the functions to be written stands after it.
"""

import ast
import re
import textwrap
from typing import NamedTuple

from minicnn.course.handout.asserts import HELPERS, Asserts
from minicnn.course.handout.cut import pieces
from minicnn.course.handout.derivation import sections, with_derivations
from minicnn.course.handout.marks import marked

PICTURE = """\
It needs minicnn, in a terminal:

    minicnn course check {file} --question {number} --picture mine.png

Put the picture below, with a sentence on what it shows."""


class Cell(NamedTuple):
    """A cell.

    Attributes
    ----------
    kind : {"text", "given", "solution", "test", "written", "task"}
        "written": an answer in words; "task": something to do, with a picture below.
    name : str
        Unlike that of any other cell.
    text : str
        Of a solution the teacher's, with marks around what the student writes.
    hidden : str
        Of a test what students do not see; of a written question and a task the rubric.
    points : int
    question : str
        The id of the question that it belongs to, or "".
    """

    kind: str
    name: str
    text: str
    hidden: str = ""
    points: int = 0
    question: str = ""


def cells(assignment, derivation="keep", seed=0, visible=0, version=None):
    """The cells of an assignment.

    Parameters
    ----------
    assignment, derivation, version
        As for `minicnn.course.handout.handout`.
    seed, visible : int
        What the hidden and the visible tests are drawn from.

    Returns
    -------
    list of Cell
    """
    given = pieces(assignment, derivation, visible, version)
    solved = pieces(assignment, derivation, visible, version, solved=True)
    assignment = with_derivations(assignment) if derivation == "ask" else assignment
    head, code = _split(given)
    early, late = _sorted(code)
    found = [*head, *early, Cell("given", "helpers", HELPERS)]
    written = {one.name: _solution(one, given, solved) for one in code if one.kind == "solution"}
    tests, done = Asserts(assignment), set()
    for number, question in enumerate(assignment.questions, 1):
        name = question.function.partition(".")[0]
        found.append(_asked(question, number))
        for one in _wanted(name, written, done):
            found.append(Cell("solution", one, written[one], question=question.id))
            done.add(one)
        found += _ready(late, written.keys() - done)
        found.append(_answered(question, number, assignment, tests, seed, visible))
    rest = [Cell("solution", name, text) for name, text in written.items() if name not in done]
    return _before_questions(found, rest)


def _wanted(name, written, done):
    """A function that is still to be written, after those that its solution calls."""
    if name not in written or name in done:
        return []
    called = {node.id for node in ast.walk(ast.parse(written[name])) if isinstance(node, ast.Name)}
    before = [one for one in written if one in called - {name}]
    return list(dict.fromkeys([*(inner for one in before for inner in
                                 _wanted(one, written, done | {name})), name]))


def _before_questions(found, rest):
    """The cells with solutions that no question asks for, before the first question."""
    first = next(index for index, one in enumerate(found) if one.question)
    return [*found[:first], *rest, *found[first:]]


# ---- text

def _split(given):
    """(the cells of the head, the pieces of code)."""
    head, texts = [], [one for one in given if one.kind == "text"]
    for part in texts[0].text.split("\n\n\n"):
        name = texts[0].name if not head else f"{texts[0].name}-derivation"
        head.append(Cell("text", name, _titled(part) if not head else markdown(part)))
    head += [Cell("text", one.name.replace(".", "-"), f"### {one.name}\n\n{markdown(one.text)}")
             for one in texts[1:] if "\n" in one.text]
    return head, [one for one in given if one.kind != "text"]


def _titled(text):
    title, _, rest = text.partition("\n")
    return f"# {title}\n{rest}"


def markdown(docstring):
    """A page's docstring as markdown: its sections get headings and lose their indentation."""
    parts = []
    for name, text in sections(docstring):
        if name:
            text = f"#### {name}\n\n{textwrap.dedent(text.partition(chr(10))[2])}"
        parts.append(text)
    return "\n\n".join(parts)


def _asked(question, number):
    """The text of a question."""
    lines = f", usually {question.lines} line{'s' * (question.lines != 1)}" * bool(question.lines)
    new = question.function and question.kind != "network"
    where = f"Write it in `{question.function}`.\n\n" * bool(new)
    return Cell("text", f"{question.id}-text", (
        f"## {number} · {question.title}\n\n*{question.points} points, {question.minutes} minutes"
        f"{lines}*\n\n{where}{question.text}"), question=question.id)


def _answered(question, number, assignment, tests, seed, visible):
    """The cell that gives the points of a question."""
    about = {"points": question.points, "question": question.id}
    if question.kind == "written":
        return Cell("written", question.id, "*Your answer.*", question.rubric, **about)
    if question.kind == "network":
        text = PICTURE.format(file=f"{assignment.name}.ipynb", number=number)
        return Cell("task", question.id, text, "The picture, and whether the sentence is true of "
                    "it. `minicnn course grade` gives these points by itself.", **about)
    return Cell("test", question.id, tests.visible(question, visible),
                tests.hidden(question, seed), **about)


# ---- code

def _sorted(code):
    """(cells of given code that can stand first, pieces that need a solution to be defined)."""
    waiting = {one.name for one in code if one.kind == "solution"}
    early, late = [], []
    for one in (one for one in code if one.kind == "given"):
        if at_once(one.text) & waiting:
            late.append(one)
            waiting |= {one.name}
        else:
            early.append(Cell("given", one.name, re.sub(r" *# noqa.*", "", one.text)))
    return early, late


def _ready(late, missing):
    """Cells of the pieces that need nothing missing any more; they are taken out of `late`."""
    ready = []
    for one in list(late):
        if not at_once(one.text) & (missing | {other.name for other in late if other != one}):
            late.remove(one)
            ready.append(Cell("given", one.name, one.text))
    return ready


def at_once(text):
    """The names that code reads while it is being defined, not only when it is called."""
    found, nodes = set(), list(ast.parse(text).body)
    while nodes:
        node = nodes.pop()
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            args = node.args
            nodes += [*args.defaults, *filter(None, args.kw_defaults),
                      *getattr(node, "decorator_list", ())]
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found.add(node.id)
        nodes += ast.iter_child_nodes(node)
    return found


def _solution(piece, given, solved):
    """The teacher's text of a function: marked, with private helpers inside of it."""
    own = {one.name: one.text for one in solved}
    helpers = {name: text for name, text in own.items()
               if name not in {one.name for one in given}}
    imports = [line for line in own["imports"].splitlines()
               if line not in "\n".join(one.text for one in given if one.name == "imports")]
    return marked(piece.text, own[piece.name], helpers, imports)
