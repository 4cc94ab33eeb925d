"""Reader of TensorFlow.js layers models: model.json and the files of numbers it names.

The JSON holds Keras' configuration (`modelTopology`) and a manifest: groups of files ("shards").
The concatenated files of a group hold its arrays one after another. Numbers are float32, or
quantised to fewer bits:

    float16            stored directly
    uint8, uint16      x = scale * number + min

The shards must be beside model.json; a manifest that names files elsewhere raises an error.
"""

from math import isfinite, prod
from pathlib import Path, PureWindowsPath

import numpy as np

from minicnn.files import mapped
from minicnn.files.errors import reading
from minicnn.foreign import json_text, keras_config, keras_models, keras_names
from minicnn.foreign.settings import require

WHAT = "a TensorFlow.js layers model"
FLOATS = {"float32": "<f4", "float16": "<f2", "float64": "<f8"}
QUANTISED = {"uint8": "u1", "uint16": "<u2", "float16": "<f2"}
OTHERS = {"int32": "i4", "bool": "u1", "uint8": "u1", "complex64": "c8"}  # types of no weights
MOST_ARRAYS = 50_000


def recognises(path):
    """Whether a file, or model.json in a folder, is JSON with a weights manifest."""
    path = _json_file(path)
    return mapped.head(path, 65536).lstrip().startswith(b"{") and (
        b'"weightsManifest"' in mapped.head(path, json_text.LONGEST + 65536))


def read(path):
    """Read a model.

    Parameters
    ----------
    path : str or path
        model.json, or the folder that contains it.

    Returns
    -------
    Foreign
        Layout "HWIO"; arrays named "conv_1/kernel", see `keras_names`. If the architecture is
        understood, its layers have the same names; otherwise `layers` is None and a note says why.

    Raises
    ------
    WeightsError
        Naming the file and what is wrong with it.
    """
    path = _json_file(path)
    with reading(path, WHAT):
        require(path.is_file(), "no such file; give the path of model.json or of its folder")
        found = json_text.parsed(mapped.head(path, json_text.LONGEST + 1), "it")
        require(isinstance(found, dict) and isinstance(found.get("weightsManifest"), list),
                "it has no weightsManifest")
        require(found.get("format") != "graph-model", "it is a graph of TensorFlow operations, not "
                "of Keras' layers; convert the Keras model from which it was made")
        return _model(found, path.parent)


def _json_file(path):
    path = Path(path)
    return path / "model.json" if path.is_dir() else path


def _model(found, folder):
    topology = found.get("modelTopology") or {}
    model = topology.get("model_config", topology) or None
    arrays, notes = _arrays(found["weightsManifest"], folder)
    names = list(keras_models.names(model).values())
    places = ["/".join(place) for place in keras_names.places("", list(arrays), names)]
    if len(set(places)) < len(places):
        raise ValueError("two of its arrays have the same role in the same layer")
    says = {key: str(value) for key, value in {
        "generated_by": found.get("generatedBy"), "converted_by": found.get("convertedBy"),
        "keras_version": topology.get("keras_version")}.items() if value is not None}
    return keras_config.foreign("TensorFlow.js layers model",
                                dict(zip(places, arrays.values(), strict=True)), model, says, notes)


# ---- the manifest

def _arrays(manifest, folder):
    """(the arrays by their names in the manifest, notes)"""
    groups = [(_shards(group, folder), [_checked(entry) for entry in group["weights"]])
              for group in manifest]
    files = [file for shards, _ in groups for file in shards]
    names = [entry["name"] for _, group in groups for entry in group]
    for what, listed in (("file", files), ("array", names)):
        require(len(set(listed)) == len(listed), "its manifest lists one {} twice", what)
    require(0 < len(names) <= MOST_ARRAYS, "its manifest lists {} arrays; expected 1 to {}",
            len(names), MOST_ARRAYS)
    arrays, packed, left_out = {}, 0, []
    for shards, group in groups:
        data = _joined(shards, sum(map(_size, group)))
        for entry in group:
            numbers, data = data[:_size(entry)], data[_size(entry):]
            if "quantization" not in entry and entry["dtype"] not in FLOATS:
                left_out.append(f"Array {entry['name']} is left out: it holds no weights.")
            else:
                arrays[entry["name"]] = _array(entry, numbers)
                packed += "quantization" in entry
    return arrays, [f"{packed} of {len(arrays)} arrays are stored with fewer bits than float32, "
                    "and are only as precise."] * bool(packed) + left_out


