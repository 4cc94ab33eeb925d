"""What a room offers: its public names, which Tab completes, imported when they are first used."""

import importlib
import sys
from types import ModuleType


def offered(room, homes=None):
    """The functions ``__getattr__`` and ``__dir__`` of a room.

        __getattr__, __dir__ = offered(__name__)

    Public are the names of its ``__all__``; of a room without one, its files and whatever it
    defines itself. ``dir(room)`` has them all, and those with an underscore; a name that is not
    there yet is imported when it is first used.

    Parameters
    ----------
    room : str
        Its full name.
    homes : dict of str to str, optional
        The modules, by full name, of those names that are no files of the room.
    """
    module, homes = sys.modules[room], homes or {}

    def public():
        own = vars(module)
        if "__all__" in own:
            return set(own["__all__"])
        from pkgutil import iter_modules

        return {file.name for file in iter_modules(getattr(module, "__path__", ()))} | {
            name for name, value in own.items() if not isinstance(value, ModuleType)
            and getattr(value, "__module__", room) == room}

    def __getattr__(name):
        if name.startswith("_") or name not in public():
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        value = (getattr(importlib.import_module(homes[name]), name) if name in homes
                 else importlib.import_module(f"{room}.{name}"))
        setattr(module, name, value)
        return value

    def __dir__():
        return sorted(public() | {name for name in vars(module) if name.startswith("_")})

    return __getattr__, __dir__
