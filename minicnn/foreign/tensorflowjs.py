"""Reader of TensorFlow.js layers models: model.json and the files of numbers it names.

The JSON holds Keras' configuration (`modelTopology`) and a manifest: groups of files, "shards",
that joined hold the arrays of the group one after another. Numbers are float32, or fewer bits:

    float16            as they are
    uint8, uint16      x = scale * number + min

The shards lie beside model.json; a manifest that names files elsewhere is refused.
"""

from math import isfinite, prod
from pathlib import Path, PureWindowsPath
from typing import Any, NamedTuple

import numpy as np

from minicnn.files import mapped
from minicnn.files.errors import reading
from minicnn.foreign import json_text, keras_config, keras_models, keras_names

WHAT = "a TensorFlow.js layers model"
FLOATS = {"float32": "<f4", "float16": "<f2", "float64": "<f8"}
QUANTISED = {"uint8": "u1", "uint16": "<u2", "float16": "<f2"}
OTHERS = {"int32": 4, "bool": 1, "uint8": 1, "complex64": 8}  # bytes; no weights of a layer here
MOST_ARRAYS = 50_000


class Stored(NamedTuple):
    """An array of the manifest: kind is NumPy's, None for numbers that are no weights; `size` in
    bytes; quantised numbers have a scale and a least value."""

    name: str
    shape: tuple
    kind: Any
    size: int
    scale: Any = None
    least: float = 0.0


def recognises(path):
    """Whether the file at a path, or model.json in a folder, is JSON with a weights manifest."""
    path = _json_file(path)
    return mapped.head(path, 65536).lstrip().startswith(b"{") and (
        b'"weightsManifest"' in mapped.head(path, json_text.LONGEST + 65536))


def read(path):
    """Read a model.

    Parameters
    ----------
    path : str or path
        Of model.json, or of the folder it lies in.

    Returns
    -------
    Foreign
        Layout "HWIO"; arrays as "conv_1/kernel", see `keras_names`. Where the architecture is
        understood its layers have the same names; where not, `layers` is None and a note says why.

    Raises
    ------
    WeightsError
        Naming the file and what is wrong with it.
    """
    path = _json_file(path)
    with reading(path, WHAT):
        return _model(_parsed(path), path.parent)


def _json_file(path):
    path = Path(path)
    return path / "model.json" if path.is_dir() else path


def _parsed(path):
    if not path.is_file():
        raise ValueError("no such file; give the path of model.json or of its folder")
    found = json_text.parsed(mapped.head(path, json_text.LONGEST + 1), "it")
    if not isinstance(found, dict) or not isinstance(found.get("weightsManifest"), list):
        raise ValueError("it has no weightsManifest")
    if found.get("format") == "graph-model":
        raise ValueError("it is a graph of TensorFlow operations, not of Keras' layers; convert "
                         "the Keras model it was made from")
    return found


def _model(found, folder):
    topology = found.get("modelTopology") or {}
    model = topology.get("model_config", topology) or None
    arrays, notes = _arrays(found["weightsManifest"], folder)
    names = list(keras_models.names(model).values())
    places = ["/".join(place) for place in keras_names.places("", list(arrays), names)]
    if len(set(places)) < len(places):
        raise ValueError("two of its arrays belong to the same place of the same layer")
    says = {key: str(value) for key, value in {
        "generated_by": found.get("generatedBy"), "converted_by": found.get("convertedBy"),
        "keras_version": topology.get("keras_version")}.items() if value is not None}
    return keras_config.foreign("TensorFlow.js layers model",
                                dict(zip(places, arrays.values(), strict=True)), model, says, notes)


# ---- the manifest

