"""A result's settings in a JSON file, and replaying the result from it.

The file records the method, its settings, the versions of the software, the network, the photo,
and the result:

===========  ======================================================================================
saved        2, the version of this format; version 1 had another hash of the layers
method       a method of `minicnn.vis`, by name
settings     its arguments, with the values chosen by default; the seed is one of them
network      its name, its path, and the SHA-256 of its layers and of its weights; if not the fast
             twins alone computed its rows, what did, with the SHA-256 of files
photo        its path, and the SHA-256 of its pixels; null if the method takes none
versions     of minicnn, numpy and python, and the device
result       the caption, the SHA-256 of the picture's pixels, and whether Ctrl-C ended it
trace        the objective at every step; null if there were no steps
===========  ======================================================================================

The hashes are of weights as they are in memory and of pixels as they are decoded, so storing the
same data in another file format does not change them. Nothing in such a file is executed: it can
only name a method and give it plain values. A Python file with your own ops that is named there is
never imported: pass it again for the replay.
"""

import inspect
import json
import platform
import warnings
from pathlib import Path

import numpy as np

from minicnn import images, vis
from minicnn.files import digests
from minicnn.report import drawn, saved_ops
from minicnn.vis.arguments import NOT_SETTINGS
from minicnn.vis.options import OptionsError

SAVED = 2
FORMATS = {".json": "JSON"}
BEFORE = {  # what settings were before a method had them: files that lack them replay as they were
    "saliency": {"blur": 0, "lrn": "gradient", "shares": "signed"}, "gradcam": {"lrn": "gradient"},
    "dream": {"colours": "rgb"},
    "texture": {"optimizer": "adam", "sizes": 1, "padding": "zeros", "colours": "free"}}
KINDS = {"saved": int, "method": str, "settings": dict, "network": dict, "versions": dict,
         "result": dict}
MOST = {"size": 10_000, "seed": 2**64}  # in a file's settings; of all others
MOST_ELSE = 100_000  # a replay of more steps than anybody has waited for would not end
UNFIT = (TypeError, AttributeError, KeyError, IndexError, OverflowError, ZeroDivisionError)
PARTS = {
    "network": {"name": str, "layers": str, "sha256": str, "weights": str | None,
                "labels": str | None},
    "result": {"sha256": str, "caption": str, "interrupted": bool},
    "photo": {"path": str | None, "sha256": str},
}


class ReplayError(ValueError):
    """A saved result cannot be used, or its replay differs; the message is one line."""


def save(record, network, path, method, photo=None, weights=None, labels=None):
    """Write a result's settings to a file, for `replay`.

    Parameters
    ----------
    record : vis.Record
        A record with one picture.
    network : Network
    path : str or path
        Ends in .json; the folder must exist.
    method : str
        The name in `minicnn.vis` of the method that made the record.
    photo : path or array (H, W, 3) uint8, optional
        The photo that the method was given, if it takes one.
    weights, labels : str or path, optional
        The weights and label file given to `load`, so that `replay` can load the network.

    Raises
    ------
    ReplayError
        The method cannot be replayed from settings, or JSON cannot hold a setting.
    ValueError, OSError
        The file cannot be written.
    """
    images.check_destination(path, FORMATS)
    takes_photo = _takes_photo(_method(path, method), path, method)
    if takes_photo and photo is None:
        raise ReplayError(f"{path}: {method} takes a photo; pass it as photo")
    if record.image is None:
        raise ReplayError(f"{path}: {method} makes no single picture, so it cannot be replayed")
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
        raise ReplayError(f"{path}: the settings of {method} cannot be saved as JSON: {error}"
                          ) from None
    images.write(path, f'{written[:-2]},\n "trace": {numbers}\n}}\n')


def read(path):
    """Read and check a saved file; returns a dict with the entries listed above.

    Raises
    ------
    ReplayError
        It is not such a file, its method is not in `minicnn.vis`, or has no such setting.
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
        A file that `save` wrote.
    network : Network, optional
        By default the network is loaded from its saved path.
    photo : path or array, optional
        By default the photo at its saved path, or one of the same name next to the file, or the
        ladybird of `minicnn.report.drawn` if it was made from that.
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    Record
        The method's result.

    Warns
    -----
    UserWarning
        The versions differ from those with which the result was made.

    Raises
    ------
    ReplayError
        The layers or weights of the network, or the photo, differ; or all these are the same, but
        the picture differs.
    """
    entry = read(path)
    if entry["result"]["interrupted"]:
        raise ReplayError(f"{path}: Ctrl-C ended that {entry['method']} early, so it cannot be "
                          "replayed; make the picture again, with fewer steps")
    network = load_network(path, entry) if network is None else network
    _check_network(path, entry, network)
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
        settings = {key: tuple(value) if isinstance(value, list) else value  # JSON has no tuples
                    for key, value in (BEFORE.get(entry["method"], {})
                                       | entry["settings"]).items()}
        record = method(*inputs, **settings, **told)
    except (*UNFIT, OptionsError) as error:
        raise ReplayError(f"{path}: {entry['method']} cannot take these settings: {error}"
                          ) from None
    if record.image is None:
        raise ReplayError(f"{path}: {entry['method']} makes no single picture, so it cannot be "
                          "replayed")
    if digests.of_arrays({"picture": record.image}) != entry["result"]["sha256"]:
        raise ReplayError(f"{path}: the picture differs from the saved one, though network, photo "
                          f"and settings are the same; {made}")
    return record


