"""What Sphinx needs for the book: lessons as notebooks, and the pages of the reference.

A lesson's page has its step figures, and links to the names that it uses. The reference has a page
for each room of minicnn and for each of its files, written anew at each build into `reference/`. A
room's page lists its public names. Each name leads to its docstring, the docstring to the source,
and both to the lessons that use the name.
"""

import ast
import importlib
import inspect
import pkgutil
import re
import shutil
import textwrap
from pathlib import Path

import jupytext
import nbformat

import minicnn
from minicnn.course import figures, lessons, notebook

BOOK = Path(__file__).parent
PAGES, DRAWN = BOOK / "reference", BOOK / "figures"  # both are made here, anew at each build
LEFT_OUT = re.compile(r"minicnn\.(cli|__main__|course\.assignments|lessons)\b")  # no names to call


def setup(app):
    """What Sphinx calls."""
    app.connect("builder-inited", lambda app: write())
    app.connect("autodoc-process-docstring", prepare, priority=400)  # numpydoc's is 500
    return {"parallel_read_safe": True}


# ---- lessons

def lesson(text):
    """The notebook of a lesson's file; at the end its step figures, and the names it uses."""
    made = notebook.made(text, jupytext, nbformat)
    number = int(re.search(r"# # (\d+)", text)[1])
    for make in figures.FIGURES.get(number, ()):
        name = figures.name(make)
        made.cells.append(nbformat.v4.new_markdown_cell(
            f'## {make().title}\n<p>Step through it here, or <a href="{name}">on a page of its own'
            f'</a>.</p>\n<iframe src="{name}" title="step figure" loading="lazy" '
            'style="width: 100%; height: 60rem; border: 1px solid #ddd"></iframe>',
            id=make.__name__))
    names = sorted(f"{{py:obj}}`{name}`" for name in used(text) if documented(name))
    if names:
        made.cells.append(nbformat.v4.new_markdown_cell(
            "## In the reference\n" + ", ".join(names), id="reference"))
    return made


def used(text):
    """The full names, such as "minicnn.ops.conv.forward", that a lesson's code mentions."""
    code = "\n".join(cell.source for cell in jupytext.reads(text, fmt="py:percent").cells
                     if cell.cell_type == "code")
    tree, known, found = ast.parse(code), {}, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            known |= {alias.asname or alias.name.partition(".")[0]: alias.name
                      for alias in node.names if alias.name.startswith("minicnn")}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("minicnn"):
            known |= {alias.asname or alias.name: f"{node.module}.{alias.name}"
                      for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Name, ast.Attribute)):
            first, _, rest = ast.unparse(node).partition(".")
            if first in known:
                found.add(home(f"{known[first]}.{rest}".rstrip(".")))
    return found - {None}


def lessons_by_name():
    """{full name: [Lesson]} of all that lessons use."""
    found = {}
    for one in lessons.lessons():
        for name in used(one.path.read_text(encoding="utf-8")):
            found.setdefault(name, []).append(one)
    return found


# ---- names

def resolved(name):
    """The object of a dotted name; None if there is none."""
    parts, value = name.split("."), minicnn
    for k, part in enumerate(parts[1:], 2):
        value = getattr(value, part, None)
        if value is None:
            try:
                value = importlib.import_module(".".join(parts[:k]))
            except ImportError:
                return None
    return value


def home(name):
    """The full name of a function, class or module of minicnn where it is defined, or None."""
    value = resolved(name)
    if inspect.ismodule(value):  # a method of `vis` is a module that can be called
        last = value.__name__.rpartition(".")[2]
        return f"{value.__name__}.{last}" if callable(value) else value.__name__
    if not (inspect.isfunction(value) or inspect.isclass(value)):
        return None
    where = f"{value.__module__}.{value.__qualname__}"
    return where if where.startswith("minicnn.") else None


def documented(name):
    """Whether the reference has a place for a full name."""
    return not LEFT_OUT.match(name) and not re.search(r"\._|<", name)


def modules(room):
    """The names of a room's files, all the way down."""
    package = importlib.import_module(f"minicnn.{room}")
    names = [found.name for found in pkgutil.walk_packages(getattr(package, "__path__", ()),
                                                          package.__name__ + ".")]
    return [name for name in names if documented(name)]


def rooms():
    """The names of the rooms of minicnn."""
    return [name for name in minicnn.__all__ if inspect.ismodule(getattr(minicnn, name))]


# ---- pages

