"""The command line: one subcommand per public function, with the same name and options.

Nothing is computed here. Options take their defaults from the signature of the function that they
are passed to, so the help cannot disagree with the code. Exit status: 0 success, 1 failure (one
line on standard error says why; indented ones may follow), 2 wrong usage, 130 interrupted, with the
results so far saved.

Each command has a file with ``add(parser)``, which adds its options to the parser, and
``run(options)``. Only the file of the command that is run is imported. The other files of this
folder serve the commands: `options` (what they share), `kinds` (of values that options take),
`naming` (default names of results), `document` (what --json prints), `viewer` (what --show does).
"""

import argparse
import errno
import importlib
import os
import signal
import sys
import threading
import warnings
from contextlib import contextmanager
from difflib import get_close_matches

from minicnn.terminal import escaped, quiet, tell

GROUPS = {  # in the order of the help
    "learn": {
        "tour": "every method once on one photo, explained on a page, into a folder",
        "lesson": "lessons to step through: text, code, pictures, and questions to predict",
        "explain": "an op's page (its plain implementation) in the terminal: formulas, code, files",
    },
    "check what you wrote": {
        "check": "layers written by hand: are outputs and gradients right, and if not, why?",
        "course": "course assignments cut from the library's pages: handouts, checking, grading",
    },
    "see into a network": {
        "classify": "the most probable classes of photos, with probabilities",
        "classes": "the classes of a network, with their numbers",
        "summary": "a network's layers as a table",
        "kernels": "the first layer's filters in colour, or any layer's kernels, plane by plane",
        "filters": "what the first filters of every layer respond to strongly, as one sheet",
        "maximize": "an image that a class or a channel responds to strongly",
        "deepdream-image": "pictures that activate channels of a layer, as MATLAB makes them",
        "strongest": "the patches of many photos that activate each channel most, with projections",
        "compare": "two networks' first layers: dead filters, aliasing, what a unit sees",
    },
    "see what it sees in a photo, and make pictures of it": {
        "gradcam": "where in a photo the evidence for a class is",
        "saliency": "the pixels of a photo that a class's score depends on",
        "occlusion": "how much a class's probability depends on each part of a photo",
        "deconvnet": "the part of a photo that a unit, a channel or a layer responded to",
        "activations": "every channel of every layer for one photo, as pictures and statistics",
        "hypercolumns": "a photo's pixels as vectors over many layers: mean, segments, similarity",
        "invert": "what a layer still knows of a photo: an image with the same activation",
        "dream": "a photo changed to amplify what a layer sees in it (DeepDream)",
        "zoom": "a zoom into a dream: dream, enlarge, dream again; a GIF or MP4, and a sheet",
        "texture": "a new image with the texture of a photo",
        "style": "a photo painted in the style of paintings",
    },
    "train": {
        "train": "a network trained on pictures, digits or drawn shapes; or measured, --evaluate",
        "evolution": "features of a network as they grew while it was trained, at chosen epochs",
    },
    "files and this machine": {
        "fetch": "an official weight file: download, verify, convert and keep it",
        "convert": "another program's weight file, converted to minicnn's format",
        "replay": "the same picture again, from the settings that --keep-settings saved with it",
        "doctor": "a check of this machine: libraries, GPU, cache, and every op",
        "bench": "the benchmarks, in a checkout of the source only: speed and accuracy",
        "completion": "a script by which bash, zsh or fish complete commands and options",
    },
}
COMMANDS = {name: words for group in GROUPS.values() for name, words in group.items()}
FIRST = {  # what to begin with
    "tour": "every method once, on a page: a minute",
    "lesson 1": "the first of twenty lessons, a step at a time",
    "check layers.py": "are my gradients right, and if not, why?",
}
EXAMPLES = {  # one a command, at the head of its help; all work with the shipped network
    "tour": "tour photo.jpg --out tour",
    "lesson": "lesson 2",
    "course": "course list",
    "course list": "course list 2",
    "course new": "course new my-course --assignments 1,2",
    "course check": "course check convolution.py --question 1",
    "course grade": "course grade submissions --course my-course --csv grades.csv",
    "summary": "summary --receptive-fields",
    "explain": "explain conv",
    "check": "check layers.py --quick --html report.html",
    "classify": "classify photo.jpg --top 3 --json",
    "classes": "classes cat",
    "maximize": "maximize --target goldfish --seed 1",
    "filters": "filters --layers conv3_2 --count 4",
    "deconvnet": "deconvnet photo.jpg --layer relu3_2 --relu each",
    "activations": "activations photo.jpg --layers conv1_1,conv2_1",
    "kernels": "kernels --layer conv1_1",
    "hypercolumns": "hypercolumns photo.jpg --view similarity --pixel 20,30",
    "saliency": "saliency photo.jpg --method integrated --show",
    "gradcam": "gradcam photo.jpg --guided",
    "occlusion": "occlusion photo.jpg --square 16 --stride 8",
    "compare": "compare photo.jpg --against minialex",
    "strongest": "strongest photos --layers relu2_1 --channels 0..3",
    "deepdream-image": "deepdream-image --layer conv3_2 --channels 0..3",
    "dream": "dream photo.jpg --layers conv3_2",
    "zoom": "zoom photo.jpg --frames 10 --out zoom.gif",
    "invert": "invert photo.jpg --layers pool2",
    "texture": "texture photo.jpg --steps 50",
    "style": "style photo.jpg painting.jpg --steps 50",
    "train": "train shapes --epochs 3 --out shapes.h5",
    "evolution": "evolution snapshots photos --layers relu1",
    "convert": "convert vgg16.pth --to vgg16.h5 --model vgg16",
    "doctor": "doctor --weights minivgg",
    "fetch": "fetch --list",
    "replay": "replay maximize.json --out again.png",
    "bench": "bench speed --help",
    "completion": "completion bash",
}
INTERRUPTED = 130
OUTPUTS = ("out", "to", "frames", "plot", "json", "html", "csv", "picture", "notebook",
           "confusion", "show_augmentation", "checkpoint", "figure")
