"""Wrong calls of every command end in one line and status 1 or 2, never in a traceback."""

import os
import unicodedata
from pathlib import Path

import misuses
import pytest

from minicnn.cli import main

if not hasattr(os, "mkfifo"):
    pytest.skip("needs pipes that have a name", allow_module_level=True)
FEW, MANY = range(12), range(12, 312)


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path / "cache"))
    (tmp_path / "results").mkdir()
    return misuses.odd_files(tmp_path)


def is_told(seed, files, capsys):
    call = misuses.draw(seed, Path("results"), files)
    try:
        status = main(call)
    except SystemExit as end:
        status = end.code
    error = capsys.readouterr().err
    told = [line for line in error.splitlines() if line.startswith("minicnn")
            and "warning: " not in line and "no photo is given" not in line]
    assert status in (1, 2) and len(told) == 1, (seed, call, status, error)
    assert status == 2 or all(line.startswith("minicnn: ") for line in error.splitlines())
    assert all(one == "\n" or unicodedata.category(one) not in ("Cc", "Cf", "Cs")
               for one in error), (seed, call, error)
    assert not any(path.is_file() for path in Path("results").rglob("*")), (seed, call)


def test_a_few_misuses(files, capsys):
    for seed in FEW:
        is_told(seed, files, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("first", MANY[::20])
def test_many_misuses(files, capsys, first):
    for seed in range(first, first + 20):
        is_told(seed, files, capsys)
