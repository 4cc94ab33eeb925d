"""The code of a function as a program of its own: its imports, itself, and lines that call it."""

import ast
import inspect
import sys
import textwrap
from collections import defaultdict


def listing(function, *calls):
    """A program that can be pasted as it is.

    Parameters
    ----------
    function : function of a module
    *calls : str
        Lines below it. What they and the function use of the module's imports and of its own
        functions and constants is imported on top.

    Returns
    -------
    str
        The function is without its docstring.
    """
    module, called = sys.modules[function.__module__], "\n".join(calls)
    own = _source(function)
    used = _names(own) | _names(called)
    used -= {function.__name__}
    lines = _imports(ast.parse(inspect.getsource(module)), used, module)
    return "\n\n".join(part for part in ("\n".join(lines), own, called) if part)


def _source(function):
    """The lines of a function, without its docstring."""
    lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    body = ast.parse("\n".join(lines)).body[0].body
    if ast.get_docstring(ast.parse("\n".join(lines)).body[0]) is not None:
        lines = [*lines[: body[0].lineno - 1], *lines[body[0].end_lineno :]]
    return "\n".join(lines)


def _names(code):
    """The names that a piece of code reads and does not give a meaning itself."""
    nodes = list(ast.walk(ast.parse(code)))
    given = {node.id for node in nodes if isinstance(node, ast.Name)
             and not isinstance(node.ctx, ast.Load)} | {
                 node.arg for node in nodes if isinstance(node, ast.arg)}
    return {node.id for node in nodes if isinstance(node, ast.Name)} - given


def _imports(tree, used, module):
    """The lines that import what is used, of modules and of the function's own module."""
    plain, of = set(), defaultdict(set)
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                text = alias.name + (f" as {alias.asname}" if alias.asname else "")
                if name in used and isinstance(node, ast.Import):
                    plain.add(f"import {text}")
                elif name in used:
                    of[node.module].add(text)
                used = used - {name}
    of[module.__name__] |= {name for name in used if hasattr(module, name)}
    if "minicnn" in used:
        plain.add("import minicnn")
    return [*sorted(plain), *(f"from {name} import {', '.join(sorted(names))}"
                              for name, names in sorted(of.items()) if names)]
