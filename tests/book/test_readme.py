"""README.md: every Python block runs, and every command of minicnn.

They run in a folder of their own. `stand_ins` puts there what a reader is supposed to have, photos,
weight files, layers and submissions, by the names that the README uses. The commands of a block run
one after another in one folder, so that a later one may use what an earlier one has written. The
Python blocks run in order in one namespace, as if a reader had pasted them all, but for two kinds:

    a sketch, with a line of only ...    says the same functions as the stand-in for its file has
    a test, which begins with def test_  is run by pytest

What else differs from a reader's run stands in the tables NOT_RUN, SHORTER and GIVEN.
"""

import ast
import importlib.util
import os
import re
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import stand_ins
from blocks import SHELL, blocks, commands, execute

import minicnn
from minicnn.cli import main

README = Path(__file__).resolve().parents[2] / "README.md"
pytestmark = pytest.mark.skipif(not README.is_file(), reason="there is no README.md here")
PYTHON = blocks(README, ["python"]) if README.is_file() else []
SCRIPTS = [block for block in blocks(README, SHELL) if commands(block)] if PYTHON else []
COMMANDS = [command for block in SCRIPTS for command in commands(block)]

# Commands that do not run here, by how they begin; `test_commands` reads their arguments.
NOT_RUN = {
    "tour": "a minute: see report/test_tour.py and report/test_stops.py",
    "bench": "minutes: see tests/benchmarks",
    ".*--device gpu": "needs a GPU: see tests/gpu",
    "fetch": "needs a network: foreign/test_fetch.py has a server of its own",
    "convert .*pth": "needs an official file: see foreign/test_convert.py",
    "lesson .*--executed": "starts Jupyter: see course/test_notebook.py",
}
# What a command gets in addition, so that it does the same sooner, by how it begins.
SHORTER = {
    "maximize": "--steps 2",
    "filters": "--steps 1 --count 2",
    "zoom": "--frames 2 --steps 1",
    "strongest": "--channels 0..7",
    "invert": "--steps 3",
    "texture": "--steps 2",
    "style": "--steps 2",
    "style .*--size 384": "--size 96",
    "style .*--size 1024 --tile 512": "--size 192 --tile 96",
    "train": "--epochs 2 --batch 4",
    "course new": "--assignments gram",
    "course grade": "--allow-unwalled",  # on a system that has no walls
}
# Names that the Python blocks take for granted: an op of one's own.
GIVEN = {"forward": lambda x, w: (x * w, (x, w)),
         "backward": lambda dy, cache: (dy * cache[1], (dy * cache[0]).sum(axis=0)),
         "w": np.random.default_rng(0).normal(size=(8, 8, 1))}
RESULT = re.compile(r"^(\S+\.(?:png|gif|html|csv|json|h5|ipynb))(?::|$)", re.MULTILINE)


def matching(table, command):
    """The values of a table whose keys are how a command begins."""
    return [value for begins, value in table.items()
            if re.match(rf"{begins}(?![\w-])", str(command))]


def test_the_tables_have_nothing_that_is_not_in_the_readme():
    idle = [begins for table in (NOT_RUN, SHORTER) for begins in table
            if not any(matching({begins: True}, command) for command in COMMANDS)]
    assert idle == [], "remove these lines from NOT_RUN or SHORTER"
    taken = " ".join(block.code for block in PYTHON)
    assert [name for name in GIVEN if not re.search(rf"\b{name}\b", taken)] == []


# ---- commands

def targets():
    """The classes that commands name: a stand-in network must have them."""
    for command in COMMANDS:
        if "--target" in command.words:
            after = command.words[command.words.index("--target") + 1:]
            yield from takewhile(lambda word: not word.startswith("-"), after)


