"""minicnn's own weight file: a complete network in HDF5.

Each layer has a group of its name with its parameters (`w`, `b` and any others). The attributes of
the root hold everything else that is needed to use the network:

================  =================================================================================
format            "minicnn", and `version`, 3
model             the network's name
input_size        (H, W, C)
layers            JSON: the rows, [[name, kind, settings, [input, ...]], ...] in order
channel_order     "RGB", "BGR" or "L"; with `mean` (a mean image is the data set "/mean image"),
                  `scale`, `resize_to`, `resize_rule`, `resample`: see `images.Preprocessing`
labels            JSON: the class names
pooling_rounding  and `lrn_convention`: what the layers use; for human readers, ignored by `load`
about             JSON: source, its SHA-256, licence, accuracy, who converted it and when
================  =================================================================================

The group "stored probe" holds the probe that verifies the network (`files.stored_probe`).
Files of versions 1 and 2, whose layers are nested lists (`nested`), can still be loaded.

Loading is strict: all arrays that are missing, unexpected, or of the wrong shape or type, or not
finite, are reported together, by name. Nothing in a file is executed; no link out is followed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from minicnn import backend
from minicnn.files import hdf5_arrays, hdf5_text, mapped, nested, stored_probe
from minicnn.files.errors import READING_ERRORS, WeightsError
from minicnn.files.hdf5_created import created
from minicnn.images import Preprocessing
from minicnn.network import Network
from minicnn.network.layers import KINDS

if TYPE_CHECKING:
    import h5py

MAGIC = b"\x89HDF\r\n\x1a\n"  # the first bytes of every HDF5 file
VERSION = 3
MEAN_IMAGE = "mean image"  # no layer name has a space
ATTRIBUTES = ("version", "model", "input_size", "layers", "labels", "about")
RENAMED = {"order": "channel_order", "rule": "resize_rule"}  # fields of Preprocessing


def save(network: Network, path: str | Path, dtype: str = "float32") -> None:
    """Write a network to `path`, completely or not at all.

    Parameters
    ----------
    network : Network
        Initialised.
    path : str or path
    dtype : {"float16", "float32", "float64"}
        How the numbers are stored. They load as float64 if stored so, otherwise as float32.

    Notes
    -----
    The network's probe is saved if it still matches the stored weights, in float32, the layers'
    settings and the preprocessing. It is left out if the network has since been trained or changed,
    or if float16 rounds the weights: ``network.probe = files.probe.make(network)`` makes a new one.
    """
    if not isinstance(network, Network):
        raise TypeError(f"save: expected a network and a path, save(network, path), got "
                        f"{type(network).__name__} and {type(path).__name__}")
    _check_layers(network)
    _check_labels(network)
    probe = network.probe
    if probe is not None and not stored_probe.still_of(probe, network, dtype):
        probe = None
    with created(path) as file:
        _write(file, network, dtype, probe)


Network.save = save  # a method, added here because `minicnn.network` must not import `files`


def _write(file, network, dtype, probe):
    file.attrs.update(_attributes(network))
    if network.preprocessing is not None:
        _write_preprocessing(file, network.preprocessing)
    for name, shapes in network.param_shapes.items():
        for key in shapes:
            stored = _stored(f"{name}/{key}", network.params[name][key], dtype)
            file.create_dataset(f"{name}/{key}", data=stored)
    if probe is not None:
        stored_probe.write(file, probe)


def load(path: str | Path) -> Network:
    """Read a network that `save` wrote.

    Raises
    ------
    WeightsError
        Naming the file and everything wrong with it.
    """
    size = Path(path).stat().st_size if Path(path).is_file() else 0
    with open_file(path) as file:
        if not is_ours(file):
            raise WeightsError(f"{path}: not a minicnn weight file (no attribute format='minicnn')")
        _refuse_links(file)
        try:
            network = _network(file, size)
        except READING_ERRORS as error:
            raise WeightsError(f"{path}: its attributes do not describe a network: {error}"
                               ) from None
        arrays = _arrays(file, size)
        network.probe = stored_probe.read(file, network, size)
        if network.probe is not None and file.attrs["version"] < 3:
            network.probe = nested.renewed(network.probe, json.loads(file.attrs["layers"]), network)
    put(network, arrays, path)
    return network


def _refuse_links(file):
    """Raise ValueError if any link leads elsewhere, in this file or another."""
    from h5py.h5l import TYPE_HARD

    kinds = {}
    file.id.links.visit(lambda name, info: kinds.update({name.decode(): info.type}), info=True)
    for name in kinds:
        if kinds[name] != TYPE_HARD:
            hdf5_arrays.item(file, name)  # raises, naming the link


def _arrays(file, size):
    """{path: array} of all data sets except the mean image and the probe's. A data set of another
    type than floating point stays an unread h5py.Dataset."""
    found = {}
    file.visititems(lambda name, item: found.update({name: item})
                    if hasattr(item, "shape") and name != MEAN_IMAGE
                    and not name.startswith(f"{stored_probe.GROUP}/") else None)
    numbers = {name: name for name, item in found.items() if hdf5_arrays.is_float(item)}
    return found | hdf5_arrays.read(file, numbers, size)


def put(network: Network, arrays: dict, where: str | Path) -> None:
    """Give a network the arrays {"conv1_1/w": array, ...}; strict.

    Parameters
    ----------
    network : Network
    arrays : dict of str to array
    where : str or path
        The origin of the arrays, for the error.

    Raises
    ------
    WeightsError
        Listing every array that is missing, unexpected, of the wrong shape or type, or not finite.
    """
    wanted = {f"{name}/{key}": shape for name, shapes in network.param_shapes.items()
              for key, shape in shapes.items()}
    wrong = [f"missing: {name} {wanted[name]}" for name in wanted if name not in arrays]
    wrong += [f"unexpected: {name} {arrays[name].shape}" for name in arrays if name not in wanted]
    for name in [name for name in wanted if name in arrays]:
        wrong += [f"{name}: {fault}" for fault in _faults(arrays[name], wanted[name])]
    if wrong:
        shown = "; ".join(wrong[:12]) + (f"; and {len(wrong) - 12} more" if wrong[12:] else "")
        raise WeightsError(f"{where}: does not fit network {network.name}: {shown}")
    for name, value in arrays.items():
        layer, _, key = name.rpartition("/")
        kind = np.promote_types(value.dtype, np.float32)
        network.params[layer][key] = value.astype(kind, copy=False)


@contextmanager
def open_file(path: str | Path) -> Iterator[h5py.File]:
    """Open an h5py.File to read; errors inside the block become a WeightsError of one line."""
    import h5py

    if not Path(path).is_file():
        raise WeightsError(f"{path}: {mapped.no_file(path)}; give the path of an .h5 file")
    try:
        hdf5_text.check_file(path)
        file = h5py.File(path, "r")
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path}: cannot be read as HDF5; it is another kind of file, or cut "
                           f"short or damaged ({error}); download or copy it again") from None
    try:
        with file:
            yield file
    except WeightsError:
        raise
    except READING_ERRORS as error:
        why = error.args[0] if error.args else type(error).__name__
        raise WeightsError(f"{path}: damaged, or its contents do not match their description: "
                           f"{why}; download or copy it again") from None


def is_our_file(path: Path) -> bool:
    """Whether a path is of a file in minicnn's own form."""
    if not path.is_file() or mapped.head(path, len(MAGIC)) != MAGIC:
        return False
    with open_file(path) as file:
        return is_ours(file)


