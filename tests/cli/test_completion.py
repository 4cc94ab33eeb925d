"""The completion scripts, read by the shells that they are for."""

import argparse
import os
import pty
import select
import shutil
import subprocess
import time

import pytest

import minicnn
from minicnn.cli import COMMANDS, build_parser, completion, leaves, main
from minicnn.files import cache


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    """A file for each shell."""
    folder = tmp_path_factory.mktemp("scripts")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MINICNN_CACHE", str(folder))
        place = cache.place("bvlc_googlenet")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
        completion.offered.cache_clear()
        found = completion.commands()
    for shell, script in completion.SCRIPTS.items():
        (folder / shell).write_text(script(found))
    return folder


def needs(shell):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")


def test_every_command_and_option_is_there():
    found = {one.name: one for one in completion.commands()}
    assert list(found[""].below) == list(COMMANDS)
    for name in COMMANDS:
        parser = build_parser([name])._subparsers._group_actions[0].choices[name]
        for leaf, words in leaves(parser, name):
            there = {option for word in found[words].options for option in word.names}
            assert there == {o for action in leaf._actions for o in action.option_strings
                             if action.help != argparse.SUPPRESS}
    options = {one.names[-1]: one for one in found["deconvnet"].options}
    assert options["--relu"].words == ("gradient", "deconvnet", "guided", "each")
    assert options["--labels"].files and not options["--layer"].files
    assert "minivgg" in options["--weights"].words and options["--weights"].files
    assert options["--steps"].flag and found["deconvnet"].arguments[0].files
    assert not found["classes"].arguments[0].files


def test_the_command_prints_the_script(capsys, scripts):
    assert main(["completion", "fish"]) == 0
    assert capsys.readouterr().out.rstrip() == (scripts / "fish").read_text().rstrip()
    with pytest.raises(SystemExit):
        main(["completion", "bsh"])
    assert "did you mean bash" in capsys.readouterr().err


ASKED = {  # what is typed: what is offered, and what is not
    "minicnn cla": ({"classify", "classes"}, {"compare"}),
    "minicnn course ch": ({"check"}, {"classify"}),
    "minicnn deconvnet p.png --re": ({"--relu"}, {"--labels"}),
    "minicnn deconvnet --relu g": ({"gradient", "guided"}, {"deconvnet"}),
    "minicnn classify --weights minivg": ({"minivgg"}, {"vgg16"}),
    "minicnn classify --plot pho": ({"photo.png"}, {"other.txt"}),
    "minicnn classify pho": ({"photo.png"}, {"classify"}),
    "minicnn classify --top pho": (set(), {"photo.png"}),
    "minicnn completion z": ({"zsh"}, {"zoom"}),
    "minicnn bench spe": ({"speed"}, set()),
    "minicnn classify --weights mini": ({"minivgg", "minialex", "mini.h5"}, {"vgg16"}),
    "minicnn classify --weights goog": ({"googlenet", "goog.h5"}, set()),
    "minicnn classify --weights vgg1": (set(), {"vgg16"}),  # which is not fetched
    "minicnn maximize --layer conv1": ({"conv1_1"}, {"conv2_1"}),
    "minicnn invert --layers conv1_1,poo": ({"conv1_1,pool1"}, {"pool1", "pool2"}),
    "minicnn maximize --target gold": ({"goldfish"}, set()),
    "minicnn lesson pool": ({"pooling"}, set()),
    "minicnn explain con": ({"conv", "concat"}, set()),
    "minicnn fetch vgg16": ({"vgg16", "vgg16_caffe"}, set()),
    "minicnn course list con": ({"convolution"}, set()),
    "minicnn course check --assignment con": ({"convolution"}, set()),
    "minicnn course new --assignments pooling,con": ({"pooling,convolution"}, {"convolution"}),
    "minicnn check --without padd": ({"padding"}, set()),
    "minicnn check --op con": ({"conv", "concat"}, set()),
}


@pytest.fixture
def folder(tmp_path):
    for name in ("photo.png", "other.txt", "mini.h5", "goog.h5"):
        (tmp_path / name).touch()
    return tmp_path


