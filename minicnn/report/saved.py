"""A result's settings in a JSON file, and the same result made again from it.

The file says which method with which settings, in which versions of what, on which network and
photo, and what came out:

===========  ======================================================================================
saved        2, the version of this form; in 1 the layers' hash was another
method       one of `minicnn.vis`, by name
settings     its arguments, with what was chosen where nothing was given; the seed is one of them
network      its name, where it was loaded from, and the SHA-256 of its layers and of its weights
photo        where it was, and the SHA-256 of its pixels; null where the method takes none
versions     of minicnn, numpy and python, and the device
result       the caption, the SHA-256 of the picture's pixels, and whether Ctrl-C ended it
trace        the objective at every step; null where there were no steps
===========  ======================================================================================

What is hashed is what the numbers come from: weights as they are in memory, pixels as they are
decoded. A file stored again in another way has the same. Nothing in such a file is executed: it
can name a method and give it plain values, no more.
"""

import inspect
import json
import platform
import warnings
from pathlib import Path

import numpy as np

from minicnn import images, vis
from minicnn.files import digests
from minicnn.vis.arguments import NOT_SETTINGS

SAVED = 2
FORMATS = {".json": "JSON"}
KINDS = {"saved": int, "method": str, "settings": dict, "network": dict, "versions": dict,
         "result": dict}
PARTS = {
    "network": {"name": str, "layers": str, "sha256": str, "weights": str | None,
                "labels": str | None},
    "result": {"sha256": str, "caption": str, "interrupted": bool},
    "photo": {"path": str | None, "sha256": str},
}


class ReplayError(ValueError):
    """A saved result that cannot be used, or that came out another way; one line says why."""


