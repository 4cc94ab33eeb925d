"""Every lesson that comes with minicnn: its form, and that it runs as `minicnn lesson` runs it.

Two run by default; `pytest -m lessons` runs all.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from minicnn.course import lessons

ROOT = Path(__file__).resolve().parents[2]
PATHS = sorted((ROOT / "lessons").glob("[0-9][0-9]_*.py"))
BY_DEFAULT = [path for path in PATHS if path.stem == "05_relu"]
LINES, SECONDS = 150, 60


def name(path):
    return path.stem


@pytest.mark.parametrize("path", PATHS, ids=name)
def test_its_form(path):
    one = lessons.read(path)
    assert one.title.startswith(f"{one.number:02} · ")
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES
    code = [ast.parse(cell.content) for cell in one.cells if not cell.is_text]
    asked = [node for cell in code for node in ast.walk(cell)
             if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ask"]
    assert len(asked) >= 3, "three questions to predict"
    assert all(isinstance(node, ast.Assert) for node in code[-1].body[-2:]), "it ends in its checks"
    assert one.cells[-1].is_text, "then one thing to try"


def kinds(shown):
    """The kinds of the questions in what a lesson prints."""
    for part in shown.split("Predict: ")[1:]:
        question, _, answer = part.partition("\nAnswer: ")
        shape = answer.startswith("(")
        yield "sentence" if "\n  (a) " in question else "shape" if shape else "number"


def runs(path, folder):
    """Run a lesson, with warnings as errors, where nobody can be asked."""
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-m", "minicnn", "lesson", str(path), "--out", "pictures"],
        capture_output=True, text=True, check=False, cwd=folder, timeout=SECONDS,
        env=os.environ | {"PYTHONPATH": str(ROOT), "MINICNN_CACHE": str(folder / "cache")})
    assert (ended.returncode, ended.stderr) == (0, "")
    assert set(kinds(ended.stdout)) == {"shape", "number", "sentence"}
    assert " checked: all hold." in ended.stdout
    assert any((folder / "pictures").glob("cell*.png"))


@pytest.mark.parametrize("path", BY_DEFAULT, ids=name)
def test_it_runs(path, tmp_path):
    runs(path, tmp_path)


@pytest.mark.lessons
@pytest.mark.parametrize("path", PATHS, ids=name)
def test_each_runs(path, tmp_path):
    runs(path, tmp_path)
