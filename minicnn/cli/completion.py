"""``minicnn completion``: a script by which a shell completes commands, options and their values.

Everything in it is read from the commands' own parsers when it is printed, so it never lacks an
option; the shell then needs no Python. A word that an option takes is completed by what the option
says of it: its choices, names (`offered`: networks that are there, layers, classes, lessons, ...),
files (where the help has PATH, FILE, DIR, photo, ...), or nothing.
"""

import argparse
import functools
import re
import shlex
from typing import NamedTuple

from minicnn.cli import COMMANDS, build_parser
from minicnn.files import cache, manifest
from minicnn.foreign.load import load, shipped
from minicnn.terminal import tell

SHELLS = ("bash", "zsh", "fish")
HOW = """\
bash: minicnn completion bash > ~/.local/share/bash-completion/completions/minicnn
zsh:  minicnn completion zsh > ~/.zfunc/_minicnn, or any other folder of $fpath
fish: minicnn completion fish > ~/.config/fish/completions/minicnn.fish
or, for bash and zsh, in ~/.bashrc or ~/.zshrc: source <(minicnn completion bash), or zsh"""
FILES = re.compile("PATH|FILE|FOLDER|DIR|SUBMISSIONS|DATA|OUT|photo|PHOTOS|painting|file|folder")
NETWORKS = ("weights", "against")  # options that take a network's name or file
LAYERS = ("layers", "content_layers", "style_layers", "freeze")  # options that take layers
SEVERAL = (*LAYERS, "without", "assignments")  # and others with commas


class Word(NamedTuple):
    """An option of a command, or an argument without a name: then `names` is empty.

    Its value is one of `words`, or `several` with commas, or a file; neither: anything; a `flag`
    takes none.
    """

    names: tuple
    help: str
    words: tuple = ()
    files: bool = False
    flag: bool = False
    several: bool = False


class Command(NamedTuple):
    """A command, such as "course check": its options and arguments, and the commands below it,
    {name: help}."""

    name: str
    options: list
    arguments: list
    below: dict