PHOTOS = ("image", "photo", "photos", "styles")
REMEDIES = dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "; free some space and run it again") | (
    dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), "; name a place that can be written "
                                                            "to"))


def main(arguments=None):
    """Run one command; returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if hasattr(sys.stdout, "reconfigure") and sys.stdout.errors == "strict":  # print any letter
        sys.stdout.reconfigure(errors="backslashreplace")
    if arguments[:1] in ([], ["help"]):
        arguments = [*(word for word in arguments if word != "help"), "--help"]
    parser = build_parser(arguments)
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        options.refuse(unknown[0])
    pressed = []
    try:
        from minicnn.cli.naming import free
        from minicnn.images import sparing

        if "out" in options:
            options.out = free(options.out)
        with (warnings.catch_warnings(), _interruptible(pressed), sparing(*_inputs(options)),
              quiet(getattr(options, "quiet", False))):
            warnings.showwarning = _show_warning
            if "complete" in options:
                options.complete(options)
            status = options.run(options) or 0
            if status == 0 and getattr(options, "show", False):
                from minicnn.cli import viewer

                viewer.show(options.out, inline=not options.json)
            sys.stdout.flush()
            return status
    except BrokenPipeError:  # the reader of our output has ended, as in `minicnn summary | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt as error:
        return _interrupted(*error.args)
    except Exception as error:
        if pressed:  # in compiled code, while it was imported, it can become any error
            return _interrupted()
        if not isinstance(error, (ValueError, OSError, MemoryError)):
            raise
        few = isinstance(error, MemoryError) and not isinstance(error, ValueError)
        words = "not enough memory; use a smaller size" if few else _told(error).strip()
        notes = getattr(error, "__notes__", ())  # what was tried, what to do: a line each
        tell(f"minicnn: {words}", *(f"  {note}" for note in notes), file=sys.stderr)
        return 1


def _interrupted(*words):
    tell("; ".join(["minicnn: interrupted", *words]), file=sys.stderr)
    return INTERRUPTED


@contextmanager
def _interruptible(pressed):
    """Ctrl-C, and SIGTERM like it, raise KeyboardInterrupt in the block and are noted in a list."""
    def press(number, frame):
        pressed.append(number)
        raise KeyboardInterrupt

    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    if threading.current_thread() is not threading.main_thread():
        before = {}  # no other thread gets signals
    before = {one: there for one, there in before.items() if there not in (None, signal.SIG_IGN)}
    try:
        for one in before:
            signal.signal(one, press)
        yield
    finally:
        for one, there in before.items():
            signal.signal(one, there)


def build_parser(arguments=()):
    """The parser of all commands; only the command in `arguments` gets its options."""
    from minicnn import __version__

    parser = Parser(prog="minicnn")
    parser.format_help = _overview
    parser.add_argument("--version", action="version", version=f"minicnn {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, words in COMMANDS.items():
        end = "" if words.endswith("?") else "."
        command = commands.add_parser(name, help=words,
                                      description=f"{words[0].upper()}{words[1:]}{end}")
        if name in arguments:
            file = importlib.import_module(f"minicnn.cli.{name.replace('-', '_')}")
            file.add(command)
            command.set_defaults(run=file.run, command=name)
        command.example = EXAMPLES[name]
        for leaf, words in leaves(command, name):
            leaf.example = EXAMPLES.get(words)
            leaf.set_defaults(refuse=leaf.refuse, wrong_usage=leaf.error)
            if name in arguments and leaf.add_help:  # else all arguments are another program's
                leaf.shared.add_argument("--quiet", action="store_true",
                                         help="no progress bars and no notes on standard error, "
                                              "only errors and warnings")
    return parser


def _overview():
    """What `minicnn` alone prints: how to begin, and all commands."""
    from minicnn.cli.bench import is_here

    def listed(commands):
        return [f"  {name:<16} {words}" for name, words in commands.items()
                if name != "bench" or is_here()]

    begin = [f"  minicnn {words:<16} {about}" for words, about in FIRST.items()]
    lines = ["usage: minicnn COMMAND ...", "", "See, run and check how a convolutional network "
             "sees. To begin with:", "", *begin]
    for title, commands in GROUPS.items():
        lines += ["", f"{title}:", *listed(commands)]
    return "\n".join([*lines, "", "`minicnn help COMMAND` shows what a command takes, `minicnn "
                      "--version` the version.", ""])


def leaves(parser, name):
    """Yield the parsers without commands of their own, and their commands, "course list"."""
    below = [action for action in parser._actions
             if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield parser, name
    for action in below:
        for inner, one in action.choices.items():
            yield from leaves(one, f"{name} {inner}")


class Parser(argparse.ArgumentParser):
    """argparse's parser, with a short usage, an example at the head of the help and what commands
    share at its end; it suggests similar words.

    Attributes
    ----------
    example : str or None
    files, shared : argument groups
        For the options that read and write, and for those that most commands have.
    """

    example = None

    def __init__(self, *arguments, add_help=True, **more):
        super().__init__(*arguments, add_help=False, **more)
        self.add_help = add_help
        self.files = self.add_argument_group("input and output")
        self.shared = self.add_argument_group("common options")
        if add_help:
            self.shared.add_argument("-h", "--help", action="help", help="show this")

    def format_help(self):
        """The help: usage, what it does, an example, and the options by groups."""
        formatter = self.formatter_class(prog=self.prog)
        formatter.add_text(self.description)
        formatter.add_text(self.example and f"example: minicnn {self.example}")
        for group in self._action_groups:
            formatter.start_section(group.title)
            formatter.add_text(group.description)
            formatter.add_arguments(group._group_actions)
            formatter.end_section()
        formatter.add_text(self.epilog)
        return f"{self.format_usage()}\n{formatter.format_help()}"

    def format_usage(self):
        """One line: what is required, and arguments without a name."""
        either = [group for group in self._mutually_exclusive_groups if group.required]
        of_either = [action for group in either for action in group._group_actions]
        formatter = self.formatter_class(prog=f"{self.prog} [options]")
        formatter.add_usage(None, [
            action for action in self._actions
            if action.required or not action.option_strings or action in of_either], either)
        return formatter.format_help()

    def refuse(self, argument):
        """End with status 2, wrong usage, for an unknown argument."""
        known = [name for action in self._actions for name in action.option_strings]
        written = argument.partition("=")[0]
        hint = near(written, known) if written[:1] == "-" else ""
        self.error(f"unknown argument {written}{hint}")

    def error(self, message):
        """End with status 2: the message on one line, and where the help is."""
        self.exit(2, f"{self.prog}: error: {escaped(message)}\n  see {self.prog} --help\n")

    def _check_value(self, action, value):  # argparse's check of a value that has choices
        if action.choices is not None and value not in action.choices:
            known = list(map(str, action.choices))
            hint = near(str(value), known) or f"; expected one of {', '.join(known)}"
            raise argparse.ArgumentError(action, f"unknown value {value!r}{hint}")


def near(word, words):
    """The end of an error message that suggests words similar to the given one, if any."""
    bare = {name.lstrip("-"): name for name in words}
    found = [bare[name] for name in get_close_matches(word.lstrip("-"), bare, n=3, cutoff=0.7)]
    return f"; did you mean {' or '.join(found)}?" if found else ""


def _inputs(options):
    """Every file and folder that an option names and that no option writes.

    A word such as `--colours style` may be the name of the folder that goes with --out, see
    `report.full_size`; only an argument for photos can mean that folder.
    """
    own = os.path.splitext(str(getattr(options, "out", None)))[0]
    for name, value in vars(options).items():
        if name not in (*OUTPUTS, "keeps", getattr(options, "in_place", None)):
            for text in value if isinstance(value, (list, tuple)) else [value]:
                if isinstance(text, str) and (text != own or name in PHOTOS):
                    yield from (text, text.partition("=")[2])  # --ops conv=mine.py


def _told(error):
    """An error in words; one of the system, with the file that it is about."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}{REMEDIES.get(error.errno, '')}"
    return str(error)


def _show_warning(message, category, filename, lineno, file=None, line=None):
    tell(f"minicnn: warning: {message}", file=sys.stderr)
