"""Which names in a definition mean something outside of it, by Python's rules of scopes."""

import ast
from functools import cache
from typing import Any, NamedTuple

FUNCTIONS = (ast.FunctionDef, ast.Lambda)
SCOPES = (*FUNCTIONS, ast.ClassDef, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Use(NamedTuple):
    """A name of the module's top, used in a definition.

    Attributes
    ----------
    name, attribute : str
        ``attribute`` is "check" in `conv.check`, "" where there is none.
    node : ast.Name or ast.Attribute
    string : ast.JoinedStr or None
        The f-string it stands in: there, Python 3.11 knows no positions.
    early : bool
        Whether it is needed when the definition runs, and not only when it is called.
    local : frozenset of str
        The names that mean something else at this place.
    """

    name: str
    attribute: str
    node: Any
    string: Any
    early: bool
    local: frozenset


@cache
def uses(text):
    """The Uses in a definition, a tuple, in order."""
    reader = _Reader()
    reader.visit(ast.parse(text))
    return tuple(reader.found)


class _Reader(ast.NodeVisitor):
    """Finds the uses of names: Python calls a method for each kind of node, by its name."""

    def __init__(self):
        self.found, self.local, self.string, self.depth = [], [], None, 0

    def visit_Name(self, node):
        self._use(node, node, "")

    def visit_Attribute(self, node):
        """A use of a module's or a class's name, as in ``np.sum``."""
        if isinstance(node.value, ast.Name):
            self._use(node, node.value, node.attr)
        else:
            self.generic_visit(node)

    def _use(self, node, name, attribute):
        local = frozenset().union(*self.local)
        if isinstance(name.ctx, ast.Load) and name.id not in local:
            self.found.append(
                Use(name.id, attribute, node, self.string, self.depth == 0, local))

    def visit_JoinedStr(self, node):
        outer, self.string = self.string, self.string or node
        self.generic_visit(node)
        self.string = outer

    def visit_FunctionDef(self, node):
        for outside in (*node.decorator_list, *_outside(node)):
            self.visit(outside)
        self._inside(node, node.body)

    def visit_ClassDef(self, node):
        """Its methods do not see its names, its other lines do."""
        for part in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(part)
        for part in node.body:
            method = isinstance(part, ast.FunctionDef)  # which does not see the class's names
            self.local.append(set() if method else bound(node))
            self.visit(part)
            self.local.pop()

    def visit_Lambda(self, node):
        for outside in _outside(node):
            self.visit(outside)
        self._inside(node, [node.body])

    def _inside(self, node, body):
        self.local.append(bound(node))
        self.depth += 1
        for part in body:
            self.visit(part)
        self.depth -= 1
        self.local.pop()

    def _comprehension(self, node):
        self.local.append(bound(node))
        self.generic_visit(node)
        self.local.pop()

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension


def _outside(node):
    """What a function evaluates when it is defined: defaults and annotations."""
    found = [*node.args.defaults, *(one for one in node.args.kw_defaults if one)]
    found += [one.annotation for one in ast.walk(node.args) if getattr(one, "annotation", None)]
    return found + ([node.returns] if getattr(node, "returns", None) else [])


def bound(scope):
    """The names that a function, class, lambda or comprehension binds itself."""
    names, waiting = set(), list(ast.iter_child_nodes(scope))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.ExceptHandler)):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name.partition(".")[0])
        if not isinstance(node, SCOPES):  # a scope of its own
            waiting += ast.iter_child_nodes(node)
    return names