BASH = """
source "$1"; shift; complete -p minicnn >/dev/null || exit 3
for line; do
    read -r -a COMP_WORDS <<< "$line"; COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=()
    compopt() { [[ $* == "+o default" ]] && files=; }
    files=1; _minicnn
    [[ ${#COMPREPLY[@]} == 0 && $files ]] && COMPREPLY=($(compgen -f -- "${COMP_WORDS[-1]}"))
    echo "${COMPREPLY[@]}"
done"""


def test_bash(scripts, folder):
    """Run as readline runs it, which completes files where nothing else is offered."""
    needs("bash")
    ended = subprocess.run(["bash", "-c", BASH, "bash", scripts / "bash", *ASKED],
                           capture_output=True, text=True, cwd=folder, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    check(dict(zip(ASKED, map(str.split, ended.stdout.splitlines()), strict=True)))


def test_fish(scripts, folder):
    needs("fish")
    program = "source $argv[1]\nfor line in $argv[2..-1]\n echo -- (complete -C $line)\nend"
    ended = subprocess.run(["fish", "-N", "-c", program, scripts / "fish", *ASKED], text=True,
                           capture_output=True, cwd=folder, check=False,
                           env=os.environ | {"HOME": str(folder)})
    assert (ended.returncode, ended.stderr) == (0, "")
    check(dict(zip(ASKED, (line.replace("\t", " ").split()
                           for line in ended.stdout.splitlines()), strict=True)))


def check(offered):
    for line, (there, absent) in ASKED.items():
        assert there <= set(offered[line]), line
        assert not absent & set(offered[line]), line


TYPED = {  # in zsh: what is typed before the tab, and the line that comes of it
    "minicnn classi": "classify", "minicnn course ch": "course check",
    "minicnn deconvnet p.png --rel": "deconvnet p.png --relu",
    "minicnn deconvnet --relu gu": "deconvnet --relu guided",
    "minicnn classify --weights minivg": "classify --weights minivgg",
    "minicnn classify --plot pho": "classify --plot photo.png",
    "minicnn classify pho": "classify photo.png",
    "minicnn classify --top pho": "classify --top pho",
    "minicnn classify --weights googl": "classify --weights googlenet",
    "minicnn classify --weights goog.": "classify --weights goog.h5",
    "minicnn maximize --layer conv1_": "maximize --layer conv1_1",
    "minicnn invert --layers conv1_1,pool1": "invert --layers conv1_1,pool1",
    "minicnn lesson pooli": "lesson pooling",
    "minicnn check --without paddi": "check --without padding",
    "minicnn course new --assignments pooling,conv": "course new --assignments pooling,convolution",
}


@pytest.mark.thorough
def test_zsh(scripts, folder):
    """In a terminal, since completion runs nowhere else."""
    needs("zsh")
    ours, its = pty.openpty()
    shell = subprocess.Popen(["zsh", "-f", "-i"], stdin=its, stdout=its, stderr=its, cwd=folder,
                             start_new_session=True,
                             env=os.environ | {"TERM": "dumb", "HOME": str(folder)})
    try:
        send(ours, "PS1=; autoload -U compinit; compinit -u -D; "
                   f"source {scripts / 'zsh'}; minicnn() print -r -- \"<$*>\"; echo READ''Y\n")
        until(ours, "READY")
        for typed, line in TYPED.items():
            send(ours, f"{typed}\t")
            time.sleep(0.05)
            send(ours, "\n")
            assert f"<{line}>" in " ".join(until(ours, ">").replace(" >", ">").split()), typed
    finally:
        shell.kill()
        shell.wait()
        os.close(ours)
        os.close(its)


def send(terminal, text):
    os.write(terminal, text.encode())


def until(terminal, word, seconds=20):
    """What the shell shows until a word comes."""
    seen, end = "", time.monotonic() + seconds
    while word not in seen and time.monotonic() < end:
        if select.select([terminal], [], [], 0.5)[0]:
            seen += os.read(terminal, 65536).decode(errors="replace")
    return seen


@pytest.mark.parametrize("name", ["minivgg", "minialex"])
def test_names_of_the_shipped_networks_need_no_quotes_in_a_script(name):
    """Scripts for zsh and fish escape spaces and colons only."""
    net = minicnn.load(name)
    assert not set("'\"`$()\\;&|<>*?[]{}#!~") & set("".join([*net.names, *net.labels]))
