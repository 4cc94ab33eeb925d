"""Giving the names in code other names.

Only the names change: spaces, comments and line breaks stay as they were written. Lines that are
aligned with a bracket move along with it.
"""

import ast
import io
import re
import textwrap
import tokenize

from minicnn.course.handout.scopes import uses


def rename(text, new, own, prose):
    """A definition under other names.

    Parameters
    ----------
    text : str
    new : function
        new(use) -> the text that stands in its place, or None.
    own : dict
        Other names of what the definition defines: {"forward": "conv_forward"}.
    prose : function
        prose(text) -> the same with other names: for comments and the inside of strings.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        Where a name is used, its new name means something else.
    """
    tree, lines = ast.parse(text), text.splitlines(keepends=True)
    changes = {}  # (line, first column, last column) -> text
    strings = {}  # (first, last place) -> names of uses in an f-string
    for use in uses(text):
        name = new(use)
        if name and name.partition(".")[0] in use.local:
            raise ValueError(f"{use.name} cannot be called {name}: a variable is called so")
        if name and use.string:
            strings.setdefault(_span(use.string, lines), {})[_written(use)] = name
        elif name:
            (line, start), (_, end) = _span(use.node, lines)
            changes[line, start, end] = name
    for name, other in own.items():
        changes |= _definition(tree.body[0], lines, name, other)
    _strings(tree, lines, strings)
    changed = _words(text, strings, prose, changes)
    return _aligned(text, changed)


def _written(use):
    return f"{use.name}.{use.attribute}" if isinstance(use.node, ast.Attribute) else use.name


def _span(node, lines):
    """((line, column), (line, column)) of a node in characters; ast counts bytes."""
    def place(line, column):
        return line, len(lines[line - 1].encode()[:column].decode())
    return place(node.lineno, node.col_offset), place(node.end_lineno, node.end_col_offset)


def _definition(node, lines, name, other):
    """The change of a name where it is defined: ``def forward``, ``class A``, or ``A = 1``."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        column = re.search(rf"\b(?:def|class)\s+(?={name}\b)", lines[node.lineno - 1]).end()
        return {(node.lineno, column, column + len(name)): other}
    places = [_span(one, lines) for one in ast.walk(node)
              if isinstance(one, ast.Name) and one.id == name and isinstance(one.ctx, ast.Store)]
    return {(line, start, end): other for (line, start), (_, end) in places}


def _strings(tree, lines, strings):
    """Add the plain strings: no names are used in them."""
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
             for part in ast.walk(node) if part is not node}
    for node in ast.walk(tree):
        text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if (text or isinstance(node, ast.JoinedStr)) and id(node) not in inner:
            strings.setdefault(_span(node, lines), {})


def _words(text, strings, prose, changes):
    """The changes of names in strings and comments, added to `changes`: (line, start, end) -> text.

    A string over several lines gives one change a line.
    """
    lines = text.splitlines()
    for ((first, start), (last, end)), names in strings.items():
        for line in range(first, last + 1):
            left = start if line == first else 0
            right = end if line == last else len(lines[line - 1])
            old = lines[line - 1][left:right]
            found = prose(_in_braces(old, names))
            if found != old:
                changes[line, left, right] = found
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        (row, column), other = token.start, prose(token.string)
        in_string = any(line == row and end > column for line, _, end in changes)
        if token.type == tokenize.COMMENT and other != token.string and not in_string:
            changes[row, column, token.end[1]] = other
    return changes


def _in_braces(text, names):
    """An f-string's line with other names between its braces."""
    def inside(match):
        part = match.group()
        for name, other in names.items():
            part = re.sub(rf"(?<![\w.]){re.escape(name)}(?!\w)", other, part)
        return part
    return re.sub(r"\{\{|\{[^{}]*\}", inside, text) if names else text


def _aligned(text, changes):
    """`text` with its changes; lines that begin below an open bracket stay below it."""
    lines = text.splitlines()
    shift = dict.fromkeys(range(1, len(lines) + 2), 0)  # of the beginning of each line
    for line, (row, column) in _under(text).items():
        before = sum(len(other) - (end - start) for (where, start, end), other in changes.items()
                     if where == row and end <= column)
        shift[line] = shift[row] + before
    for (line, start, end), other in sorted(changes.items(), reverse=True):
        old = lines[line - 1]
        lines[line - 1] = old[:start] + other + old[end:]
    for line, by in shift.items():
        if by > 0:
            lines[line - 1] = " " * by + lines[line - 1]
        elif by < 0:
            lines[line - 1] = lines[line - 1][-by:]
    return "\n".join(lines)


def _under(text):
    """{line: (row, column)} of the lines that begin right after the column of an open bracket."""
    found, opened, last = {}, [], 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        row, column = token.start
        first = row != last and token.type != tokenize.NL
        if first and opened and column == opened[-1][1] + 1:
            found[row] = opened[-1]
        last = token.end[0]
        if token.string in ("(", "[", "{") and token.type == tokenize.OP:
            opened.append(token.start)
        elif token.string in (")", "]", "}") and token.type == tokenize.OP:
            opened.pop()
    return found


def narrow(text, width):
    """A definition whose lines have become too long by its new names, in lines of up to `width`.

    A comment at the end of a line goes on a line of its own, above; words are broken anew, those
    of a string that is a call's first argument, too.

    Raises
    ------
    ValueError
        A line of code is too long.
    """
    lines = text.splitlines()
    for number in reversed(range(len(lines))):
        if len(lines[number]) > width:
            lines[number : number + 1] = _shorter(lines[number], width)
    return "\n".join(lines)


def _shorter(line, width):
    start = re.match(r"\s*(>>> |\.\.\. |# )?", line).group()
    code, mark, comment = line.partition("  # ")
    said = re.fullmatch(r"""(.*\()(f?")([^"]*)("\)*)""", line)
    if mark and start.strip() != "#":
        found = [f"{start}# {comment}", code]
    elif said:
        cut = said[3].rfind(" ", 0, width - said.end(2) - 1) + 1
        found = [said[1] + said[2] + said[3][:cut] + '"',
                 " " * said.end(1) + said[2] + said[3][cut:] + said[4]]
    elif start.strip() in ("", "#") and not re.search(r"[\"'=(\[]", line):
        found = textwrap.wrap(line, width, subsequent_indent=start)
    else:
        found = [line]
    if any(len(one) > width for one in found):
        raise ValueError(f"no line break was found in: {line}")
    return found
