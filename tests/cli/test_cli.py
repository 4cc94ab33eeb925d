"""The command line as a whole: see tests/cli for the commands."""

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import small
import stand_ins

import minicnn
from minicnn import images
from minicnn.ascent.optimizers import SGD
from minicnn.cli import COMMANDS, EXAMPLES, GROUPS, OUTPUTS, build_parser, leaves, main
from minicnn.network import Network
from minicnn.report import drawn

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


# ---- examples, and quiet

CHEAP = ["classify", "classes", "kernels", "summary", "explain", "completion", "course",
         "course list", "fetch"]
THOROUGH = ["deconvnet", "gradcam", "hypercolumns", "activations", "strongest", "compare", "invert",
            "doctor", "check", "saliency", "occlusion", "texture", "style", "filters", "maximize",
            "deepdream-image", "dream", "lesson", "course new", "course check"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_heads_the_help_and_can_be_parsed(name, capsys):
    with pytest.raises(SystemExit):
        main([*name.split(), "--help"])
    usage, sentence, example, *_ = capsys.readouterr().out.split("\n\n")
    assert usage.startswith(f"usage: minicnn {name} ") and "--quiet" not in usage and sentence
    assert " ".join(example.split()) == f"example: minicnn {EXAMPLES[name]}"
    arguments = shlex.split(EXAMPLES[name])
    assert arguments[:len(name.split())] == name.split()
    options, unknown = build_parser(arguments).parse_known_args(arguments)
    assert not unknown and callable(options.run)


def test_every_command_has_an_example():
    assert set(COMMANDS) <= set(EXAMPLES)
    assert set(CHEAP + THOROUGH) < set(EXAMPLES)


def test_what_an_option_writes_is_no_input():
    """Else the same command could not run again, since what is there may not be replaced."""
    written = {action.dest for name in COMMANDS for leaf, _ in leaves(build_parser([name]), "")
               for action in leaf._actions
               if re.search(r"\.(png|gif|html|npz|ipynb|h5)\b", str(action.metavar))}
    assert {"confusion", "checkpoint", "plot", "frames", "notebook"} < written <= {*OUTPUTS}


@pytest.fixture
def run_example(tmp_path, monkeypatch):
    """Runs an example as a user does who has a photo and a file of layers."""
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)

    def run(name):
        words = shlex.split(EXAMPLES[name])
        stand_ins.prepare(words)
        return main(words)
    return run


@pytest.mark.parametrize("name", CHEAP)
def test_examples_run(name, run_example, capsys):
    assert run_example(name) == 0
    out, err = capsys.readouterr()
    assert out and err == ""


@pytest.mark.thorough
@pytest.mark.parametrize("name", THOROUGH)
def test_more_examples_run(name, run_example):
    assert run_example(name) == 0


def test_quiet_leaves_notes_out_but_no_errors(weights, photo, capsys):
    command = ["classify", str(photo), "--weights", str(weights), "--ops", "plain"]
    assert main(command) == 0
    told = capsys.readouterr()
    assert main([*command, "--quiet"]) == 0
    assert told.err and capsys.readouterr() == (told.out, "")
    assert main(["classify", "none.png", "--quiet"]) == 1
    assert "none.png" in capsys.readouterr().err


# ---- what was nearly written

@pytest.mark.parametrize("asked", [[], ["help"], ["--help"], ["help", "help"]])
def test_alone_it_says_how_to_begin_and_what_there_is(asked, capsys):
    with pytest.raises(SystemExit) as end:
        main(asked)
    begin, *groups = capsys.readouterr().out.split(":\n")[1:]
    assert end.value.code == 0 and len(begin.split("\n\n")[0].splitlines()) == 4
    for words in ("minicnn tour ", "minicnn lesson 1 ", "minicnn check layers.py "):
        assert words in begin
    listed = [line.split()[0] for group in groups for line in group.splitlines()
              if line.startswith("  ")]
    assert listed == list(COMMANDS) and len(groups) == len(GROUPS)


