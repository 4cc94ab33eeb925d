"""Changing the text of an answer: bodies of functions, mistakes, cells of a notebook."""

import ast
import json
import textwrap
from functools import cache


def filled(text, bodies):
    """A handout with bodies in place of `raise NotImplementedError`."""
    for name, body in bodies.items():
        node, first = _found(text, name)
        text = _replaced(text, first.lineno, node.end_lineno, body, first.col_offset)
    return text


def emptied(text, functions):
    """A solution whose functions are not written."""
    return filled(text, dict.fromkeys(functions, "raise NotImplementedError"))


def begun(text, function, body):
    """A solution with statements at the beginning of a function."""
    _, first = _found(text, function)
    return _replaced(text, first.lineno, first.lineno - 1, body, first.col_offset)


def above(text, statements):
    """A solution with statements after its imports."""
    tree = ast.parse(text)
    last = max(one.end_lineno for one in tree.body if isinstance(one, (ast.Import, ast.ImportFrom)))
    return _replaced(text, last + 1, last, statements, 0)


def _found(text, name):
    """A function or method, and its first statement after the docstring."""
    body = ast.parse(text).body
    for part in name.split("."):
        node = next(one for one in body if getattr(one, "name", "") == part)
        body = node.body
    return node, node.body[ast.get_docstring(node) is not None:][0]


def _replaced(text, start, end, body, indent):
    """A text whose lines `start` to `end` are others."""
    lines = text.split("\n")
    lines[start - 1:end] = textwrap.indent(body.strip("\n"), " " * indent).split("\n")
    return "\n".join(lines)


def edited(text, edits):
    """The text after a mistake's edits, or "" if one is not found once."""
    for old, new in edits:
        if text.count(old) != 1:
            return ""
        text = text.replace(old, new)
    return text


@cache
def calls(text):
    """{function: the functions that it calls, also by others}."""
    tree = ast.parse(text)
    used = {one.name: {node.id for node in ast.walk(one) if isinstance(node, ast.Name)}
            for one in tree.body if isinstance(one, (ast.FunctionDef, ast.ClassDef))}
    for _ in used:
        used = {name: names | {far for near in names for far in used.get(near, ())}
                for name, names in used.items()}
    return used


def notebook(text, before, after):
    """A notebook's bytes with cells before and after its own."""
    book = json.loads(text)
    cell = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
    made = [[cell | {"id": f"{where}{index}", "source": source}
             for index, source in enumerate(sources)]
            for where, sources in (("before", before), ("after", after))]
    book["cells"] = [*made[0], *book["cells"], *made[1]]
    return json.dumps(book).encode()
