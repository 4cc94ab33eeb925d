"""`fetch` downloads an official weight file, checks and converts it, and keeps it in the cache.

The manifest lists the files (`minicnn.files.manifest`). The order of the steps makes this safe:
first the size and the hashes are checked, then the file is opened and converted, and only a
complete network gets its name in the cache. The large original is then deleted, unless it should be
kept or is the user's own.
"""

import functools
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from minicnn.files import cache as folder
from minicnn.files import hdf5, manifest, mapped
from minicnn.files.errors import WeightsError
from minicnn.files.probe import verified
from minicnn.foreign import numpy_file, partial
from minicnn.foreign.convert import convert, name_classes
from minicnn.foreign.download import DownloadError, download, faults
from minicnn.foreign.settings import require, usable

NEARLY = 1.0  # of 255: largest rounding difference between a mean pixel and the published one


def fetch(name: str, from_file: str | Path | None = None, cache: str | Path | None = None,
          again: bool = False, keep: bool = False, progress: bool = False) -> Path:
    """Download an official weight file and convert it into the cache, where `load` finds it.

    Parameters
    ----------
    name : str
        A file's name in the manifest ("vgg16_caffe"), or a network's name ("vgg16"), which means
        the file preferred for it.
    from_file : str or path, optional
        The official file if it is already on this machine. The class names and the mean image it
        may need are looked for in the same folder.
    cache : str or path, optional
        The cache folder; for the default see `minicnn.files.cache`.
    again : bool
        Download and convert the file even if the cache already holds the complete network.
    keep : bool
        Keep the original file, in the cache's folder `downloads`.
    progress : bool
        Show the progress if standard error is a terminal.

    Returns
    -------
    path : Path
        The network's file. NAME.json beside it records its origin, hash, licence, published
        accuracy, and notes on the conversion.

    Raises
    ------
    ManifestError
        The name is unknown; the message lists similar names.
    DownloadError
        Why it failed, in one line. Its notes are lines on each address, and on which file to copy
        here instead.
    WeightsError
        The file is not the official one.
    """
    known = manifest.find(name)
    path = folder.place(known.name, cache)
    if from_file is None and not again and is_whole(known.name, cache):
        return path
    folder.downloads(cache).mkdir(parents=True, exist_ok=True)
    original, address = (_given(known, from_file) if from_file is not None
                         else _brought(known, cache, progress))
    try:
        network, notes = _converted(known, original)
    except WeightsError:
        if from_file is None and not known.hashes:
            original.unlink()  # without a hash, it may be the wrong file
        raise
    notes += _accompany(network, known, original.parent, cache, progress)
    if _prepared_late(known):
        notes.append(verified(network, where=original))
    _store(network, path, known, address, notes)
    if from_file is None:
        partial.forget(original)
    if from_file is None and not keep:
        original.unlink()
    return path


def is_whole(name: str, cache: str | Path | None = None) -> bool:
    """Whether the named network is in the cache and its hash is the recorded one."""
    return any(entry.name == name and folder.verify(entry) is None
               for entry in folder.entries(cache))


def remedy(known: manifest.Known) -> list[str]:
    """What to do without a network connection, in two lines: the file to copy here, and the command
    to run."""
    proof = [f"{known.size:,} bytes"] if known.size is not None else []
    proof += [f"{kind} {digits}" for kind, digits in known.hashes] or ["no hash is known"]
    return [f"without a connection, copy the file here from another machine: {', '.join(proof)}",
            f"then run: minicnn fetch {known.name} --from-file {known.file}"]


# ---- the original file

def _given(known, from_file):
    """(the user's file, a name for its origin), after checking its size and hashes."""
    path, official = Path(from_file), f"{known.file} from {known.addresses[0]}"
    usable(path.is_file(), "{}: {}; expected {}", path, mapped.no_file(path), official)
    wrong = faults(path, known.size, known.hashes)
    if wrong is not None:
        others = [f"; it is the file of `minicnn fetch {other.name}`"
                  for other in manifest.known().values() if other.name != known.name
                  and other.hashes and faults(path, other.size, other.hashes) is None]
        raise WeightsError(f"{path}: it is not the {official}: {wrong}{''.join(others[:1])}")
    return path, "a file of the user's"


