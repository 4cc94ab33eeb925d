"""Default names of results: a command never replaces an earlier result that it was not told to.

Where maximize.png is there, or the folder maximize of its pictures, `minicnn maximize` makes
maximize-2.png; with ``--out maximize.png`` it replaces it. Unfinished work is no result: the same
command takes it up where it was.
"""

import os
from itertools import count
from pathlib import Path

from minicnn.files.unfinished import PREFIX


class Default(str):
    """The path of a result that the user did not choose."""


def free(path):
    """`path` if it is a Default and nothing is there yet, else the first of its names that is free.

    Parameters
    ----------
    path : str or Default
        A path that is no Default is returned as it is.

    Returns
    -------
    str or Default
        For example "maximize-2.png". What belongs to a result counts as well: its settings
        maximize.json, the sheet zoom.png of zoom.gif, the folder maximize of its pictures.
    """
    if not isinstance(path, Default):
        return path
    names = (path if n == 1 else _numbered(path, n) for n in count(1))
    return Default(next(name for name in names if not _taken(Path(name))))


def _numbered(path, number):
    whole = Path(path)
    return str(whole.with_name(f"{whole.stem}-{number}{whole.suffix}"))


def _taken(path):
    """Whether a result of this name is there, or what belongs to one."""
    kinds = {path.suffix, ".png", ".json", ""} if path.suffix else {""}
    return any(_holds(path.with_suffix(kind)) for kind in kinds)


def _holds(path):
    """Whether there is a file, or a folder with more than unfinished work."""
    if not path.is_dir():
        return os.path.lexists(path)
    return any(not one.name.startswith(PREFIX) for one in path.iterdir())
