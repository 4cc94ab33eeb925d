"""The folder of fetched networks, one for each user, where the platform keeps such things.

==========  ===================================================================
Windows     %LOCALAPPDATA%\\minicnn\\Cache
macOS       ~/Library/Caches/minicnn
elsewhere   $XDG_CACHE_HOME/minicnn, or ~/.cache/minicnn where that is not set
==========  ===================================================================

MINICNN_CACHE names another. In it are the converted networks, NAME.h5, each with a NAME.json that
holds its size and SHA-256, and the folder `downloads`.
"""

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from minicnn.files import digests
from minicnn.images import atomic


@dataclass(frozen=True)
class Entry:
    """One network in the cache.

    Attributes
    ----------
    name : str
        What `minicnn.load` calls it.
    path : Path
        The .h5 file.
    record : dict or None
        What the .json beside it says: `size`, `sha256` and whatever else was recorded; None where
        it is not there or cannot be read.
    """

    name: str
    path: Path
    record: dict | None = field(repr=False)


def folder(cache=None):
    """The cache folder, which need not exist yet.

    Parameters
    ----------
    cache : str or path, optional
        This one, whatever the environment says.

    Returns
    -------
    Path
    """
    chosen = cache or os.environ.get("MINICNN_CACHE")
    return Path(chosen).expanduser() if chosen else _platform_folder()


def downloads(cache=None):
    """The folder for original files, and for what of them has arrived."""
    return folder(cache) / "downloads"


def place(name, cache=None):
    """Where the network of that name is, or would be."""
    return folder(cache) / f"{name}.h5"


def record(path, about):
    """Write the .json beside a network's file: its size, its SHA-256, and `about`.

    Parameters
    ----------
    path : path
    about : dict
        Plain values.
    """
    contents = {"size": path.stat().st_size, "sha256": digests.sha256(path)} | about
    with atomic(path.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(contents, indent=1) + "\n", encoding="utf-8")


def forget(path):
    """Remove the .json beside a network's file, which is about to be written anew."""
    path.with_suffix(".json").unlink(missing_ok=True)


def entries(cache=None):
    """Every network in the cache, by name.

    Returns
    -------
    list of Entry
    """
    return [Entry(path.stem, path, _read(path.with_suffix(".json")))
            for path in sorted(folder(cache).glob("*.h5")) if not path.name.startswith(".")]


def unfinished(cache=None):
    """The paths of downloads that broke off and would be taken up again."""
    return sorted(downloads(cache).glob("*.part"))


def verify(entry):
    """What is wrong with a cached network's file, in words; None where its hash is as recorded.

    Parameters
    ----------
    entry : Entry
    """
    again = f"`minicnn fetch {entry.name} --again` makes it anew"
    if entry.record is None:
        return f"{entry.path}: there is no record of its hash beside it; {again}"
    try:
        size = entry.path.stat().st_size
        if size != entry.record["size"]:
            return f"{entry.path}: has {size:,} bytes, not {entry.record['size']:,}; {again}"
        if digests.sha256(entry.path) != entry.record["sha256"]:
            return f"{entry.path}: its SHA-256 is not the recorded one, it was damaged; {again}"
    except OSError as error:
        return f"{entry.path}: cannot be read: {error.strerror}"
    return None


def _platform_folder():
    home = Path.home()
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else home / "AppData" / "Local") / "minicnn" / "Cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "minicnn"
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(chosen) if os.path.isabs(chosen) else home / ".cache") / "minicnn"


def _read(path):
    """The record in a file; None where there is none in it."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    whole = isinstance(found, dict) and isinstance(found.get("size"), int)
    return found if whole and isinstance(found.get("sha256"), str) else None