def _brought(known, cache, progress):
    """(the file, its address): a checked download, or the file kept from an earlier one."""
    path = folder.downloads(cache) / known.file
    if path.is_file() and known.hashes and faults(path, known.size, known.hashes) is None:
        return path, partial.origin(path) or "a file kept"
    try:
        return path, download(known.addresses, path, known.size, known.hashes, progress,
                              remember=True)
    except DownloadError as error:
        for line in remedy(known):
            error.add_note(line)
        raise


# ---- the network

def _converted(known, original):
    """(the network, notes); WeightsError if it is not the network that the manifest describes."""
    by = "none" if _prepared_late(known) else "auto"
    network, table = convert(original, known.model, probe=by)
    last = list(network.param_shapes)[-1]
    usable(last == known.last, "{}: expected weights up to layer {} of network {}, but they end at "
           "{}", original, known.last, known.model, last)
    ours, published = network.preprocessing, known.preprocessing
    far = np.abs(np.subtract(_pixel(ours), _pixel(published))).max() > NEARLY
    usable((ours.order, ours.size) == (published.order, published.size) and not far,
           "{}: it prepares photos as {}, but the manifest expects {}", original, ours, published)
    return network, list(table.notes)


def _prepared_late(known):
    """Whether a mean image changes the preprocessing after conversion: the probe must wait."""
    return any(companion.role == "mean" for companion in known.companions)


def _pixel(preprocessing):
    mean = np.asarray(preprocessing.mean)
    return mean if mean.ndim == 1 else mean.mean((0, 1), np.float64)  # H,W,C -> C


def _store(network, path, known, address, notes):
    """Write the network, and the record of its origin beside it."""
    proof = dict(known.hashes) or "no hash is known for it: checked only by its contents"
    origin = {"official": known.name, "words": known.words, "address": address,
              "published_at": known.addresses[0], "hash": proof, "licence": known.licence,
              "accuracy": known.accuracy and asdict(known.accuracy)}
    network.about |= origin
    folder.forget(path)
    hdf5.save(network, path)
    folder.record(path, origin | {"model": network.name, "parameters": network.count(),
                                  "class_names": len(network.labels or []), "notes": notes})


# ---- companions: class names and mean image

def _accompany(network, known, beside, cache, progress):
    """Give the network its class names and its mean image; notes on those not available."""
    notes = []
    for companion in known.companions:
        if companion.role == "labels" and network.labels:
            continue
        try:
            found = _companion(companion, beside, cache, progress)
            GIVE[companion.role](network, found)
        except ValueError as error:
            notes.append(f"{WITHOUT[companion.role]}: {error}; put {companion.file} beside the "
                         "weight file and use --from-file, or fetch it --again.")
    return notes


def _companion(companion, beside, cache, progress):
    """The companion's path: beside the weight file, downloaded before, or downloaded now."""
    ours = folder.downloads(cache) / companion.file
    for path in (beside / companion.file, ours):
        wrong = faults(path, companion.size, companion.hashes) if path.is_file() else "not there"
        if wrong is None:
            return path
        usable(path == ours or not path.is_file(),
               "{}: it is not the file from {}: {}", path, companion.addresses[0], wrong)
    download(companion.addresses, ours, companion.size, companion.hashes, progress)
    return ours


def _index(path):
    """The class names in Keras's JSON {"0": ["n01440764", "tench"], ...}."""
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
        return [str(index[str(k)][1]).replace("_", " ") for k in range(len(index))]
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        raise WeightsError(f"{path}: it is not a list of class names; expected JSON "
                           '{"0": ["n01440764", "tench"], ...}') from None


def _take_mean(network, path):
    """Give the network Caffe's mean image, an array (C, H, W) in the network's channel order."""
    image = next(iter(numpy_file.read(path).arrays.values()))
    pixel = _pixel(network.preprocessing)
    require(image.ndim == 3 and len(image) == len(pixel) and image.dtype.kind == "f"
            and np.abs(image.mean(axis=(1, 2)) - pixel).max() <= NEARLY,  # false for NaN, too
            "{}: it is not a mean image with the mean pixel {}", path, tuple(pixel),
            error=WeightsError)
    mean = image.transpose(1, 2, 0)  # C,H,W -> H,W,C
    network.preprocessing = replace(network.preprocessing, mean=mean)


GIVE = {"labels": functools.partial(name_classes, names_of=_index), "mean": _take_mean}
WITHOUT = {"labels": "The classes have no names",
           "mean": "The mean pixel replaces the missing mean image"}
