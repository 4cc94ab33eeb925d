"""What a room offers: its public names, which Tab completes, imported when they are first used."""

import importlib
import sys
from types import ModuleType


def public(module):
    """The public names of a module: its ``__all__``; without one, its files and what it defines."""
    own = vars(module)
    if "__all__" in own:
        return set(own["__all__"])
    from pkgutil import iter_modules

    return {file.name for file in iter_modules(own.get("__path__", ()))} | {
        name for name, value in own.items()
        if not (name.startswith("_") or isinstance(value, ModuleType))
        and getattr(value, "__module__", module.__name__) == module.__name__}


def listed(module):
    """What ``dir(module)`` is to show: the public names, and those with an underscore."""
    return sorted(public(module) | {name for name in vars(module) if name.startswith("_")})


def offered(room, homes=None):
    """The functions ``__getattr__`` and ``__dir__`` of a room.

        __getattr__, __dir__ = offered(__name__)

    Its public names are imported when they are first used.

    Parameters
    ----------
    room : str
        Its full name.
    homes : dict of str to str, optional
        The modules, by full name, of those names that are no files of the room.
    """
    module, homes = sys.modules[room], homes or {}

    def __getattr__(name):
        if name.startswith("_") or name not in public(module):
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        value = (getattr(importlib.import_module(homes[name]), name) if name in homes
                 else importlib.import_module(f"{room}.{name}"))
        setattr(module, name, value)
        return value

    return __getattr__, lambda: listed(module)
