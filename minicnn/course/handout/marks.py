"""nbgrader's marks around what students write, and what its programs make of them."""

import ast
import re
import textwrap

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
BEGIN_HIDDEN, END_HIDDEN = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
BEGIN_SCHEME, END_SCHEME = "### BEGIN MARK SCHEME", "### END MARK SCHEME"
STUB = "# YOUR CODE HERE\nraise NotImplementedError()"


def marked(cut, solved, helpers=None, imports=()):
    """The solution with marks around the bodies that are cut.

    Parameters
    ----------
    cut, solved : str
        A function or class without and with its bodies.
    helpers : dict of str to str, optional
        Texts of private functions: those that a body uses go inside of it, for outside of it
        students would see them.
    imports : list of str
        Lines that a body needs at its beginning if it uses their name.

    Returns
    -------
    str
    """
    helpers = helpers or {}
    lines, bodies, inner = cut.splitlines(), _empty(cut), _functions(solved)
    for name, node in reversed(bodies.items()):
        full, indent = inner[name], " " * node.body[-1].col_offset
        first = _first_line(full)
        body = textwrap.dedent("\n".join(solved.splitlines()[first - 1:full.end_lineno]))
        body = "\n\n".join([*_needed(body, helpers, imports), body])
        body = textwrap.indent(f"{BEGIN}\n{body}\n{END}", indent)
        lines[node.body[-1].lineno - 1:node.end_lineno] = body.splitlines()
    return "\n".join(lines)


def stubbed(text):
    """A marked text as students get it."""
    return _replaced(text, BEGIN, END, STUB)


def without_hidden(text):
    """A test as students get it."""
    return _replaced(text, BEGIN_HIDDEN, END_HIDDEN, "").rstrip()


def without_marks(text):
    """A marked text without the marks."""
    return re.sub(rf"^ *({BEGIN}|{END})\n?", "", text, flags=re.MULTILINE).rstrip("\n")


def hidden(visible, lines):
    """A test cell: what students see, then what they do not see."""
    return f"{visible}\n{BEGIN_HIDDEN}\n{lines}\n{END_HIDDEN}" if lines else visible


def _replaced(text, begin, end, stub):
    """The text with something in place of every marked part."""
    pattern = re.compile(rf"^( *){begin}\n.*?{end}\n?", re.MULTILINE | re.DOTALL)
    return pattern.sub(lambda found: textwrap.indent(stub, found[1]) + "\n" * bool(stub),
                       text).rstrip("\n")


def _functions(text):
    """The functions and methods of a text, by name."""
    found = {}
    for node in ast.parse(text).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        found |= {one.name: one for one in inner if isinstance(one, ast.FunctionDef)}
    return found


def _empty(text):
    """Those of them whose body is to be written."""
    return {name: node for name, node in _functions(text).items()
            if ast.unparse(node.body[-1]) == "raise NotImplementedError"}


def _first_line(node):
    """The first line of a body, after the docstring."""
    told = ast.get_docstring(node) is not None
    return node.body[0].end_lineno + 1 if told else node.body[0].lineno


def _needed(body, helpers, imports):
    """The texts that a body needs before it."""
    found, todo = {}, [body]
    while todo:
        used = {node.id for node in ast.walk(ast.parse(textwrap.dedent(todo.pop())))
                if isinstance(node, ast.Name)}
        for name in used & helpers.keys() - found.keys():
            found[name] = helpers[name]
            todo.append(helpers[name])
    text = "\n".join([body, *found.values()])
    lines = [line for line in imports
             if re.search(rf"\b{re.escape(line.rpartition(' ')[2])}\b", text)]
    return [*lines, *sorted(found.values())]
