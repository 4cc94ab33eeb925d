"""Reader of the HDF5 files of Keras: weights alone or whole models, of versions 1, 2 and 3.

Until Keras 3, and since in whole models (.h5): one group a layer, whose attribute `weight_names`
says in order which data sets it has; the root's `layer_names` says in which order the layers come.
Attributes above 64 KB are in parts (`layer_names0`, `layer_names1` ...). A whole model has all this
under /model_weights, and its architecture as JSON in the attribute `model_config`.

Since Keras 3 for weights alone (.weights.h5), and inside a .keras file: /layers/<name>/vars/0, 1
and so on, without a word for what is what; their number and the first one's shape tell it.

Arrays come out as "block1_conv1/kernel", whatever the version calls them; see `keras_names`. Where
the architecture is understood its layers have the same names, and `keras_names.ROLES` gives our
word for each array. Where it is not, `layers` is None and a note says why.
"""

import re
from itertools import takewhile

import numpy as np

from minicnn.files import hdf5_arrays, hdf5_text, mapped
from minicnn.files.errors import WeightsError
from minicnn.files.hdf5 import open_file
from minicnn.foreign import json_text, keras_config, keras_models, keras_names

WHAT = "a file of Keras"
MOST_ARRAYS = 50_000
MOST_PARTS = 1_000  # of an attribute
KERAS_3 = ("layers", "_layer_checkpoint_dependencies")  # groups of its weight files
WORDLESS = {4: ("gamma", "beta", "moving_mean", "moving_variance"),  # a batch norm's arrays by
            3: ("beta", "moving_mean", "moving_variance")}           # number, where there are 4, 3


def recognises(file):
    """Whether an open HDF5 file, or the file at a path, is of Keras."""
    if not hasattr(file, "attrs"):
        try:
            with open_file(file) as opened:
                return recognises(opened)
        except WeightsError:
            return False
    if "format" in file.attrs:
        return False
    told = {"layer_names", "layer_names0", "model_config"} & set(file.attrs)
    return bool(told) or hdf5_arrays.has(file, "model_weights") or (
        _is_version_3(file) and not len(file.attrs))


def read(path):
    """Read a file of weights, or of a whole model.

    Parameters
    ----------
    path : str or path
        Of the HDF5 file.

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
        if not recognises(file):
            raise ValueError("it is HDF5, but has no attribute layer_names and no group "
                             "model_weights or layers")
        attrs = _attributes(file, data)
        config = _text(attrs["model_config"]) if "model_config" in attrs else None
        return contents(file, data, config)


def contents(file, data, config=None, archive=None):
    """What an open HDF5 file of Keras holds.

    Parameters
    ----------
    file : h5py.File
    data : bytes or memoryview
        The same file: whatever it holds has to come out of these.
    config : str, optional
        The model's configuration, JSON.
    archive : int, optional
        The size of the file that `data` were unpacked from, which then bounds the memory.

    Returns
    -------
    Foreign

    Raises
    ------
    ValueError
        What is wrong with the file.
    """
    model = None if config is None else json_text.parsed(config, "its model_config")
    notes = []
    weights = hdf5_arrays.item(file, "model_weights") if hdf5_arrays.has(
        file, "model_weights") else file
    attrs = _attributes(weights, data)
    new = _is_version_3(weights) and "layer_names" not in attrs
    places = {}
    for (layer, role), path in (_numbered if new else _listed)(weights, model, data):
        place = f"{layer}/{role}"
        if place in places:
            raise ValueError(f"two of its arrays are the {role:.60} of layer {layer:.60}: "
                             f"{places[place]:.200} and {path:.200}")
        places[place] = path
    size, taken = (len(data), 0) if archive is None else (archive, len(data))
    arrays = hdf5_arrays.read(weights, _floats(weights, places, notes), size, taken)
    backend = _word(attrs, "backend")
    says = {"backend": backend,
            "keras_version": _word(attrs, "keras_version") or ("3" if new else "1")}
    return keras_config.foreign(f"Keras HDF5 ({'whole model' if model else 'weights'})",
                                _as_tensorflow(arrays, backend, model, notes), model, says, notes)


# ---- where the arrays are

def _floats(weights, places, notes):
    """The places that hold weights; what holds whole numbers (a count, a seed) is noted."""
    found = {place: path for place, path in places.items()
             if hdf5_arrays.is_float(hdf5_arrays.item(weights, path))}
    notes += [f"Array {path} is left out: it holds no floating point numbers."
              for place, path in places.items() if place not in found]
    if not found:
        kinds = {str(getattr(hdf5_arrays.item(weights, path), "dtype", "no array"))
                 for path in places.values()}
        raise ValueError("there are no weights in it" + (
            f" but of a kind not known here ({', '.join(sorted(kinds))}: perhaps bfloat16); save "
            "it as float32" if kinds else ""))
    return found


def _listed(weights, model, data):
    """((layer, role), path) of each array, by the lists of names that the file has."""
    within = keras_models.names_within(model)
    for group in _strings(_attributes(weights, data), "layer_names"):
        names = _strings(_attributes(hdf5_arrays.item(weights, group), data), "weight_names")
        places = keras_names.places(group, names, within.get(group, ()))
        yield from zip(places, [f"{group}/{name}" for name in names], strict=True)


def _numbered(weights, model, data):
    """((layer, role), path) of each array in a file of Keras 3, which says neither order nor roles.

    Its groups are numbered as the layers of each class come in the model, whatever their names.
    """
    root = next(name for name in KERAS_3 if hdf5_arrays.has(weights, name))
    named = keras_models.names(model)
    for path in sorted(_layers_of_version_3(hdf5_arrays.item(weights, root)), key=_natural):
        stored = hdf5_arrays.item(weights, f"{root}/{path}")
        owner = "/".join(part for part in path.split("/")[:-1] if part not in KERAS_3)
        said = _word(_attributes(stored, data), "name")  # since Keras 3.6
        for number, role in enumerate(_roles(stored)):
            yield (said or named.get(owner, owner), role), f"{root}/{path}/{number}"


def _layers_of_version_3(root):
    """The paths of the groups that hold layers' arrays, links to elsewhere not followed."""
    found = []
    root.visit(lambda path: found.append(path) or (True if len(found) > MOST_ARRAYS else None))
    if len(found) > MOST_ARRAYS:
        raise ValueError(f"it holds more than {MOST_ARRAYS} things")
    return [path for path in found if path.endswith("/vars") and "seed_generator" not in path]


