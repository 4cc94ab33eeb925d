"""The command line as a whole: see tests/cli for the commands."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import small

import minicnn
from minicnn.ascent.optimizers import SGD
from minicnn.cli import main
from minicnn.network import Network

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


START = """
import os, signal, sys
class Press:
    def find_spec(self, name, *more):
        if name == {module!r}:
            os.kill(os.getpid(), {number})
sys.meta_path.insert(0, Press())
sys.argv[1:] = {arguments!r}
from minicnn.__main__ import main
sys.exit(main())
"""


@pytest.mark.parametrize("module, number", [
    ("minicnn.cli", signal.SIGINT), ("numpy.linalg", signal.SIGTERM), ("h5py", signal.SIGINT),
    ("PIL.PngImagePlugin", signal.SIGTERM)])
def test_an_import_is_interrupted_in_one_line(weights, photo, module, number):
    code = START.format(module=module, number=int(number),
                        arguments=["classify", "--weights", str(weights), str(photo)])
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                           env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "minicnn: interrupted\n")


def test_sigterm_keeps_what_there_is(weights, tmp_path):
    """As Ctrl-C does; `main` puts back whatever handled the signals before."""
    before, out = signal.getsignal(signal.SIGTERM), tmp_path / "m.png"
    watched, step = [], SGD.step

    def stopped(self, *arguments):
        watched.append(1)
        if len(watched) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(self, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SGD, "step", stopped)
        assert main(["maximize", "--weights", str(weights), "--layer", "relu2", "--channel", "1",
                     "--steps", "50", "--out", str(out)]) == 130
    assert out.is_file() and signal.getsignal(signal.SIGTERM) == before


def test_an_error_that_an_interrupt_became_is_an_interrupt(weights, photo, monkeypatch, capsys):
    """Compiled code that is being imported can turn a KeyboardInterrupt into an ImportError."""
    def probabilities(*arguments):
        try:
            os.kill(os.getpid(), signal.SIGINT)
            signal.pause()
        except KeyboardInterrupt:
            raise ImportError("numpy._core.multiarray failed to import") from None

    monkeypatch.setattr(Network, "probabilities", probabilities)
    assert main(["classify", "--weights", str(weights), str(photo)]) == 130
    assert capsys.readouterr().err == "minicnn: interrupted\n"


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
