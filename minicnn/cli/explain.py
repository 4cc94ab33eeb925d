"""``minicnn explain``: an op's page in the terminal, and the other files about the op.

It shows the page's derivation (with the signs of `minicnn.report.formulas`) and its code, without
lists of parameters and checks of arguments, which students skip. Everything is read from the files
when the command runs, so the output cannot be out of date.
"""

import ast
import inspect
import re
import sys
from itertools import takewhile
from pathlib import Path

from minicnn import fast, naive, ops
from minicnn.cli.options import say
from minicnn.gradcheck.own import names
from minicnn.network import layers
from minicnn.network.rows import near
from minicnn.network.summary import lined_up
from minicnn.report import formulas

ROOT = Path(ops.__file__).resolve().parents[2]  # of the checkout, or of the installation
PAGES = {path.stem: path for path in sorted(Path(ops.__file__).parent.glob("*.py"))
         if path.stem != "__init__"}
GEOMETRY = "window"  # a page without an op: the geometry shared by the windowed ops
CHECKS = "_?(check|describe)"  # beginnings of names of functions that check arguments


def add(parser):
    """The options of the command."""
    parser.add_argument("op", nargs="?", metavar="OP",
                        help="an op of minicnn.ops, such as conv (default: list all ops)")
    parser.add_argument("--plain-text", action="store_true",
                        help="do not use bold type; bold is also off if NO_COLOR is set or "
                             "the output goes to a pipe")
    parser.add_argument("--out", metavar="PATH", help="write the text to this file")


def run(options):
    """Print an op's page, or the list of ops."""
    if options.op is None:
        say(listing(), options)
        return
    if options.op not in PAGES:
        hint = near(options.op.lower(), PAGES, 0.5) or f"; there are {', '.join(PAGES)}"
        raise ValueError(f"minicnn.ops has no page {options.op!r}{hint}")
    styled = options.out is None and not options.plain_text and formulas.can_style(sys.stdout)
    signs = options.out is not None or formulas.can_show(sys.stdout.encoding or "utf-8")
    text = explain(options.op, signs, _bold if styled else str)
    text = text if signs else text.replace("∂", "partial ")
    print(text) if styled else say(text, options)


def listing():
    """Every page with its first line."""
    rows = [(op, _docstring(path).splitlines()[0]) for op, path in PAGES.items()]
    return "\n".join([*lined_up(rows), "", "`minicnn explain OP` shows one page."])


def explain(op, signs=True, bold=str):
    """The page of an op, its code, and the other files about it, as text.

    Parameters
    ----------
    op : str
    signs : bool
        Show formulas with mathematical signs; if False, as they are written.
    bold : callable
        Turns the text of a heading or a formula into the text to show.
    """
    return "\n".join([
        bold(f"minicnn/ops/{op}.py"), "", *_derivation(op, signs, bold), "",
        bold("The code"), "", *_code(op), *_example(op, bold),
        bold("Related files"), "", *lined_up([*_elsewhere(op)]),
    ])


# ---- the page

def _tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def _docstring(path):
    return ast.get_docstring(_tree(path))


def _derivation(op, signs, bold):
    """Yield the lines of the page's docstring."""
    for line, kind in formulas.lines(_docstring(PAGES[op])):
        if kind == formulas.FORMULA and signs:
            line = formulas.formula(line)
        yield line if kind == formulas.TEXT else bold(line)


def _code(op):
    """Yield the lines of the functions that compute, and of the constants that they use."""
    page = PAGES[op].read_text(encoding="utf-8").splitlines()
    computing, checks = _functions(op)
    used = _names(computing.values())
    for node in _tree(PAGES[op]).body:
        named = isinstance(node, ast.Assign) and _names(node.targets) & used
        if named or getattr(node, "name", None) in computing:
            yield from (*_source(node, page), "")
    kept = [node.name for node in _tree(PAGES[op]).body if isinstance(node, ast.ClassDef)]
    yield from ([f"Not shown: {', '.join([*kept, *checks])}", ""] if kept or checks else [])


def _example(op, bold):
    """Yield the lines of the page's example, if it has one."""
    told = [ast.get_docstring(node) or "" for node in _functions(op)[0].values()]
    examples = [words.partition("Examples\n--------\n")[2] for words in told]
    if any(examples):
        yield from (bold("An example"), "", *next(filter(None, examples)).splitlines(), "")


