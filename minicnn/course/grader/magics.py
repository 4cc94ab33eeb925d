"""The lines of a notebook that are not Python: `%matplotlib inline`, `!pip install`, `%%bash`."""

import ast
import re

from minicnn.course.grader import names

OF_PYTHON = ("time", "timeit", "capture", "prun", "memit", "debug", "snakeviz")  # they run the cell
LINE = re.compile(r"(\s*)(?:(?P<name>[A-Za-z_]\w*)\s*=\s*)?(?:[%!?](?!=)|.*\S\?\??\s*$)")
MOST = 200  # lines of a cell that are tried


def removed(text):
    """The text of a cell without magic lines, and what was left out.

    A line goes only where it keeps the cell from being Python: `% n)` in the middle of a sum stays.
    In its place stands `pass`, so that line numbers and blocks are as they were.

    Parameters
    ----------
    text : str

    Returns
    -------
    text : str
    removed : list of str
        The lines.

    Examples
    --------
    >>> removed("%matplotlib inline\\nx = 3")
    ('pass\\nx = 3', ['%matplotlib inline'])
    """
    lines = text.split("\n")
    gone = _whole(lines)
    for _ in range(MOST):
        number = _first_error(lines)
        found = LINE.match(lines[number]) if number is not None else None
        if not found:
            break
        gone.append(lines[number].strip()[:60])
        name = found["name"]
        lines[number] = found[1] + (f"{name} = None" if name else "pass")
    return _without_calls("\n".join(lines), gone)


def _whole(lines):
    """Take away the magic of a whole cell; all of the cell, if that is another language."""
    first = next((number for number, one in enumerate(lines) if one.strip()), None)
    if first is None or not lines[first].startswith("%%"):
        return []
    gone, word = lines[first].strip()[:60], lines[first][2:].split(" ")[0].strip()
    lines[first] = "pass"
    if word not in OF_PYTHON:
        lines[first:] = ["pass"]
        gone += " and its cell"
    return [gone]


def _first_error(lines):
    """The number of the line, from 0, that is not Python; None if all is."""
    try:
        names.read("\n".join(lines))
    except SyntaxError as error:
        return error.lineno - 1 if error.lineno and error.lineno <= len(lines) else None
    except names.TOO_MUCH:
        pass
    return None


def _without_calls(text, gone):
    """Take away `get_ipython().magic(...)`, which is Python, but of notebooks alone."""
    tree, _ = names.parsed(text) if "get_ipython" in text else (None, "")
    lines = text.split("\n")
    for node in [] if tree is None else tree.body:
        if isinstance(node, ast.Expr) and _root(node.value) == "get_ipython":
            gone.append(lines[node.lineno - 1].strip()[:60])
            lines[node.lineno - 1:node.end_lineno] = ["pass"] * (node.end_lineno - node.lineno + 1)
    return "\n".join(lines), gone


def _root(node):
    """The name that an expression begins with, as f of `f().a(3)`."""
    while isinstance(node, (ast.Call, ast.Attribute, ast.Subscript)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
