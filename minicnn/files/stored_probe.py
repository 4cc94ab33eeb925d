"""The stored form of a probe: one small picture, and the fingerprints of every layer's output.

`minicnn.files.probe` makes probes. This module defines their contents and stores them in the group
"stored probe" of minicnn's own HDF5 form:

=============  ====================================================================================
by             attribute: what computed it, "PyTorch 2.13.0, float64"
settings       attribute: SHA-256 of the layers, their settings and the preprocessing
names          attribute, JSON: "image" and every layer, in the order of computation
weights        attribute, JSON: {layer: the first 16 digits of the SHA-256 of its weights, rounded
               to float32}, of every layer with weights
picture        (3, H, W) uint8, before any preprocessing; planes compress better than pixels
figures        (names, 16) float32: the fingerprints
scores         (K,) float32: all outputs of the layer that gives the class scores, H,W,C flattened;
               empty if there are too many to be classes
=============  ====================================================================================

The picture is stored like a photo, not as preprocessed numbers, so that the channel order, the mean
and the scale are verified, too. It compresses to about ten thousand bytes.
"""

import json
import re
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from minicnn.files import digests, fingerprint, hdf5_arrays

GROUP = "stored probe"  # no layer name has a space
HASH = re.compile(r"[0-9a-f]{16}")
MOST_PIXELS = 1 << 21


@dataclass(frozen=True, eq=False)
class Probe:
    """The fingerprints of a network's layers for one picture; the fields are described above.

    Attributes
    ----------
    by, settings : str
    names : list of str
    weights : dict of str to str
    picture : (H, W, 3) uint8
    fingerprints : (len(names), fingerprint.LENGTH) float32
    scores : (K,) float32
    """

    by: str
    settings: str
    names: list = field(repr=False)
    weights: dict = field(repr=False)
    picture: Any = field(repr=False)
    fingerprints: Any = field(repr=False)
    scores: Any = field(repr=False)


def weight_hashes(network, dtype="float32"):
    """{layer: 16 hexadecimal digits} for all layers with weights, as loaded after storing.

    Parameters
    ----------
    network : Network
    dtype : str
        The dtype in which the weights are stored.
    """
    with np.errstate(over="ignore"):
        return {name: digests.of_arrays({
            key: network.params[name][key].astype(dtype, copy=False).astype(np.float32, copy=False)
            for key in shapes})[:16] for name, shapes in network.param_shapes.items()}


def still_of(probe, network, dtype):
    """Whether a probe matches a network in its present state, stored as `dtype`."""
    return (probe.settings == digests.of_layers(network)
            and probe.weights == weight_hashes(network, dtype))


def write(file, probe):
    """Store a probe in an open HDF5 file."""
    group = file.create_group(GROUP)
    group.attrs.update({"by": probe.by, "settings": probe.settings,
                        "names": json.dumps(probe.names), "weights": json.dumps(probe.weights)})
    planes = probe.picture.transpose(2, 0, 1)  # H,W,C -> C,H,W
    group.create_dataset("picture", data=planes, compression="gzip", compression_opts=9,
                         chunks=planes.shape)
    group.create_dataset("figures", data=probe.fingerprints.astype("<f4"))
    group.create_dataset("scores", data=probe.scores.astype("<f4"))


def read(file, network, size):
    """The probe in an open HDF5 file; None if it holds none.

    Parameters
    ----------
    file : h5py.File
    network : Network
        The network in the file.
    size : int
        Bytes of the file.

    Raises
    ------
    ValueError
        Naming the part that is missing, of the wrong kind, or not of this network.
    """
    if not hdf5_arrays.has(file, GROUP):
        return None
    try:
        return _read(hdf5_arrays.item(file, GROUP), network, size)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = error.args[0] if error.args else type(error).__name__
        raise ValueError(f"its probe is damaged: {why}") from None


def _read(group, network, size):
    words = {name: _text(group, name) for name in ("by", "settings")}
    names, weights = (json.loads(_text(group, name)) for name in ("names", "weights"))
    arrays = hdf5_arrays.read(group, {"figures": "figures", "scores": "scores"}, size)
    picture = _picture(group)
    if names != ["image", *network.names]:
        raise ValueError(f"it is of other layers than those of network {network.name}")
    if not isinstance(weights, dict) or list(weights) != list(network.param_shapes) or not all(
            isinstance(value, str) and HASH.fullmatch(value) for value in weights.values()):
        raise ValueError("weights: expected one hash of 16 digits for each layer with weights")
    shapes = {"figures": (len(names), fingerprint.LENGTH), "scores": (arrays["scores"].size,)}
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name}: expected shape {shape}, got {arrays[name].shape}")
        if not np.isfinite(arrays[name]).all():
            raise ValueError(f"{name}: not all of its numbers are finite")
    return Probe(**words, names=names, weights=weights, picture=picture,
                 fingerprints=arrays["figures"], scores=arrays["scores"])


def _text(group, name):
    value = group.attrs.get(name)
    if not isinstance(value, str):
        raise ValueError(f"its attribute {name} is missing, or not text")
    return value


def _picture(group):
    """(H, W, 3)."""
    data = hdf5_arrays.item(group, "picture")
    shape, dtype = getattr(data, "shape", None), getattr(data, "dtype", None)
    if dtype != np.uint8 or shape is None or len(shape) != 3 or shape[0] != 3 or (
            not 0 < shape[1] * shape[2] <= MOST_PIXELS):
        raise ValueError(f"picture: expected planes (3, H, W) of pixels 0..255, got {shape} of "
                         f"{dtype}")
    if data.external or data.is_virtual or prod(data.chunks or (1,)) > 3 * MOST_PIXELS:
        raise ValueError("picture: its numbers are in another file, or its chunks are too large")
    return data[()].transpose(1, 2, 0)  # C,H,W -> H,W,C
