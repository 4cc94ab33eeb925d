"""``minicnn bench``: run a program of the folder benchmarks/, which only a source checkout has.

The program's own parser reads the arguments after its name, so that `minicnn bench speed` and
`python benchmarks/speed.py` cannot differ.
"""

import importlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # of the source checkout
PROGRAMS = {
    "speed": "times compared with PyTorch's, on the CPU or a GPU",
    "gradients": "errors of gradients, by loops, finite differences and PyTorch",
    "judge": "how many known wrong layers each checker of gradients catches",
    "course": "a generated class of 40, graded by two commands: points, feedback, time",
    "classes": "pictures of classes, judged by a network that had no part in them",
    "lecture": "few photos: a network from scratch, VGG-16 frozen, VGG-16 fine-tuned",
    "first-layer": "AlexNet's first layer and Zeiler & Fergus', trained alike and compared",
    "texture": "the loss that L-BFGS reaches, beside PyTorch's",
    "start": "the processor time of importing minicnn and of starting its commands",
}


def add(parser):
    """One subparser per program, which passes on all further arguments."""
    programs = parser.add_subparsers(required=True, metavar="PROGRAM", dest="program")
    for name, words in PROGRAMS.items():
        # no argument starts with the prefix "\0", so even --help is passed on
        program = programs.add_parser(name, help=words, add_help=False, prefix_chars="\0")
        program.add_argument("rest", nargs="*")


def run(options):
    """Run the program; returns its exit status."""
    program = load(options.program)
    return program.run(program.read(options.rest, f"minicnn bench {options.program}"))


def load(name):
    """Import the module of a program.

    Raises
    ------
    ValueError
        minicnn was installed from a wheel, which has no benchmarks.
    """
    if not is_here():
        raise ValueError("the benchmarks are not part of an installed minicnn; get its source, run "
                         "pip install -e . there, and run this command again")
    folder = str(ROOT / "benchmarks")
    if folder not in sys.path:
        sys.path.insert(0, folder)  # its files import each other by name
    return importlib.import_module(name.replace("-", "_"))


def is_here():
    """Whether this is a checkout of the source, which has the benchmarks."""
    return (ROOT / "benchmarks" / "speed.py").is_file() and (ROOT / "pyproject.toml").is_file()