def is_ours(file: h5py.File) -> bool:
    """Whether an open HDF5 file is in minicnn's own form."""
    return file.attrs.get("format") == "minicnn"


def _stored(name, value, dtype):
    with np.errstate(over="ignore"):
        stored = backend.to_host(value).astype(dtype, copy=False)
    if not np.isfinite(stored).all():
        raise WeightsError(f"{name} holds numbers that are not finite or too large for {dtype}")
    return stored


def _faults(array, shape):
    if array.dtype.kind != "f" or array.dtype.itemsize > 8:
        yield f"expected floating point numbers, got {array.dtype}"
    elif array.shape != shape:
        yield f"expected shape {shape}, got {array.shape}"
    elif not np.isfinite(array).all():
        bad = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        count = int((~np.isfinite(array)).sum())
        yield f"{count} of its numbers are not finite, the first at {bad}"


def _attributes(network):
    layers = [layer for _, layer, _ in network.rows]
    return {
        "format": "minicnn", "version": VERSION, "model": network.name,
        "input_size": network.input_shape,
        "layers": json.dumps([[name, type(layer).__name__, layer.settings(), inputs]
                              for name, layer, inputs in network.rows]),
        "labels": json.dumps(network.labels or []),
        "about": json.dumps(network.about),
        "pooling_rounding": _used(layers, "rounding"),
        "lrn_convention": _used(layers, "convention"),
    }