def _roles(stored):
    """What the arrays 0, 1 ... of a layer are, by how many there are and the first one's shape."""
    if not hasattr(stored, "keys"):
        raise ValueError(f"{stored.name} is no group of arrays")
    numbers = [str(k) for k in range(len(stored))]
    if not numbers or len(hdf5_arrays.item(stored, "0").shape) < 2:
        return WORDLESS.get(len(numbers), numbers)
    return ("kernel", "bias")[:len(numbers)] if len(numbers) <= 2 else numbers


def _natural(name):
    """For sorting: conv2d_2 before conv2d_10."""
    return [(int(part), "") if part.isdecimal() else (-1, part)
            for part in re.split(r"(\d+)", name)]


def _is_version_3(file):
    return any(hdf5_arrays.has(file, name) for name in KERAS_3)


# ---- what the numbers mean

def _as_tensorflow(arrays, backend, model, notes):
    """The arrays in TensorFlow's convention, which the other back ends but Theano share."""
    for name, w in arrays.items():
        bias = arrays.get(f"{name.removesuffix('/kernel')}/bias")
        if name.endswith("/kernel") and w.ndim == 4 and bias is not None and (
                bias.shape != w.shape[3:]):
            raise ValueError(f"{name} {w.shape} has not one kernel for each of {bias.shape} "
                             "biases in its last axis: it is of another layer than a Conv2D, or in "
                             "Theano's order; that is saved anew with Keras on TensorFlow")
    if backend != "theano":
        return arrays
    if not model and any(w.ndim == 2 for w in arrays.values()):
        raise ValueError("it was written on Theano, and does not say in which order its dense "
                         "layers read an image; save the whole model (model.save)")
    notes.append("It was written on Theano, which turns kernels by 180 degrees; turned back.")
    return {name: w[::-1, ::-1] if w.ndim == 4 else w for name, w in arrays.items()}


# ---- attributes

def _attributes(thing, data):
    """The attributes of a group, once it is sure that reading them takes no more than there is."""
    import h5py

    hdf5_text.check_attributes(data, h5py.h5o.get_info(thing.id).addr)
    return thing.attrs


def _strings(attrs, name):
    """A list of names, put together from its parts where it has some."""
    parts = [name] if name in attrs else list(takewhile(
        lambda part: part in attrs, (f"{name}{k}" for k in range(MOST_PARTS))))
    if not parts:
        raise ValueError(f"attribute {name} is missing")
    found = [_text(value) for part in parts for value in np.atleast_1d(attrs[part])]
    if len(found) > MOST_ARRAYS:
        raise ValueError(f"{name} lists more than {MOST_ARRAYS} names")
    return found


def _word(attrs, name):
    """An attribute that is a word; "" where there is none."""
    return _text(attrs[name]) if name in attrs else ""


def _text(value):
    if not isinstance(value, (bytes, str)):
        raise ValueError(f"expected text, got {value!r:.60}")
    return value.decode() if isinstance(value, bytes) else str(value)
