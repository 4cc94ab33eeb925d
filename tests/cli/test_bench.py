"""The command `bench`: the door to benchmarks/, and only where that is."""

import importlib
import sys

import pytest

from minicnn.cli import bench, main


def options(program, *arguments):
    """What the program itself reads."""
    return vars(bench.load(program).read(list(arguments)))


@pytest.mark.parametrize("program", bench.PROGRAMS)
def test_every_program_is_there_and_shows_its_own_options(program, capsys):
    assert callable(bench.load(program).run)
    with pytest.raises(SystemExit) as end:
        main(["bench", program, "--help"])
    shown = capsys.readouterr().out
    assert end.value.code == 0 and f"usage: minicnn bench {program}" in shown
    names = [name.replace("_", "-") for name in options(program)]
    assert all(f"--{name}" in shown or f"--no-{name}" in shown for name in names)


def test_what_follows_the_program_s_name_is_the_program_s(monkeypatch):
    seen = []
    speed = bench.load("speed")
    monkeypatch.setattr(speed, "run", lambda options: seen.append(options))
    assert main(["bench", "speed", "--what", "ops", "--rounds", "3", "--out", "x"]) == 0
    assert vars(seen[0]) == options("speed", "--what", "ops", "--rounds", "3", "--out", "x")
    assert main(["bench", "speed"]) == 0
    assert vars(seen[1]) == options("speed")


def test_the_status_is_the_program_s(monkeypatch):
    monkeypatch.setattr(bench.load("gradients"), "run", lambda options: 1)
    assert main(["bench", "gradients"]) == 1


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["speed", "--what", "nothing"],
                                       ["speed", "nothing"], ["gradients", "--device", "gpu"]])
def test_wrong_usage_is_2(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(["bench", *arguments])
    assert end.value.code == 2 and "minicnn bench" in capsys.readouterr().err


def test_what_cannot_be_done_is_one_line(complaint, tmp_path):
    said = complaint("bench", "gradients", "--student", tmp_path / "none.py")
    assert "none.py: no such file; give the Python file" in said


@pytest.mark.parametrize("left", [[], ["benchmarks/speed.py"], ["pyproject.toml"]])
def test_outside_a_checkout_it_says_where_to_run_it(monkeypatch, complaint, tmp_path, left):
    """A folder benchmarks/ of someone else's beside an installed package is not taken for ours."""
    for name in left:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("raise RuntimeError('run')")
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    for arguments in (["speed", "--device", "gpu"], ["speed", "--help"], ["gradients"]):
        assert "get its source" in complaint("bench", *arguments)


def test_the_folder_is_put_on_the_path_once(monkeypatch):
    monkeypatch.setattr(sys, "path", [p for p in sys.path if not p.endswith("benchmarks")])
    for name in ("speed", "speed"):
        assert bench.load(name) is importlib.import_module("speed")
    assert sum(p.endswith("benchmarks") for p in sys.path) == 1
