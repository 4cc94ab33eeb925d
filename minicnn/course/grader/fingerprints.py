"""The code of a submission as a set of fingerprints that a disguise does not change.

Only functions that the handout does not give count. Of these, every statement and every larger
expression gives one fingerprint: a digest of its syntax tree without comments, docstrings,
annotations and the names of what the student has named. Variables are numbered within a statement
in the order in which they appear; a block is a digest of its head and of the set of its statements.
So names, layout, and the order of functions and of statements do not count.
"""

import ast
from hashlib import blake2b
from typing import NamedTuple

from minicnn.course.grader import names

SMALLEST, LARGEST = 7, 150  # nodes of an expression that counts by itself
MOST_NODES = 30_000  # of a submission
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
BLOCKS = ("body", "orelse", "finalbody", "handlers")


class Print(NamedTuple):
    """A fingerprint: how many nodes it stands for, and the lines it was found at."""

    size: int
    lines: frozenset


def fingerprints(source, given=frozenset()):
    """The fingerprints of a source.

    Parameters
    ----------
    source : str
    given : set of str
        Digests that do not count: those of the handout.

    Returns
    -------
    dict
        digest -> Print. Empty if Python cannot read the source, or if it is far too long.
    """
    return joined(functions(source, given))


def joined(parts):
    """The fingerprints of several functions as those of one source."""
    found = {}
    for prints in parts.values():
        for digest, one in prints.items():
            before = found.get(digest, one)
            found[digest] = Print(one.size, before.lines | one.lines)
    return found


def functions(source, given=frozenset()):
    """The same of each function by itself: {"conv_forward": {digest: Print}}."""
    tree, _ = names.parsed(source)
    if tree is None or sum(1 for _ in ast.walk(tree)) > MOST_NODES:
        return {}
    reader, found = _Reader(tree), {}
    try:
        for name, node in _outermost(tree):
            reader.found = found.setdefault(name, {})
            reader.block(node.body)
    except RecursionError:
        return {}
    return {name: {digest: one for digest, one in prints.items() if digest not in given}
            for name, prints in found.items()}


def _outermost(tree):
    """(name, node) of the written functions and methods, without those inside of others."""
    waiting = [("", one) for one in ast.iter_child_nodes(tree)]
    while waiting:
        prefix, node = waiting.pop()
        if isinstance(node, FUNCTIONS):
            if names.written(node):
                yield f"{prefix}{node.name}", node
            continue
        prefix += f"{node.name}." if isinstance(node, ast.ClassDef) else ""
        waiting += [(prefix, one) for one in ast.iter_child_nodes(node)]


class _Reader:
    """Collects the fingerprints of a tree."""

    def __init__(self, tree):
        self.found, self.size = {}, _sizes(tree)
        self.own = _own(tree)
        self.modules = {alias.asname or alias.name: alias.name for node in ast.walk(tree)
                        if isinstance(node, ast.Import) for alias in node.names}

    def block(self, statements):
        """Digests of the statements of a block, sorted: their order does not count."""
        return sorted(self.statement(one) for one in statements if not _words(one))

    def statement(self, node):
        """The digest of a statement, after those of all that is in it."""
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            return _digest(type(node).__name__, *self.block(node.body))
        inside = [digest for part in BLOCKS for digest in self.block(getattr(node, part, ()))]
        head = [one for one in ast.iter_child_nodes(node) if isinstance(one, (ast.expr,
                                                                             ast.withitem))]
        if isinstance(node, ast.AnnAssign):
            head = [node.target, *filter(None, [node.value])]
        kind = "Assign" if isinstance(node, ast.AnnAssign) else type(node).__name__
        operator = type(getattr(node, "op", None)).__name__
        text = _digest(kind, operator, *self._texts(head), *inside)
        for one in head:
            self._expressions(one)
        self._note(text, node, 1 + sum(self.size[one] for one in head) + len(inside),
                   first_line_only=bool(inside))
        return text

    def _expressions(self, node):
        for one in ast.walk(node):
            if isinstance(one, ast.expr) and SMALLEST <= self.size[one] <= LARGEST:
                self._note(_digest(*self._texts([one])), one, self.size[one])

    def _note(self, digest, node, size, first_line_only=False):
        last = node.lineno if first_line_only else node.end_lineno
        lines = frozenset(range(node.lineno, last + 1))
        before = self.found.get(digest, Print(size, frozenset()))
        self.found[digest] = Print(size, before.lines | lines)

    def _texts(self, nodes):
        numbers = {}
        return [self._text(one, numbers) for one in nodes]

    def _text(self, node, numbers):
        """A tree as text, variables by the number of their first appearance."""
        if isinstance(node, ast.Name):
            if node.id in self.own:
                return f"v{numbers.setdefault(node.id, len(numbers))}"
            return self.modules.get(node.id, node.id)
        if isinstance(node, ast.arg):
            return f"v{numbers.setdefault(node.arg, len(numbers))}"
        if isinstance(node, ast.Constant):
            return repr(node.value)[:40] if not isinstance(node.value, str) else "text"
        parts = [type(node).__name__]
        for name, value in ast.iter_fields(node):
            if name in ("ctx", "annotation", "returns", "type_comment", "kind"):
                continue
            for one in value if isinstance(value, list) else [value]:
                parts.append(self._text(one, numbers) if isinstance(one, ast.AST) else str(one))
        return f"({' '.join(parts)})"


def _own(tree):
    """All names that the submission itself gives."""
    found = {node.id for node in ast.walk(tree)
             if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    found |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    return found | {node.name for node in ast.walk(tree)
                    if isinstance(node, (*FUNCTIONS, ast.ClassDef))}


def _words(node):
    """Whether a statement is a text by itself, or does nothing."""
    text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return text or isinstance(node, (ast.Pass, ast.Import, ast.ImportFrom))


def _sizes(tree):
    """To each node of a tree the number of nodes in it."""
    sizes = {}
    for node in reversed(list(ast.walk(tree))):  # what is inside comes first
        counts = not isinstance(node, (ast.expr_context, ast.operator))
        sizes[node] = counts + sum(sizes[one] for one in ast.iter_child_nodes(node))
    return sizes


def _digest(*texts):
    return blake2b("\n".join(texts).encode("utf-8", "replace"), digest_size=8).hexdigest()