def _shards(group, folder):
    """The files of a group; all must be in model.json's folder or below it."""
    require(isinstance(group, dict) and isinstance(group.get("paths"), list),
            "a group of its manifest names no files")
    for path in group["paths"]:
        require(isinstance(path, str) and path and "\0" not in path,
                "its manifest has an invalid file name, {!r:.80}", path)
        strict = PureWindowsPath(path)  # treats both kinds of slash alike
        require(not strict.drive and not strict.root and ".." not in strict.parts
                and "://" not in path, "its manifest names a file outside its folder, {!r:.80}; "
                "such a file is not read", path)
    return [folder / path for path in group["paths"]]


def _checked(entry):
    """An entry of the manifest, {"name": ..., "shape": ..., "dtype": ..., "quantization": ...};
    ValueError if it does not describe an array."""
    name, shape, dtype = entry["name"], entry["shape"], entry["dtype"]
    require(isinstance(name, str) and name.isprintable() and len(name) <= 500, "an array of its "
            "manifest is called {!r:.80}; expected a name of at most 500 printable characters",
            name)
    require(isinstance(shape, list) and len(shape) <= 16 and all(
        type(side) is int and 0 <= side < 2**40 for side in shape),
        "array {!r:.80}: expected a shape of at most 16 whole numbers, got {!r:.80}", name, shape)
    packed = entry.get("quantization")
    if packed is None:
        require(dtype in {**FLOATS, **OTHERS}, "array {!r:.80} is of type {!r:.40}; the known "
                "types are {}", name, dtype, ", ".join([*FLOATS, *OTHERS]))
        return {"name": name, "shape": shape, "dtype": dtype}
    require(packed.get("dtype") in QUANTISED and all(
        type(n) in (int, float) and isfinite(n)
        for n in (packed.get("scale", 1.0), packed.get("min", 0.0))),
        "array {!r:.80} is quantised as {!r:.120}; expected {} with a scale and a min", name,
        packed, ", ".join(QUANTISED))
    return entry


def _kind(entry):
    """NumPy's dtype of an entry's numbers."""
    packed = entry.get("quantization")
    return np.dtype(QUANTISED[packed["dtype"]] if packed else (FLOATS | OTHERS)[entry["dtype"]])


def _size(entry):
    return prod(entry["shape"]) * _kind(entry).itemsize


# ---- the numbers

def _joined(files, size):
    """The concatenated bytes of a group's files; ValueError unless there are `size` bytes."""
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise ValueError(f"{len(missing)} of its {len(files)} files of numbers are missing, the "
                         f"first {missing[0]!r:.80}; put them beside it")
    found, names = sum(file.stat().st_size for file in files), [file.name for file in files]
    require(found == size, "its arrays take {:,} bytes, but {} have {:,} together: they are {}; "
            "download or copy them again", size, ", ".join(
                names if len(names) < 4 else [names[0], "...", names[-1]]), found,
            "cut short" if found < size else "not those of this model")
    data = bytearray()
    for file in files:
        data += file.read_bytes()
    return np.frombuffer(data, np.uint8)


def _array(entry, numbers):
    array = numbers.view(_kind(entry)).reshape(entry["shape"])
    packed = entry.get("quantization")
    if packed is None:
        return np.require(array, array.dtype.newbyteorder("="), "A")
    array = array.astype(np.float32)
    if packed["dtype"] != "float16":
        array *= np.float32(packed.get("scale", 1.0))
        array += np.float32(packed.get("min", 0.0))
    return array
