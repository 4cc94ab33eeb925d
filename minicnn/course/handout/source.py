"""A module of minicnn as text: its top-level definitions, and what its names mean.

Nothing is imported or run: a module is read and parsed, so that what is cut from it follows it.
"""

import ast
import builtins
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

PACKAGE = Path(__file__).resolve().parents[2]
DEFINITIONS = (ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)


class Thing(NamedTuple):
    """A top-level definition of a module.

    Attributes
    ----------
    module, name : str
    text : str
        Its lines, with decorators and the comment lines directly above.
    kind : {"function", "class", "constant"}
    """

    module: str
    name: str
    text: str
    kind: str

    @property
    def key(self):
        """What it is looked up by."""
        return self.module, self.name

    @property
    def private(self):
        """Whether its name begins with an underscore."""
        return self.name.startswith("_")


class Import(NamedTuple):
    """`import module as alias` if `name` is "", else `from module import name as alias`."""

    module: str
    name: str
    alias: str


class Source(NamedTuple):
    """A module: its text, docstring, Things by name and Imports by alias."""

    module: str
    text: str
    docstring: str
    things: dict
    imports: dict

    def meaning(self, name, attribute=""):
        """What `name`, or ``name.attribute``, stands for at the top of this module.

        Returns
        -------
        Thing, Import or None
            A definition of minicnn, an import from elsewhere, or nothing (a builtin).
        whole : bool
            Whether the attribute is part of what was found: `conv.check` is one function.

        Raises
        ------
        ValueError
            There is no such name.
        """
        if name in self.things:
            return self.things[name], False
        if name not in self.imports:
            if hasattr(builtins, name):
                return None, False
            raise ValueError(f"{self.module}: nothing is called {name}")
        found = self.imports[name]
        inner = f"{found.module}.{found.name}" if found.name else found.module
        if found.module.partition(".")[0] != "minicnn":
            return found, False
        if path_of(inner).exists():  # a module, so the attribute is in it
            return read(inner).meaning(attribute)[0], True
        return read(found.module).meaning(found.name)[0], False


def path_of(module):
    """Where a module of minicnn is, or would be."""
    place = PACKAGE.joinpath(*module.split(".")[1:])
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


@cache
def read(module):
    """The Source of a module, "minicnn.ops.conv".

    Raises
    ------
    ValueError
        There is no such module.
    """
    path = path_of(module)
    if not path.is_file():
        raise ValueError(f"there is no module {module}")
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    things, imports = {}, {}
    for node in tree.body:
        if isinstance(node, DEFINITIONS):
            for name in _names(node):
                things[name] = _thing(module, text.splitlines(), node)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            imports |= {one.alias: one for one in _imports(node)}
    return Source(module, text, ast.get_docstring(tree) or "", things, imports)


def _names(node):
    """What a definition binds; ``A, B = 1, 2`` binds two names."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)]


def _thing(module, lines, node):
    decorators: Any = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(one.lineno for one in decorators)])
    while lines[first - 2].startswith("#") and not lines[first - 2].startswith("# --"):
        first -= 1
    kind = {ast.FunctionDef: "function", ast.ClassDef: "class"}.get(type(node), "constant")
    text = "\n".join(lines[first - 1 : node.end_lineno])
    return Thing(module, _names(node)[0], text, kind)


def _imports(node):
    if isinstance(node, ast.Import):
        return [Import(one.name, "", one.asname or one.name) for one in node.names]
    return [Import(node.module, one.name, one.asname or one.name) for one in node.names]
