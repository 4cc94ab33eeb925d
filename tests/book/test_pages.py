"""README.md and the pages of lessons/book: every Python block runs, and the worked example passes
its tests. The commands are in `test_scripts`.

The blocks of a page run in order, in one namespace; what stands in for the files that they name,
such as photos, `stand_ins` has. `contributing.md` also holds pieces of files (see `blocks`) and
runs in a copy of the repository, with the pieces in their places.
"""

import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest
import stand_ins
from blocks import SHELL, blocks, execute

import minicnn

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "lessons" / "book"
PAGES = sorted(BOOK.glob("*.md"))
EVERY = [*PAGES, *ROOT.glob("README.md")]
WORKED = BOOK / "contributing.md"
LONGER = ("README.md", "training.md")  # they train networks


def put(block, folder):
    """Put a piece of a file where its heading says."""
    path = folder / block.file
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if block.language == "diff":
        lines = block.code.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] in " -")
        after = "".join(line[1:] for line in lines if line[0] in " +")
        assert text.count(before) == 1, f"{block.page}:{block.line}: {block.file} has other lines"
        text = text.replace(before, after)
    elif block.above is None:
        text = f"{text.rstrip()}\n\n\n{block.code}".lstrip()
    else:
        place = re.search("^" + re.escape(block.above), text, re.MULTILINE)
        assert place, f"{block.page}:{block.line}: {block.file} has no line {block.above!r}"
        text = f"{text[:place.start()]}{block.code}\n\n{text[place.start():]}"
    path.write_text(text, encoding="utf-8")


