"""A lesson's text and code as lines for a terminal.

`paint(kind, text)` gives the text a kind of letters, one of STYLES; `plain` leaves it as it is.
"""

import ast
import io
import keyword
import re
import tokenize

from minicnn.course import lessons
from minicnn.network.summary import lined_up
from minicnn.report import formulas

STYLES = {"heading": "1;4", "bold": "1", "formula": "1", "code": "36", "dim": "2", "keyword": "35",
          "string": "32", "comment": "2;3", "number": "33", "name": "34", "right": "1;32",
          "wrong": "1;31", "question": "1;33"}  # of ANSI's codes, those that every terminal has
STYLE = re.compile(r"\033\[[\d;]*m")
ITEM = re.compile(r"(\s*)([-*]|\d+\.) +")
INDENT = "    "  # of code, which tells it from what it prints


def plain(kind, text):
    """Text for a pipe or a file."""
    return text


def styled(kind, text):
    """Text for a terminal that shows styles; each line is styled by itself."""
    return re.sub(r"[^\n]+", lambda line: f"\033[{STYLES[kind]}m{line[0]}\033[0m", text)


def painting(stream, kinds):
    """A function that gives parts of a line a kind of letters, where a stream shows them.

    Parameters
    ----------
    stream : file
    kinds : dict of str to str
        {kind: what a part looks like, a regular expression}.
    """
    if not formulas.can_style(stream):
        return str
    looks = re.compile("|".join(f"(?P<{kind}>{look})" for kind, look in kinds.items()))
    return lambda line: looks.sub(lambda part: styled(part.lastgroup, part[0]), line)


# ---- text

def text(content, width=80, paint=plain, signs=True):
    """Markdown for a terminal: headings, bold words, lists, tables, and formulas with their signs.

    Parameters
    ----------
    content : str
    width : int
    paint : callable
    signs : bool
        Whether the terminal can show the signs of `minicnn.report.formulas`.
    """
    shown = formulas.formula if signs else str
    blocks = re.split(r"\n\s*\n", content)
    return "\n\n".join("\n".join(_block(block.splitlines(), width, paint, shown))
                       for block in blocks if block.strip())


def _block(lines, width, paint, shown):
    """Yield the lines to show for lines that stand together."""
    running = []
    for line in [*lines, ""]:
        heading = re.match(r"#+ +(.*)", line)
        minutes = lessons.MINUTES.fullmatch(line)
        apart = (heading or minutes or not line or line.startswith(("    ", "|", "```"))
                 or ITEM.match(line))
        if running and apart:
            yield _paragraph(running, width, paint, shown)
            running = []
        if heading:
            yield from (paint("heading", heading[1]), "")
        elif minutes:
            yield from ("", paint("dim", line))
        elif line.startswith("|"):
            running = []
            table = [row for row in lines if row.startswith("|")]
            if line == table[0]:
                yield from _table(table, paint, shown)
        elif line.startswith("    ") and not ITEM.match(line):
            yield paint("formula", shown(line))
        elif line and not line.startswith("```"):
            running.append(line)


def _paragraph(lines, width, paint, shown):
    """Running text, filled anew; an item of a list is indented behind its sign."""
    item = ITEM.match(lines[0])
    words = inline(" ".join(map(str.strip, lines)), lambda kind, part: re.sub(
        r"\S+", lambda word: paint(kind, word[0]), part), shown).split()
    filled, column = item[1] if item else "", 0
    for word in words:
        long = len(STYLE.sub("", word))
        if column and column + 1 + long > width:
            filled, column = filled + "\n" + " " * (item.end() if item else 0), 0
        filled += " " * (column > 0) + word
        column = len(STYLE.sub("", filled.rpartition("\n")[2]))
    return filled


def inline(words, paint=plain, shown=str):
    """Running text: `code`, **bold**, $formulas$ and [links](where)."""
    parts = re.split(r"(`[^`]+`|\$[^$]+\$)", words)
    for k, part in enumerate(parts):
        if part.startswith("`") and k % 2:
            parts[k] = paint("code", part if paint("code", "x") == "x" else part.strip("`"))
        elif k % 2:
            parts[k] = paint("formula", shown(part.strip("$")))
        else:
            part = re.sub(r"\[([^]]+)\]\(([^)]+)\)", r"\1 (\2)", part)
            parts[k] = re.sub(r"(?<!\w)\*\*(?=\S)(.+?)\*\*", lambda bold: paint("bold", bold[1]),
                              part, flags=re.DOTALL)
    return "".join(parts)


def _table(rows, paint, shown):
    cells = [[cell.strip() for cell in row.strip("| ").split("|")] for row in rows
             if not re.fullmatch(r"[|\s:-]+", row)]
    first, *others = lined_up(cells)
    return [paint("bold", first), *(inline(row, paint, shown) for row in others)]


# ---- code

def code(content, paint=plain):
    """Python with its words, texts, numbers and comments highlighted, and indented."""
    lines = content.splitlines()
    if paint is not plain:
        for kind, (row, begin), (row_end, end) in reversed(list(_pieces(content))):
            for k in range(row_end, row - 1, -1):  # a text between triple quotes has several lines
                line = lines[k - 1]
                a, b = begin if k == row else 0, end if k == row_end else len(line)
                lines[k - 1] = line[:a] + paint(kind, line[a:b]) + line[b:]
    return "\n".join(INDENT + line if line else "" for line in lines)


def _pieces(content):
    """Yield (kind, where it begins, where it ends) for what is highlighted."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(content).readline))
    except (tokenize.TokenError, SyntaxError):
        return  # a part of a function, say: it is shown as it is
    before = ""
    for token in tokens:
        kind = _kind(token, before)
        if kind:
            yield kind, token.start, token.end
        before = token.string


def _kind(token, before):
    """The style of a token, None for one without."""
    if token.type == tokenize.NAME:
        if keyword.iskeyword(token.string):
            return "keyword"
        return "name" if before in ("def", "class") else None
    if token.type in STRINGS:
        return "string"
    return {tokenize.NUMBER: "number", tokenize.COMMENT: "comment"}.get(token.type)


STRINGS = {getattr(tokenize, name) for name in ("STRING", "FSTRING_START", "FSTRING_MIDDLE",
                                                "FSTRING_END") if hasattr(tokenize, name)}


def without_questions(content):
    """The code of a cell without its `ask`, which holds the answer and the hints."""
    lines = content.splitlines()
    asked = [node for node in ast.walk(ast.parse(content)) if isinstance(node, ast.Expr)
             and isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") == "ask"]
    for node in sorted(asked, key=lambda node: -node.lineno):
        kept = [f"{' ' * node.col_offset}ask(...)"] if node.col_offset else []
        lines[node.lineno - 1:node.end_lineno] = kept
    return "\n".join(lines).strip("\n")


def folded(content):
    """The code of a cell with a line in place of each function that draws its pictures."""
    lines = content.splitlines()
    drawing = [node for node in ast.parse(content).body if isinstance(node, ast.FunctionDef)
               and any(getattr(part, "id", "") == "plt" for part in ast.walk(node))]
    for node in reversed(drawing):
        lines[node.lineno - 1:node.end_lineno] = [
            f"def {node.name}(...): ...  # draws pictures; v {node.name} shows it"]
    return "\n".join(lines)
