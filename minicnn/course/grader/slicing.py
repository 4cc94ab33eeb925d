"""The statements of a notebook that its functions need.

Functions, classes and imports always; of all else what gives something to a name that these use.
"""

import ast
import builtins
from typing import NamedTuple

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
KEPT = (*FUNCTIONS, ast.ClassDef, ast.Import, ast.ImportFrom)
FUTURE = "from __future__ import annotations"  # no annotation can raise; how a source begins
BASES = {"NamedTuple", "object", "Exception", "ValueError", "dict", "list", "tuple"}


class Statement(NamedTuple):
    """A statement at the top of a cell, with the text of the cell and the cell's name."""

    node: ast.stmt
    text: str
    cell: str


def source(statements):
    """The needed statements as a source, what could raise inside `try`."""
    keep = _needed([one.node for one in statements])
    pieces, cell = [FUTURE], ""
    for one in (statements[number] for number in sorted(keep)):
        if isinstance(one.node, ast.ImportFrom) and one.node.module == "__future__":
            continue
        pieces += [f"# {one.cell}"] * (one.cell != cell)
        pieces.append(_written(one))
        cell = one.cell
    return "\n\n".join(pieces) + "\n"


def _needed(nodes):
    """The numbers of the statements to keep, found from the functions backwards."""
    keep = {number for number, node in enumerate(nodes) if _holds(node)}
    fixed = {name for number in keep for name in _given(nodes[number])}
    makers = {}  # to each name the numbers of the statements that make it what it is
    for number, node in enumerate(nodes):
        for name in () if number in keep or _main(node) else _given(node) | (_called(node) - fixed):
            makers.setdefault(name, []).append(number)
    waiting = {name for number in keep for name in _read(nodes[number])} | fixed
    while waiting:
        more = {number for name in waiting for number in makers.pop(name, ())} - keep
        keep |= more
        waiting = {name for number in more for name in _read(nodes[number])} & makers.keys()
    return keep


def _holds(node):
    """Whether a statement is a function, a class or an import, or has one in it."""
    if isinstance(node, KEPT):
        return True
    blocks = isinstance(node, (ast.If, ast.Try, ast.With)) and not _main(node)
    return blocks and any(isinstance(inner, KEPT) for inner in ast.walk(node))


def _main(node):
    """Whether it is `if __name__ == "__main__":`."""
    return isinstance(node, ast.If) and any(
        isinstance(inner, ast.Name) and inner.id == "__name__" for inner in ast.walk(node.test))


def _read(node):
    """The names that a statement reads, apart from those of its own functions' variables."""
    if isinstance(node, FUNCTIONS):
        around = [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
        return (_read_in(node.body) - _own(node)) | _read_in(around)
    if isinstance(node, ast.ClassDef):
        around = [*node.decorator_list, *node.bases, *node.keywords]
        return {name for one in node.body for name in _read(one)} | _read_in(around)
    return _read_in([node])


def _read_in(nodes):
    return {inner.id for node in nodes for inner in ast.walk(node)
            if isinstance(inner, ast.Name)} - set(dir(builtins))


def _own(function):
    """The arguments and variables of a function, without those it declares global."""
    args = function.args
    every = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
    stored = {inner.id for inner in ast.walk(function)
              if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)}
    wide = {name for inner in ast.walk(function) if isinstance(inner, ast.Global)
            for name in inner.names}
    return ({one.arg for one in every if one} | stored) - wide


def _given(node):
    """The names that a statement gives something to, or changes a part of."""
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return {root for inner in ast.walk(node) if isinstance(getattr(inner, "ctx", None), ast.Store)
            for root in [_root(inner)] if root}


def _called(node):
    """Of `SIZES.update(a=3)`: SIZES, which it changes."""
    call = node.value if isinstance(node, ast.Expr) else None
    method = isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
    return {_root(call.func)} if method else set()


def _root(node):
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


# ---- text

def _written(one):
    """The text of a statement; inside `try` if running it could raise."""
    if _cannot_raise(one.node):
        functions = isinstance(one.node, (*FUNCTIONS, ast.ClassDef))
        return _text(one) if functions else ast.unparse(one.node)  # constants: not deep
    handler = ast.ExceptHandler(ast.Name("BaseException", ast.Load()), None, [ast.Pass()])
    try:
        return ast.unparse(ast.Try([one.node], [handler], [], []))
    except RecursionError:  # an expression of hundreds of parts
        return "pass"


def _text(one):
    """The lines of a function or class, with the comments among them."""
    lines = one.text.split("\n")
    return "\n".join(lines[one.node.lineno - 1:one.node.end_lineno])


def _cannot_raise(node):
    """Whether a statement is a plain definition, or an assignment of constants."""
    if isinstance(node, FUNCTIONS):
        return not node.decorator_list and all(
            map(_constant, [*node.args.defaults, *filter(None, node.args.kw_defaults)]))
    if isinstance(node, ast.ClassDef):
        plain = all(isinstance(base, ast.Name) and base.id in BASES for base in node.bases)
        return (plain and not node.decorator_list and not node.keywords
                and all(map(_cannot_raise, node.body)))
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return all(alias.name.partition(".")[0] in ("numpy", "typing", "math")
                   for alias in node.names) and not getattr(node, "module", "")
    if isinstance(node, ast.Assign):
        return all(isinstance(one, ast.Name) for one in node.targets) and _constant(node.value)
    if isinstance(node, ast.AnnAssign):
        return isinstance(node.target, ast.Name) and (not node.value or _constant(node.value))
    return isinstance(node, ast.Pass) or isinstance(node, ast.Expr) and _constant(node.value)


def _constant(node):
    """A number, a text, None, or a tuple or list of these."""
    if isinstance(node, (ast.Tuple, ast.List)):
        return all(map(_constant, node.elts))
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.operand, ast.Constant) and not isinstance(node.op, ast.Not)
    return isinstance(node, ast.Constant)