def save(record, network, path, method, photo=None, weights=None, labels=None):
    """Write how a result was made, for `replay`.

    Parameters
    ----------
    record : vis.Record
        With one picture.
    network : Network
    path : str or path
        Ends in .json; the folder exists.
    method : str
        The name in `minicnn.vis` of what made the record.
    photo : path or array (H, W, 3) uint8, optional
        What the method was given, where it takes a photo.
    weights, labels : str or path, optional
        What `load` was given as weights and label file, so that `replay` can load the network.

    Raises
    ------
    ReplayError
        A method that cannot be replayed from settings, a setting that JSON cannot hold.
    ValueError, OSError
        The file cannot be made.
    """
    images.check_destination(path, FORMATS)
    takes_photo = _takes_photo(_method(path, method), path, method)
    if takes_photo and photo is None:
        raise ReplayError(f"{path}: {method} looks at a photo; give it as photo")
    if record.image is None:
        raise ReplayError(f"{path}: {method} makes no one picture; its result cannot be replayed")
    entry = {
        "saved": SAVED, "method": method, "settings": record.settings,
        "network": _of_network(network) | {"weights": _text(weights), "labels": _text(labels)},
        "photo": _of_photo(photo) if takes_photo else None,
        "versions": _versions(network),
        "result": {"caption": record.caption,
                   "sha256": digests.of_arrays({"picture": record.image}),
                   "interrupted": record.interrupted},
        "trace": None if record.trace is None else np.asarray(record.trace).tolist(),
    }
    try:
        numbers = json.dumps(entry.pop("trace"), allow_nan=False)  # in one line
        written = json.dumps(entry, indent=1, default=_plain, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ReplayError(f"{path}: the settings of {method} cannot be kept as JSON: {error}"
                          ) from None
    with images.atomic(path) as temporary:
        temporary.write_text(f'{written[:-2]},\n "trace": {numbers}\n}}\n', encoding="utf-8")


def read(path):
    """The contents of a saved file, checked: a dict with the entries listed above.

    Raises
    ------
    ReplayError
        Not such a file; a method that is not in `minicnn.vis`, a setting it does not have.
    """
    if not Path(path).is_file():
        raise ReplayError(f"{path}: no such file; give the .json that was saved with a result")
    try:
        entry = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ReplayError(f"{path}: is not JSON, or damaged ({error})") from None
    _check(path, entry)
    return entry


def replay(path, network=None, photo=None, progress=False):
    """Make a saved result again, to the same bytes.

    Parameters
    ----------
    path : str or path
        What `save` wrote.
    network : Network, optional
        Loaded from where it was, where not given.
    photo : path or array, optional
        Where it was, or beside the file under the same name, where not given.
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    Record
        Or what else the method returns.

    Warns
    -----
    UserWarning
        Versions differ from those the result was made with.

    Raises
    ------
    ReplayError
        Naming what differs: the layers or weights of the network, the photo, or, with all these
        the same, the picture.
    """
    entry = read(path)
    if entry["result"]["interrupted"]:
        raise ReplayError(f"{path}: Ctrl-C ended that {entry['method']} early, and cannot be "
                          "replayed; run it with fewer steps")
    network = load_network(path, entry) if network is None else network
    now = _of_network(network)
    for key, words in (("layers", "the layers or the preprocessing of network"),
                       ("sha256", "the weights of network")):
        if key != "layers" or entry["saved"] == SAVED:  # else the picture alone must tell
            _compare(path, f"{words} {network.name}", entry["network"][key], now[key])
    inputs = [network]
    if entry["photo"] is not None:
        inputs.append(find_photo(path, entry) if photo is None else photo)
        _compare(path, "the photo", entry["photo"]["sha256"], _of_photo(inputs[1])["sha256"])
    method, same = getattr(vis, entry["method"]), _versions(network) == entry["versions"]
    made = f"it was made with {_listed(entry['versions'])}; this is {_listed(_versions(network))}"
    if not same:
        warnings.warn(f"{path}: {made}: the picture may differ", stacklevel=2)
    told = {"progress": progress} if "progress" in inspect.signature(method).parameters else {}
    try:
        record = method(*inputs, **_tuples(entry["settings"]), **told)
    except TypeError as error:
        raise ReplayError(f"{path}: {entry['method']} cannot take these settings: {error}"
                          ) from None
    if digests.of_arrays({"picture": record.image}) != entry["result"]["sha256"]:
        raise ReplayError(f"{path}: the picture came out another than the one saved, from the "
                          f"same network, photo and settings; {made}")
    return record


def load_network(path, entry):
    """The network of a saved result, from where it was loaded then."""
    from minicnn.foreign.load import load

    weights = entry["network"]["weights"]
    if weights is None:
        raise ReplayError(f"{path}: does not say where network {entry['network']['name']} was "
                          "loaded from; give the network")
    labels = entry["network"]["labels"]
    return load(_beside(path, weights),
                label_file=None if labels is None else _beside(path, labels))


def find_photo(path, entry):
    """The path of a saved result's photo: where it was, or beside the saved file."""
    where = entry["photo"]["path"]
    if where is None:
        raise ReplayError(f"{path}: its photo was not a file; give the photo")
    return _beside(path, where)


def _beside(path, name):
    """`name` where it was; or, where a file of that name lies beside `path`, that."""
    other = Path(path).parent / Path(name).name
    return other if not Path(name).exists() and other.is_file() else name


# ---- what the file says

def _check(path, entry):
    """Raise unless an entry has every part, of its kind, and a call that its method can take."""
    wrong = [name for name, kind in KINDS.items()
             if not isinstance(entry, dict) or not isinstance(entry.get(name), kind)]
    if wrong:
        raise ReplayError(f"{path}: not a saved result: {', '.join(wrong)} missing, or of another "
                          "kind than `minicnn` writes")
    if entry["saved"] > SAVED:
        raise ReplayError(f"{path}: is of version {entry['saved']}, this program reads up to "
                          f"{SAVED}; update minicnn")
    for part, wanted in PARTS.items():
        given = entry[part] if isinstance(entry.get(part), dict) else {}
        wrong = [name for name, kinds in wanted.items()
                 if name not in given or not isinstance(given[name], kinds)]
        if wrong and entry.get(part) is not None:  # the photo may be null
            raise ReplayError(f"{path}: not a saved result: of {part} {', '.join(wrong)} is "
                              "missing, or of another kind")
    method = _method(path, entry["method"])
    if _takes_photo(method, path, entry["method"]) != (entry.get("photo") is not None):
        raise ReplayError(f"{path}: {entry['method']} and a photo do not go together as saved")
    known = set(inspect.signature(method).parameters) - set(NOT_SETTINGS)
    strange = sorted(set(entry["settings"]) - known)
    if strange:
        raise ReplayError(f"{path}: {entry['method']} has no setting {', '.join(strange)}; it has "
                          f"{', '.join(sorted(known))}")


def _method(path, name):
    methods = {n: getattr(vis, n) for n in vis.__all__ if isinstance(getattr(vis, n), vis.Method)}
    if name not in methods:
        raise ReplayError(f"{path}: there is no method {name!r}; there are {', '.join(methods)}")
    return methods[name]


def _takes_photo(method, path, name):
    """Whether it is called method(network, image, ...), not method(network, ...)."""
    first, *rest = inspect.signature(method).parameters.values()
    needed = [p.name for p in rest if p.default is p.empty and p.name not in ("layer", "image")]
    if first.name != "network" or needed:
        raise ReplayError(f"{path}: {name} needs more than a network, a photo and settings "
                          f"({', '.join(needed)}); such results cannot be replayed")
    return "image" in inspect.signature(method).parameters


# ---- hashes and versions

def _of_network(network):
    return {"name": network.name, "layers": digests.of_layers(network),
            "sha256": digests.of_weights(network)}


def _of_photo(photo):
    is_path = not hasattr(photo, "shape")
    pixels = images.load(photo) if is_path else photo
    return {"path": str(photo) if is_path else None,
            "sha256": digests.of_arrays({"pixels": pixels})}


def _compare(path, what, saved, now):
    if now != saved:
        raise ReplayError(f"{path}: {what} differs from what the result was made with (SHA-256 "
                          f"{now[:12]}, then {saved[:12]})")


def _versions(network):
    from minicnn import __version__

    return {"minicnn": __version__, "numpy": np.__version__, "python": platform.python_version(),
            "device": network.device}


def _listed(versions):
    return ", ".join(f"{name} {version}" for name, version in versions.items())


# ---- values that JSON has not

def _text(path):
    return None if path is None else str(path)


def _plain(value):
    """NumPy's numbers as Python's; anything else is refused."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"one is of type {type(value).__name__}"
                    + (f" and shape {value.shape}" if hasattr(value, "shape") else ""))


def _tuples(settings):
    """JSON has lists only; in settings they were pairs and names as often."""
    return {key: tuple(value) if isinstance(value, list) else value
            for key, value in settings.items()}
