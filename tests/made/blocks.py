"""Pages in Markdown: their blocks of code, and the commands in blocks and in running text.

A block of `lessons/book/contributing.md` can be a piece of a file, which its first line names:

    # minicnn/naive.py                            a new file, or the end of one that exists
    # minicnn/naive.py, above "def _sigmoid("     above the first line that begins with these words
    # minicnn/naive.py, change                    in a diff: lines with + replace those with -
"""

import re
import shlex
from itertools import groupby
from typing import NamedTuple

HEADING = re.compile(r'# ([\w./]+\.(?:py|toml))'
                     r'(?:, above "(?P<above>[^"]+)"|, (?P<change>change))?')
SHELL = ("", "sh", "bash", "console")


class Block(NamedTuple):
    """A block of code of a page; `file` is None for one that is no piece of a file."""

    page: str
    line: int
    language: str
    code: str
    file: str | None = None
    above: str | None = None


class Command(NamedTuple):
    """A command of minicnn on a page: the words after `minicnn`."""

    line: int
    words: tuple

    def __str__(self):
        return shlex.join(self.words)


def blocks(page, languages=None):
    """The blocks of a page, in order; those in some languages only."""
    text, found = page.read_text(encoding="utf-8"), []
    for match in re.finditer(r"^```([^`\n]*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        first, _, rest = match[2].partition("\n")
        heading, line = HEADING.fullmatch(first), text.count("\n", 0, match.start(2)) + 1
        if heading and (match[1] == "diff") == bool(heading["change"]):
            found.append(Block(page.name, line + 1, match[1], rest, heading[1], heading["above"]))
        else:
            found.append(Block(page.name, line, match[1], match[2]))
    return [block for block in found if languages is None or block.language in languages]


def execute(found, names=None):
    """Run blocks in order, in one namespace; an error names the page and the line."""
    names = {"__name__": "page"} if names is None else names
    for block in found:
        code = "\n" * (block.line - 1) + block.code
        exec(compile(code, block.page, "exec"), names)
    return names


def commands(block):
    r"""The commands of minicnn in a block for the shell: a line each, or several joined by &&.

    A prompt "$ " is left out, and so is what follows a #; a line that ends in \ goes on.
    """
    lines, found = iter(enumerate(block.code.split("\n"), block.line)), []
    for number, text in lines:
        while text.endswith("\\"):
            text = text[:-1] + next(lines)[1]
        words = shlex.shlex(text.removeprefix("$ "), posix=True, punctuation_chars="&")
        words.whitespace_split = True
        for between, part in groupby(words, "&&".__eq__):
            program, *rest = part
            if not between and program == "minicnn":
                found.append(Command(number, tuple(rest)))
    return found


def named(text):
    """The commands that a running text, or a comment, names: `minicnn like this | and not this`."""
    return [Command(text.count("\n", 0, match.start()) + 1,
                    tuple(shlex.split(re.sub(r"\n[ \t]*(# )?", " ", match[1]))))
            for match in re.finditer(r"(?<!`)`minicnn ([a-z][^`|]*)[^`]*`(?!`)", text)]
