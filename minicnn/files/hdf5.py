"""The project's own weight file: a network, whole, in HDF5.

One group a layer, named as the layer, holding its parameters (`w`, `b`, and what else it has).
The root's attributes hold everything else a person needs to use the network:

================  =================================================================================
format            "minicnn", and `version`, 3
model             the network's name
input_size        (H, W, C)
layers            JSON: the rows, [[name, kind, settings, [what it reads, ...]], ...] in order
channel_order     "RGB", "BGR" or "L"; with `mean` (for a mean image, the data set "/mean image"),
                  `scale`, `resize_to`, `resize_rule`, `resample`: see `images.Preprocessing`
labels            JSON: the class names
pooling_rounding  which roundings its poolings use, and `lrn_convention`: to read, the layers decide
about             JSON: source, its SHA-256, licence, accuracy, who converted it and when
================  =================================================================================

In the group "stored probe" lies what the network verifies itself by (`files.stored_probe`).
Versions 1 and 2, whose layers were nested lists (`nested`), still load.

Loading is strict: everything missing, unexpected, mis-shaped, of the wrong type or not finite is
reported together, by name. Nothing in a file is ever executed, and no link out of it followed.
"""

import errno
import json
import os
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from minicnn import backend
from minicnn.files import hdf5_arrays, hdf5_text, mapped, nested, stored_probe
from minicnn.files.errors import READING_ERRORS, WeightsError
from minicnn.images import Preprocessing, atomic
from minicnn.network import Network
from minicnn.network.layers import KINDS

VERSION = 3
FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)  # no room on the disk, or for this user
SPARE = 2**21  # bytes beside the weights: descriptions, labels, a mean image, the probe
MEAN_IMAGE = "mean image"  # no layer name has a space
ATTRIBUTES = ("version", "model", "input_size", "layers", "labels", "about")
RENAMED = {"order": "channel_order", "rule": "resize_rule"}  # fields of Preprocessing


def save(network, path, dtype="float32"):
    """Write a network to `path`, whole or not at all.

    Parameters
    ----------
    network : Network
        Initialised.
    path : str or path
    dtype : {"float16", "float32", "float64"}
        How the numbers are stored. Loading gives float32 (float64 where stored so).

    Notes
    -----
    The network's probe goes with it if it is of these very numbers, to float32, and of these
    layers' settings and preprocessing. One that has been trained or changed since, or that float16
    rounds, is saved without: ``network.probe = files.probe.make(network)`` gives it a new one.
    """
    import h5py

    _check_layers(network)
    probe = network.probe
    if probe is not None and not stored_probe.still_of(probe, network, dtype):
        probe = None
    with atomic(path) as temporary:
        _reserve(temporary, network.count() * np.dtype(dtype).itemsize + SPARE, path)
        with h5py.File(temporary, "w", libver="latest") as file:
            _write(file, network, dtype, probe)


def _reserve(temporary, size, path):
    """Create a file if it has room: where a disk fills up, HDF5's library crashes on closing."""
    with open(temporary, "wb") as file:
        try:
            getattr(os, "posix_fallocate", lambda *_: None)(file.fileno(), 0, size)
        except OSError as error:
            if error.errno in FULL:
                raise OSError(error.errno, error.strerror, str(path)) from None


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


def load(path):
    """Read a network that `save` wrote.

    Raises
    ------
    WeightsError
        Naming the file, and everything that is wrong with it.
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
            hdf5_arrays.item(file, name)  # which refuses it, by name


def _arrays(file, size):
    """Every data set but the mean image and the probe's, by its path; those of other kinds than
    floating point numbers as they are, unread."""
    found = {}
    file.visititems(lambda name, item: found.update({name: item})
                    if hasattr(item, "shape") and name != MEAN_IMAGE
                    and not name.startswith(f"{stored_probe.GROUP}/") else None)
    numbers = {name: name for name, item in found.items() if hdf5_arrays.is_float(item)}
    return found | hdf5_arrays.read(file, numbers, size)


def put(network, arrays, where):
    """Fill a network with {"conv1_1/w": array, ...}; strict.

    Parameters
    ----------
    network : Network
    arrays : dict of str to array
    where : str or path
        What the arrays were read from, for the error.

    Raises
    ------
    WeightsError
        Listing every missing, unexpected, mis-shaped, wrong-typed and non-finite array.
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
def open_file(path):
    """An h5py.File to read from; whatever goes wrong inside becomes a WeightsError of one line."""
    import h5py

    if not Path(path).is_file():
        raise WeightsError(f"{path}: {mapped.no_file(path)}; give the path of an .h5 file")
    try:
        hdf5_text.check_file(path)
        file = h5py.File(path, "r")
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path}: cannot be read as HDF5, it is another kind of file, or cut "
                           f"short or damaged ({error}); download or copy it again") from None
    try:
        with file:
            yield file
    except WeightsError:
        raise
    except READING_ERRORS as error:
        why = error.args[0] if error.args else type(error).__name__
        raise WeightsError(f"{path}: damaged, or not what it says it is: {why}; download or copy "
                           "it again") from None


def is_ours(file):
    """Whether an open HDF5 file is in the project's own form."""
    return file.attrs.get("format") == "minicnn"


def _stored(name, value, dtype):
    with np.errstate(over="ignore"):
        stored = backend.to_host(value).astype(dtype, copy=False)
    if not np.isfinite(stored).all():
        raise WeightsError(f"{name} holds numbers that are not finite, or too large for {dtype}")
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
    """Rows out of JSON; the table KINDS is all that a file can name."""
    return [(name, _kind(kind)(**{key: tuple(v) if isinstance(v, list) else v
                                  for key, v in settings.items()}), inputs)
            for name, kind, settings, inputs in rows]


def _kind(name):
    if name not in KINDS:
        raise ValueError(f"there is no kind of layer {name!r}; there are {', '.join(KINDS)}")
    return KINDS[name]


def _network(file, size):
    attrs = dict(file.attrs)
    missing = [name for name in ATTRIBUTES if name not in attrs]
    if missing:
        raise ValueError(f"the attributes {', '.join(missing)} are missing")
    if attrs["version"] > VERSION:
        raise ValueError(f"it is of version {attrs['version']}, this program reads up to "
                         f"{VERSION}; update minicnn")
    rows = json.loads(attrs["layers"])
    if attrs["version"] < 3:
        rows = nested.rows(rows)
    return Network(attrs["model"], _build(rows), tuple(int(side) for side in attrs["input_size"]),
                   _read_preprocessing(file, size), json.loads(attrs["labels"]),
                   json.loads(attrs["about"]))


def _write_preprocessing(file, preprocessing):
    for key, value in preprocessing.to_dict().items():
        if isinstance(value, np.ndarray):
            file.create_dataset(MEAN_IMAGE, data=value)
        elif key != "size":  # input_size says it
            file.attrs[RENAMED.get(key, key)] = value


def _read_preprocessing(file, size):
    if "channel_order" not in file.attrs:
        return None
    attrs = dict(file.attrs)
    if hdf5_arrays.has(file, MEAN_IMAGE):
        attrs |= hdf5_arrays.read(file, {"mean": MEAN_IMAGE}, size)
    named = {key: RENAMED.get(key, key)
             for key in ("order", "mean", "scale", "resize_to", "rule", "resample")}
    missing = [name for name in named.values() if name not in attrs]
    if missing:
        raise ValueError(f"the attributes {', '.join(missing)} are missing")
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
                               f"{type(layer).__name__}, which no file can name and load again; "
                               f"there are {', '.join(KINDS)}")
