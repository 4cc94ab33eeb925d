"""The places that a walled Python may read: its library, NumPy, the shared libraries; nothing else.

A place is a folder or file and the names in it that stay hidden: packages that are installed beside
the standard library, and other Pythons beside the shared libraries.
"""

import importlib
import os
import re
import sys
from contextlib import suppress

LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib")
PACKAGES = re.compile("(site|dist)-packages")
HIDDEN = re.compile(r"(site|dist)-packages|python.*|pypy.*|node_modules|jvm|R|ruby|perl.*|git-core"
                    r"|systemd|firmware|modules|debug|udev|ssl|apt|dpkg|sudo|minicnn.*|(lib)?torch.*"
                    r"|.*conda.*|jupyter.*")
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
FILES = ("/etc/ld.so.cache", "/etc/localtime")

ACTING = {"antigravity", "this", "idlelib", "turtledemo", "turtle", "tkinter", "venv", "ensurepip",
          "__main__"}  # modules that do something when they are imported
IMPORTED = """
__future__ abc collections.abc contextlib copy dataclasses datetime encodings.ascii encodings.idna
encodings.latin_1 enum functools inspect io itertools math numpy.fft numpy.lib.mixins
numpy.lib.stride_tricks numpy.linalg numpy.ma numpy.polynomial numpy.random operator random re
string time traceback types typing warnings
"""


def places(numpy_file):
    """The places in use: {real path: names in it that stay hidden}.

    Parameters
    ----------
    numpy_file : str
        ``numpy.__file__``.
    """
    found = {path: _hidden(path, HIDDEN) for path in _libraries()}
    numpy = os.path.dirname(os.path.realpath(numpy_file))
    for path in (*sys.path, numpy, f"{os.path.dirname(numpy)}/numpy.libs", *FILES, *DEVICES):
        if os.path.exists(path):
            found[os.path.realpath(path)] = _hidden(path, PACKAGES)
    return found


def straighten():
    """Have Python know its library by its real folders: links to it may not be seen."""
    sys.path[:] = map(os.path.realpath, sys.path)
    for module in [*sys.modules.values()]:
        if type(getattr(module, "__path__", None)) is list:
            module.__path__[:] = map(os.path.realpath, module.__path__)


def _libraries():
    """The folders of the shared libraries that are loaded, and of those that may yet be."""
    loaded = set()
    with suppress(OSError), open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
        for line in file:
            path = line.rstrip("\n").partition("/")[2]
            if ".so" in path:
                loaded.add(os.path.dirname(os.path.realpath(f"/{path}")))
    usual = {os.path.realpath(path) for path in LIBRARIES}
    return sorted(path for path in usual | loaded
                  if os.path.isdir(path) and "-packages" not in path
                  and "lib-dynload" not in path and path not in ("/", "/usr"))


def _hidden(path, names):
    with suppress(OSError):
        return tuple(sorted(name for name in os.listdir(path) if names.fullmatch(name)))
    return ()


def import_all(names):
    """Import these, and what is often needed, for a process that cannot open their files later."""
    for name in (*IMPORTED.split(), *names):
        first, *_, last = name.split(".") * 2
        if {first, last}.isdisjoint(ACTING) and first in {"numpy", *sys.stdlib_module_names}:
            with suppress(Exception):
                importlib.import_module(name)