def _check_network(path, entry, network):
    """Raise unless a network has the layers, weights and ops that the result was made with."""
    then, now = entry["network"], _of_network(network)
    if entry["saved"] == SAVED:  # else only the picture can tell
        _compare(path, f"the layers or the preprocessing of network {network.name}",
                 then["layers"], now["layers"])
    _compare(path, f"the weights of network {network.name}", then["sha256"], now["sha256"])
    if differs := saved_ops.difference(then.get("ops", {}), now.get("ops", {})):
        raise ReplayError(f"{path}: {differs}")


def load_network(path, entry):
    """Load the network of a saved result from its path, with the pages and twins that it used; your
    own ops must be given by the caller."""
    from minicnn.foreign.load import load

    weights = entry["network"]["weights"]
    if weights is None:
        raise ReplayError(f"{path}: does not record where network {entry['network']['name']} was "
                          "loaded from; pass the network yourself (--weights on the command line)")
    labels = entry["network"]["labels"]
    network = load(_beside(path, weights),
                   label_file=None if labels is None else _beside(path, labels))
    return saved_ops.on_its_pages(network, entry["network"].get("ops", {}))


def find_photo(path, entry):
    """A saved result's photo: its saved path, or one next to the saved file, or the ladybird."""
    where = entry["photo"]["path"]
    if where is None:
        photo = drawn.ladybird()
        if _of_photo(photo)["sha256"] == entry["photo"]["sha256"]:
            return photo
        raise ReplayError(f"{path}: the photo was given as an array; pass it again (--photo on the "
                          "command line)")
    return _beside(path, where)


def _beside(path, name):
    """The path `name`; if it does not exist, a file of that name next to `path`."""
    other = Path(path).parent / Path(name).name
    return other if not Path(name).exists() and other.is_file() else name


# ---- checking a file

def _check(path, entry):
    """Raise unless an entry has all parts, of the right types, and settings of its method."""
    _check_kinds(path, "", entry, KINDS)
    if entry["saved"] > SAVED:
        raise ReplayError(f"{path}: has version {entry['saved']}, but this program reads versions "
                          f"up to {SAVED}; update minicnn")
    for part, kinds in PARTS.items():
        if entry.get(part) is not None:  # the photo may be null
            _check_kinds(path, f"in {part}, ", entry[part], kinds)
    if not saved_ops.is_choice(entry["network"].get("ops", {})):
        raise ReplayError(f"{path}: not a saved result: in network, ops of another type than "
                          "minicnn writes")
    method = _method(path, entry["method"])
    takes_photo = _takes_photo(method, path, entry["method"])
    if takes_photo != (entry.get("photo") is not None):
        raise ReplayError(f"{path}: {entry['method']} takes {'a' if takes_photo else 'no'} photo, "
                          f"but the file names {'none' if takes_photo else 'one'}")
    known = set(inspect.signature(method).parameters) - set(NOT_SETTINGS)
    strange = sorted(set(entry["settings"]) - known)
    if strange:
        raise ReplayError(f"{path}: {entry['method']} has no setting {', '.join(strange)}; it has "
                          f"{', '.join(sorted(known))}")
    for name, value in entry["settings"].items():
        most = MOST.get(name, MOST_ELSE)
        if any(abs(number) > most for number in _numbers(value)):
            raise ReplayError(f"{path}: the setting {name} is larger than {most:,}: {value!r:.60}; "
                              "a replay of it would take too long or too much memory")


def _numbers(value):
    """All numbers in a value from JSON."""
    if isinstance(value, (list, dict)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _numbers(one)
    elif isinstance(value, (int, float)):
        yield value


def _check_kinds(path, where, given, kinds):
    given = given if isinstance(given, dict) else {}
    wrong = [name for name, kind in kinds.items()
             if name not in given or not isinstance(given[name], kind)]
    if wrong:
        raise ReplayError(f"{path}: not a saved result: {where}{', '.join(wrong)} missing, or of "
                          "another type than minicnn writes")


def _method(path, name):
    methods = {n: getattr(vis, n) for n in vis.__all__ if isinstance(getattr(vis, n), vis.Method)}
    if name not in methods:
        raise ReplayError(f"{path}: there is no method {name!r}; there are {', '.join(methods)}")
    return methods[name]


def _takes_photo(method, path, name):
    """Whether the call is method(network, image, ...), not method(network, ...)."""
    first, *rest = inspect.signature(method).parameters.values()
    needed = [p.name for p in rest if p.default is p.empty and p.name not in ("layer", "image")]
    if first.name != "network" or needed:
        raise ReplayError(f"{path}: {name} needs more than a network, a photo and settings "
                          f"({', '.join(needed)}); such results cannot be replayed")
    return "image" in inspect.signature(method).parameters


# ---- hashes and versions

def _of_network(network):
    chosen = network.choice.describe()
    return {"name": network.name, "layers": digests.of_layers(network),
            "sha256": digests.of_weights(network)} | ({"ops": chosen} if chosen else {})


def _of_photo(photo):
    is_path = not hasattr(photo, "shape")
    pixels = images.load(photo) if is_path else photo
    return {"path": str(photo) if is_path else None,
            "sha256": digests.of_arrays({"pixels": pixels})}


def _compare(path, what, saved, now):
    if now != saved:
        raise ReplayError(f"{path}: the SHA-256 of {what} is {now[:12]}, but the result was made "
                          f"with {saved[:12]}; give the same network and photo")


def _versions(network):
    from minicnn import __version__

    return {"minicnn": __version__, "numpy": np.__version__, "python": platform.python_version(),
            "device": network.device}


def _listed(versions):
    return ", ".join(f"{name} {version}" for name, version in versions.items())


# ---- values that JSON does not have

def _text(path):
    return None if path is None else str(path)


def _plain(value):
    """Convert NumPy's numbers to Python's; refuse anything else."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"one is of type {type(value).__name__}"
                    + (f" and shape {value.shape}" if hasattr(value, "shape") else ""))

