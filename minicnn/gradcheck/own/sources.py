"""Where your own ops come from: a module, a class, an object, or a Python file.

A file is run only if you name it, on the command line or in a call; never because data names it.
It is read once, and exactly those bytes are hashed and run. The hash also covers the files in the
same folder that it imports.
"""

import importlib
import inspect
import sys
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from uuid import uuid4

from minicnn.gradcheck.own.errors import (  # noqa: F401  known here to all who use a source
    CannotDo,
    FormError,
    OwnError,
    is_deliberate,
    told,
)


class Source:
    """Where your own ops come from: a module, a class, an object, or the path of a file.

    ``mine.py:Convolution`` names one class of a file. A Source can be sent to another process,
    which reads the file or imports the module again, and refuses it if it has changed.

    Attributes
    ----------
    found : module, class or object
    name : str
    file : str or None
        The file that defines them.
    sha256 : str or None
        Of the file and of the files that it imported from the same folder; None for code that was
        typed in, and for objects, whose state is not in a file.
    token : str
        The hash, or a unique identifier if there is none.
    """

    def __init__(self, given):
        self.given = given
        if isinstance(given, (str, Path)):
            stem, colon, name = str(given).partition(".py:")
            self.found, self.file, self.sha256 = _read(given, f"{stem}.py" if colon else stem)
            self.given = f"{self.file}:{name}" if colon else self.file
            if colon and not hasattr(self.found, name):
                raise FormError(f"{given}: the file has no {name}")
            self.found = getattr(self.found, name) if colon else self.found
        else:
            self.found, self.file, self.sha256 = given, *_written_in(given)
        self.name = (Path(self.file).name if self.file
                     else getattr(given, "__name__", type(given).__name__))
        self.token = self.sha256 or uuid4().hex

    def __reduce__(self):
        is_module = isinstance(self.given, ModuleType)
        return _again, (self.given.__name__ if is_module else self.given, is_module, self.token,
                        self.sha256)

    def __deepcopy__(self, memo):
        return self


def _again(given, is_module, token, digest):
    source = Source(importlib.import_module(given) if is_module else given)
    if source.sha256 != digest:
        raise FormError(f"{source.name}: was changed while it was in use; start again")
    source.token = token
    return source


def _written_in(given):
    """(file, hash) of a module, or of a class that a module holds by name; else (None, None)."""
    if isinstance(given, type):
        module = sys.modules.get(given.__module__)
        if getattr(module, given.__qualname__, None) is not given:
            return None, None
    elif not isinstance(given, ModuleType):
        return None, None
    try:
        file = inspect.getsourcefile(given)
        return file, sha256(Path(file).read_bytes()).hexdigest()
    except (TypeError, OSError):  # typed in, or built in
        return None, None


def _read(given, path):
    """Run a Python file; returns (module, path, hash)."""
    path = Path(path)
    if not path.is_file():
        raise FormError(f"{given}: no such file; give the Python file with your ops")
    if path.suffix != ".py":
        raise FormError(f"{given}: expected a Python file, whose name ends in .py")
    path = path.resolve()
    code = path.read_bytes()
    module = ModuleType(f"own_{sha256(code + bytes(path)).hexdigest()[:16]}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    try:
        with _beside(path.parent) as helpers:
            exec(compile(code, str(path), "exec"), vars(module))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit, too: a mistake in a file must not end us
        words = told(error, path)
        raise FormError(f"{given}: cannot be imported: {words}{_of_notebook(code, error, words)}"
                        ) from error
    together = sha256(code)
    for helper in sorted(helpers):
        together.update(Path(helper).read_bytes())
    return module, str(path), together.hexdigest()


def _of_notebook(code, error, words):
    """What to remove from a file that was exported from a notebook; "" for any other error."""
    lines = [number for number, line in enumerate(code.splitlines(), 1)
             if line.strip().startswith((b"%", b"!")) or b"get_ipython(" in line]
    is_one = (error.lineno in lines if type(error) is SyntaxError and type(error.lineno) is int
              else "'get_ipython' is not defined" in words)
    if not lines or not is_one:
        return ""
    lines = [*map(str, lines)]
    return (f"; remove the notebook's own commands, in line{'s' * (len(lines) > 1)} "
            f"{', '.join(lines)}")


@contextmanager
def _beside(folder):
    """Let files of a folder be imported inside the block; yields a set that holds those that were
    once the block has ended.

    Their modules are then forgotten, so a file of the same name in another folder can be imported.
    """
    helpers, before = set(), set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield helpers
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            if file and Path(file).resolve().is_relative_to(folder) and Path(file).is_file():
                helpers.add(file)
                del sys.modules[name]
