"""Taking the bodies of functions out: signature and docstring stay."""

import ast

EMPTY = "raise NotImplementedError"


def without_bodies(thing, cut, comment=lambda name: ()):
    """The text of a Thing without the bodies that are cut.

    Parameters
    ----------
    thing : Thing
    cut : tuple of str
        "forward", or "SGD.step" for a method.
    comment : function
        comment(name) -> lines to write where the body was.

    Returns
    -------
    str
        Each of these bodies is ``raise NotImplementedError``.
    """
    lines = thing.text.splitlines()
    for name, node in reversed(cut_nodes(thing, cut)):
        first, last = body_lines(node)
        indent = " " * node.body[0].col_offset
        lines[first - 1 : last] = [indent + line for line in (*comment(name), EMPTY)]
    return "\n".join(lines)


def cut_nodes(thing, cut):
    """(name, function node) of what is cut from a Thing, in the order of its lines.

    Raises
    ------
    ValueError
        The class has no such method.
    """
    (top,) = ast.parse(thing.text).body
    if isinstance(top, ast.FunctionDef):
        return [(thing.name, top)] if thing.name in cut else []
    found = {f"{thing.name}.{node.name}": node for node in getattr(top, "body", [])
             if isinstance(node, ast.FunctionDef)}
    missing = [name for name in cut if name.startswith(f"{thing.name}.") and name not in found]
    if missing:
        raise ValueError(f"{thing.module} has no {missing[0]} to be cut")
    return [(name, node) for name, node in found.items() if name in cut]


def body_lines(node):
    """The first and the last line of a function's body, after its docstring."""
    told = ast.get_docstring(node) is not None
    return node.body[0].end_lineno + 1 if told else node.body[0].lineno, node.end_lineno