def _arrays(manifest, folder):
    """(the arrays by their names in the manifest, notes)"""
    groups = [(_shards(group, folder), [_stored(entry) for entry in group["weights"]])
              for group in manifest]
    files = [file for shards, _ in groups for file in shards]
    names = [stored.name for _, group in groups for stored in group]
    for what, listed in (("file", files), ("array", names)):
        if len(set(listed)) < len(listed):
            raise ValueError(f"its manifest lists one {what} twice")
    if not 0 < len(names) <= MOST_ARRAYS:
        raise ValueError(f"its manifest lists {len(names)} arrays")
    arrays, quantised, left_out = {}, 0, []
    for shards, group in groups:
        data, at = _joined(shards, sum(stored.size for stored in group)), 0
        for stored in group:
            if stored.kind is None:
                left_out.append(stored.name)
            else:
                arrays[stored.name] = _array(stored, data, at)
                quantised += stored.scale is not None
            at += stored.size
    return arrays, [*([f"{quantised} of {len(arrays)} arrays are stored in fewer bits than "
                       "float32; they are as exact as those are."] if quantised else []),
                    *(f"Array {name} is left out: it holds no weights." for name in left_out)]


def _shards(group, folder):
    """The files of a group, all of them beside model.json or in folders there."""
    if not isinstance(group, dict) or not isinstance(group.get("paths"), list):
        raise ValueError("a group of its manifest names no files")
    for path in group["paths"]:
        if not isinstance(path, str) or not path or "\0" in path:
            raise ValueError(f"its manifest names a file {path!r:.80}")
        strict = PureWindowsPath(path)  # which takes both kinds of slash for one
        if strict.drive or strict.root or ".." in strict.parts or "://" in path:
            raise ValueError(f"its manifest names a file outside its folder, {path!r:.80}; such a "
                             "file is not read")
    return [folder / path for path in group["paths"]]


def _stored(entry):
    name, shape, dtype = entry["name"], entry["shape"], entry["dtype"]
    if not isinstance(name, str) or not name.isprintable() or len(name) > 500:
        raise ValueError(f"an array of its manifest is called {name!r:.80}")
    if not isinstance(shape, list) or len(shape) > 16 or not all(
            type(side) is int and 0 <= side < 2**40 for side in shape):
        raise ValueError(f"array {name!r:.80} has a shape {shape!r:.80}")
    count, shape, packed = prod(shape), tuple(shape), entry.get("quantization")
    if packed is not None:
        kind = QUANTISED.get(packed.get("dtype"))
        scale, least = packed.get("scale", 1.0), packed.get("min", 0.0)
        if kind is None or not all(type(n) in (int, float) and isfinite(n)
                                   for n in (scale, least)):
            raise ValueError(f"array {name!r:.80} is quantised as {packed!r:.120}; known are "
                             f"{', '.join(QUANTISED)} with a scale and a min")
        return Stored(name, shape, kind, count * np.dtype(kind).itemsize, scale, least)
    if dtype in FLOATS:
        return Stored(name, shape, FLOATS[dtype], count * np.dtype(FLOATS[dtype]).itemsize)
    if dtype in OTHERS:
        return Stored(name, shape, None, count * OTHERS[dtype])
    raise ValueError(f"array {name!r:.80} is of type {dtype!r:.40}; known are "
                     f"{', '.join([*FLOATS, *OTHERS])}")


# ---- the numbers

def _joined(files, size):
    """The bytes of a group's files, one after another; there have to be `size` of them."""
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise ValueError(f"{len(missing)} of its {len(files)} files of numbers are missing, the "
                         f"first {missing[0]!r:.80}; they have to lie beside it")
    found = sum(file.stat().st_size for file in files)
    if found != size:
        what = "cut short" if found < size else "not those it was saved with"
        names = [file.name for file in files]
        listed = ", ".join(names if len(names) < 4 else [names[0], "...", names[-1]])
        raise ValueError(f"its arrays take {size:,} bytes, and {listed} together have {found:,}: "
                         f"they are {what}; download or copy them again")
    data = bytearray()
    for file in files:
        data += file.read_bytes()
    return np.frombuffer(data, np.uint8)


def _array(stored, data, at):
    array = data[at:at + stored.size].view(stored.kind).reshape(stored.shape)
    if stored.scale is None:
        return np.require(array, array.dtype.newbyteorder("="), "A")
    array = array.astype(np.float32)
    if stored.kind != QUANTISED["float16"]:
        array *= np.float32(stored.scale)
        array += np.float32(stored.least)
    return array
