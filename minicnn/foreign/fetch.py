"""`fetch`: an official weight file brought, proved, converted, and kept in the user's cache.

Which files there are, the manifest says (`minicnn.files.manifest`). The order is what makes it
safe: the size and the hashes first, then the file is opened and converted, and only a whole network
is given its name in the cache. The large original is then deleted, unless it is to be kept or was
the user's own.
"""

import json
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np

from minicnn.files import cache as folder
from minicnn.files import hdf5, manifest, mapped
from minicnn.files.errors import WeightsError
from minicnn.files.probe import verified
from minicnn.foreign import numpy_file
from minicnn.foreign.convert import convert, name_classes

NEARLY = 1.0  # of 255: how far a mean pixel may be from the published one, for rounding


def fetch(name, from_file=None, cache=None, again=False, keep=False, progress=False):
    """Bring an official weight file into the cache, converted; then `minicnn.load(name)` finds it.

    Parameters
    ----------
    name : str
        Of the manifest, "vgg16_caffe"; or of a network, "vgg16", for the file preferred for it.
    from_file : str or path, optional
        The official file, where it is already here. Class names and a mean image, where it needs
        them, are looked for beside it.
    cache : str or path, optional
        The folder to use; else see `minicnn.files.cache`.
    again : bool
        Whether to bring and convert it anew where it is in the cache, and whole.
    keep : bool
        Whether to keep the original file, in the cache's folder `downloads`.
    progress : bool
        Whether to show how far it is, where standard error is a terminal.

    Returns
    -------
    path : Path
        The network's file. What is told beside it in NAME.json: where it came from, its hash, its
        licence, its published accuracy, and notes on the conversion.

    Raises
    ------
    ManifestError
        An unknown name, with near ones.
    DownloadError
        In one line: each address and why it failed, and which file to bring instead.
    WeightsError
        A file that is not the one it should be.
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
            original.unlink()  # nothing proves that it was the right one
        raise
    notes += _accompany(network, known, original.parent, cache, progress)
    if _prepared_late(known):
        notes.append(verified(network, where=original))
    _store(network, path, known, address, notes)
    if from_file is None and not keep:
        original.unlink()
    return path


def is_whole(name, cache=None):
    """Whether the network of that name is in the cache, with the hash recorded for it."""
    return any(entry.name == name and folder.verify(entry) is None
               for entry in folder.entries(cache))


def remedy(known):
    """What to do without a network: which file to bring, and the command for it."""
    proof = [f"{known.size:,} bytes"] if known.size is not None else []
    proof += [f"{kind} {digits}" for kind, digits in known.hashes] or ["no hash is known"]
    return (f"without a network, bring {known.file} ({', '.join(proof)}) from another machine and "
            f"run: minicnn fetch {known.name} --from-file {known.file}")


# ---- the original file

def _given(known, from_file):
    """(the user's file, what to call its origin), once its size and hashes are right."""
    from minicnn.foreign.download import faults

    path = Path(from_file)
    if not path.is_file():
        what = mapped.no_file(path)
        raise WeightsError(f"{path}: {what}; expected {known.file}, of {known.addresses[0]}")
    wrong = faults(path, known.size, known.hashes)
    if wrong is not None:
        others = [f"; it is that of `minicnn fetch {other.name}`"
                  for other in manifest.known().values() if other.name != known.name
                  and other.hashes and faults(path, other.size, other.hashes) is None]
        raise WeightsError(f"{path}: it is not the {known.file} of {known.addresses[0]}: {wrong}"
                           f"{''.join(others[:1])}")
    return path, "a file of the user's"


def _brought(known, cache, progress):
    """(the downloaded file, its address), its size and hashes right; a file kept serves as well."""
    from minicnn.foreign.download import DownloadError, download, faults

    path = folder.downloads(cache) / known.file
    if path.is_file() and known.hashes and faults(path, known.size, known.hashes) is None:
        return path, "a file kept"
    try:
        return path, download(known.addresses, path, known.size, known.hashes, progress)
    except DownloadError as error:
        raise DownloadError(f"{error}; {remedy(known)}") from None


# ---- the network

def _converted(known, original):
    """(the network, notes); WeightsError where it is not the one the manifest tells of."""
    by = "none" if _prepared_late(known) else "auto"
    network, table = convert(original, known.model, probe=by)
    last = list(network.param_shapes)[-1]
    if last != known.last:
        raise WeightsError(f"{original}: expected weights up to {known.last} of network "
                           f"{known.model}, and they end at {last}")
    ours, published = network.preprocessing, known.preprocessing
    far = np.abs(np.subtract(_pixel(ours), _pixel(published))).max() > NEARLY
    if (ours.order, ours.size) != (published.order, published.size) or far:
        raise WeightsError(f"{original}: it prepares photos as {ours}, and the manifest says "
                           f"{published}")
    return network, list(table.notes)


def _prepared_late(known):
    """Whether photos are prepared otherwise than the converted file says, which a probe tells."""
    return any(companion.role == "mean" for companion in known.companions)


def _pixel(preprocessing):
    mean = np.asarray(preprocessing.mean)
    return mean if mean.ndim == 1 else mean.mean((0, 1), np.float64)  # H,W,C -> C


def _store(network, path, known, address, notes):
    """Write the network and what is known of it."""
    proof = dict(known.hashes) or "no hash is known for it: checked only by its contents"
    origin = {"official": known.name, "words": known.words, "address": address,
              "published_at": known.addresses[0], "hash": proof, "licence": known.licence,
              "accuracy": known.accuracy and asdict(known.accuracy)}
    network.about |= origin
    folder.forget(path)
    hdf5.save(network, path)
    folder.record(path, origin | {"model": network.name, "parameters": network.count(),
                                  "class_names": len(network.labels or []), "notes": notes})


# ---- what goes with it

def _accompany(network, known, beside, cache, progress):
    """Give the network its class names and its mean image; notes on what could not be had."""
    notes = []
    for companion in known.companions:
        if companion.role == "labels" and network.labels:
            continue
        try:
            found = _companion(companion, beside, cache, progress)
            GIVE[companion.role](network, found)
        except ValueError as error:
            notes.append(f"{WITHOUT[companion.role]}: {error}; put {companion.file} beside the "
                         f"file and use --from-file, or fetch it --again.")
    return notes


def _companion(companion, beside, cache, progress):
    """Its path: beside the weight file, or downloaded before, or now."""
    from minicnn.foreign.download import download, faults

    ours = folder.downloads(cache) / companion.file
    for path in (beside / companion.file, ours):
        wrong = faults(path, companion.size, companion.hashes) if path.is_file() else "not there"
        if wrong is None:
            return path
        if path.is_file() and path != ours:
            raise WeightsError(f"{path}: it is not that of {companion.addresses[0]}: {wrong}")
    download(companion.addresses, ours, companion.size, companion.hashes, progress)
    return ours


def _index(path):
    """The class names in {"0": ["n01440764", "tench"], ...}, as Keras has them."""
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
        return [str(index[str(k)][1]).replace("_", " ") for k in range(len(index))]
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        raise WeightsError(f"{path}: it is no list of class names") from None


def _take_mean(network, path):
    """From Caffe's array (C, H, W), the channels in the network's order."""
    image = next(iter(numpy_file.read(path).arrays.values()))
    pixel = _pixel(network.preprocessing)
    if image.ndim != 3 or len(image) != len(pixel) or image.dtype.kind != "f" or (
            not np.abs(image.mean(axis=(1, 2)) - pixel).max() <= NEARLY):  # also where it is NaN
        raise WeightsError(f"{path}: it is no mean image with the mean pixel {tuple(pixel)}")
    mean = image.transpose(1, 2, 0)  # C,H,W -> H,W,C
    network.preprocessing = replace(network.preprocessing, mean=mean)


GIVE = {"labels": partial(name_classes, names_of=_index), "mean": _take_mean}
WITHOUT = {"labels": "The classes have no names", "mean": "Its mean pixel stands in for its mean "
                                                          "image"}
