"""``minicnn bench``: the programs of the folder benchmarks/, which is in a checkout of the source.

What follows a program's name are its own options; its own parser reads them, so that
`minicnn bench speed` and `python benchmarks/speed.py` cannot differ.
"""

import importlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # of a checkout
PROGRAMS = {
    "speed": "how fast: against PyTorch in turn, on the CPU or a GPU",
    "gradients": "how right: gradients against loops, differences and PyTorch",
}


def add(parser):
    """The programs; all that follows one is left to it."""
    programs = parser.add_subparsers(required=True, metavar="PROGRAM", dest="program")
    for name, words in PROGRAMS.items():
        # nothing starts with the prefix "\0", so that even --help is an argument like another
        program = programs.add_parser(name, help=words, add_help=False, prefix_chars="\0")
        program.add_argument("rest", nargs="*")


def run(options):
    """Run the program; its exit status."""
    program = load(options.program)
    return program.run(program.read(options.rest, f"minicnn bench {options.program}"))


def load(name):
    """The module of a program.

    Raises
    ------
    ValueError
        Where minicnn was installed from a wheel, which has no benchmarks.
    """
    folder = ROOT / "benchmarks"
    if not ((folder / f"{name}.py").is_file() and (ROOT / "pyproject.toml").is_file()):
        raise ValueError("the benchmarks are not part of an installed minicnn; get its source, and "
                         "run this in it after pip install -e .")
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))  # its files import each other by name
    return importlib.import_module(name)