def command(folder, *arguments, **environ):
    """What a command of Python prints, in a copy of the repository or another folder."""
    done = subprocess.run([sys.executable, *arguments], cwd=folder, text=True, capture_output=True,
                          env=os.environ | {"PYTHONPATH": str(folder)} | environ, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


# ---- the worked example

TESTS = ["minicnn/ops/leaky_relu.py", "tests/ops/test_leaky_relu.py", "tests/test_mutants.py",
         "tests/test_conventions.py", "tests/test_naive.py", "tests/doctor/test_selftest.py",
         "tests/files/test_torch_twin.py", "tests/benchmarks/test_gradients.py",
         "tests/gradcheck/test_mistakes.py", "tests/benchmarks/test_judge.py",
         "tests/cli/test_explain.py"]  # all that the op's name, or a table of ops, appears in
CHOSEN = "leaky or LeakyReLU or every_kind or every_op_has or trial"


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the repository with the pieces of the worked example in their places."""
    folder = tmp_path_factory.mktemp("copy")
    for name in ("minicnn", "tests", "benchmarks"):
        shutil.copytree(ROOT / name, folder / name,
                        ignore=shutil.ignore_patterns("__pycache__", "results", "weights"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for block in blocks(WORKED):
        if block.file:
            put(block, folder)
    return folder


def test_the_blocks_between_the_pieces_run(copy):
    """Among them the check of the gradient, against the loops."""
    program = ("import sys; sys.path.insert(0, 'tests/made'); import blocks, pathlib\n"
               f"found = blocks.blocks(pathlib.Path({str(WORKED)!r}), ['python'])\n"
               "names = blocks.execute([block for block in found if not block.file])\n"
               "print([finding.kind for finding in names['report'].findings if finding.ok])")
    shown = command(copy, "-c", program)
    assert "central differences" in shown and "naive twin" in shown
    assert "y  [-1.  0.  3.]\ndx [0.5 0.5 1. ]" in shown


def test_the_tests_that_it_tells_to_write_pass(copy):
    shown = command(copy, "-m", "pytest", "-q", "-n", "0", "-k", CHOSEN, *TESTS)
    assert re.search(r"\b\d\d passed", shown) and "failed" not in shown


def test_without_the_page_s_slope_they_fail(copy, tmp_path):
    """The tests are the op's: a mistake in its page shows."""
    page = copy / "minicnn" / "ops" / "leaky_relu.py"
    right = page.read_text(encoding="utf-8")
    wrong = right.replace("dy, cache.slope * dy)", "dy, cache.slope * cache.slope * dy)")
    assert wrong != right
    page.write_text(wrong, encoding="utf-8")
    try:
        with pytest.raises(AssertionError, match="too small by a factor"):
            command(copy, "-m", "pytest", "-q", "-n", "0", "-k", "not pytorch",
                    "tests/ops/test_leaky_relu.py")
    finally:
        page.write_text(right, encoding="utf-8")


# ---- the pages

def test_there_are_pages():
    assert {"contributing.md", "changes.md", "names.md"} <= {page.name for page in PAGES}


def kinds(page):
    """The Python blocks of a page: those to paste, tests, and sketches, which have a line of only
    three dots and need not be marked as Python."""
    found = [one for one in blocks(page, ["python", ""]) if not one.file]
    sketches = [one for one in found if "def " in one.code
                and re.search(r"^ *\.\.\.$", one.code, re.MULTILINE)]
    python = [one for one in found if one.language == "python" and one not in sketches]
    tests = [one for one in python if one.code.startswith("def test_")]
    return [one for one in python if one not in tests], tests, sketches


def prepare(block):
    """Write what stands in for the files that a block names."""
    for node in ast.walk(ast.parse(block.code)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            stand_ins.write(node.value)


def missing(block):
    """Whether a block needs scikit-learn, and that is not installed."""
    return "sklearn" in block.code and importlib.util.find_spec("sklearn") is None


@pytest.mark.parametrize("page", [
    pytest.param(page, marks=pytest.mark.thorough if page.name in LONGER else ())
    for page in EVERY if page != WORKED], ids=lambda page: page.name)
def test_the_blocks_of_a_page_run(page, tmp_path, monkeypatch):
    """In order and in one namespace, as if a reader pasted them all."""
    monkeypatch.chdir(tmp_path)  # where what they save goes
    matplotlib.use("Agg")  # no windows
    assert {block.language for block in blocks(page)} <= {"python", "text", "{toctree}", *SHELL}
    assert not any(block.file for block in blocks(page))
    pasted, names = kinds(page)[0], {"__name__": "page"}
    for block in pasted:
        if not missing(block):
            prepare(block)
            execute([block], names)
    importlib.import_module("matplotlib.pyplot").close("all")
    if any(map(missing, pasted)):
        pytest.skip("scikit-learn is not installed: pip install scikit-learn; all others ran")


TESTS_SHOWN = [block for page in EVERY for block in kinds(page)[1]]
SKETCHES = [block for page in EVERY for block in kinds(page)[2]]


@pytest.mark.thorough
@pytest.mark.parametrize("block", TESTS_SHOWN, ids=lambda block: f"{block.page}:{block.line}")
def test_a_block_that_is_a_test_passes(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    prepare(block)
    (tmp_path / "test_block.py").write_text(block.code, encoding="utf-8")
    shown = command(tmp_path, "-m", "pytest", "-q", "-p", "minicnn.gradcheck.judge.plugin",
                    PYTHONPATH=str(ROOT), PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert re.search(r"\b\d+ passed", shown)


@pytest.mark.parametrize("block", SKETCHES, ids=lambda block: f"{block.page}:{block.line}")
def test_a_sketch_has_the_functions_of_a_stand_in(block):
    """By name and by parameters: what it shows is the form that the commands take."""
    shown, whole = ({(node.name, ast.unparse(node.args)) for node in ast.walk(ast.parse(code))
                     if isinstance(node, ast.FunctionDef)}
                    for code in (block.code, "".join(stand_ins.FILES.values())))
    assert shown and shown <= whole


ROOMS = ("doctor", "gradcheck", "images", "models", "network", "train", "vis")  # with an `__all__`


@pytest.mark.parametrize("room", ["", *ROOMS])
def test_names_has_every_public_name(room):
    """As it is written in code: `images.load`; the words behind a # do not count."""
    text = re.sub("#.*", "", "".join(block.code for block in blocks(BOOK / "names.md")))
    module = getattr(minicnn, room) if room else minicnn
    said = [f"{room}.{name}" if room else name for name in module.__all__]
    assert [name for name in said if not re.search(rf"\b{name}\b", text)] == []


METHODS = {"net": minicnn.Network, "run": minicnn.Run}


@pytest.mark.parametrize("name", METHODS)
def test_names_has_every_method(name):
    text, kind = (BOOK / "names.md").read_text(encoding="utf-8"), METHODS[name]
    forward_s_own = {"record", "rows_computed"}
    public = {key for key in vars(kind) if not key.startswith("_")} - forward_s_own
    assert public <= set(re.findall(r"(?:net|run|learning|plain|short|taller)\.(\w+)", text))
