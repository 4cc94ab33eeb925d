"""The stored networks: those that come with the library, and the cache of fetched ones."""

import os
import shutil
from pathlib import Path

from minicnn.doctor.findings import BAD, NOTE, WARNING, Finding, asked
from minicnn.doctor.weights import probed
from minicnn.files import cache, manifest
from minicnn.foreign import load as pretrained
from minicnn.foreign.load import load

ROOM = 1.2e9  # bytes: fetching VGG-16 stores the original and the converted file
LEFT_BEHIND = ".minicnn-*"  # temporary files of `images.atomic`, left by a killed process


def shipped(devices=("cpu",)):
    """Yield whether each network that comes with the library loads and computes correctly.

    Parameters
    ----------
    devices : sequence of {"cpu", "gpu"}
    """
    names = pretrained.shipped()
    if not names:
        yield Finding("networks", "none found", BAD, "minicnn is not completely installed: "
                      "pip install --force-reinstall minicnn")
    for name in names:
        yield from asked(name, _one, name, devices, state=BAD)
    yield from asked("manifest", _manifest, state=BAD)


def _one(name, devices):
    try:
        network = load(name)
    except ValueError as error:
        yield Finding(name, str(error), BAD, "pip install --force-reinstall minicnn")
        return
    yield Finding(name, f"{network.count():,} parameters, {len(network.labels or [])} classes")
    yield from probed(network, devices)


def _manifest():
    files = manifest.known()
    yield Finding("manifest", f"{len(files)} official weight files (minicnn fetch --list)")


def cached(where=None):
    """Yield the cache folder, its free space, the hash check of each network, and leftovers.

    Parameters
    ----------
    where : str or path, optional
        The folder, in place of the user's own.
    """
    folder = cache.folder(where)
    yield from asked("folder", _folder, folder)
    for entry in cache.entries(where):
        yield from asked(entry.name, _entry, entry)
    yield from asked("leftovers", _leftovers, folder, cache.unfinished(where))


def _folder(folder):
    """Yield whether the cache folder can be used, and the free space on its disk."""
    there = next(path for path in [folder, *folder.parents] if path.exists())
    free = shutil.disk_usage(there).free
    words = f"{folder}{'' if folder.exists() else ', not created yet'}"
    if not there.is_dir():
        yield Finding("folder", f"{folder}: {there} is a file", BAD,
                      "move it away, or name another folder in MINICNN_CACHE")
    elif not os.access(there, os.W_OK | os.X_OK):
        yield Finding("folder", f"{words}: no permission to write to it", WARNING,
                      "name another folder in MINICNN_CACHE")
    else:
        yield Finding("folder", words)
    if free < ROOM:
        yield Finding("disk", f"{size(free)} free", WARNING,
                      f"fetching VGG-16 needs {size(ROOM)}: free some space")
    else:
        yield Finding("disk", f"{size(free)} free")


def _entry(entry):
    """Yield whether a cached network has the recorded hash."""
    fault = cache.verify(entry)
    if fault is None:
        yield Finding(entry.name, f"{size(entry.record['size'])}, its SHA-256 is the recorded one")
    else:
        words, _, remedy = fault.partition("; ")
        yield Finding(entry.name, words, BAD, remedy)


def _leftovers(folder, unfinished):
    """Yield files that may be deleted: unfinished downloads, originals, temporary files."""
    for path in unfinished:
        yield Finding("unfinished", f"{path.name}, {size(path.stat().st_size)} so far", NOTE,
                      "fetch it again to continue, or delete it")
    kept = [path for path in sorted(cache.downloads(folder).glob("*"))
            if path.is_file() and path not in unfinished and not path.name.startswith(".")]
    if kept:
        yield Finding("originals", f"{len(kept)} kept as downloaded, {_total(kept)}", NOTE,
                      f"delete {cache.downloads(folder)} if you do not need them")
    left = sorted(folder.glob(LEFT_BEHIND))
    if left:
        yield Finding("left behind", f"{len(left)} temporary files of a killed process, "
                      f"{_total(left)}", NOTE,
                      f"delete {Path(folder) / LEFT_BEHIND} while no fetch is running")


def _total(paths):
    return size(sum(path.stat().st_size for path in paths))


def size(count):
    """A number of bytes in a suitable unit: 2912072 -> "2.9 MB"."""
    for unit, step in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= step:
            return f"{count / step:.1f} {unit}"
    return f"{count} bytes"