def test_the_benchmarks_are_listed_where_they_are(monkeypatch, capsys):
    monkeypatch.setattr("minicnn.cli.bench.ROOT", ROOT / "none")
    with pytest.raises(SystemExit):
        main(["help"])
    assert "\n  bench " not in capsys.readouterr().out


def test_help_of_a_command_by_the_word_help(capsys):
    told = []
    for asked in (["help", "course", "grade"], ["course", "grade", "--help"]):
        with pytest.raises(SystemExit) as end:
            main(asked)
        told.append((end.value.code, capsys.readouterr().out))
    assert told[0] == told[1] and "--course DIR_OR_SEED" in told[0][1]


def test_options_are_grouped_and_those_of_the_method_come_first(capsys):
    with pytest.raises(SystemExit):
        main(["dream", "--help"])
    shown = capsys.readouterr().out
    own, files, common = (shown.index(f"\n{title}:\n") for title in (
        "options", "input and output", "common options"))
    assert own < shown.index("--octaves") < files < shown.index("--weights") < common
    assert common < min(map(shown.index, ("--help", "--device", "--ops", "--quiet")))
    with pytest.raises(SystemExit):
        main(["summary", "--help"])
    assert "--seed" not in capsys.readouterr().out  # it has no effect there


@pytest.mark.parametrize("asked, words", [
    (["maximize", "--steps", "abc"], "argument --steps: expected a whole number of at least 1, got "
                                     "'abc'"),
    (["course", "grade"], "the following arguments are required: SUBMISSIONS, --course"),
    (["maximize", "--target", "1,2", "--keep-settings"],
     "--keep-settings keeps those of one picture; ask for one")])
def test_a_usage_error_is_a_line_and_where_the_help_is(asked, words, capsys):
    with pytest.raises(SystemExit) as end:
        main(asked)
    name = " ".join(word for word in asked[:2] if word[0] != "-")
    assert end.value.code == 2 and capsys.readouterr().err == (
        f"minicnn {name}: error: {words}\n  see minicnn {name} --help\n")


# ---- a photo need not be at hand

DRAWS = ["classify", "dream", "gradcam", "saliency", "occlusion", "activations", "hypercolumns",
         "deconvnet", "invert", "texture", "compare"]


@pytest.mark.parametrize("name", DRAWS)
def test_the_help_says_what_the_photo_is_by_default(name, capsys):
    with pytest.raises(SystemExit):
        main([name, "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "(default: a ladybird, drawn by the library)" in shown and "[photo" in shown


@pytest.mark.parametrize("name, more", [
    ("classify", []), ("saliency", []), ("compare", ["--against", "WEIGHTS"]),
    ("activations", ["--layers", "relu1"])])
def test_without_a_photo_it_is_a_ladybird(name, more, weights, tmp_path, monkeypatch, capsys):
    told = []
    images.save(tmp_path / "own.png", drawn.ladybird())
    for photo, place in (([], "a"), ([str(tmp_path / "own.png")], "b")):
        (tmp_path / place).mkdir()
        monkeypatch.chdir(tmp_path / place)
        assert main([name, *photo, "--weights", str(weights),
                     *(str(weights) if word == "WEIGHTS" else word for word in more)]) == 0
        told.append(capsys.readouterr())
    assert told[0].out == told[1].out and told[1].err == ""
    assert told[0].err == ("minicnn: no photo is given: this is of a ladybird, drawn by the "
                           "library\n")


def test_zoom_without_a_photo_begins_with_noise(capsys):
    with pytest.raises(SystemExit):
        main(["zoom", "--help"])
    assert "(default: noise)" in capsys.readouterr().out


def test_what_is_made_of_the_ladybird_can_be_replayed(weights, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["gradcam", "--weights", str(weights), "--keep-settings", "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    assert main(["replay", "gradcam.json"]) == 0
    assert (tmp_path / "replay.png").read_bytes() == (tmp_path / "gradcam.png").read_bytes()


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
