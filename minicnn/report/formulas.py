"""A page's formulas in the terminal: with mathematical signs instead of their names.

    s[c]^(-beta)                           s[c]⁻ᵝ
    sum_{i, j, c}  x[i, j, c] * w          Σ_{i, j, c}  x[i, j, c] · w
    floor((H + 2P - D*(K-1) - 1) / S)      ⌊(H + 2P - D·(K-1) - 1) / S⌋

Formulas are indented lines, or lines in columns. Running text is not changed, nor are parts of a
formula that are in quotes or backticks, or not in TABLE.
"""

import os
import re

TEXT, HEADING, FORMULA = "text", "heading", "formula"
INSIDE = r"((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)"  # parentheses nested at most two deep
ALONE = r"(?<![a-z] )\b"  # not after a word, as in "the sum over"
TABLE = [  # applied in this order: (pattern of the name, sign)
    (r"(?<=[\w)\]'])( *)\*( *)(?=[\w(\[])", r"\1·\2"),  # between factors; ** is not changed
    (r"\b(d?)alpha\b", r"\1α"),
    (r"\b(d?)beta\b", r"\1β"),
    (r"\b(d?)gamma\b", r"\1γ"),
    (r"\b(d?)epsilon\b", r"\1ε"),
    (rf"\bfloor\({INSIDE}\)", r"⌊\1⌋"),
    (rf"\bceil\({INSIDE}\)", r"⌈\1⌉"),
    (r"\bsqrt\(", "√("),
    (ALONE + r"sum over (\w'?) of +", r"Σ_\1 "),
    (ALONE + r"sum over \(([\w', ]+)\) of +", r"Σ_{\1} "),
    (ALONE + r"sum over\b", "Σ over"),
    (r"\bsum_(?=\{|\w\b)", "Σ_"),
    (r">=", "≥"),
    (r"<=", "≤"),
]
POWER = r"\^(?:\(([-+\dβ ]+)\)|(-?(?:\d+|[Tβ]))(?!\w|\.\d))"  # after TABLE: beta is β by then
LEVEL, RAISED = "0123456789+-Tβ", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵀᵝ"


def lines(text):
    """Yield each line of a page's docstring with its kind: TEXT, HEADING or FORMULA.

    A heading is a line directly above indented lines. The indented lines are running text; formulas
    are indented further, or contain three spaces in a row (columns).
    """
    body, all_lines = 0, text.splitlines()
    for line, below in zip(all_lines, [*all_lines[1:], ""], strict=True):
        if line and not _indent(line):
            body = _indent(below)
            yield line, HEADING if body else TEXT
        else:
            yield line, FORMULA if _indent(line) > body or "   " in line.strip() else TEXT


def formula(line):
    """The line with mathematical signs; columns, three spaces apart, keep their positions."""
    if ">>>" in line:
        return line
    cells = re.split(r"(?<=\S)(?=   )", line)
    return "".join(_signs(cell).ljust(len(cell)) for cell in cells).rstrip()


def can_show(encoding):
    """Whether an encoding has all signs that a page may need."""
    try:
        "".join(["∂", RAISED, *(sign for _, sign in TABLE)]).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def can_style(stream):
    """Whether a stream is a terminal that shows bold type and colours, and NO_COLOR is not set."""
    return (stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
            and (os.name != "nt" or "WT_SESSION" in os.environ))  # Windows' old console cannot


def _signs(cell):
    parts = re.split(r'("[^"]*"|`[^`]*`)', cell)
    parts[::2] = map(_replaced, parts[::2])
    return "".join(parts)


def _replaced(text):
    for name, sign in TABLE:
        text = re.sub(name, sign, text)
    raised = str.maketrans(LEVEL, RAISED, " ")
    return re.sub(POWER, lambda power: (power[1] or power[2]).translate(raised), text)


def _indent(line):
    return len(line) - len(line.lstrip())