def run(command, read):
    """Run a command, with stand-ins for the files it takes."""
    words = [*command.words, *" ".join(matching(SHORTER, command)).split()]
    stand_ins.prepare(words, sorted({*targets()}))
    where = f"README.md:{command.line}: minicnn {command}"
    status = main(words)
    out, err = read()
    assert status == 0, f"{where}: {out[-500:]}{err}"
    assert out, f"{where} prints nothing"
    missing = [name for name in RESULT.findall(out) if not Path(name).is_file()]
    assert missing == [], f"{where} names files that it did not write"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to work in; the cache is another."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "here"


def missing(*words):
    """Whether what is named needs scikit-learn, which has the digits and is not installed."""
    return {"digits", "sklearn"} & {*words} and importlib.util.find_spec("sklearn") is None


SKIPPED = "scikit-learn is not installed: pip install scikit-learn; all others ran"


@pytest.mark.thorough
@pytest.mark.parametrize("block", SCRIPTS, ids=lambda block: f"line{block.line}")
def test_the_commands_of_a_block_run(block, folder, capsys):
    chosen = [command for command in commands(block) if not matching(NOT_RUN, command)]
    for command in chosen:
        if not missing(*command.words):
            run(command, capsys.readouterr)
    if any(missing(*command.words) for command in chosen):
        pytest.skip(SKIPPED)


@pytest.mark.slow
def test_the_commands_run_on_real_networks(shared_data, folder, capsys):
    """Those that name a weight file, where the real one is at hand."""
    real = {path.name.replace("vgg16_conv", "vgg16"): path
            for path in (shared_data / "weights").glob("*.h5")}
    Path("synset_words.txt").symlink_to(shared_data / "weights" / "synset_words.txt")
    for command in COMMANDS:
        files = real.keys() & {*command.words}
        for name in files:
            if not Path(name).exists():
                Path(name).symlink_to(real[name])
        if files and not matching(NOT_RUN, command):
            run(command, capsys.readouterr)


# ---- Python

SKETCHES = [block for block in PYTHON if re.search(r"^\s*\.\.\.$", block.code, re.MULTILINE)]
TESTS = [block for block in PYTHON if block.code.startswith("def test_")]
PASTED = [block for block in PYTHON if block not in SKETCHES + TESTS]


def imported(block):
    """The packages that a block imports."""
    return {name.partition(".")[0] for node in ast.walk(ast.parse(block.code))
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for name in [getattr(node, "module", None) or node.names[0].name]}


def prepare(block):
    """Write what stands in for the files that a block names."""
    for node in ast.walk(ast.parse(block.code)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            stand_ins.write(node.value)


@pytest.mark.thorough
def test_the_python_blocks_run(folder):
    matplotlib.use("Agg")  # no windows
    names = {"__name__": "page"} | GIVEN
    for block in PASTED:
        if not missing(*imported(block)):
            prepare(block)
            execute([block], names)
    assert "minicnn" in names
    if any(missing(*imported(block)) for block in PASTED):
        pytest.skip(SKIPPED)


@pytest.mark.thorough
@pytest.mark.parametrize("block", TESTS, ids=lambda block: f"line{block.line}")
def test_a_block_that_is_a_test_passes(block, folder):
    prepare(block)
    (folder / "test_block.py").write_text(block.code)
    package = Path(minicnn.__file__).parents[1]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "minicnn.gradcheck.judge.plugin"],
        capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(package), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    assert ended.returncode == 0 and " passed" in ended.stdout, ended.stdout + ended.stderr


@pytest.mark.parametrize("block", SKETCHES, ids=lambda block: f"line{block.line}")
def test_a_sketch_has_the_functions_of_its_stand_in(block):
    """By name and by parameters: so what it shows is the form that the commands take."""
    shown, whole = ({(node.name, ast.unparse(node.args)) for node in ast.walk(ast.parse(code))
                     if isinstance(node, ast.FunctionDef)}
                    for code in (block.code, stand_ins.LAYERS))
    assert shown and shown <= whole


def test_every_block_is_of_a_known_kind():
    languages = {block.language for block in blocks(README)} if PYTHON else set()
    assert languages <= {"python", *SHELL}
