"""Reader of Keras' HDF5 files: weights alone or whole models, of versions 1, 2 and 3.

Before Keras 3, and still for whole models (.h5): each layer has a group, whose attribute
`weight_names` lists its data sets in order; the root's `layer_names` lists the layers in order. An
attribute above 64 KB is split (`layer_names0`, `layer_names1` ...). A whole model has all this
under /model_weights, and its architecture as JSON in the attribute `model_config`.

Since Keras 3, for weights alone (.weights.h5) and inside a .keras file: /layers/<name>/vars/0, 1
and so on. The file does not name their roles, which follow from the number of arrays and the shape
of the first.

Arrays are named "block1_conv1/kernel" for every version; see `keras_names`. If the architecture is
understood, its layers have the same names, and `keras_names.ROLES` maps roles to minicnn's names.
Otherwise `layers` is None and a note says why.
"""

import re
from contextlib import suppress
from itertools import takewhile

import numpy as np

from minicnn.files import hdf5_arrays, hdf5_text, mapped
from minicnn.files.errors import WeightsError
from minicnn.files.hdf5 import open_file
from minicnn.foreign import json_text, keras_config, keras_models, keras_names
from minicnn.foreign.settings import require

WHAT = "a file of Keras"
MOST_ARRAYS = 50_000
MOST_PARTS = 1_000  # parts of an attribute
KERAS_3 = ("layers", "_layer_checkpoint_dependencies")  # groups of its weight files
WORDLESS = {4: ("gamma", "beta", "moving_mean", "moving_variance"),  # roles of a batch norm's
            3: ("beta", "moving_mean", "moving_variance")}           # arrays, by their count


def recognises(file):
    """Whether an open HDF5 file, or the file at a path, was written by Keras."""
    if not hasattr(file, "attrs"):
        with suppress(WeightsError), open_file(file) as opened:
            return recognises(opened)
        return False
    told = {"layer_names", "layer_names0", "model_config"} & set(file.attrs)
    return "format" not in file.attrs and (
        bool(told) or hdf5_arrays.has(file, "model_weights")
        or _is_version_3(file) and not len(file.attrs))


def read(path):
    """Read a file of weights, or of a whole model.

    Parameters
    ----------
    path : str or path
        The HDF5 file.

    Returns
    -------
    Foreign
        Layout "HWIO"; `arrays` in the order of the file's layers.

    Raises
    ------
    WeightsError
        Naming the file and what is wrong with it.
    """
    with open_file(path) as file, mapped.opened(path, WHAT) as data:
        require(recognises(file), "it is HDF5, but not Keras': it has no attribute layer_names and "
                "no group model_weights or layers")
        attrs = _attributes(file, data)
        config = _text(attrs["model_config"]) if "model_config" in attrs else None
        return contents(file, data, config)


def contents(file, data, config=None, archive=None):
    """The contents of an open HDF5 file of Keras.

    Parameters
    ----------
    file : h5py.File
    data : bytes or memoryview
        All bytes of the same file.
    config : str, optional
        The model's configuration, JSON.
    archive : int, optional
        The size of the archive that contains the file, if any; it limits the memory.

    Returns
    -------
    Foreign

    Raises
    ------
    ValueError
        The file is damaged or not understood.
    """
    model, notes = None if config is None else json_text.parsed(config, "its model_config"), []
    weights = hdf5_arrays.item(file, "model_weights") if hdf5_arrays.has(
        file, "model_weights") else file
    attrs = _attributes(weights, data)
    new = _is_version_3(weights) and "layer_names" not in attrs
    places = {}
    for (layer, role), path in (_numbered if new else _listed)(weights, model, data):
        other = places.setdefault(f"{layer}/{role}", path)
        require(other is path, "two arrays are the {:.60} of layer {:.60}: {:.200} and {:.200}",
                role, layer, other, path)
    size, taken = (len(data), 0) if archive is None else (archive, len(data))
    arrays = hdf5_arrays.read(weights, _floats(weights, places, notes), size, taken)
    backend = _word(attrs, "backend")
    says = {"backend": backend,
            "keras_version": _word(attrs, "keras_version") or ("3" if new else "1")}
    return keras_config.foreign(f"Keras HDF5 ({'whole model' if model else 'weights'})",
                                _as_tensorflow(arrays, backend, model, notes), model, says, notes)


# ---- where the arrays are

def _floats(weights, places, notes):
    """The places that hold weights; arrays of whole numbers (a count, a seed) are noted."""
    sets = {place: hdf5_arrays.item(weights, path) for place, path in places.items()}
    found = {place: path for place, path in places.items() if hdf5_arrays.is_float(sets[place])}
    notes += [f"Array {path} is left out: it holds no floating point numbers."
              for place, path in places.items() if place not in found]
    kinds = sorted({str(getattr(data, "dtype", "no array")) for data in sets.values()})
    require(found, "there are no weights in it{}", kinds and f" except of a kind not known to "
            f"minicnn ({', '.join(kinds)}: perhaps bfloat16); save it as float32" or "")
    return found


