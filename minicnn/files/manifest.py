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
DIGITS = {"sha256": 64, "sha384": 96, "sha1": 40, "md5": 32}  # hexadecimal digits of each kind
SHORTEST = 8  # of a "sha256 prefix", as the names of torchvision's files hold it
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


@cache
def _read_once(path):
    return read(path)


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
    try:
        return _manifest(contents)
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError(f"{path}: {error}") from None


# ---- from plain values, strictly

def _manifest(contents):
    _fields(contents, "the manifest", "version companions files preferred")
    _check(contents["version"] == VERSION, f"expected version {VERSION}, got "
                                           f"{contents['version']!r}")
    for key in ("preferred", "companions", "files"):
        _check(isinstance(contents[key], dict), f"{key}: expected names and values")
    shared = {key: _companion(key, value) for key, value in contents["companions"].items()}
    files = {name: _known(name, entry, shared) for name, entry in contents["files"].items()}
    for model, name in contents["preferred"].items():
        _check(name in files and files[name].model == model and model not in files,
               f"preferred: {model!r} means {name!r}, which is no file of that model")
    return Manifest(files, dict(contents["preferred"]))


def _known(name, entry, shared):
    _fields(entry, name, "words model last file addresses size hashes licence preprocessing "
                         "accuracy companions")
    for key in ("words", "model", "last"):
        _check(_is_text(entry[key]), f"{name}: {key} is a text, got {entry[key]!r}")
    _check(entry["licence"] is None or _is_text(entry["licence"]),
           f"{name}: licence is a text or null, got {entry['licence']!r}")
    _check(isinstance(entry["companions"], list), f"{name}: companions are a list of names")
    unknown = [key for key in entry["companions"] if key not in shared]
    _check(not unknown, f"{name}: there are no companions {unknown}")
    try:
        preprocessing = Preprocessing.from_dict(entry["preprocessing"])
    except (ValueError, TypeError) as error:
        raise ManifestError(f"{name}: {error}") from None
    return Known(name, entry["words"], entry["model"], entry["last"], **_file(name, entry),
                 licence=entry["licence"], preprocessing=preprocessing,
                 accuracy=_accuracy(name, entry["accuracy"]),
                 companions=tuple(shared[key] for key in entry["companions"]))


def _companion(name, entry):
    _fields(entry, name, "role file addresses size hashes")
    _check(entry["role"] in ROLES, f"{name}: role is one of {ROLES}, got {entry['role']!r}")
    return Companion(entry["role"], **_file(name, entry))


def _file(name, entry):
    """The four values of whatever can be downloaded."""
    file, addresses, size = entry["file"], entry["addresses"], entry["size"]
    _check(_is_text(file) and re.fullmatch(r"[\w][\w.-]*", file) is not None,
           f"{name}: file is a plain file name, got {file!r}")
    _check(isinstance(addresses, list) and addresses and all(map(_is_address, addresses)),
           f"{name}: addresses are http or https, one or more, got {addresses!r}")
    _check(size is None or isinstance(size, int) and not isinstance(size, bool) and size > 0,
           f"{name}: size is a number of bytes or null, got {size!r}")
    hashes = entry["hashes"]
    _check(isinstance(hashes, dict), f"{name}: hashes are {{kind: digits}}, got {hashes!r}")
    for kind, digits in hashes.items():
        _check(_is_hash(kind, digits), f"{name}: {kind} {digits!r} is no hash known here")
    return {"file": file, "addresses": tuple(addresses), "size": size,
            "hashes": tuple(hashes.items())}


def _accuracy(name, entry):
    if entry is None:
        return None
    _fields(entry, f"{name}: accuracy", "top1 top5 how source")
    for key in ("top1", "top5"):
        value = entry[key]
        _check(value is None or isinstance(value, (int, float)) and 1 < value < 100,
               f"{name}: {key} is in percent or null, got {value!r}")
    _check(_is_text(entry["how"]) and _is_text(entry["source"]),
           f"{name}: an accuracy says how and where it was published")
    return Accuracy(**entry)


def _is_text(value):
    return isinstance(value, str) and bool(value.strip())


def _is_address(value):
    return isinstance(value, str) and urlsplit(value).scheme in ("http", "https")


def _is_hash(kind, digits):
    if not isinstance(digits, str) or not re.fullmatch("[0-9a-f]+", digits):
        return False
    if kind == "sha256 prefix":
        return SHORTEST <= len(digits) < DIGITS["sha256"]
    return len(digits) == DIGITS.get(kind)


def _fields(entry, name, wanted):
    _check(isinstance(entry, dict), f"{name}: expected names and values, got {entry!r}")
    wanted = wanted.split()
    missing, unknown = ([key for key in wanted if key not in entry],
                        [key for key in entry if key not in wanted])
    _check(not missing and not unknown, f"{name}: missing {missing}, unknown {unknown}")


def _check(holds, message):
    if not holds:
        raise ManifestError(message)