def add(parser):
    """The options of the command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = HOW
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))


def run(options):
    """Print the script."""
    tell(*SCRIPTS[options.shell](commands()).split("\n"))


# ---- what there is, from the parsers

@functools.cache
def offered():
    """{destination of an option, or (command, destination): names that it takes}."""
    from minicnn.cli.explain import PAGES
    from minicnn.course.assignments import assignments
    from minicnn.course.lessons import lessons
    from minicnn.gradcheck.judge.features import FEATURES, conduct_kinds
    from minicnn.gradcheck.own.known import MORE, OPS

    files = {name: name for name in manifest.known()} | manifest.preferred()
    here = [name for name, file in files.items() if cache.place(file).is_file()]
    net, courses = load("minivgg"), [one.name for one in assignments()]
    layers = dict.fromkeys(("layer", *LAYERS), net.names)
    return {key: tuple(words) for key, words in {
        **layers, **dict.fromkeys(NETWORKS, [*shipped(), *sorted(here)]), "target": net.labels,
        "without": [*FEATURES, *conduct_kinds()], "assignment": courses, "assignments": courses,
        ("check", "op"): [*OPS, *MORE], ("explain", "op"): PAGES,
        ("lesson", "lesson"): [one.name for one in lessons()],
        ("fetch", "name"): [*manifest.preferred(), *manifest.known()]}.items()}


def commands():
    """All commands, those below others after them; the first is `minicnn` itself."""
    return [*_walk(build_parser(COMMANDS), "")]


def _walk(parser, name):
    own = [action for action in parser._actions if action.help != argparse.SUPPRESS]
    below = [one for one in own if isinstance(one, argparse._SubParsersAction)]
    words = [_word(action, parser.prog) for action in own if action not in below]
    options, arguments = ([one for one in words if bool(one.names) == named]
                          for named in (True, False))
    yield Command(name, options, arguments, {
        one.dest: one.help for action in below for one in action._choices_actions})
    for action in below:
        for inner, one in action.choices.items():
            yield from _walk(one, f"{name} {inner}".strip())


def _word(action, prog):
    help = " ".join(((action.help or "") % (vars(action) | {"prog": prog})).split())
    named, choices = tuple(action.option_strings), tuple(map(str, action.choices or ()))
    if action.nargs == 0:
        return Word(named, help, flag=True)
    names = offered().get((prog.partition(" ")[2], action.dest), offered().get(action.dest, ()))
    files = not choices and FILES.search(str(action.metavar or action.dest))
    return Word(named, help, choices or names, bool(files) or action.dest in NETWORKS,
                several=action.dest in SEVERAL)


def _paths(found):
    """(the words of a command up to another, that command) of each command."""
    return [(f"{one.name} {inner}", f"{one.name} {inner}".strip())
            for one in found for inner in one.below]


# ---- bash

BASH = """\
# minicnn's commands and options, for bash: made by `minicnn completion bash`
_minicnn_offer() {  # those that begin as the word does, or as what it has after a comma
    local one begin= end=$word
    [[ $word == *,* ]] && begin=${word%%,*}, end=${word##*,}
    for one; do
        printf -v one %%q "$one"
        [[ $one == "$end"* ]] && COMPREPLY+=("$begin$one")
    done
}
_minicnn_files() {
    local IFS=$'\\n'
    COMPREPLY+=($(compgen -f -- "$word"))
    compopt -o filenames 2>/dev/null
}
_minicnn() {
    local command= options=() arguments=() places= k word=${COMP_WORDS[COMP_CWORD]}
    for ((k = 1; k < COMP_CWORD; k++)); do
        case "$command ${COMP_WORDS[k]}" in
            %(paths)s)
                command="${command:+$command }${COMP_WORDS[k]}" ;;
        esac
    done
    COMPREPLY=()
    case "$command:${COMP_WORDS[COMP_CWORD - 1]}" in
%(values)s
    esac
    case "$command" in
%(commands)s
    esac
    if [[ $word == -* ]]; then
        _minicnn_offer "${options[@]}"
    else
        [[ $places ]] && return  # the shell completes names of files
        _minicnn_offer "${arguments[@]}"
    fi
    compopt +o default 2>/dev/null
}
complete -o default -F _minicnn minicnn
"""


def bash(found):
    """The script for bash: 3.2 and later."""
    values, commands = {}, []
    for one in found:
        for option in one.options:
            if not option.flag:
                places = values.setdefault((option.words, option.files), [])
                places += [f'"{one.name}:{name}"' for name in option.names]
        positional = [*one.below, *(word for argument in one.arguments for word in argument.words)]
        names = [name for option in one.options for name in option.names]
        files = "yes" if any(argument.files for argument in one.arguments) else ""
        commands.append(f'        "{one.name}") options=({shlex.join(names)}) '
                        f"arguments=({shlex.join(positional)}) places={files} ;;")
    return BASH % {"paths": "|".join(f'"{words}"' for words, _ in _paths(found)),
                   "values": "\n".join(_bash_value(*item) for item in values.items()),
                   "commands": "\n".join(commands)}


def _bash_value(kind, places):
    words, files = kind
    lines = [f"_minicnn_offer {shlex.join(words)}"] * bool(words)
    if not files:
        lines.append("compopt +o default 2>/dev/null")
    elif words:
        lines.append("_minicnn_files")
    return "        " + "|".join(places) + ")\n            " + "; ".join([*lines, "return"]) + " ;;"


# ---- zsh

ZSH = """\
#compdef minicnn
# minicnn's commands and options, for zsh: made by `minicnn completion zsh`
_minicnn_or_file() {
    compadd -- "$@"
    _files
}
_minicnn() {
    local command= k last=1
    for ((k = 2; k < CURRENT; k++)); do
        case "$command $words[k]" in
            (%(paths)s) command="${command:+$command }$words[k]"; last=$k ;;
        esac
    done
    words=("${(@)words[last,-1]}")
    ((CURRENT -= last - 1))
    case "$command" in
%(commands)s
    esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _minicnn "$@"
else
    compdef _minicnn minicnn
fi
"""


def zsh(found):
    """The script for zsh: to be loaded from $fpath, or read by `source`."""
    return ZSH % {"paths": "|".join(f'"{words}"' for words, _ in _paths(found)),
                  "commands": "\n".join(map(_zsh_command, found))}


def _zsh_command(one):
    specs = [shlex.quote(f"{name}[{_zsh_text(option.help)}]{_zsh_value(option)}")
             for option in one.options for name in option.names]
    if one.below:
        listed = " ".join(shlex.quote(rf"{name}\:{_zsh_text(help, True)}")
                          for name, help in one.below.items())
        specs.append(shlex.quote(f"1:command:(({listed}))"))
    specs += [shlex.quote(f"*{_zsh_value(argument)}") for argument in one.arguments]
    return f'        ("{one.name}") _arguments \\\n            ' + " \\\n            ".join(
        specs) + " ;;"


def _zsh_value(word):
    if word.flag:
        return ""
    words = " ".join(one.replace(" ", "\\ ").replace(":", "\\:") for one in word.words)
    action = "_files" if word.files else f"({words})"
    if words and (word.files or word.several):
        action = f" {'_minicnn_or_file' if word.files else '_sequence compadd -'} {words}"
    return f":{' / '.join(word.names) or 'argument'}:{action if words or word.files else ' '}"


def _zsh_text(text, quoted=False):
    """Text without the signs that have a meaning there."""
    return re.sub(r"[][:'\"`\\$()]" if quoted else r"[][\\]", " ", text)


# ---- fish

FISH = """\
# minicnn's commands and options, for fish: made by `minicnn completion fish`
function __minicnn_at
    set -l command ""
    for word in (commandline -opc)[2..-1]
        switch "$command $word"
            case %(paths)s
                set command (string trim "$command $word")
        end
    end
    test "$command" = "$argv"
end
complete -c minicnn -f
%(lines)s
"""


def fish(found):
    """The script for fish."""
    lines = [line for one in found for line in _fish_lines(one)]
    return FISH % {"paths": " ".join(f'"{words}"' for words, _ in _paths(found)),
                   "lines": "\n".join(lines)}


def _fish_lines(one):
    at = f"complete -c minicnn -n '__minicnn_at {one.name}'"
    for name, help in one.below.items():
        yield f"{at} -a {name} -d {_fish_text(help)}"
    for word in (*one.options, *one.arguments):
        names = " ".join(f"-l {name[2:]}" if name[:2] == "--" else f"-s {name[1:]}"
                         for name in word.names)
        value = "" if word.flag else (" -r -F" if word.files else " -x") if names else (
            " -F" if word.files else "")
        words = " ".join(one.replace(" ", "\\ ") for one in word.words)
        words = f"(__fish_append , {words})" if word.several else words
        given = f" -a {_fish_text(words)}" if word.words else ""
        if names or given or value:
            yield f"{at} {names}{value}{given}".rstrip() + f" -d {_fish_text(word.help)}" * bool(
                names)


def _fish_text(text):
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


SCRIPTS = {"bash": bash, "zsh": zsh, "fish": fish}
