"""The cache: one folder per user with the fetched networks, in the platform's usual place.

==========  ===================================================================
Windows     %LOCALAPPDATA%\\minicnn\\Cache
macOS       ~/Library/Caches/minicnn
elsewhere   $XDG_CACHE_HOME/minicnn, or ~/.cache/minicnn if that is not set
==========  ===================================================================

The environment variable MINICNN_CACHE names another folder. The cache holds the converted networks,
NAME.h5, each with a NAME.json that records its size and SHA-256, and the folder `downloads`.
"""

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from minicnn.files import digests
from minicnn.images import write


@dataclass(frozen=True)
class Entry:
    """One network in the cache.

    Attributes
    ----------
    name : str
        The name that `minicnn.load` takes.
    path : Path
        The .h5 file.
    record : dict or None
        The contents of the .json beside it: `size`, `sha256` and whatever else was recorded; None
        if it is missing or cannot be read.
    """

    name: str
    path: Path
    record: dict | None = field(repr=False)


def folder(cache: str | Path | None = None) -> Path:
    """The cache folder; it may not exist yet.

    Parameters
    ----------
    cache : str or path, optional
        The folder to use in place of the one the environment gives.

    Returns
    -------
    Path
    """
    chosen = cache or os.environ.get("MINICNN_CACHE")
    return Path(chosen).expanduser() if chosen else _platform_folder()


def downloads(cache: str | Path | None = None) -> Path:
    """The folder for original files and partial downloads."""
    return folder(cache) / "downloads"


def place(name: str, cache: str | Path | None = None) -> Path:
    """The path of a network's file, whether it exists or not."""
    return folder(cache) / f"{name}.h5"


def record(path: Path, about: dict) -> None:
    """Write the .json beside a network's file: its size, its SHA-256, and `about`.

    Parameters
    ----------
    path : path
    about : dict
        Further entries; values that JSON can store.
    """
    contents = {"size": path.stat().st_size, "sha256": digests.sha256(path)} | about
    write(path.with_suffix(".json"), json.dumps(contents, indent=1) + "\n")


def forget(path: Path) -> None:
    """Remove the .json beside a network's file; call it before the file is rewritten."""
    path.with_suffix(".json").unlink(missing_ok=True)


def entries(cache: str | Path | None = None) -> list[Entry]:
    """Every network in the cache, sorted by name.

    Returns
    -------
    list of Entry
    """
    return [Entry(path.stem, path, _read(path.with_suffix(".json")))
            for path in sorted(folder(cache).glob("*.h5")) if not path.name.startswith(".")]


def unfinished(cache: str | Path | None = None) -> list[Path]:
    """The paths of interrupted downloads, which `fetch` would resume."""
    return sorted(downloads(cache).glob("*.part"))


def verify(entry: Entry) -> str | None:
    """What is wrong with a cached network's file, in words; None if its hash is as recorded.

    Parameters
    ----------
    entry : Entry
    """
    again = f"`minicnn fetch {entry.name} --again` replaces it"
    if entry.record is None:
        return f"{entry.path}: no .json with its hash beside it; {again}"
    try:
        size = entry.path.stat().st_size
        if size != entry.record["size"]:
            return f"{entry.path}: has {size:,} bytes, not {entry.record['size']:,}; {again}"
        if digests.sha256(entry.path) != entry.record["sha256"]:
            return f"{entry.path}: damaged, its SHA-256 is not the recorded one; {again}"
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
    """The record in a .json file; None if it holds no valid record."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    whole = isinstance(found, dict) and isinstance(found.get("size"), int)
    return found if whole and isinstance(found.get("sha256"), str) else None