def _listed(weights, model, data):
    """((layer, role), path) of each array, from the lists of names in the file."""
    within = keras_models.names_within(model)
    for group in _strings(_attributes(weights, data), "layer_names"):
        names = _strings(_attributes(hdf5_arrays.item(weights, group), data), "weight_names")
        places = keras_names.places(group, names, within.get(group, ()))
        yield from zip(places, [f"{group}/{name}" for name in names], strict=True)


def _numbered(weights, model, data):
    """((layer, role), path) of each array in a file of Keras 3, which gives neither order nor role.

    Its groups are numbered in the order of the layers of each class, independent of their names.
    """
    root = next(name for name in KERAS_3 if hdf5_arrays.has(weights, name))
    named, paths = keras_models.names(model), []
    hdf5_arrays.item(weights, root).visit(  # stops at the first value that is not None
        lambda path: paths.append(path) or (True if len(paths) > MOST_ARRAYS else None))
    require(len(paths) <= MOST_ARRAYS, "it holds more than {} groups and arrays", MOST_ARRAYS)
    for path in sorted((path for path in paths if path.endswith("/vars")
                        and "seed_generator" not in path), key=_natural):
        stored = hdf5_arrays.item(weights, f"{root}/{path}")
        owner = "/".join(part for part in path.split("/")[:-1] if part not in KERAS_3)
        said = _word(_attributes(stored, data), "name")  # since Keras 3.6
        for number, role in enumerate(_roles(stored)):
            yield (said or named.get(owner, owner), role), f"{root}/{path}/{number}"


def _roles(stored):
    """The roles of a layer's arrays 0, 1 ..., from their number and the shape of the first."""
    require(hasattr(stored, "keys"), "{} is not a group of arrays", stored.name)
    numbers = [str(k) for k in range(len(stored))]
    if not numbers or len(hdf5_arrays.item(stored, "0").shape) < 2:
        return WORDLESS.get(len(numbers), numbers)
    return ("kernel", "bias")[:len(numbers)] if len(numbers) <= 2 else numbers


def _natural(name):
    """A sort key that puts conv2d_2 before conv2d_10."""
    return [(int(part), "") if part.isdecimal() else (-1, part)
            for part in re.split(r"(\d+)", name)]


def _is_version_3(file):
    return any(hdf5_arrays.has(file, name) for name in KERAS_3)


# ---- the back end's convention

def _as_tensorflow(arrays, backend, model, notes):
    """The arrays in TensorFlow's convention; among the back ends only Theano's differs."""
    for name, w in arrays.items():
        bias = arrays.get(f"{name.removesuffix('/kernel')}/bias")
        if name.endswith("/kernel") and w.ndim == 4 and bias is not None:
            require(bias.shape == w.shape[3:], "{} {} does not have one kernel in its last axis "
                    "for each of the {} biases: its layer is not a Conv2D, or it is in Theano's "
                    "order; save it again with Keras on TensorFlow", name, w.shape, bias.shape)
    if backend != "theano":
        return arrays
    require(model or not any(w.ndim == 2 for w in arrays.values()), "it was written on Theano, and "
            "does not say in which order its dense layers read an image; save the whole model "
            "(model.save)")
    notes.append("It was written on Theano, which turns kernels by 180 degrees; they were turned "
                 "back.")
    return {name: w[::-1, ::-1] if w.ndim == 4 else w for name, w in arrays.items()}


# ---- attributes

def _attributes(thing, data):
    """The attributes of a group, after checking that they do not declare too much text."""
    import h5py

    hdf5_text.check_attributes(data, h5py.h5o.get_info(thing.id).addr)
    return thing.attrs


def _strings(attrs, name):
    """A list of names, joined from its parts if it is split."""
    parts = [name] if name in attrs else list(takewhile(
        lambda part: part in attrs, (f"{name}{k}" for k in range(MOST_PARTS))))
    require(parts, "attribute {} is missing", name)
    found = [_text(value) for part in parts for value in np.atleast_1d(attrs[part])]
    require(len(found) <= MOST_ARRAYS, "{} lists more than {} names", name, MOST_ARRAYS)
    return found


def _word(attrs, name):
    """A text attribute; "" if it is missing."""
    return _text(attrs[name]) if name in attrs else ""


def _text(value):
    require(isinstance(value, (bytes, str)), "expected text, got {!r:.60}", value)
    return value.decode() if isinstance(value, bytes) else str(value)