def _functions(op):
    """The functions of a page by name, in two dicts: those that compute, and those that check."""
    found = {node.name: node for node in _tree(PAGES[op]).body if isinstance(node, ast.FunctionDef)}
    checks = {name: found.pop(name) for name in [*found] if re.match(CHECKS, name)}
    return found, checks


def _names(nodes):
    """All names that are read or set in some nodes."""
    return {inner.id for node in nodes for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _source(node, page):
    """The lines of a definition, with only the first paragraph of its docstring."""
    lines = page[node.lineno - 1 : node.end_lineno]
    if isinstance(node, ast.FunctionDef) and ast.get_docstring(node):
        first, after = (n - node.lineno for n in (node.body[0].lineno, node.body[0].end_lineno + 1))
        kept = list(takewhile(str.strip, lines[first:after]))
        if len(kept) < after - first:
            kept[-1] += '"""'
        lines[first:after] = kept
    return lines


# ---- related files: rows of title, place, and contents

def _elsewhere(op):
    """Yield the rows of the table of related files."""
    if op == GEOMETRY:
        yield from _titled("tests", _tests(op))
        return
    yield from _titled("nested loops", _loops(op))
    yield from _titled("fast twin", _twin(op))
    yield from _titled("geometry", _geometry(op))
    yield from _titled("tests", _tests(op))
    yield from _titled("lesson", _lessons(op))
    yield from _titled("layer", _layers(op))
    if op in names.OPS:
        yield from _titled("your own", _own(op))


def _titled(title, rows):
    """Yield the rows with a title, which only the first row shows."""
    for row in rows:
        yield (title, *row)
        title = ""


def _loops(op):
    for name, function in vars(naive).items():
        if re.fullmatch(f"{op}_[a-z]+", name):
            yield f"minicnn/naive.py:{inspect.getsourcelines(function)[1]}", name


def _twin(op):
    if op not in fast.TWINS:
        yield "none: networks use this page" if _kinds(op) else "none", ""
        return
    serves, gained = _table(_docstring(Path(fast.__file__)))[op]
    yield f"minicnn/fast/{op}.py", serves
    yield "", f"gained over this page: {gained}"


def _table(text):
    """{first cell: words of the other cells} of a table with edges of "="."""
    rows, name, columns = {}, None, None
    for line in text.splitlines():
        if re.fullmatch("=+( +=+)+", line):
            starts = [edge.start() for edge in re.finditer("=+", line)]
            columns = None if columns else [*map(slice, starts, [*starts[1:], None])]
        elif columns:
            first, *cells = (line[column].strip() for column in columns)
            name = first.strip("`") or name
            rows[name] = [f"{said} {more}".strip() for said, more
                          in zip(rows.get(name, [""] * len(cells)), cells, strict=True)]
    return rows


def _own(op):
    yield "minicnn check mine.py", "is it right, at which settings, and if not, why"
    if _kinds(op):
        yield f"minicnn doctor --ops {op}=mine.py", "is it right in a network's layers"


def _geometry(op):
    imported = {alias.name for node in _tree(PAGES[op]).body if isinstance(node, ast.ImportFrom)
                and node.module == f"minicnn.ops.{GEOMETRY}" for alias in node.names}
    used = sorted(imported & _names(_functions(op)[0].values()))
    names = [name for name in used if not re.match(CHECKS, name)]
    if names:
        yield f"minicnn/ops/{GEOMETRY}.py", ", ".join(names)


def _tests(op):
    for folder in ["ops", "fast"] if op in fast.TWINS else ["ops"]:
        path = f"tests/{folder}/test_{op}.py"
        yield path, "" if (ROOT / path).is_file() else "in the source checkout"


def _lessons(op):
    for path in sorted((ROOT / "lessons").glob(f"[0-9][0-9]_{op}.py")):
        yield f"lessons/{path.name}", ""


def _layers(op):
    for kind in _kinds(op):
        yield f"minicnn/network/layers.py:{inspect.getsourcelines(kind)[1]}", kind.__name__
    if not _kinds(op):
        yield "none", ""


def _kinds(op):
    """The kinds of layers that use this op."""
    return [kind for kind in layers.KINDS.values() if kind.op == op]


def _bold(text):
    return f"\033[1m{text}\033[0m"
