"""The command line as a whole: see tests/cli for the commands."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import small

import minicnn
from minicnn.cli import main

ROOT = Path(__file__).resolve().parents[2]
NETWORK = small.network()


def test_version(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0 and capsys.readouterr().out == f"minicnn {minicnn.__version__}\n"


# ---- as a program of its own

def program(*arguments, environ=(), **more):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | dict(environ)
    return subprocess.run([sys.executable, "-m", "minicnn", *map(str, arguments)], text=True,
                          capture_output=True, env=environment, check=False, **more)


def test_python_m_minicnn(weights, photo):
    ended = program("classify", "--weights", weights, photo)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == [f"{p:.4f}  {k}" for k, p in NETWORK.classify(photo)]


def test_python_m_minicnn_tells_failure_and_wrong_usage_by_its_status(weights):
    failed = program("maximize", "--weights", weights, "--layer", "rellu2")
    assert failed.returncode == 1 and "Traceback" not in failed.stderr
    assert len(failed.stderr.splitlines()) == 1 and "relu2" in failed.stderr
    assert program("maximise").returncode == 2


def test_letters_that_the_terminal_lacks_are_told_by_their_numbers(weights, tmp_path):
    out = tmp_path / "Netz\N{LATIN SMALL LETTER U WITH DIAERESIS}.h5"
    ended = program("convert", weights, "--to", out, "--probe", "none",
                    environ={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Netz\\xfc.h5: " in ended.stdout and out.is_file()


# ---- what was nearly written

def test_alone_it_prints_its_help(capsys):
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("usage: minicnn")


NEARLY = {
    "a command": (["maximise"], "unknown value 'maximise'; did you mean maximize?"),
    "an option": (["maximize", "--chanel", "3"],
                  "unknown argument --chanel; did you mean --channel?"),
    "an option with a value": (["maximize", "--chanel=3"], "did you mean --channel?"),
    "a preset": (["maximize", "--preset", "simonian"], "did you mean simonyan?"),
    "a choice": (["deconvnet", "p.png", "--layer", "a", "--relu", "guded"],
                 "unknown value 'guded'; did you mean guided?"),
    "nothing near": (["maximize", "--preset", "xyz"],
                     "unknown value 'xyz'; expected one of "),
    "an argument too many": (["summary", "photo.png"], "unknown argument photo.png"),
}


@pytest.mark.parametrize("what", NEARLY)
def test_words_spelt_almost_right_are_guessed(what, capsys):
    arguments, words = NEARLY[what]
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2 and words in capsys.readouterr().err
