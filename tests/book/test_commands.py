"""Every command of minicnn that a page, a lesson, a docstring or a message names can be typed so.

A command in a block for the shell must be complete. One in running text, between backticks, may
lack its arguments, as in `minicnn check`, but has no option that the command does not have.
"""

import io
import re
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from blocks import SHELL, Block, Command, blocks, commands, named

from minicnn.cli import bench, build_parser, leaves

ROOT = Path(__file__).resolve().parents[2]
BOOK, README = ROOT / "lessons" / "book", ROOT / "README.md"
PAGES = [path for path in (README, ROOT / "benchmarks" / "README.md", *sorted(BOOK.glob("*.md")))
         if path.is_file()]
SOURCES = [*sorted((ROOT / "lessons").glob("*.py")), *sorted((ROOT / "minicnn").rglob("*.py"))]
FORMERLY = re.compile(r"^\| `[^`]*`", re.MULTILINE)  # changes.md: | as it was | as it is |
INCOMPLETE = "required|expected (one|at least one) argument"


def short(path):
    return str(path.relative_to(ROOT))


def running(path):
    """The text of a page without its blocks; the whole of a program."""
    text = path.read_text(encoding="utf-8")
    text = FORMERLY.sub("|", text) if path.name == "changes.md" else text
    return re.sub("^```.*?^```$", lambda block: "\n" * block[0].count("\n"), text,
                  flags=re.DOTALL | re.MULTILINE)


def wrong(command, complete=True):
    """What is said against a command, "" if it can be typed so."""
    words, said = list(command.words), io.StringIO()
    if words[:1] == ["help"]:  # which the program reads as --help
        words = [word for word in words[1:] if word != "COMMAND"] + ["--help"]
    parser = build_parser(words)
    try:
        with redirect_stderr(said), redirect_stdout(io.StringIO()):
            options, unknown = parser.parse_known_args(words)
            if options.command == "bench":  # whose programs read the rest themselves
                bench.load(options.program).read(options.rest, "bench")
    except SystemExit as end:
        error = end.code and said.getvalue().partition(" error: ")[2].partition("\n")[0]
        if complete or not error or not re.search(INCOMPLETE, error):
            return error or ""
        known = {option for leaf, _ in leaves(parser, "") for action in leaf._actions
                 for option in action.option_strings}
        unknown = [word for word in words if word.startswith("--") and word not in known]
    return f"unknown: {', '.join(unknown)}" if unknown else ""


def all_wrong(found, path, complete):
    """A line for each command that cannot be typed so."""
    told = {f"{short(path)}:{command.line}: minicnn {command}: {wrong(command, complete)}": command
            for command in found}
    return [line for line, command in told.items() if not line.endswith(f"{command}: ")]


@pytest.mark.parametrize("path", PAGES, ids=short)
def test_the_commands_of_a_page(path):
    found = [command for block in blocks(path, SHELL) for command in commands(block)]
    assert all_wrong(found, path, True) == []
    assert all_wrong(named(running(path)), path, False) == []
    assert found or path != README


def test_the_commands_in_comments_and_docstrings():
    found = {path: named(running(path)) for path in SOURCES}
    assert [line for path in found for line in all_wrong(found[path], path, False)] == []
    assert sum(map(len, found.values())) > 40


SHELL_BLOCK = """\
$ minicnn lesson 4 && pytest -q && minicnn lesson   # goes on
pip install . && minicnn tour
minicnn train photos/ --freeze "conv*" \\
    --epochs 2
python benchmarks/speed.py  # minicnn bench
"""


def test_how_commands_are_found():
    found = commands(Block("page", 10, "", SHELL_BLOCK))
    assert [(command.line, *command.words) for command in found] == [
        (10, "lesson", "4"), (10, "lesson"), (11, "tour"),
        (12, "train", "photos/", "--freeze", "conv*", "--epochs", "2")]
    assert str(found[-1]) == "train photos/ --freeze 'conv*' --epochs 2"
    assert named("One `minicnn lesson\n4`, ``minicnn x``, `minicnn.load`, and\n`minicnn tour`") == [
        Command(1, ("lesson", "4")), Command(3, ("tour",))]


@pytest.mark.parametrize("words, complete, said", [
    ("style", False, ""), ("style", True, "arguments are required"),
    ("style --stile a", False, "unknown: --stile"), ("lessen 4", False, "did you mean lesson?"),
    ("doctor --ops", False, ""), ("doctor --ops", True, "expected one argument"),
    ("lesson 4 --figures", True, "unknown: --figures"), ("check --help", True, ""),
    ("course lst", False, "did you mean list?"), ("bench gradients --stp 3", True, "--stp"),
    ("bench gradients", True, "")])
def test_what_is_wrong_with_a_command(words, complete, said):
    told = wrong(Command(1, tuple(words.split())), complete)
    assert said in told and bool(said) == bool(told)
