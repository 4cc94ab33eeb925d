"""The manifest: every known official weight file of minicnn's networks (weights/manifest.json).

For each file it records the addresses, the size and hashes, the licence, the network's
preprocessing and the published accuracy. Nothing in it is guessed: an unknown value is null in the
JSON and None here. A file has one name ("vgg16_keras"); a network's name ("vgg16") means the file
preferred for it.
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
          "md5": "[0-9a-f]{32}", "sha256 prefix": "[0-9a-f]{8,63}"}  # in torchvision's file names
ROLES = ("labels", "mean")


class ManifestError(ValueError):
    """An invalid manifest, or a name that the manifest does not have; the message is one line."""


@dataclass(frozen=True)
class Accuracy:
    """A published accuracy: `top1` and `top5` in percent (None: not published), how, and where."""

    top1: float | None
    top5: float | None
    how: str
    source: str


@dataclass(frozen=True)
class Companion:
    """An optional second file, with class names or a mean image, that accompanies a weight file.

    Attributes
    ----------
    role : {"labels", "mean"}
        Class names, or the mean image of a Caffe network.
    file, addresses, size, hashes
        As for `Known`.
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
        The name that `minicnn fetch` takes.
    words : str
        A description for people: the publisher, and anything special about the file.
    model : str
        The network of `minicnn.models` that it becomes.
    last : str
        The last layer it has weights for.
    file : str
        The published file name.
    addresses : tuple of str
        URLs of this same file, in order of preference.
    size : int or None
        In bytes.
    hashes : tuple of (str, str)
        Kind and digits; the kinds are "sha256", "sha256 prefix", "sha384", "sha1" and "md5".
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


def known() -> dict[str, Known]:
    """Every official file, {name: Known}, in the manifest's order."""
    return _shipped().files


def preferred() -> dict[str, str]:
    """The file that each network's name means, {model: name}."""
    return _shipped().preferred


def find(name: str) -> Known:
    """The official file of a name.

    Parameters
    ----------
    name : str
        A file's name, "vgg16_caffe"; or a network's, "vgg16", for its preferred file.

    Returns
    -------
    Known

    Raises
    ------
    ManifestError
        The name is unknown; the message lists similar names.
    """
    manifest = _shipped()
    found = manifest.files.get(manifest.preferred.get(name, name))
    if found is None:
        names = [*manifest.preferred, *manifest.files]
        near = difflib.get_close_matches(str(name), names, 5, 0.5) or sorted(names)
        raise ManifestError(f"{name}: no official weight file has that name; near names: "
                            f"{', '.join(near)}; `minicnn fetch --list` shows all")
    return found


def _shipped():
    path = next((path for path in PLACES if path.is_file()), None)
    if path is None:
        raise ManifestError(f"{PLACES[0]}: no such file; minicnn is not completely installed, "
                            "install it again")
    return _read_once(path)


def read(path: str | Path) -> Manifest:
    """Read a manifest from its file.

    Returns
    -------
    Manifest

    Raises
    ------
    ManifestError
        Naming the file, the entry and what is wrong with it.
    """
    try:
        contents = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ManifestError(f"{path}: cannot be read as a manifest: {error}") from None
    return _made({str(path): contents}, _manifest)[str(path)]


_read_once = cache(read)


# ---- strict conversion from plain values

def _is_text(value):
    return isinstance(value, str) and bool(value.strip())


TEXT = "text", _is_text
NAMED = "names and values", lambda value: isinstance(value, dict)
PERCENT = "percent or null", lambda value: value is None or (
    isinstance(value, (int, float)) and 1 < value < 100)
PUBLISHED = "text on how and where it was published", _is_text

# for each kind of entry, its fields: the expected value in words, and a test for it
MANIFEST = {"version": (f"version {VERSION}", lambda value: value == VERSION),
            "companions": NAMED, "files": NAMED, "preferred": NAMED}
FILE = {
    "file": ("a plain file name",
             lambda value: _is_text(value) and re.fullmatch(r"[\w][\w.-]*", value)),
    "addresses": ("one or more http or https addresses", lambda value: isinstance(value, list)
                  and value and all(isinstance(address, str) and urlsplit(address).scheme
                                    in ("http", "https") for address in value)),
    "size": ("a number of bytes or null",
             lambda value: value is None or type(value) is int and value > 0),
    "hashes": ("{kind: digits}", lambda value: isinstance(value, dict)),
}
COMPANION = FILE | {"role": (f"one of {ROLES}", lambda value: value in ROLES)}
KNOWN = FILE | {
    "words": TEXT, "model": TEXT, "last": TEXT,
    "licence": ("text or null", lambda value: value is None or _is_text(value)),
    "preprocessing": NAMED,
    "accuracy": ("null or names and values", lambda value: value is None or value),
    "companions": ("a list of names", lambda value: isinstance(value, list)),
}
ACCURACY = {"top1": PERCENT, "top5": PERCENT, "how": PUBLISHED, "source": PUBLISHED}


def _made(entries, make, *arguments):
    """{name: make(name, entry, ...)}; a ManifestError begins with the name of the wrong entry."""
    made = {}
    for name, entry in entries.items():
        try:
            made[name] = make(name, entry, *arguments)
        except (KeyError, TypeError, ValueError) as error:
            raise ManifestError(f"{name}: {error}") from None
    return made


def _checked(entry, fields):
    """The entry; ValueError unless it has exactly these fields with valid values."""
    if not isinstance(entry, dict):
        raise ValueError(f"expected names and values, got {entry!r}")
    missing, unknown = ([key for key in fields if key not in entry],
                        [key for key in entry if key not in fields])
    if missing or unknown:
        raise ValueError(f"missing fields {missing}, unknown fields {unknown}")
    for key, (what, holds) in fields.items():
        if not holds(entry[key]):
            raise ValueError(f"{key}: expected {what}, got {entry[key]!r}")
    return entry


def _manifest(path, contents):
    _checked(contents, MANIFEST)
    shared = _made(contents["companions"],
                   lambda name, entry: Companion(**_file(_checked(entry, COMPANION))))
    files = _made(contents["files"], _known, shared)
    for model, name in contents["preferred"].items():
        if name not in files or files[name].model != model or model in files:
            raise ValueError(f"preferred: {model!r} means {name!r}, which is not a file of that "
                             "model")
    return Manifest(files, contents["preferred"])


def _known(name, entry, shared):
    _checked(entry, KNOWN)
    unknown = [key for key in entry["companions"] if key not in shared]
    if unknown:
        raise ValueError(f"companions {unknown} are not in the manifest")
    accuracy = entry["accuracy"] and Accuracy(**_checked(entry["accuracy"], ACCURACY))
    return Known(name, **_file(entry) | {
        "preprocessing": Preprocessing.from_dict(entry["preprocessing"]), "accuracy": accuracy,
        "companions": tuple(shared[key] for key in entry["companions"])})


def _file(entry):
    """The entry of a file to download, its lists as tuples."""
    for kind, digits in entry["hashes"].items():
        if kind not in HASHES or type(digits) is not str or not re.fullmatch(HASHES[kind], digits):
            raise ValueError(f"{kind} {digits!r} is not a valid hash; the kinds are "
                             f"{', '.join(HASHES)}")
    return entry | {"addresses": tuple(entry["addresses"]),
                    "hashes": tuple(entry["hashes"].items())}
