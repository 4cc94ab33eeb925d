"""The manifest: every known official weight file of the networks here (weights/manifest.json).

It says where a file is to be had, what proves that it is that file, under which licence, how its
network prepares photos, and which accuracy was published for it. Nothing in it is guessed: what is
not known is null there and None here. A file has one name ("vgg16_keras"); a network's name
("vgg16") means the file preferred for it.
"""

import difflib
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from minicnn.images import Preprocessing

HERE = Path(__file__).parent.parent
PLACES = (HERE / "weights" / "manifest.json", HERE.parent / "weights" / "manifest.json")
VERSION = 1
HASHES = {"sha256": "[0-9a-f]{64}", "sha384": "[0-9a-f]{96}", "sha1": "[0-9a-f]{40}",
          "md5": "[0-9a-f]{32}", "sha256 prefix": "[0-9a-f]{8,63}"}  # as torchvision's names hold
ROLES = ("labels", "mean")


class ManifestError(ValueError):
    """A manifest that is not in its form, or a name that is not in it; the message is one line."""


@dataclass(frozen=True)
class Accuracy:
    """What was published: `top1` and `top5` in percent (None: not published), how, and where."""

    top1: float | None
    top5: float | None
    how: str
    source: str


@dataclass(frozen=True)
class Companion:
    """A second file that a weight file leaves something to; without it the network still works.

    Attributes
    ----------
    role : {"labels", "mean"}
        Class names, or the mean image of Caffe's networks.
    file, addresses, size, hashes
        As of `Known`.
    """

    role: str
    file: str
    addresses: tuple
    size: int | None
    hashes: tuple


@dataclass(frozen=True)
class Known:
    """One official weight file.

    Attributes
    ----------
    name : str
        What `minicnn fetch` calls it.
    words : str
        For people: whose it is, and what is special about it.
    model : str
        The network of `minicnn.models` it becomes.
    last : str
        The last layer it has weights for.
    file : str
        Its name where it is published.
    addresses : tuple of str
        The same file each, in order of preference.
    size : int or None
        In bytes.
    hashes : tuple of (str, str)
        Kind and digits; kinds are "sha256", "sha256 prefix", "sha384", "sha1"
        and "md5".
    licence : str or None
    preprocessing : images.Preprocessing
    accuracy : Accuracy or None
    companions : tuple of Companion
    """

    name: str
    words: str
    model: str
    last: str
    file: str
    addresses: tuple
    size: int | None
    hashes: tuple
    licence: str | None
    preprocessing: Preprocessing
    accuracy: Accuracy | None
    companions: tuple


@dataclass(frozen=True)
class Manifest:
    """`files` is {name: Known}; `preferred` is {model: name}."""

    files: dict
    preferred: dict


def known():
    """Every official file, {name: Known}, in the manifest's order."""
    return _shipped().files


def preferred():
    """Which file is meant by a network's name, {model: name}."""
    return _shipped().preferred


def find(name):
    """The file that a name means: a file's own, or that of a network.

    Parameters
    ----------
    name : str
        "vgg16_caffe"; "vgg16" for the one preferred.

    Returns
    -------
    Known

    Raises
    ------
    ManifestError
        With near names.
    """
    manifest = _shipped()
    found = manifest.files.get(manifest.preferred.get(name, name))
    if found is None:
        names = [*manifest.preferred, *manifest.files]
        near = difflib.get_close_matches(str(name), names, 5, 0.5) or sorted(names)
        raise ManifestError(f"{name}: no official weight file of that name is known; near names: "
                            f"{', '.join(near)}; `minicnn fetch --list` shows all")
    return found


def _shipped():
    path = next((path for path in PLACES if path.is_file()), None)
    if path is None:
        raise ManifestError(f"{PLACES[0]}: no such file; minicnn is not completely installed")
    return _read_once(path)


def read(path):
    """A manifest from its file.

    Returns
    -------
    Manifest

    Raises
    ------
    ManifestError
        Naming the file, the entry, and what is wrong with it.
    """
    try:
        contents = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ManifestError(f"{path}: cannot be read as a manifest: {error}") from None
    return _made({str(path): contents}, _manifest)[str(path)]