def write():
    """Write all pages of the reference."""
    for folder in (PAGES, DRAWN):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    for number in figures.FIGURES:
        figures.write(lessons.lesson(number), DRAWN)
    by_name = lessons_by_name()
    for room in rooms():
        within = modules(room)
        page(f"minicnn.{room}", [*names(f"minicnn.{room}", by_name), *contents(within)])
        for name in within:
            page(name, names(name, by_name))
    index = [*heading("Reference"), *names("minicnn", by_name), *contents(rooms())]
    (PAGES / "index.rst").write_text("\n".join(index), encoding="utf-8")


def page(module, rest):
    """Write the page of one file: its docstring, the public names, and their docstrings."""
    short = module.removeprefix("minicnn.")
    is_room = hasattr(importlib.import_module(module), "__path__")
    text = [*heading(short), f".. automodule:: {module}", "" if is_room else "   :members:", "",
            *rest]
    (PAGES / f"{short}.rst").write_text("\n".join(text), encoding="utf-8")


def heading(words):
    """A heading, as lines."""
    return [words, "=" * len(words), ""]


def names(module, by_name):
    """A table of a module's public names: what each is, and the lessons that use it."""
    value, rows = importlib.import_module(module), []
    public = getattr(value, "__all__", None) or [
        name for name, one in vars(value).items()
        if not name.startswith("_") and getattr(one, "__module__", "") == module]
    for name in sorted(public):
        where = home(f"{module}.{name}")
        if where is None or not documented(where):
            continue
        told = (inspect.getdoc(resolved(where)) or "").split("\n\n")[0].replace("\n", " ")
        links = ", ".join(f":doc:`{one.number} </{one.path.stem}>`"
                          for one in by_name.get(where, ()))
        rows += [f"   * - :py:obj:`{name} <{where}>`", f"     - {escaped(told)}", f"     - {links}"]
    return [".. list-table::", "   :header-rows: 1", "   :widths: 20 70 10", "", "   * - name",
            "     - what it is", "     - lessons", *rows, ""] if rows else []


def contents(modules):
    """The pages below, as a table of contents."""
    short = [name.removeprefix("minicnn.") for name in modules]
    return [".. toctree::", "   :maxdepth: 1", "", *(f"   {name}" for name in short), ""] if (
        short) else []


# ---- docstrings

SECTION = re.compile(r"^(Parameters|Attributes|Returns|Yields|Raises|Examples?)\n-+$", re.MULTILINE)
TITLED = re.compile(r"^([A-Z][\w' -]{2,40})\n((?: {4}.*\n|\n)+)", re.MULTILINE)


def prepare(app, what, name, value, options, lines):
    """Turn a docstring, written for readers of the source, into reStructuredText.

    A paragraph of plain lines becomes text. Formulas, columns and lists of terms, which indentation
    or spaces set off, become literal blocks. numpydoc reads what follows from "Parameters" on.
    """
    text = "\n".join(lines).rstrip() + "\n"
    found = SECTION.search(text)
    told, rest = (text[:found.start()], text[found.start():]) if found else (text, "")
    lines[:] = [*prose(told), *escaped(rest).splitlines()]


def prose(text):
    """The lines of reStructuredText of a docstring before its sections."""
    lines, literal, last = [], [], 0
    for found in TITLED.finditer(text):
        lines += prose(text[last:found.start()])
        lines += [f".. rubric:: {found[1]}", "", *prose(textwrap.dedent(found[2]))]
        last = found.end()
    for piece in re.split(r"\n\s*\n", text[last:].strip("\n")):
        if re.search(r"^\s+\S|^\(\w\)|[^\s.] {2,}\S", piece, re.MULTILINE) and piece[:2] != "==":
            literal += ["", *("    " + line for line in piece.splitlines())]
            continue
        lines += ["::", *literal, ""] if literal else []
        literal = []
        lines += [*paragraph(piece), ""]
    return lines + (["::", *literal, ""] if literal else [])


def paragraph(piece):
    """The lines of reStructuredText of a paragraph without columns."""
    first, *others = piece.splitlines() or [""]
    if others and re.fullmatch("-{3,}", others[0]):
        return [f".. rubric:: {first}", "", *paragraph("\n".join(others[1:]))]
    if first.startswith("|"):
        cells = [row.strip()[1:-1].split(" | ") for row in (first, *others[1:])]
        return [".. list-table::", "   :header-rows: 1", "", *(
            f"   {'* -' if k == 0 else '  -'} {escaped(cell.strip())}"
            for row in cells for k, cell in enumerate(row))]
    plain = first.startswith(">>>")
    return piece.splitlines() if plain else escaped(piece).splitlines()


def escaped(text):
    """Text in which the signs of reStructuredText stand for themselves, but for `names`."""
    parts = re.split(r"(``.*?``|`[^`]*`)", text, flags=re.DOTALL)
    return "".join(part if part.startswith("`") else
                   re.sub(r"([|*]|(?<=\w)_(?!\w))", r"\\\1", part) for part in parts)
