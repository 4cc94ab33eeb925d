"""The lessons there are, and their cells.

A lesson is a file `NN_name.py`. Its first cell is text; that cell's first line is the title, its
last line "Minutes: 15". Every cell begins with `# %%` or `# %% [markdown]`, and a title may follow;
lines of text begin with "# ".
"""

import re
from pathlib import Path
from typing import NamedTuple

MARK = re.compile(r"# %%(?P<text> \[markdown\])?(?: .*)?$")
MINUTES = re.compile(r"Minutes: (\d+)")
PLACES = ("../lessons", "lessons")  # beside the package in a checkout, inside it when installed


class LessonError(ValueError):
    """There is no such lesson, or its file is not one."""


class Cell(NamedTuple):
    """One cell: text without its comment signs, or code; `line` is the one above it in the file."""

    is_text: bool
    content: str
    line: int


class Lesson(NamedTuple):
    """One lesson."""

    number: int
    name: str
    path: Path
    title: str
    minutes: int
    cells: list


def folder():
    """The folder that holds the lessons."""
    for found in _places():
        if any(found.glob("[0-9][0-9]_*.py")):
            return found
    raise LessonError("this installation of minicnn has no lessons; looked in "
                      f"{' and '.join(map(str, _places()))}")


def is_shipped(one):
    """Whether a lesson came with minicnn, and is not one's own."""
    return one.path.parent in _places()


def _places():
    package = Path(__file__).resolve().parents[1]
    return [(package / place).resolve() for place in PLACES]


def lessons():
    """All lessons, in the order of their numbers."""
    return [read(path) for path in sorted(folder().glob("[0-9][0-9]_*.py"))]


def lesson(wanted):
    """The lesson of a number, such as 4 or "04", of a name, such as "pooling", or in a file."""
    if str(wanted).endswith(".py") and Path(wanted).is_file():
        return read(wanted)
    there = lessons()
    for one in there:
        if str(wanted) in (str(one.number), f"{one.number:02}", one.name, one.path.stem):
            return one
    raise LessonError(f"there is no lesson {wanted!r}; there are "
                      f"{', '.join(f'{one.number} {one.name}' for one in there)}")


def read(path):
    """The Lesson in a file.

    Raises
    ------
    LessonError
        Its first cell is not text with a title and a number of minutes.
    """
    path = Path(path).resolve()
    cells = cells_of(path.read_text(encoding="utf-8"))
    first = cells[0].content if cells and cells[0].is_text else ""
    minutes = MINUTES.search(first)
    if not first.startswith("# ") or not minutes:
        raise LessonError(f"{path.name}: the first cell must be text that begins with '# title' "
                          "and says 'Minutes: N'")
    number, _, name = path.stem.partition("_")
    if not number.isdecimal() or not name:
        raise LessonError(f"{path.name}: a lesson's file is named NN_name.py, as 04_pooling.py")
    return Lesson(int(number), name, path, first.splitlines()[0].removeprefix("# "),
                  int(minutes[1]), cells)


def cells_of(text):
    """The cells of a lesson's text."""
    cells, lines, kind, begin = [], [], None, 0
    for number, line in enumerate([*text.splitlines(), "# %%"], 1):
        mark = MARK.match(line)
        if not mark:
            lines.append(line)
            continue
        if kind is not None and "\n".join(lines).strip():
            cells.append(_cell(kind, lines, begin))
        kind, lines, begin = bool(mark["text"]), [], number
    return cells


def _cell(is_text, lines, begin):
    if is_text:
        lines = [re.sub(r"^# ?", "", line) for line in lines]
    while not lines[0].strip():
        lines, begin = lines[1:], begin + 1
    return Cell(is_text, "\n".join(lines).rstrip(), begin)


def run(one, namespace=None):
    """Run all code of a lesson; returns its names.

    Errors carry the lesson's own file and line.
    """
    namespace = {"__name__": "__main__"} if namespace is None else namespace
    for cell in one.cells:
        if not cell.is_text:
            execute(one, cell, namespace)
    return namespace


def execute(one, cell, namespace):
    """Run the code of a cell of a lesson in a namespace."""
    exec(compile("\n" * cell.line + cell.content, str(one.path), "exec"), namespace)
