"""How a walled Python is started: it gets the text of its program, and sees none of this package.

The program crosses by standard input, whose other end the parent keeps: when that closes, the
process ends (`minicnn.gradcheck.apart.separate`). The environment is made from nothing, and the
command line names only the Python.
"""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np

from minicnn.gradcheck.apart import separate
from minicnn.gradcheck.apart.process import ONE_THREAD, WINDOWS, Process

PACKAGE = Path(__file__).parents[2]
FIRST = ("gradcheck/apart/landlock", "gradcheck/apart/limits", "gradcheck/apart/places",
         "gradcheck/apart/root", "gradcheck/apart/wall", "gradcheck/apart/separate")
THEN = ("gradcheck/own/errors", "gradcheck/apart/wire", "gradcheck/apart/serving",
        "gradcheck/apart/behind")
IMPORTS = re.compile(r"^[ \t]*(?:from[ \t]+([\w.]{1,80})[ \t]+)?import\b([\w.,\t (]{1,400})",
                     re.MULTILINE)
FAR, MOST = 1 << 20, 200  # letters that are searched, and names that are used
BOOT = """
import json, os, sys, types

def load(name, text):
    module, package = types.ModuleType(name), ""
    for part in name.split(".")[:-1]:
        above, package = package, f"{package}.{part}".lstrip(".")
        if package not in sys.modules:
            sys.modules[package] = types.ModuleType(package)
            if above:
                setattr(sys.modules[above], part, sys.modules[package])
    sys.modules[name] = module
    setattr(sys.modules[package], name.rpartition(".")[2], module)
    exec(compile(text, f"<{name}>", "exec"), module.__dict__)
    return module

with open(0, "rb", buffering=0, closefd=False) as stdin:
    left, pieces = int.from_bytes(stdin.read(8), "big"), []
    while left and (piece := stdin.read(left)):
        pieces.append(piece)
        left -= len(piece)
given = json.loads(b"".join(pieces))
for name, text in given.pop("first"):
    last = load(name, text)
given["made"] = sorted(last.separate({*given["wanted"]}, given.get("connection")))
if os.name == "posix":
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
sys.modules["minicnn.gradcheck.apart.places"].straighten()
sys.path.append(given["numpy"])
import numpy
sys.path.pop()
for name, text in given.pop("then"):
    last = load(name, text)
last.main(given)
"""


class WalledProcess(Process):
    """A walled process; the one that was started first waits for the one that runs the file."""

    patience = 1

    def __init__(self, memory_mb, wanted, source=b""):
        super().__init__(memory_mb, lambda *given: _start(wanted, source, *given))

    @staticmethod
    def status(code):
        """The exit status of the one that ran the file."""
        number = code - separate.KILLED
        return -number if 0 < number < signal.NSIG else code


def _start(wanted, source, theirs, stack, folder, memory_mb):
    """Start Python with one end of a connection, and send it its program."""
    given = {"wanted": list(wanted), "memory_mb": memory_mb, "imports": _imports(source),
             "first": _texts(FIRST),
             "then": _texts(THEN), "numpy": str(Path(np.__file__).resolve().parents[1])}
    options = {} if WINDOWS else {"pass_fds": (theirs.fileno(), stack), "start_new_session": True}
    python = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
    popen = subprocess.Popen([python, "-P", "-s", "-S", "-B", "-X", "utf8", "-c", BOOT], cwd=folder,
                             env=_environment(folder), stdin=subprocess.PIPE, bufsize=0,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    given |= {"shared": theirs.share(popen.pid).hex()} if WINDOWS else {
        "connection": theirs.fileno(), "stack": stack}
    program = json.dumps(given).encode()
    program = len(program).to_bytes(8, "big") + program
    with suppress(OSError):  # it has ended: its connection says so
        while program:
            program = program[popen.stdin.write(program):]
    return popen


def _imports(source):
    """The names of modules that a source seems to import; a stranger's file is not parsed here."""
    found = []
    for one, several in IMPORTS.findall(source[:FAR].decode(errors="replace")):
        parts = [part.split()[0] for part in several.strip("( ").split(",") if part.split()]
        found += [one, *(f"{one}.{part}" for part in parts)] if one else parts
    return [name for name in dict.fromkeys(found) if re.fullmatch(r"\w+(\.\w+)*", name)][:MOST]


@cache
def _texts(names):
    return [(f"minicnn.{name.replace('/', '.')}",
             (PACKAGE / f"{name}.py").read_text(encoding="utf-8")) for name in names]


def _environment(folder):
    """One thread, the folder as home, and what the system needs to start Python."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "SYSTEMROOT")
            if name in os.environ}
    return kept | dict.fromkeys(ONE_THREAD[:-1], "1") | {
        "HOME": folder, "TMPDIR": folder, "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"}