_read_once = cache(read)


# ---- from plain values, strictly

def _is_text(value):
    return isinstance(value, str) and bool(value.strip())


TEXT = " is a text", _is_text
NAMED = ": expected names and values", lambda value: isinstance(value, dict)
PERCENT = " is in percent or null", lambda value: value is None or (
    isinstance(value, (int, float)) and 1 < value < 100)
PUBLISHED = " is a text on how and where it was published", _is_text

# of each kind of entry the fields: what a value is, and whether it is
MANIFEST = {"version": (f": expected version {VERSION}", lambda value: value == VERSION),
            "companions": NAMED, "files": NAMED, "preferred": NAMED}
FILE = {
    "file": (" is a plain file name",
             lambda value: _is_text(value) and re.fullmatch(r"[\w][\w.-]*", value)),
    "addresses": (" are http or https, one or more", lambda value: isinstance(value, list)
                  and value and all(isinstance(address, str) and urlsplit(address).scheme
                                    in ("http", "https") for address in value)),
    "size": (" is a number of bytes or null",
             lambda value: value is None or type(value) is int and value > 0),
    "hashes": (" are {kind: digits}", lambda value: isinstance(value, dict)),
}
COMPANION = FILE | {"role": (f" is one of {ROLES}", lambda value: value in ROLES)}
KNOWN = FILE | {
    "words": TEXT, "model": TEXT, "last": TEXT,
    "licence": (" is a text or null", lambda value: value is None or _is_text(value)),
    "preprocessing": NAMED,
    "accuracy": (" is null or names and values", lambda value: value is None or value),
    "companions": (" are a list of names", lambda value: isinstance(value, list)),
}
ACCURACY = {"top1": PERCENT, "top5": PERCENT, "how": PUBLISHED, "source": PUBLISHED}


def _made(entries, make, *arguments):
    """{name: what is made of the entry}; a ManifestError says first which entry is wrong."""
    made = {}
    for name, entry in entries.items():
        try:
            made[name] = make(name, entry, *arguments)
        except (KeyError, TypeError, ValueError) as error:
            raise ManifestError(f"{name}: {error}") from None
    return made


def _checked(entry, fields):
    """The entry; ValueError where it has not these fields, each of its kind."""
    if not isinstance(entry, dict):
        raise ValueError(f"expected names and values, got {entry!r}")
    missing, unknown = ([key for key in fields if key not in entry],
                        [key for key in entry if key not in fields])
    if missing or unknown:
        raise ValueError(f"missing {missing}, unknown {unknown}")
    for key, (what, holds) in fields.items():
        if not holds(entry[key]):
            raise ValueError(f"{key}{what}, got {entry[key]!r}")
    return entry


def _manifest(path, contents):
    _checked(contents, MANIFEST)
    files = _made(contents["files"], _known, _made(contents["companions"], _companion))
    for model, name in contents["preferred"].items():
        if name not in files or files[name].model != model or model in files:
            raise ValueError(f"preferred: {model!r} means {name!r}, which is no file of that model")
    return Manifest(files, contents["preferred"])


def _known(name, entry, shared):
    _checked(entry, KNOWN)
    unknown = [key for key in entry["companions"] if key not in shared]
    if unknown:
        raise ValueError(f"there are no companions {unknown}")
    accuracy = entry["accuracy"] and Accuracy(**_checked(entry["accuracy"], ACCURACY))
    return Known(name, **_file(entry) | {
        "preprocessing": Preprocessing.from_dict(entry["preprocessing"]), "accuracy": accuracy,
        "companions": tuple(shared[key] for key in entry["companions"])})


def _companion(name, entry):
    return Companion(**_file(_checked(entry, COMPANION)))


def _file(entry):
    """The entry of what can be downloaded, its lists as tuples."""
    for kind, digits in entry["hashes"].items():
        if kind not in HASHES or type(digits) is not str or not re.fullmatch(HASHES[kind], digits):
            raise ValueError(f"{kind} {digits!r} is no hash known here")
    return entry | {"addresses": tuple(entry["addresses"]),
                    "hashes": tuple(entry["hashes"].items())}