def _used(layers, setting):
    return " and ".join(sorted({getattr(layer, setting) for layer in layers
                                if hasattr(layer, setting)})) or "none"


def _build(rows):
    """Rows from JSON; a file can only name the kinds of layer in the table KINDS."""
    built = []
    for name, kind, settings, inputs in rows:
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is not a kind of layer; the kinds are {', '.join(KINDS)}")
        values = {key: tuple(v) if isinstance(v, list) else v for key, v in settings.items()}
        built.append((name, KINDS[kind](**values), inputs))
    return built


def _network(file, size):
    attrs = dict(file.attrs)
    _require(attrs, ATTRIBUTES)
    if attrs["version"] > VERSION:
        raise ValueError(f"the file has version {attrs['version']}, and this minicnn reads "
                         f"versions up to {VERSION}; update minicnn")
    rows = json.loads(attrs["layers"])
    if attrs["version"] < 3:
        rows = nested.rows(rows)
    network = Network(attrs["model"], _build(rows), tuple(int(n) for n in attrs["input_size"]),
                      _read_preprocessing(file, size), json.loads(attrs["labels"]),
                      json.loads(attrs["about"]))
    _check_labels(network)
    return network


def _check_labels(network):
    labels, count = network.labels or [], network.shapes[network.logits][-1]
    if labels and (len(labels) != count or not all(isinstance(name, str) for name in labels)):
        raise WeightsError(f"network {network.name}: {len(labels)} class names, and "
                           f"{network.logits} has {count} outputs; each needs a name, or none has")


def _require(attrs, names):
    missing = [name for name in names if name not in attrs]
    if missing:
        raise ValueError(f"the attributes {', '.join(missing)} are missing")


def _write_preprocessing(file, preprocessing):
    for key, value in preprocessing.to_dict().items():
        if isinstance(value, np.ndarray):
            file.create_dataset(MEAN_IMAGE, data=value)
        elif key != "size":  # stored as input_size
            file.attrs[RENAMED.get(key, key)] = value


def _read_preprocessing(file, size):
    if "channel_order" not in file.attrs:
        return None
    attrs = dict(file.attrs)
    if hdf5_arrays.has(file, MEAN_IMAGE):
        attrs |= hdf5_arrays.read(file, {"mean": MEAN_IMAGE}, size)
    named = {key: RENAMED.get(key, key)
             for key in ("order", "mean", "scale", "resize_to", "rule", "resample")}
    _require(attrs, named.values())
    values = {key: attrs[name] for key, name in named.items()}
    size = tuple(int(side) for side in file.attrs["input_size"][:2])
    return Preprocessing.from_dict(values | {"size": size})


def _check_layers(network):
    for name in network.empty():
        raise WeightsError(f"network {network.name}: layer {name} has no weights to save; "
                           "initialise or load it first")
    for name, layer, _ in network.rows:
        if KINDS.get(type(layer).__name__) is not type(layer):
            raise WeightsError(f"network {network.name}: layer {name} is of kind "
                               f"{type(layer).__name__}, which a file cannot store; the kinds it "
                               f"can store are {', '.join(KINDS)}")
